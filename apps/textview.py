"""What the Text page shows and hands out, as plain strings and rows: nothing here is Streamlit.

A user's text reaches the browser only through `html.escape`, in a table cell, or in a download.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

from .formats import Csv

if TYPE_CHECKING:
    from core.weights import Card
    from domains.text.classifier import Sentiment
    from domains.text.explanation import Word
    from domains.text.files import Row

    Answer = tuple[Row, Sentiment]

STYLE = """<style>
.answer {border-left: 3px solid rgba(128, 128, 128, .45); margin: 0 0 1rem; padding: 0 0 0 .8rem}
.answer .label {font-size: .875rem; font-weight: 600}
.answer .text {line-height: 1.9; overflow-wrap: anywhere; white-space: pre-wrap}
.part {background: rgba(var(--tint), var(--strength)); border-radius: .2em; color: inherit;
  padding: .1em .15em; text-decoration-line: underline; text-underline-offset: .25em}
.part.for {--tint: 0, 128, 215; text-decoration-style: solid}
.part.against {--tint: 235, 110, 0; text-decoration-style: dashed}
.note {font-size: .875rem; line-height: 1.9; margin-bottom: .8rem}
</style>
"""
LEGEND = """<div class="note">
<mark class="part for" style="--strength: 0.35">solid line</mark> spoke for the label,
<mark class="part against" style="--strength: 0.35">dashed line</mark> against it;
the stronger the colour, the larger the part. Point at a word to see its part in logits.
</div>"""

_DEEPEST = 0.5  # opacity of the strongest word's colour: black and white text both stay readable
_FAINTEST = 0.05  # parts smaller than this share of the strongest one's are not marked
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def texts(typed: str) -> list[str]:
    """One text a line; blank lines are none."""
    return [line.strip() for line in typed.splitlines() if line.strip()]


def percent(share: float) -> str:
    """0.934 -> '93.4 %', never broken at the line's end."""
    return f"{share:.1%}".replace("%", "\N{NO-BREAK SPACE}%")


def answer(text: str, sentiment: Sentiment) -> str:
    """HTML of one answer: label, probability, and the words marked by their part in it."""
    label = f"{escape(sentiment.label)} · {percent(sentiment.scores[sentiment.label])}"
    words = sentiment.explanation.words if sentiment.explanation else []
    return (
        f'<div class="answer"><div class="label">{label}</div>'
        f'<div class="text" dir="auto">{_marked(text, words)}</div></div>'
    )


def _marked(text: str, words: Iterable[Word]) -> str:
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
    return "".join(parts) + escape(text[end:])


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


def model_line(card: Card) -> str:
    """HTML of one line: which model answers, and the macro recalls that its card states."""
    recalls = [
        f"{name} {percent(figures['macro_recall'])}"
        for name, figures in card.metrics.items()
        if isinstance(figures, dict) and "macro_recall" in figures
    ]
    about = (
        f"Model {card.name}, calibrated, reads the first {card.preprocessing['max_words']} words"
    )
    measured = f" · macro recall: {', '.join(recalls)}" if recalls else ""
    return f'<div class="note">{escape(about + measured)}</div>'


def _safe(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
