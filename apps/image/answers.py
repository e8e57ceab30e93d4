"""Answers about pictures as lines: a table, csv or jsonl.

A writer is called with each file's name and its likeliest labels, the first first, and returns the
line, the first time after a header.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from ..lines import csv_line
from ..terminal import visible

WIDEST_LABEL = 24  # characters; what is longer shifts the rest of its line

Top = Sequence[tuple[str, float]]


class Table:
    """Columns of fixed width: file, label, probability, and the next likeliest."""

    def __init__(self, files: Iterable[str], labels: Iterable[str]) -> None:
        self.file_width = _width(["file", *files])
        self.label_width = min(_width(["label", *labels]), WIDEST_LABEL)
        self.head = self._line("file", "label", "probability", "next") + "\n"

    def __call__(self, file: str, top: Top) -> str:
        head, self.head = self.head, ""
        (label, probability), *others = top
        return head + self._line(
            visible(file),
            visible(label),
            f"{probability:.3f}",
            "  ".join(f"{visible(other)} {share:.3f}" for other, share in others),
        )

    def _line(self, file: str, label: str, probability: str, others: str) -> str:
        line = f"{file:{self.file_width}}  {label:{self.label_width}}  {probability:>11}"
        return f"{line}  {others}".rstrip()


class Csv:
    """file, label, probability, then label_2, probability_2 and so on up to `top`."""

    def __init__(self, top: int) -> None:
        names = [f"{name}_{n}" for n in range(2, top + 1) for name in ("label", "probability")]
        self.head = csv_line(["file", "label", "probability", *names]) + "\n"

    def __call__(self, file: str, top: Top) -> str:
        head, self.head = self.head, ""
        cells = [cell for label, share in top for cell in (label, f"{share:.6f}")]
        return head + csv_line([file, *cells])


class Jsonl:
    """file, label, probability and all of `top`."""

    def __call__(self, file: str, top: Top) -> str:
        shown = [{"label": label, "probability": round(share, 6)} for label, share in top]
        row: dict[str, Any] = {"file": file, **shown[0], "top": shown}
        return json.dumps(row, ensure_ascii=False)


def _width(cells: Iterable[str]) -> int:
    return max(len(visible(cell)) for cell in cells)
