import csv
import io
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from apps import textview
from domains.text.classifier import Sentiment
from domains.text.explanation import Explanation, Ngram, Word
from domains.text.files import Row

SCORES = {"negative": 0.125, "neutral": 0.25, "positive": 0.625}


class Seen(HTMLParser):
    """What a browser makes of HTML: its elements, and the text of the last one of a class."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.marks, self.data = [], [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        if tag == "mark":
            self.marks.append(dict(attributes))
        if dict(attributes).get("class") == "text":
            self.data = ""

    def handle_data(self, data):
        self.data += data


def explained(text, *words):
    places = [Word(text[start:end], start, end, weight) for start, end, weight in words]
    return Sentiment("positive", SCORES, Explanation(places, []))


def answers(fields):
    """One answered row with these columns."""
    row = Row(name="x.csv", line=2, text="fine", fields=fields, size=0)
    return [(row, Sentiment("positive", SCORES))]


def csv_rows(answers):
    return list(csv.reader(io.StringIO(textview.as_csv(answers, tuple(SCORES)), newline="")))


def test_a_text_a_line():
    assert textview.texts(" one \n\n\ttwo\r\n  \nthree") == ["one", "two", "three"]


def test_words_are_marked_by_side_and_strength():
    text = "not so bad, it is"
    seen = Seen(textview.answer(text, explained(text, (0, 3, 2.0), (7, 10, -1.0), (12, 14, 0.01))))
    assert seen.data == text
    assert [mark["class"] for mark in seen.marks] == ["part for", "part against"]
    assert [mark["title"] for mark in seen.marks] == ["+2.00 logits", "-1.00 logits"]
    strengths = [float(mark["style"].removeprefix("--strength: ")) for mark in seen.marks]
    assert strengths[0] == 2 * strengths[1] > 0


def test_the_label_comes_with_its_probability():
    assert "positive · 62.5\N{NO-BREAK SPACE}%" in textview.answer("x", explained("x"))


@given(st.text(alphabet=st.characters(exclude_characters="\r\0", exclude_categories=["Cs"])))
def test_any_text_is_shown_as_text(text):
    middle = len(text) // 2
    words = [(0, middle, 1.0), (middle, len(text), -1.0)]
    seen = Seen(textview.answer(text, explained(text, *words)))
    assert set(seen.elements) == {"div", "mark"}
    assert seen.data == text


def test_strongest_ngrams_first():
    grams = [
        Ngram("so bad", 4, 10, 3, 7, 0.5),
        Ngram("not so bad", 0, 10, 3, 2, -0.75),
        Ngram("it is", 12, 17, 4, 1, 0.25),
    ]
    table = textview.ngrams(Sentiment("positive", SCORES, Explanation([], grams)), most=2)
    assert [row["n-gram"] for row in table] == ["not so bad", "so bad"]
    assert table[0] == {
        "n-gram": "not so bad",
        "words": 3,
        "filter": 2,
        "adds (logits)": -0.75,
    }


def test_csv_keeps_the_columns_and_adds_the_answer():
    assert csv_rows(answers({"id": "7", "text": "fine"})) == [
        ["id", "text", "label", "negative", "neutral", "positive"],
        ["7", "fine", "positive", "0.125000", "0.250000", "0.625000"],
    ]


def test_csv_holds_columns_that_only_some_rows_have():
    rows = [*answers({"text": "a", "stars": 4}), *answers({"text": "b", "id": "7"})]
    header, *cells = csv_rows(rows)
    assert header[:3] == ["text", "stars", "id"]
    assert [row[:3] for row in cells] == [["a", "4", ""], ["b", "", "7"]]


def test_a_column_called_label_is_kept():
    assert csv_rows(answers({"label": "1", "text": "fine"}))[0][:3] == [
        "label",
        "text",
        "predicted_label",
    ]


@given(st.lists(st.text(alphabet="=+-@\t\r\n\"',;a1", max_size=8), min_size=1, max_size=4))
def test_no_cell_is_a_formula(cells):
    fields = {f"{cell}{number}": cell for number, cell in enumerate(cells)}
    names, values = csv_rows(answers(fields))
    assert not [cell for cell in names + values if cell.startswith(tuple("=+-@\t\r\n"))]
    assert [value.removeprefix("'") for value in values[: len(cells)]] == [
        cell.removeprefix("'") for cell in cells
    ]
