"""The Text page without a browser, on the released model, or a stand-in where none is released."""

import csv
import io
import json
import re
from html import escape
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

import apps
from core.errors import InputError
from domains.text import classifier
from domains.text.classifier import Sentiment
from domains.text.explanation import Explanation, Ngram, Word

HOME = Path(apps.__file__).with_name("home.py")
HOSTILE = "<script>alert(1)</script> <b>bold</b> $x^2$ :smile: **x** a warm, funny film"
FILE = f"""id,review
1,"A warm, funny film."
2,=1+1 a dull mess
3
4,{HOSTILE.replace(",", "")}
5,
"""


class StandIn:
    """Knows two words."""

    labels = ("negative", "neutral", "positive")

    def __init__(self, card):
        self.card = card

    def predict(self, texts, explain=False):
        return [self._answer(text, explain) for text in texts]

    def _answer(self, text, explain):
        scores = (0.1, 0.2, 0.7) if "funny" in text else (0.7, 0.2, 0.1)
        label = "positive" if "funny" in text else "negative"
        end = min(5, len(text))
        explanation = Explanation(
            [Word(text[:end], 0, end, 1.0)], [Ngram(text[:end], 0, end, 3, 0, 0.5)]
        )
        scores = dict(zip(self.labels, scores, strict=True))
        return Sentiment(label, scores, explanation if explain else None)

    def nearest(self, word, n=10):
        if word != "wonderful":
            raise InputError(f"{word!r} is not known")
        return [("marvellous", 0.75), ("funny", 0.5)]


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    """Puts a `StandIn` in the model's place; gives its card and the names it was loaded by."""
    card = SimpleNamespace(
        name="sentiment",
        path=tmp_path / "sentiment.toml",
        metrics={"dev reviews": {"macro_recall": 0.625}},
        preprocessing={"max_words": 100},
    )
    card.path.write_text("first")
    loaded = []

    def load(name):
        loaded.append(name)
        return StandIn(card)

    monkeypatch.setattr("core.weights.find", lambda name, *folders: card)
    monkeypatch.setattr(classifier.SentimentClassifier, "load", load)
    return card, loaded


@pytest.fixture(autouse=True)
def _model(request):
    streamlit.cache_resource.clear()
    if not (classifier.WEIGHTS / "sentiment.toml").is_file():
        request.getfixturevalue("stand_in")


@pytest.fixture
def downloads(monkeypatch):
    """What each download button hands out, by its label."""
    found = {}
    monkeypatch.setattr(
        streamlit, "download_button", lambda label, data, **_: found.update({label: data()})
    )
    return found


def open_page():
    page = AppTest.from_file(str(HOME), default_timeout=60).run()
    return page.switch_page("pages/text.py").run()


@pytest.fixture
def page():
    return open_page()


def typed(page, text):
    page.text_area[0].set_value(text)
    return button(page, "Answer").click().run()


def uploaded(page, content, name="reviews.csv"):
    return page.file_uploader[0].set_value((name, content.encode(), "text/csv")).run()


def button(page, label):
    return next(button for button in page.button if button.label == label)


def html(page):
    return "".join(element.proto.body for element in page.get("html"))


def alerts(page):
    return [alert.value for alert in [*page.info, *page.warning, *page.error]]


def marked_up(page):
    """Whatever on the page is read as Markdown."""
    texts = [element.value for kind in ("markdown", "caption") for element in page.get(kind)]
    return " ".join(texts + alerts(page) + [button.label for button in page.button])


def shares(page):
    """The percentages beside the bars, by label."""
    found = re.findall(r"<td>(\w+)</td><td>(?:< )?([\d.]+)\W%</td>", html(page))
    return {label: float(percent) for label, percent in found}


def test_an_empty_page_says_what_to_do(page):
    assert not page.exception
    assert any("No text yet" in alert for alert in alerts(page))
    assert any("No file yet" in alert for alert in alerts(page))
    assert any("No word yet" in alert for alert in alerts(page))


