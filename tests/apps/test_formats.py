import pytest

from apps.formats import Format, writer
from domains.text.classifier import Sentiment
from domains.text.files import Row


def test_labels_are_shown_escaped_and_aligned():
    labels = ["b\x1b[2Jad", "good"]
    scores = dict(zip(labels, (0.75, 0.25), strict=True))
    row, answer = Row(1, "x", None), Sentiment(labels[0], scores)
    table = writer(Format.table, labels, terminal=False, colour=False)(row, answer)
    assert table.splitlines() == [
        r"label       b\x1b[2Jad   good  text",
        r"b\x1b[2Jad       0.750  0.250  x",
    ]
    label = writer(Format.label, labels, terminal=True, colour=False)(row, answer)
    assert label == "b\\x1b[2Jad\n"


@pytest.mark.parametrize("format", [Format.csv, Format.jsonl])
def test_data_is_escaped_for_a_terminal_only(format):
    row, answer = Row(1, "\x9b2J\nx", None), Sentiment("good", {"good": 1.0})
    shown = writer(format, ["good"], terminal=True, colour=False)(row, answer)
    written = writer(format, ["good"], terminal=False, colour=False)(row, answer)
    assert "\x9b" not in shown and r"\x9b2J" in shown
    assert "\x9b2J" in written
    assert shown.count("\n") == written.count("\n")
