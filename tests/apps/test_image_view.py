"""What the Image page shows, as plain data."""

import io
import re
from html import unescape
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from PIL import Image

from apps.image import view
from core.arithmetic import total
from domains.image.classifier import Classification
from domains.image.pictures import open_picture, prepare

COLOUR = {
    "channels": 3, "size": 32, "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.1], "fit": "crop",
}  # fmt: skip
GREY = {"channels": 1, "size": 28, "mean": [0.13], "std": [0.31], "fit": "digit"}


def words(html):
    return unescape(re.sub("<[^>]*>", " ", html))


def test_every_sample_is_a_picture():
    names = sorted(path.stem for path in view.SAMPLES.glob("*.png"))
    assert len(names) >= 6
    for name in names:
        file = view.sample(name)
        assert file.name == f"{name}.png"
        assert len(file.data) < 10_000
        assert min(open_picture(io.BytesIO(file.data), file.name).size) >= 160


def test_samples_say_where_they_come_from():
    assert "Drawn by the code below" in (view.SAMPLES / "README.md").read_text()


@settings(deadline=None)
@given(arrays(np.uint8, (32, 32, 3)))
def test_what_is_seen_is_the_picture_that_was_prepared(samples):
    seen = np.asarray(view.seen(prepare(Image.fromarray(samples), COLOUR), COLOUR))
    assert seen.shape == (224, 224, 3)
    assert (seen[3::7, 3::7] == samples).all()


def test_a_large_picture_is_not_enlarged_and_a_grey_one_stays_grey():
    large = COLOUR | {"size": 224}
    assert view.seen(prepare(Image.new("RGB", (300, 300)), large), large).size == (224, 224)
    digit = view.seen(prepare(Image.new("RGB", (28, 28), "white"), GREY), GREY)
    assert digit.mode == "L"
    assert digit.size == (224, 224)


def test_bars_are_the_likeliest_first():
    scores = {"a": 0.1, "b": 0.4, "c": 0.2, "d": 0.15, "e": 0.05, "f": 0.1}
    bars = view.bars(Classification("b", scores))
    assert [bar["label"][0] for bar in bars] == ["b", "c", "d", "a", "f"]
    assert bars[0] == {"label": "b 40.0\N{NO-BREAK SPACE}%", "percent": 40.0}


def test_labels_are_text():
    label = "<i>sea</i> & sun"
    html = view.answer(Classification(label, {label: 0.9}))
    assert label in words(html)
    assert "<i>" not in html


def network(labels, preprocessing, **metrics):
    return SimpleNamespace(
        classifier=SimpleNamespace(labels=labels, preprocessing=preprocessing), metrics=metrics
    )


def test_ten_classes_are_named_and_a_thousand_counted():
    figures = {"epochs": 9, "test": {"accuracy": 0.954}}
    ten = words(view.about("objects", network(("airplane", "frog"), COLOUR, **figures)))
    assert "Network objects; its answers: airplane, frog · accuracy: test 95.4" in ten
    assert "scaled to 32 pixels along its shorter side, and the middle is kept" in ten
    large = COLOUR | {"size": 224, "resize": 256}
    many = words(view.about("imagenet", network([str(n) for n in range(1000)], large)))
    assert "its answers: 1,000 classes" in many
    assert "accuracy" not in many
    assert "256 pixels along its shorter side, and the middle 224 × 224 are kept" in many
    assert "MNIST" in words(view.about("digits", network("0123456789", GREY)))


@pytest.mark.parametrize(
    ("shape", "shown", "said"),
    [
        ((64, 14, 15), 256, "64 maps, 14 × 15 pixels."),
        ((1, 3, 3), 256, "1 map, 3 × 3 pixels."),
        ((10, 1, 1), 256, "10 maps, one value each."),
        ((1280, 7, 7), 256, "1,280 maps, 7 × 7 pixels; the first 256 are shown."),
    ],
)
def test_what_is_said_of_tiles(shape, shown, said):
    assert view.maps(shape, shown) == said


def test_a_row_a_layer():
    from apps.layers import cells, layers

    _, rows = layers("lenet5", {})
    shown = list(map(cells, rows))
    assert shown[0]["kernel"] == "5x5"
    assert shown[0]["output"] == "6x28x28"
    assert shown[-1]["layer"] == "total"
    assert shown[-1]["parameters"] == total(rows[:-1]).parameters > 0
