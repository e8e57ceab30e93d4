"""Texts from a user's files: csv, tsv, jsonl and plain lines, streamed in constant memory.

A bad row never ends the reading: it is yielded as an `InputError` whose message starts with
`file:line: `, in its place among the good ones. A file that is bad as a whole raises.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from core.errors import InputError

from .records import Columns, Record, csv_records, json_records, lines, listed, tsv_records

SUFFIXES = (".csv", ".tsv", ".jsonl", ".txt")
COMPRESSIONS = (".gz", ".xz")
TEXT_COLUMNS = ("text", "sentence", "review", "tweet", "content", "comment")
LABEL_COLUMNS = ("label", "sentiment")


@dataclass(frozen=True, slots=True)
class Row:
    """One text. `line` counts from 1, `fields` are the original columns in their order (None where
    a line is the text), `name` is that of the file and `size` is the row's in it, in bytes."""

    line: int
    text: str
    fields: dict[str, Any] | None
    name: str = ""
    size: int = 0

    @property
    def place(self) -> str:
        """`file:line`."""
        return f"{self.name}:{self.line}"


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """One text and its label as the file spells it; `scores` where a jsonl row has numbers."""

    line: int
    text: str
    label: str
    scores: dict[str, float] | None = None


def file_format(name: str) -> str | None:
    """The suffix among `SUFFIXES` that `name` ends in, compressed or not; None if there is none.

    >>> file_format("reviews.csv.gz")
    '.csv'
    """
    name = name.lower()
    for compression in COMPRESSIONS:
        name = name.removesuffix(compression)
    return next((suffix for suffix in SUFFIXES if name.endswith(suffix)), None)


def open_file(path: Path) -> io.BufferedReader:
    """The file's bytes as they lie. Raises InputError if it is missing or can't be read."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{str(path)!r}: {error}") from error


def rows(
    source: Path | BinaryIO, name: str, column: str | None = None
) -> Iterator[Row | InputError]:
    """The texts of a file or a binary stream, in order.

    `name` gives the format by its suffix (and the compression, .gz or .xz) and is how errors call
    the source; without a known suffix it is one text a line. `column` holds the text in csv, tsv
    and jsonl; by default the first of `TEXT_COLUMNS` there, or the only column.

    Raises InputError for a file that is missing, binary or damaged, or that lacks the column.
    """

    def columns(names: Iterable[str]) -> tuple[str, ...]:
        return (_text_column(list(names), column),)

    if isinstance(source, Path):
        with open_file(source) as stream:
            yield from rows(stream, name, column)
    elif file_format(name) in (None, ".txt"):
        for line in lines(source, name):
            text = line.text.rstrip("\r\n")
            row = Row(line.number, text, None, name, line.size)
            yield line.problem or _problem(text, row.place) or row
    else:
        for record in _records(source, name, columns):
            if isinstance(record, Record):
                (text,) = record.wanted
                row = Row(record.line, text, record.fields, name, record.size)
                yield _problem(text, row.place) or row
            else:
                yield record


def column_names(source: BinaryIO, name: str) -> list[str]:
    """The names of a csv, tsv or jsonl stream's columns; none if its first line is no JSON object.

    Raises InputError as `rows` does.
    """
    found: list[str] = []

    def keep(names: Iterable[str]) -> tuple[str, ...]:
        found.extend(names)
        return ()

    next(_records(source, name, keep), None)
    return found


def labelled_rows(
    path: Path, text_column: str | None = None, label_column: str | None = None
) -> Iterator[LabelledRow | InputError]:
    """The labelled texts of a csv, tsv or jsonl file, in order.

    A csv or tsv has a header if its first row names a label column (`label_column`, by default one
    of `LABEL_COLUMNS`), or is two names, one of them that of a text column: the other is then the
    label's. Without a header it has two columns, the label first.

    Raises InputError as `rows` does.
    """
    name = str(path)
    if file_format(name) in (None, ".txt"):
        raise InputError(f"{name}: labels are read from .csv, .tsv and .jsonl files")

    def columns(names: Iterable[str]) -> tuple[str, ...]:
        there = list(names)
        try:
            label = _column(there, label_column, LABEL_COLUMNS, "label")
        except InputError:
            if label_column is not None or len(there) != 2 or file_format(name) == ".jsonl":
                raise
            text = _column(there, text_column, TEXT_COLUMNS, "text")
            return text, there[1 - there.index(text)]
        return _text_column([name for name in there if name != label], text_column), label

    bare = ("label", "text") if text_column is None and label_column is None else None
    with open_file(path) as stream:
        for record in _records(stream, name, columns, bare):
            if isinstance(record, Record):
                text, label = record.wanted
                label = str(label) if type(label) is int else label
                scores = _scores(record.fields.get("scores"))
                place = f"{name}:{record.line}"
                problem = _problem(text, place) or _problem(label, place, "label")
                yield problem or LabelledRow(record.line, text, label, scores)
            else:
                yield record


def _records(
    stream: BinaryIO,
    name: str,
    columns: Columns,
    bare: tuple[str, ...] | None = None,
) -> Iterator[Record | InputError]:
    suffix = file_format(name)
    if suffix == ".jsonl":
        return json_records(lines(stream, name), name, columns)
    read = csv_records if suffix == ".csv" else tsv_records
    return read(lines(stream, name), name, columns, bare)


def _scores(value: Any) -> dict[str, float] | None:
    if isinstance(value, dict) and all(type(score) in (int, float) for score in value.values()):
        return value
    return None


def _problem(value: Any, place: str, what: str = "text") -> InputError | None:
    if not isinstance(value, str):
        return InputError(f"{place}: the {what} is not a string")
    return None if value.strip() else InputError(f"{place}: empty {what}")


def _column(there: list[str], wanted: str | None, defaults: tuple[str, ...], what: str) -> str:
    """The column `wanted`, or else the first of `defaults`, whatever its case."""
    if wanted is not None:
        if wanted not in there:
            raise InputError(f"no column {wanted!r}; {listed(there)}")
        return wanted
    by_name = {name.strip().lower(): name for name in reversed(there)}
    for default in defaults:
        if default in by_name:
            return by_name[default]
    raise InputError(f"no {what} column; {listed(there)}")


def _text_column(there: list[str], wanted: str | None) -> str:
    if wanted is None and len(there) == 1:
        return there[0]
    return _column(there, wanted, TEXT_COLUMNS, "text")
