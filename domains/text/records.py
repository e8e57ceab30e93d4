"""Lines and records of a byte stream: bounded, numbered, and none of them ends the reading.

A bad line or record is yielded as an `InputError` whose message starts with `file:line: `.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

from core.errors import InputError

MAX_BYTES = 1_000_000
"""The longest line or csv record."""

Columns = Callable[[Iterable[str]], tuple[str, ...]]
"""From the names of the columns there to those wanted. Raises InputError if one is missing."""


class Line(NamedTuple):
    """A line of a file, numbered from 1; where there is a `problem`, the text is not to be used."""

    number: int
    text: str  # with its line end
    size: int  # in bytes, as far as it was read
    problem: InputError | None


class Record(NamedTuple):
    """A row of a table or a JSON object; `line` is the first that it stands on."""

    line: int
    size: int  # in bytes
    fields: dict[str, Any]
    wanted: tuple[Any, ...]  # values of the wanted columns


class _Cells(NamedTuple):
    line: int
    size: int
    values: list[str]


def lines(source: BinaryIO, name: str) -> Iterator[Line]:
    """UTF-8 lines, decompressed where `name` ends in .gz or .xz.

    Raises InputError for a binary or UTF-16 file, and where reading or decompressing fails.
    """
    try:
        stream = _readable(source, name)
        head = stream.peek(8192)
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise InputError(f"{name}: is UTF-16; save it as UTF-8")
        if b"\0" in head:
            raise InputError(f"{name}: is a binary file, not text")
        if head.startswith(b"\xef\xbb\xbf"):
            stream.read(3)
        number = 0
        while raw := stream.readline(MAX_BYTES + 1):
            number += 1
            yield _decoded(raw, f"{name}:{number}", number)
            while len(raw) > MAX_BYTES and not raw.endswith(b"\n"):
                raw = stream.readline(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise InputError(f"{name}: cannot be read: {error}") from error


def _readable(source: BinaryIO, name: str) -> Any:
    """A stream that can peek, decompressed as the name says."""
    if name.lower().endswith(".gz"):
        return gzip.GzipFile(fileobj=source)
    if name.lower().endswith(".xz"):
        return lzma.LZMAFile(source)
    if isinstance(source, io.BytesIO):
        return io.BufferedReader(io.BytesIO(source.getvalue()))
    return source


def _decoded(raw: bytes, place: str, number: int) -> Line:
    if len(raw) > MAX_BYTES:
        return Line(number, "", len(raw), InputError(f"{place}: line longer than 1 MB"))
    if b"\0" in raw:
        return Line(number, "", len(raw), InputError(f"{place}: NUL byte"))
    try:
        return Line(number, raw.decode(), len(raw), None)
    except UnicodeDecodeError as error:
        problem = InputError(f"{place}: invalid UTF-8 at byte {error.start + 1}")
        return Line(number, raw.decode(errors="replace"), len(raw), problem)


def csv_records(
    source: Iterator[Line], name: str, columns: Columns, bare: tuple[str, ...] | None = None
) -> Iterator[Record | InputError]:
    """Records of a csv with a header (RFC 4180), or with the columns `bare` and no header.

    Blank lines are passed over unless there is only one column.
    After a malformed record, reading goes on at the line after the one that it began on.
    Raises InputError if a wanted column is missing.
    """
    return _table(_csv_cells(source, name), name, columns, bare)


def tsv_records(
    source: Iterator[Line], name: str, columns: Columns, bare: tuple[str, ...] | None = None
) -> Iterator[Record | InputError]:
    """As `csv_records`, but tab-separated without quoting: a `"` is a character like any other."""
    cells = (
        line.problem or _Cells(line.number, line.size, line.text.rstrip("\r\n").split("\t"))
        for line in source
    )
    return _table(cells, name, columns, bare)


def _table(
    cells: Iterator[_Cells | InputError],
    name: str,
    columns: Columns,
    bare: tuple[str, ...] | None,
) -> Iterator[Record | InputError]:
    header: list[str] = []
    wanted: tuple[str, ...] = ()
    for row in cells:
        if isinstance(row, InputError):
            if not header:
                raise row
            yield row
            continue
        place = f"{name}:{row.line}"
        if not header:
            header = row.values
            try:
                wanted = columns(header)
            except InputError as error:
                if bare is None or len(header) != len(bare):
                    raise InputError(f"{place}: {error}") from None
                header, wanted = list(bare), columns(bare)
            else:
                if len(set(header)) < len(header):
                    twice = next(column for column in header if header.count(column) > 1)
                    raise InputError(f"{place}: two columns are called {twice!r}")
                continue
        if len(header) > 1 and row.values == [""]:
            continue
        if len(row.values) != len(header):
            found = len(row.values)
            yield InputError(f"{place}: {found} field{'s' * (found > 1)}, not {len(header)}")
            continue
        fields = dict(zip(header, row.values, strict=True))
        yield Record(row.line, row.size, fields, tuple(fields[column] for column in wanted))
    if not header:
        raise InputError(f"{name}: is empty")


class _Feed:
    """Hands lines to a csv reader and holds those of the record that it is in."""

    def __init__(self, source: Iterator[Line]) -> None:
        self.source = source
        self.again: deque[Line] = deque()
        self.start()

    def start(self) -> None:
        self.record: list[Line] = []
        self.size = 0

    def rewind(self) -> None:
        """Back to the second line of the record."""
        self.again.extendleft(reversed(self.record[1:]))

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if self.size > MAX_BYTES:
            raise StopIteration
        line = self.again.popleft() if self.again else next(self.source)
        self.record.append(line)
        self.size += line.size
        return line.text


def _csv_cells(source: Iterator[Line], name: str) -> Iterator[_Cells | InputError]:
    csv.field_size_limit(2 * MAX_BYTES)  # a record is bounded by its lines
    feed = _Feed(source)
    reader = csv.reader(feed, strict=True)
    while True:
        feed.start()
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            reason = str(error)
            if reason == "unexpected end of data":
                within = " within 1 MB" if feed.size > MAX_BYTES else ""
                reason = f"a quote is opened and not closed{within}"
            elif reason.startswith("new-line character"):
                reason = "a carriage return within a line"
            yield InputError(f"{name}:{feed.record[0].number}: {reason}")
            feed.rewind()
        else:
            problem = next((line.problem for line in feed.record if line.problem), None)
            yield problem or _Cells(feed.record[0].number, feed.size, values or [""])


def json_records(
    source: Iterator[Line], name: str, columns: Columns
) -> Iterator[Record | InputError]:
    """JSON objects, one a line; the first that has the wanted columns settles which they are.

    Objects before it are errors that are held back: if 1,000, or all, lack the columns, so does
    the file, and InputError is raised once.
    """
    wanted: tuple[str, ...] = ()
    lacking: list[InputError] = []
    for line in source:
        place = f"{name}:{line.number}"
        try:
            fields = _json_object(line)
        except InputError as error:
            yield line.problem or InputError(f"{place}: {error}")
            continue
        if not wanted:
            try:
                wanted = columns(fields)
            except InputError as error:
                lacking.append(InputError(f"{place}: {error}"))
                if len(lacking) == 1000:
                    break
                continue
            yield from lacking
        if missing := [column for column in wanted if column not in fields]:
            yield InputError(f"{place}: no column {missing[0]!r}; {listed(fields)}")
        else:
            yield Record(line.number, line.size, fields, tuple(fields[key] for key in wanted))
    if lacking and not wanted:
        raise lacking[0]


def _json_object(line: Line) -> dict[str, Any]:
    if line.problem:
        raise line.problem
    if not line.text.strip():
        raise InputError("empty line")
    try:
        value = json.loads(line.text)
        if "\\ud" in line.text.lower():
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise InputError(f"not valid JSON: {error.msg} at column {error.colno}") from None
    except UnicodeEncodeError:
        raise InputError("not valid JSON: half of a surrogate pair") from None
    except (ValueError, RecursionError):
        raise InputError("not valid JSON: a number too long or nesting too deep") from None
    if not isinstance(value, dict):
        raise InputError("not a JSON object")
    return value


def listed(names: Iterable[str]) -> str:
    """The columns that are there, in words for an error message."""
    return f"columns there: {', '.join(map(repr, names)) or 'none'}"
