"""`receptive sentiment`: is a text negative, neutral or positive?"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Annotated, Any, BinaryIO

import typer

from core.errors import InputError
from core.weights import atomic_write
from domains.text.files import SUFFIXES, Row, file_format, open_file, rows
from domains.text.records import MAX_BYTES

from ..formats import Format, writer
from ..terminal import complain, has_colour, visible

BATCH_ROWS, EXPLAINED_ROWS, BATCH_BYTES = 2048, 64, 4_000_000

app = typer.Typer(add_completion=False)


@app.command()
def sentiment(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TEXT|FILE|-]...",
            help="Texts; files .csv .tsv .jsonl .txt, also .gz or .xz; - for standard input, one "
            "text a line. Without any, standard input is read.",
            show_default=False,
        ),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(
            help="Column of the texts, in files that have columns.",
            show_default="text, sentence, review, tweet, content, comment, or the only one",
        ),
    ] = None,
    format: Annotated[
        Format | None,
        typer.Option(help="What to write.", show_default="as --output ends, or table"),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show what drove the answers.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(help="File to write, whole or not at all; - is stdout.", show_default="-"),
    ] = None,
    model: Annotated[str, typer.Option(help="Name or path of a released model.")] = "sentiment",
) -> None:
    """Say whether texts are negative, neutral or positive.

    csv and jsonl keep the original columns and add label and probabilities,
    with "predicted_" before a name that the first row has already. Where a
    later row of jsonl has such a name, its answer takes one more "predicted_".
    """
    if not inputs and sys.stdin.isatty():
        raise typer.BadParameter("give a text, a file, or - for standard input")
    for argument in inputs or ["-"]:
        if column is not None and not _has_columns(argument):
            raise typer.BadParameter(f"--column is for csv, tsv and jsonl files, not {argument!r}")
    if output == Path("-"):
        output = None
    if format is None:
        suffix = output.suffix.lower() if output else ""
        format = {".csv": Format.csv, ".jsonl": Format.jsonl}.get(suffix, Format.table)
    bad = False

    def reject(error: InputError) -> None:
        nonlocal bad
        bad = True
        complain(error)

    from domains.text.classifier import SentimentClassifier

    classifier = SentimentClassifier.load(model)
    with atomic_write(output) if output else nullcontext(sys.stdout) as out:
        terminal = out.isatty()
        write = writer(format, classifier.labels, terminal, has_colour(out))
        items = _items(inputs or ["-"], column, not terminal)
        for batch in _batches(items, EXPLAINED_ROWS if explain else BATCH_ROWS, reject):
            answers = classifier.predict([row.text for row in batch], explain=explain)
            for row, answer in zip(batch, answers, strict=True):
                try:
                    out.write(write(row, answer))
                except InputError as error:
                    reject(error)
            out.flush()
    if bad:
        raise typer.Exit(1)


def _items(inputs: list[str], column: str | None, bar: bool) -> Iterator[Row | InputError]:
    """The texts of all arguments in order, and what is bad in them."""
    for number, argument in enumerate(inputs, 1):
        try:
            if argument == "-":
                yield from _read(sys.stdin.buffer, "stdin", column, bar)
            elif _is_file(argument):
                if file_format(argument) is None:
                    raise InputError(f"{argument}: is a file, but not {' '.join(SUFFIXES)}")
                with open_file(Path(argument)) as stream:
                    yield from _read(stream, argument, column, bar)
            else:
                yield _text(argument, number)
        except InputError as error:
            yield error


def _is_file(argument: str) -> bool:
    """Whether an argument names a file: there is one, or it ends like one and has no spaces."""
    if file_format(argument) and not any(map(str.isspace, argument)):
        return True
    try:
        return Path(argument).exists() and not Path(argument).is_dir()
    except OSError:
        return False


def _has_columns(argument: str) -> bool:
    return file_format(argument) not in (None, ".txt") and _is_file(argument)


def _text(argument: str, number: int) -> Row:
    try:
        size = len(argument.encode())
    except UnicodeEncodeError:
        raise InputError(f"argument {number}: invalid UTF-8") from None
    if size > MAX_BYTES:
        raise InputError(f"argument {number}: text longer than 1 MB")
    if not argument.strip():
        raise InputError(f"argument {number}: empty text")
    return Row(number, argument, None, "argument", size)


def _read(stream: BinaryIO, name: str, column: str | None, bar: bool) -> Iterator[Row | InputError]:
    """The rows of a stream, with a progress bar on a terminal's stderr after two seconds."""
    found = rows(stream, name, column)
    if not (bar and sys.stderr.isatty()):
        yield from found
        return
    from tqdm import tqdm

    size = os.fstat(stream.fileno()).st_size if stream.seekable() else None
    looks = {"unit": "B", "unit_scale": True, "delay": 2, "leave": False}
    with tqdm(total=size, desc=visible(name), **looks) as progress:
        read = 0
        for item in found:
            read = stream.tell() if size else read + getattr(item, "size", 0)
            progress.update(read - progress.n)
            if isinstance(item, InputError):
                progress.clear()
            yield item


def _batches(
    items: Iterable[Row | InputError], most: int, reject: Callable[[InputError], None]
) -> Iterator[list[Row]]:
    """Good rows, at most so many at once; none waits while standard input is idle."""
    batch: list[Row] = []
    size = 0
    for item in items:
        if isinstance(item, InputError):
            reject(item)
            continue
        batch.append(item)
        size += item.size
        full = len(batch) == most or size > BATCH_BYTES
        if full or (item.name == "stdin" and _idle(sys.stdin)):
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _idle(stream: IO[Any]) -> bool:
    try:
        return not select.select([stream], [], [], 0)[0]
    except (OSError, ValueError):  # not something that can be waited for
        return False
