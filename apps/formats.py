"""Answers about texts as lines: a table, csv, jsonl or bare labels.

A writer is called with each row and its answer in turn and returns what to write for it.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from domains.text.files import Row

from .lines import csv_line
from .terminal import GREEN, RED, coloured, visible, visible_lines

if TYPE_CHECKING:
    from domains.text.classifier import Sentiment
    from domains.text.explanation import Explanation, Ngram

STRONGEST = 5
"""So many n-grams explain an answer where there is no room for all."""


class Format(StrEnum):
    table = "table"
    csv = "csv"
    jsonl = "jsonl"
    label = "label"


Writer = Callable[[Row, "Sentiment"], str]


def writer(format: Format, labels: Sequence[str], terminal: bool, colour: bool) -> Writer:
    """What writes answers in `format`. `terminal`: they are read by a person, lines are cut to fit;
    `colour`: explanations are shown by colours."""
    if format is Format.table:
        return Table(labels, shutil.get_terminal_size().columns if terminal else None, colour)
    if format is Format.label:
        return lambda row, answer: f"{_label(row, answer, colour)}\n"
    write = Csv(labels) if format is Format.csv else Jsonl()
    return (lambda row, answer: visible_lines(write(row, answer))) if terminal else write


class Table:
    """A header, then label, probabilities and text in columns of fixed width."""

    def __init__(self, labels: Sequence[str], width: int | None, colour: bool) -> None:
        self.labels = labels
        self.head = [visible(label) for label in labels]
        self.label_width = max(map(len, ("label", *self.head)))
        self.widths = [max(len(label), len("0.000")) for label in self.head]
        self.width = width
        self.colour = colour
        self.started = False

    def __call__(self, row: Row, answer: Sentiment) -> str:
        scores = [f"{answer.scores[label]:.3f}" for label in self.labels]
        start = self._line(visible(answer.label), scores)
        if answer.explanation is None:
            line = start + _cut(visible(row.text), self.width and self.width - len(start))
        elif self.colour:
            line = start + _painted(row.text, answer.explanation)
        else:
            reasons = visible(_reasons(answer.explanation))
            line = f"{start}{visible(row.text)}\n{' ' * len(start)}{reasons}"
        head = "" if self.started else self._line("label", self.head) + "text\n"
        self.started = True
        return f"{head}{line}\n"

    def _line(self, label: str, cells: Iterable[str]) -> str:
        right = (cell.rjust(width) for cell, width in zip(cells, self.widths, strict=True))
        return "  ".join([label.ljust(self.label_width), *right, ""])


class Csv:
    """The columns of the first row, then label, one probability a class and the reasons."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = labels
        self.columns: list[str] = []

    def __call__(self, row: Row, answer: Sentiment) -> str:
        fields = _fields(row)
        head = ""
        if not self.columns:
            self.columns = list(fields)
            added = ["label", *self.labels, *(["explanation"] if answer.explanation else [])]
            head = csv_line([*self.columns, *(_fresh(name, fields) for name in added)]) + "\n"
        if unknown := [name for name in fields if name not in self.columns]:
            raise InputError(
                f"{row.place}: column {unknown[0]!r} is not in the first row, as csv needs it; "
                "jsonl does not"
            )
        cells = [_cell(fields.get(name)) for name in self.columns]
        cells += [answer.label, *(f"{answer.scores[label]:.6f}" for label in self.labels)]
        if answer.explanation:
            cells.append(_reasons(answer.explanation))
        return f"{head}{csv_line(cells)}\n"


class Jsonl:
    """The original object with the label, the probabilities and the whole explanation, under names
    that the first object has free; where a later one has such a name, its own value stays, and the
    answer is under that name with a further "predicted_"."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def __call__(self, row: Row, answer: Sentiment) -> str:
        fields = _fields(row)
        scores = {label: round(score, 6) for label, score in answer.scores.items()}
        added: dict[str, Any] = {"label": answer.label, "scores": scores}
        if answer.explanation:
            added["explanation"] = {
                "words": [dataclasses.asdict(word) for word in answer.explanation.words],
                "ngrams": [
                    {"text": ngram.text, "start": ngram.start, "end": ngram.end, "weight": weight}
                    for ngram, weight in _stretches(answer.explanation)
                ],
            }
        if not self.names:
            self.names = {name: _fresh(name, fields) for name in added}
        whole = fields | {_fresh(self.names[name], fields): added[name] for name in added}
        return json.dumps(whole, ensure_ascii=False) + "\n"


def _fields(row: Row) -> dict[str, Any]:
    return {"text": row.text} if row.fields is None else row.fields


def _fresh(name: str, taken: Iterable[str]) -> str:
    while name in taken:
        name = f"predicted_{name}"
    return name


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _label(row: Row, answer: Sentiment, colour: bool) -> str:
    label = visible(answer.label)
    if answer.explanation is None:
        return label
    if colour:
        return f"{label}  {_painted(row.text, answer.explanation)}"
    return f"{label}  {visible(_reasons(answer.explanation))}"


def _stretches(explanation: Explanation) -> list[tuple[Ngram, float]]:
    """Each stretch of words that won a max-pool, with the sum of what its filters added to the
    label, strongest first."""
    found: dict[tuple[int, int], tuple[Ngram, float]] = {}
    for ngram in explanation.ngrams:
        stretch = (ngram.start, ngram.end)
        first, weight = found.get(stretch, (ngram, 0.0))
        found[stretch] = (first, weight + ngram.weight)
    return sorted(found.values(), key=lambda item: -abs(item[1]))


def _reasons(explanation: Explanation) -> str:
    strongest = _stretches(explanation)[:STRONGEST]
    return ", ".join(f"{ngram.text} ({weight:+.2f})" for ngram, weight in strongest)


def _painted(text: str, explanation: Explanation) -> str:
    """The text with words that spoke for the label in green and against it in red."""
    strongest = max((abs(word.weight) for word in explanation.words), default=0.0)
    parts, end = [], 0
    for word in sorted(explanation.words, key=lambda word: word.start):
        if abs(word.weight) > strongest / 10:
            spoken = visible(text[word.start : word.end])
            colour = GREEN if word.weight > 0 else RED
            parts.append(visible(text[end : word.start]))
            parts.append(coloured(spoken, colour, abs(word.weight) / strongest))
            end = word.end
    return "".join([*parts, visible(text[end:])])


def _cut(text: str, width: int | None) -> str:
    return text if width is None or len(text) <= width else f"{text[: max(width - 1, 0)]}…"
