"""Figures in words, by worked examples."""

from types import SimpleNamespace

import pytest

from apps import figures


def card(**metrics):
    return SimpleNamespace(metrics=metrics)


def spaced(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.342, "34.2 %"),
        (1, "100.0 %"),
        (0, "0.0 %"),
        (0.0005, "0.1 %"),
        (0.0004, "< 0.1 %"),
        (1e-12, "< 0.1 %"),
    ],
)
def test_percent(share, shown):
    assert spaced(figures.percent(share)) == shown
    assert " " not in figures.percent(share)


def test_a_test_set_is_the_headline():
    found = card(validation={"accuracy": 0.5}, test={"accuracy": 0.962, "n": 10}, minutes=3.0)
    assert spaced(figures.headline(found)) == "test accuracy 96.2 %"
    assert figures.meaning(found) == "Accuracy: the share of the answers that are right."


def test_other_test_sets_stand_behind_the_one_called_test():
    found = card(**{"test at 0 dB": {"accuracy": 0.5}, "test": {"accuracy": 0.75}})
    assert spaced(figures.headline(found)) == "test accuracy 75.0 %"


def test_several_test_sets_are_a_range():
    halves = {"negative": 0.9, "positive": 0.88}
    found = card(
        **{
            "dev": {"macro_recall": 0.1},
            "A test": {"macro_recall": 0.618, "accuracy": 0.7},
            "B test": {"macro_recall": 0.1, "accuracy": 0.89, "recall": halves},
        }
    )
    said = spaced(figures.headline(found))
    assert said == "macro recall or accuracy 61.8 % to 89.0 % on 2 test sets"
    assert "Macro recall: " in figures.meaning(found)
    assert "Accuracy: " in figures.meaning(found)


@pytest.mark.parametrize("said", [{"accuracy": "high"}, {"accuracy": float("nan")}, {"n": 4}])
def test_a_set_without_a_number_to_compare_is_passed_by(said):
    assert list(figures.compared(card(test=said))) == []
    found = card(test=said | {"recall": 0.5, "macro_recall": 0.5})
    assert spaced(figures.headline(found)) == "test macro recall 50.0 %"


def test_without_a_test_set():
    found = card(a={"top1": 0.25}, b={"top1": 0.5})
    assert spaced(figures.headline(found)) == "top-1 25.0 % to 50.0 % on 2 sets"


def test_nothing_measured():
    assert figures.headline(card(minutes=3.0)) == ""
    assert figures.meaning(card()) == ""


def test_every_metric_that_is_compared_is_explained():
    assert set(figures.MEANINGS) == set(figures.COMPARED.values())


def test_a_bar_is_as_wide_as_its_share():
    html = figures.bars([("a", 0.25), ("<b>", 1.0)])
    assert html.count("<tr>") == 2
    assert "width: 25.0%" in html
    assert "width: 100.0%" in html
    assert "&lt;b&gt;" in html


def test_an_answer_is_text():
    html = figures.answer("<b>", 0.5)
    assert "<b>&lt;b&gt;</b>" in html
    assert "50.0" in html