def test_it_says_who_answers_and_how_well(page):
    assert "Answered by <b>sentiment</b>" in html(page)
    assert "macro recall" in html(page)
    [card] = page.get("page_link")
    assert card.proto.page == "models"
    assert card.proto.query_string == "model=sentiment"
    assert "of each class, the share that is found" in card.proto.help


def test_a_text_gets_its_label_and_probabilities(page):
    typed(page, "A warm, funny film.")
    assert not page.exception
    assert "positive · " in html(page)
    assert "<mark" in html(page)
    percents = shares(page)
    assert sum(percents.values()) == pytest.approx(100, abs=0.2)
    assert max(percents, key=percents.get) == "positive"
    assert not page.selectbox


def test_the_winning_ngrams_are_listed(page):
    table = typed(page, "A warm, funny film.").dataframe[0].value
    assert list(table) == ["n-gram", "words", "filter", "adds (logits)"]
    assert all(ngram in "A warm, funny film." for ngram in table["n-gram"])


def test_each_line_is_a_text(page):
    typed(page, "A warm, funny film.\n\nA dull mess.\n")
    assert html(page).count('class="answer"') == 2
    assert shares(page)["positive"] > 50
    page.selectbox[0].select_index(1).run()
    assert shares(page)["negative"] > 50


def test_an_example_is_answered_at_a_click(page):
    button(page, "Negation").click().run()
    assert html(page).count('class="answer"') == len(page.text_area[0].value.splitlines()) > 1


def test_only_so_many_lines_are_answered(page):
    typed(page, "fine\n" * 101)
    assert html(page).count('class="answer"') == 100
    assert any("first 100 of 101 lines" in alert for alert in alerts(page))


def test_typed_text_is_shown_as_text(page):
    typed(page, f"{HOSTILE}\nA film.")
    assert not page.exception
    for tag in ("<script", "<b>bold"):
        assert tag not in html(page)
    assert escape(HOSTILE) in re.sub("</?mark[^>]*>", "", html(page))
    for piece in ("script", "bold", "$", ":smile:", "**x**"):
        assert piece not in marked_up(page)


def test_a_file_is_answered_and_its_bad_rows_named(page, downloads):
    uploaded(page, FILE)
    assert not page.exception
    assert page.selectbox[0].value == "review"
    assert "Bad rows, not answered: 2" in alerts(page)
    answers, problems = (table.value for table in page.dataframe)
    assert answers["text"][0] == "A warm, funny film."
    assert answers["label"][0] == "positive"
    assert answers.filter(like="(%)").sum(axis=1).tolist() == pytest.approx([100] * 3)
    assert [problem.split(" ")[0] for problem in problems.iloc[:, 0]] == [
        "reviews.csv:4:",
        "reviews.csv:6:",
    ]
    assert "script" not in marked_up(page)


def test_a_sample_file_is_answered_at_a_click(page, downloads):
    button(page, "Try a sample file").click().run()
    assert not page.exception
    assert page.selectbox[0].value == "review"
    assert "Bad rows" not in "".join(alerts(page))
    rows = list(csv.DictReader(io.StringIO(downloads["Download csv"], newline="")))
    assert f"Texts answered: {len(rows)}" in marked_up(page)
    assert {row["label"] for row in rows} >= {"negative", "positive"}
    assert sum(shares(page).values()) == pytest.approx(100, abs=0.2)


def test_an_upload_takes_the_place_of_the_sample(page, downloads):
    button(page, "Try a sample file").click().run()
    uploaded(page, "text\na dull mess\n")
    assert len(downloads["Download jsonl"].splitlines()) == 1
    page.file_uploader[0].set_value(None).run()
    assert not page.dataframe
    assert any("No file yet" in alert for alert in alerts(page))


def test_a_bad_upload_leaves_the_page_usable(page, downloads):
    uploaded(page, "")
    uploaded(page, FILE)
    assert not page.error
    assert len(downloads["Download jsonl"].splitlines()) == 3


