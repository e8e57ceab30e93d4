"""What the Text page shows and hands out, as plain strings and rows: nothing here is Streamlit.

A user's text reaches the browser only through `html.escape`, in a table cell, or in a download.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from .figures import percent
from .formats import Csv

if TYPE_CHECKING:
    from domains.text.classifier import Sentiment
    from domains.text.files import Row

    Answer = tuple[Row, Sentiment]

STYLE = """<style>
.answers {margin-top: .8rem}
.answer {border-left: 3px solid var(--line); margin: 0 0 1rem; padding: 0 0 0 .8rem}
.answer .label {font-size: .875rem; font-weight: 600}
.text {line-height: 1.9; overflow-wrap: anywhere; white-space: pre-wrap}
.part {background: rgba(var(--tint), var(--strength)); border-radius: .2em; color: inherit;
  padding: .1em .15em; text-decoration-line: underline; text-underline-offset: .25em}
.part.for {--tint: 0, 128, 215; text-decoration-style: solid}
.part.against {--tint: 235, 110, 0; text-decoration-style: dashed}
</style>
"""
LEGEND = """<div class="note">
<mark class="part for" style="--strength: 0.35">solid line</mark> spoke for the label,
<mark class="part against" style="--strength: 0.35">dashed line</mark> against it;
the stronger the colour, the larger its part. Point at a word to see how many logits it adds.
</div>"""

EXAMPLES = {
    "A review": "A warm, funny film that never outstays its welcome.",
    "Negation": "Not bad at all.\nHardly a triumph.\nI can't recommend it enough.",
    "Tweets": "@friend best concert of my LIFE!!!\nthe 8:15 is late again :(\nPolls open at 7 am.",
}
WORDS = ("wonderful", "boring", "actress")
CALIBRATED = "Calibrated: of the texts answered with 80 %, about 80 % are answered right, on texts \
of the kinds that it was trained on."
FILTERS = "A filter is a small pattern that is laid over every n-gram, words that stand in a row; \
what counts is where it fits best."
LOGITS = "A logit is a label's score before the scores are made into probabilities."
COSINE = "1 where the two words' vectors point in the same direction, 0 where they have nothing in \
common."


class File(NamedTuple):
    """A file as it was uploaded, or the sample."""

    name: str
    data: bytes


SAMPLE = File(
    "reviews.csv",
    b"""film,stars,review
1,5,"A warm, funny film that never outstays its welcome."
2,1,The plot makes no sense and nobody seems to care.
3,3,It runs for two hours and was shot in Lisbon.
4,4,Not bad at all for a first film.
5,2,"A great cast, wasted on a dull script."
6,5,I laughed until I cried.
7,1,I want my evening back.
8,3,The second part opens in March.
""",
)

_DEEPEST = 0.5  # opacity of the strongest word's colour: black and white text both stay readable
_FAINTEST = 0.05  # parts smaller than this share of the strongest one's are not marked
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def texts(typed: str) -> list[str]:
    """One text a line; blank lines are none."""
    return [line.strip() for line in typed.splitlines() if line.strip()]


def answer(text: str, sentiment: Sentiment) -> str:
    """HTML of one answer: label, probability, and the words marked by their part in it."""
    label = f"{escape(sentiment.label)} · {percent(sentiment.scores[sentiment.label])}"
    return f'<div class="answer"><div class="label">{label}</div>{marked(text, sentiment)}</div>'


def marked(text: str, sentiment: Sentiment) -> str:
    """HTML of a text, its words marked by their part in the label."""
    words = sentiment.explanation.words if sentiment.explanation else []
    words = sorted(words, key=lambda word: word.start)
    strongest = max((abs(word.weight) for word in words), default=0.0)
    parts, end = [], 0
    for word in words:
        strength = abs(word.weight) / strongest if strongest else 0.0
        if strength < _FAINTEST:
            continue
        side = "for" if word.weight > 0 else "against"
        parts.append(
            f"{escape(text[end : word.start])}"
            f'<mark class="part {side}" style="--strength: {strength * _DEEPEST:.2f}"'
            f' title="{word.weight:+.2f} logits">{escape(text[word.start : word.end])}</mark>'
        )
        end = word.end
    return f'<div class="text" dir="auto">{"".join(parts)}{escape(text[end:])}</div>'


def preview(answers: Sequence[Answer], labels: Iterable[str]) -> list[dict[str, Any]]:
    """Table rows: the text, its label, and each label's probability in %."""
    return [
        {"text": row.text, "label": sentiment.label}
        | {f"{label} (%)": 100 * sentiment.scores[label] for label in labels}
        for row, sentiment in answers
    ]


def ngrams(sentiment: Sentiment, most: int) -> list[dict[str, Any]]:
    """The n-grams that won their filter's max-pool, those that moved the label most first."""
    found = sentiment.explanation.ngrams if sentiment.explanation else []
    strongest = sorted(found, key=lambda ngram: -abs(ngram.weight))[:most]
    return [
        {
            "n-gram": ngram.text,
            "words": ngram.width,
            "filter": ngram.filter,
            "adds (logits)": ngram.weight,
        }
        for ngram in strongest
    ]


def as_csv(answers: Sequence[Answer], labels: Sequence[str]) -> str:
    """Answers as CSV that a spreadsheet opens as text: a cell like a formula starts with a '."""
    columns: dict[str, Any] = dict.fromkeys(name for row, _ in answers for name in row.fields or {})
    write = Csv(labels)
    lines = []
    for row, sentiment in answers:
        fields = columns | (row.fields or {})
        safe = {_safe(name): _safe(cell) for name, cell in fields.items()}
        lines.append(write(replace(row, fields=safe), sentiment))
    return "".join(lines)


def _safe(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
