"""Rows of csv as lines, the same from every command."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable


def csv_line(cells: Iterable[str]) -> str:
    """The row without its line break; what needs quotes in a cell has them (RFC 4180)."""
    line = io.StringIO(newline="")
    csv.writer(line).writerow(cells)  # with \r\n, so that both are quoted within cells
    return line.getvalue().removesuffix("\r\n")
