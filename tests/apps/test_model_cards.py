"""Cards and formulas in the words of the Models page."""

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest

from apps.layers import default_config, layers, networks
from apps.models import cards, formulas
from apps.models.metrics import duration, named, shown, sorted_keys
from core.weights import list_cards
from domains import weight_folders

RELEASED = [card for folder in weight_folders().values() for card in list_cards(folder)]


def numbers(content):
    """Every number in a card's metrics."""
    if isinstance(content, Mapping):
        return [number for value in content.values() for number in numbers(value)]
    if isinstance(content, list):
        return [number for value in content for number in numbers(value)]
    return [content] if isinstance(content, int | float) else []


@pytest.mark.parametrize("card", RELEASED, ids=lambda card: card.name)
def test_no_number_of_a_card_is_lost(card):
    sets = {name: value for name, value in card.metrics.items() if isinstance(value, Mapping)}
    found = [
        number
        for one in cards.measured(card)
        for part in (
            list(one.figures.values()),
            [share for by_class in one.by_class.values() for share in by_class.values()],
            [times for *_, times in one.confusions],
        )
        for number in part
    ]
    assert sorted(found) == sorted(numbers(sets))
    assert len(cards.training(card)) == len(card.metrics) - len(sets)


@pytest.mark.parametrize("card", RELEASED, ids=lambda card: card.name)
def test_a_released_card_is_told_in_words(card):
    assert cards.takes(card)[0].isupper() or cards.takes(card)[0].isdigit()
    assert cards.takes(card).endswith(".") and cards.answers(card).endswith(".")
    assert "mean 0" not in cards.takes(card)  # not the bare values
    reached, parameters, size, training = cards.key_figures(card, 1234)
    assert "%" in reached.value
    assert parameters.value == "1,234"
    assert re.fullmatch(r"[\d.]+ MB", size.value)
    assert re.fullmatch(r"[\d.]+ (min|h)", training.value)
    assert cards.differs(card) == ""


def test_sets_that_are_no_test_are_not_called_so():
    card = replace(RELEASED[0], metrics={"dev a": {"top1": 0.5}, "dev b": {"top1": 0.75}})
    reached = cards.key_figures(card, 1234)[0]
    assert (reached.label, reached.value) == ("On its 2 validation sets", "50 to 75 %")


def test_parts_and_matrices_of_a_set():
    content = {
        "phases": {"opening": {"top1": 0.5}},
        "confusion": {"a": {"a": 5, "b": 2, "c": 3}, "b": {"a": 0}},
        "labels": {"0": "bad"},
    }
    whole, opening = cards._measured("test", content)
    assert (opening.name, opening.figures) == ("test: opening", {"top1": 0.5})
    assert whole.confusions == [("a", "c", 3), ("a", "b", 2)]
    assert whole.notes == {"labels": "0 bad"}


def test_metrics_have_units():
    assert named("ece").heading == "calibration error (%)"
    assert shown("accuracy", 0.962) == pytest.approx(96.2)
    assert shown("loss", 1.7) == 1.7
    assert named("clips_per_second").heading == "speed (clips/s)"
    assert named("my_own").heading == "my own"
    assert sorted_keys(["zoo", "n", "top1", "accuracy"]) == ["accuracy", "top1", "n", "zoo"]
    assert [duration(s) for s in (48, 65.7 * 60, 2.01 * 3600)] == ["48 s", "66 min", "2.0 h"]


# --- formulas ---------------------------------------------------------------------------------


def row_of(network, layer):
    _, rows = layers(network, default_config(network))
    return next(row for row in rows if row.name == layer)


@pytest.mark.parametrize(
    ("network", "layer", "expected"),
    [
        ("alexnet", "conv1.conv", ["(N - F + 2P)/S + 1 = (227 - 11 + 2·0)/4 + 1 = 55"]),
        (
            "resnet18",
            "conv1.conv",
            ["(N - F + 2P)/S + 1 = (224 - 7 + 2·3)/2 + 1 = 112.5, rounded down to 112"],
        ),
        (
            "googlenet",
            "layers.pool1",
            ["(N - F + 2P)/S + 1 = (112 - 3 + 2·0)/2 + 1 = 55.5, rounded up to 56"],
        ),
        ("unet", "enlarge.0.conv", ["(N - 1)·S + F - 2P = (28 - 1)·2 + 2 - 2·0 = 56"]),
    ],
)
def test_output_sizes_by_hand(network, layer, expected):
    networks()
    assert formulas.output_size(row_of(network, layer)) == expected


def test_a_dilated_filter_counts_as_wide_as_it_lies():
    networks()
    height, width = formulas.output_size(row_of("bc-resnet", "9.over_time.0.conv"))
    assert height == "height: (N - F + 2P)/S + 1 = (1 - 1 + 2·0)/1 + 1 = 1"
    assert width == "width: (N - F + 2P)/S + 1 = (98 - 17 + 2·8)/1 + 1 = 98"  # 8·(3 - 1) + 1


def test_parameters_by_hand():
    networks()
    assert formulas.parameters(row_of("lenet5", "c1.conv")) == "5·5·1·6 + 6 = 156"
    assert formulas.parameters(row_of("resnet18", "conv1.conv")) == "7·7·3·64 = 9,408"
    assert formulas.parameters(row_of("lenet5", "s2")) == ""
    assert formulas.parameters(row_of("lenet5", "f6.linear")) == "120·84 + 84 = 10,164"
    assert formulas.output_size(row_of("lenet5", "f6.linear")) == []
    assert formulas.parameters(row_of("resnet18", "conv1.norm")) == ""


@pytest.mark.parametrize(
    "name", ["vgg16", "googlenet", "inception-v3", "unet", "vnet", "bc-resnet"]
)
def test_each_formula_ends_with_the_size_of_the_output(name):
    networks()
    _, rows = layers(name, default_config(name))
    for row in rows:
        if row.kernel and row.output_shape:
            ends = [int(re.findall(r"\d+", line)[-1]) for line in formulas.output_size(row)]
            axes = row.output_shape[1:]
            assert tuple(ends) == axes or (len(ends) == 1 and set(axes) == set(ends))