def test_downloads_read_back(page, downloads):
    uploaded(page, FILE)
    rows = list(csv.DictReader(io.StringIO(downloads["Download csv"], newline="")))
    assert [row["id"] for row in rows] == ["1", "2", "4"]
    assert rows[0]["label"] == "positive"
    assert rows[1]["review"] == "'=1+1 a dull mess"
    objects = [json.loads(line) for line in downloads["Download jsonl"].splitlines()]
    assert [row["id"] for row in objects] == ["1", "2", "4"]
    assert objects[1]["review"] == "=1+1 a dull mess"
    for row, answer in zip(rows, objects, strict=True):
        assert sum(answer["scores"].values()) == pytest.approx(1)
        assert {label: float(row[label]) for label in answer["scores"]} == pytest.approx(
            answer["scores"]
        )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.tsv", "id\treview\n1\tA warm, funny film.\n"),
        ("x.jsonl", '{"id": 1, "review": "A warm, funny film."}\n'),
    ],
)
def test_other_formats(page, downloads, name, content):
    uploaded(page, content, name)
    page.selectbox[0].select("review").run()
    assert json.loads(downloads["Download jsonl"])["label"] == "positive"


def test_another_column(page, downloads):
    uploaded(page, "text,title\na dull mess,A warm funny film\n")
    assert json.loads(downloads["Download jsonl"])["label"] == "negative"
    page.selectbox[0].select("title").run()
    assert json.loads(downloads["Download jsonl"])["label"] == "positive"


def test_a_file_that_cannot_be_read(page):
    uploaded(page, "")
    assert not page.exception
    assert page.error[0].value == "This file can't be read."
    assert page.text[0].value.startswith("reviews.csv")


@pytest.mark.parametrize("first", ['"abc"', '[{"a": 1}]', "[" * 100_000])
def test_a_first_line_that_is_no_object_is_a_bad_row(page, downloads, first):
    uploaded(page, f'{first}\n{{"text": "A warm, funny film."}}\n', "x.jsonl")
    assert not page.exception
    assert page.selectbox[0].options == []
    assert "Bad rows, not answered: 1" in alerts(page)
    assert json.loads(downloads["Download jsonl"])["label"] == "positive"


def test_only_so_many_rows_are_read(page, downloads):
    uploaded(page, "text\n" + "fine\n" * 50_001)
    assert "Only the first 50,000 rows were read." in alerts(page)
    assert downloads["Download jsonl"].count("\n") == 50_000


def test_nearest_words(page):
    table = page.text_input[0].set_value(" wonderful ").run().dataframe[0].value
    cosines = table.iloc[:, 1].tolist()
    assert cosines == sorted(cosines, reverse=True)
    assert "wonderful" not in table["word"].tolist()


def test_a_word_is_looked_up_at_a_click(page):
    button(page, "wonderful").click().run()
    assert page.text_input[0].value == "wonderful"
    assert not page.dataframe[0].value.empty


def test_a_word_that_is_not_known(page):
    page.text_input[0].set_value("**qzxv**").run()
    assert not page.exception
    assert any("doesn't know this word" in alert for alert in alerts(page))
    assert "qzxv" not in marked_up(page)


def test_two_sessions_share_no_text(page):
    typed(page, "A warm, funny film.")
    uploaded(page, FILE)
    other = open_page()
    assert not other.text_area[0].value
    assert "funny" not in html(other)
    assert not other.dataframe


def test_the_model_is_loaded_once_and_again_when_its_card_changes(stand_in):
    card, loaded = stand_in
    open_page()
    typed(open_page(), "fine")
    assert loaded == ["sentiment"]
    card.path.write_text("second")
    open_page()
    assert loaded == ["sentiment", "sentiment"]


def test_a_model_that_cannot_be_loaded(monkeypatch):
    def missing(name, *folders):
        raise InputError(f"no model called {name!r}")

    monkeypatch.setattr("core.weights.find", missing)
    page = open_page()
    assert not page.exception
    assert page.error[0].value == "The model can't be loaded."
    assert page.text[0].value == "no model called 'sentiment'"
