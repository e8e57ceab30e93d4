"""Answers about recordings as lines: a table, csv or jsonl.

A writer is called with each answer in turn and returns its line, the first time after a header.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..lines import csv_line
from ..terminal import visible


@dataclass(frozen=True, slots=True)
class Answer:
    """From `start` to `end`, in seconds, `file` says the first label of `top`, which holds labels
    with their probabilities, the likeliest first."""

    file: str
    start: float
    end: float
    top: Sequence[tuple[str, float]]

    @property
    def probability(self) -> float:
        return self.top[0][1]


class Table:
    """Columns of fixed width: file, start, end, label, probability, and the next likeliest."""

    def __init__(self, files: Iterable[str], labels: Iterable[str]) -> None:
        self.file_width = max(len(visible(file)) for file in ("file", *files))
        self.label_width = max(len(visible(label)) for label in ("label", *labels))
        self.head = self._line("file", "start", "end", "label", "probability", "next") + "\n"

    def __call__(self, answer: Answer) -> str:
        head, self.head = self.head, ""
        (label, probability), *others = answer.top
        return head + self._line(
            visible(answer.file),
            f"{answer.start:.2f}",
            f"{answer.end:.2f}",
            visible(label),
            f"{probability:.3f}",
            "  ".join(f"{visible(other)} {share:.3f}" for other, share in others),
        )

    def _line(self, *cells: str) -> str:
        file, start, end, label, probability, others = cells
        times = f"{start:>8}  {end:>8}"
        line = f"{file:{self.file_width}}  {times}  {label:{self.label_width}}  {probability:>11}"
        return f"{line}  {others}".rstrip()


class Csv:
    """file, start, end, label, probability, then label_2, probability_2 and so on; empty where an
    answer has no more labels."""

    def __init__(self, top: int) -> None:
        self.top = top
        names = [f"{name}_{n}" for n in range(2, top + 1) for name in ("label", "probability")]
        self.head = csv_line(["file", "start", "end", "label", "probability", *names]) + "\n"

    def __call__(self, answer: Answer) -> str:
        head, self.head = self.head, ""
        cells = [cell for label, share in answer.top for cell in (label, f"{share:.6f}")]
        empty = [""] * (2 * self.top - len(cells))
        times = [f"{answer.start:.3f}", f"{answer.end:.3f}"]
        return head + csv_line([answer.file, *times, *cells, *empty])


class Jsonl:
    """file, start, end, label, probability and all of `top`."""

    def __call__(self, answer: Answer) -> str:
        top = [
            {"label": label, "probability": round(probability, 6)}
            for label, probability in answer.top
        ]
        times = {"start": round(answer.start, 3), "end": round(answer.end, 3)}
        row: dict[str, Any] = {"file": answer.file, **times, **top[0], "top": top}
        return json.dumps(row, ensure_ascii=False)
