"""Compact game records for training: one file of arrays, memory-mapped, made from SGF.

The file is safetensors: its header says how long each array is, so that a file cut short is seen,
and holds the sha256 of them all.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.weights import atomic_write

from . import archives, rules, sgf

VERSION = "1"
EXAMPLES = 3
BATCH = 256  # loose files that are read in one go
SMALL = 2**20  # fewer bytes are read without other processes

_DTYPES = {
    "start": np.int64,
    "setup_start": np.int64,
    "group": np.int16,
    "moves": np.int16,
    "setup": np.int16,
    "colours": np.int8,
    "setup_colours": np.int8,
}


@dataclass(frozen=True, eq=False)
class Games:
    """Games on one size of board, each legal throughout. Points are `row * size + column`.

    Game i has `moves[start[i]:start[i + 1]]` after the stones
    `setup[setup_start[i]:setup_start[i + 1]]`, and comes from the archive `names[group[i]]`.
    """

    size: int
    names: tuple[str, ...]  # archives by file name; for loose files their folder
    group: NDArray[np.int16]  # (games,)
    start: NDArray[np.int64]  # (games + 1,)
    moves: NDArray[np.int16]  # (total,) point, or PASS
    colours: NDArray[np.int8]  # (total,) BLACK or WHITE
    setup_start: NDArray[np.int64]  # (games + 1,)
    setup: NDArray[np.int16]  # (stones,) point
    setup_colours: NDArray[np.int8]  # (stones,)
    path: Path = Path()

    def __len__(self) -> int:
        return len(self.group)

    @cached_property
    def sha256(self) -> str:
        """Of the arrays."""
        digest = hashlib.sha256()
        for name in _DTYPES:
            array: NDArray[Any] = getattr(self, name)
            digest.update(array.data)
        return digest.hexdigest()

    @classmethod
    def load(cls, path: Path) -> Games:
        """Maps the file that `prepare` wrote into memory.

        Raises InputError where it is no such file, cut short or altered.
        """
        from safetensors import SafetensorError, safe_open

        if path.is_dir():
            raise InputError(f"{path}: a folder; `receptive go prepare` makes a file of its games")
        try:
            with path.open("rb") as raw, safe_open(path, framework="numpy") as file:
                about = file.metadata() or {}
                length = int.from_bytes(raw.read(8), "little")
                header = json.loads(raw.read(length))
            content = np.memmap(path, np.uint8, "r").view(np.ndarray)[8 + length :]
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}") from error
        except SafetensorError as error:
            raise InputError(
                f"{path}: not a whole file of games by `receptive go prepare`: {error}"
            ) from error
        if about.get("games") != VERSION or any(name not in header for name in _DTYPES):
            raise InputError(f"{path}: not a file of games that `receptive go prepare` wrote")
        arrays: dict[str, Any] = {}
        for name, dtype in _DTYPES.items():
            begin, end = header[name]["data_offsets"]
            arrays[name] = content[begin:end].view(dtype)
        names = tuple(json.loads(about["names"]))
        games = cls(size=int(about["size"]), names=names, path=path, **arrays)
        if games.sha256 != about["sha256"]:
            raise InputError(f"{path}: was altered since it was written; prepare it again")
        return games

    def write(self, path: Path) -> None:
        """Writes the file, whole or not at all. Raises InputError where it cannot be written."""
        from safetensors.numpy import save

        about = {
            "games": VERSION,
            "size": str(self.size),
            "names": json.dumps(self.names),
            "sha256": self.sha256,
        }
        content = save({name: getattr(self, name) for name in _DTYPES}, metadata=about)
        with atomic_write(path, "wb") as file:
            file.write(content)


@dataclass
class Tally:
    """How many games something was true of, and the first few of them."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.count += other.count
        self.examples = [*self.examples, *other.examples][:EXAMPLES]


@dataclass
class Report:
    """What became of the games: dropped ones and cut ones by reason; archives that were refused."""

    read: int = 0
    broken: int = 0  # games that cannot be read
    kept: int = 0
    moves: int = 0
    seconds: float = 0.0
    dropped: dict[str, Tally] = field(default_factory=dict)
    cut: dict[str, Tally] = field(default_factory=dict)
    refused: list[InputError] = field(default_factory=list)

    def add(self, part: Report) -> None:
        """Takes the counts of a part of the games in."""
        self.read += part.read
        self.broken += part.broken
        self.refused += part.refused
        for mine, others in ((self.dropped, part.dropped), (self.cut, part.cut)):
            for reason, tally in others.items():
                mine.setdefault(reason, Tally()).add(tally)

    def __str__(self) -> str:
        cut = sum(tally.count for tally in self.cut.values())
        lines = [
            f"games read     {self.read:>11,}",
            f"games kept     {self.kept:>11,}",
            f"games dropped  {self.read - self.kept:>11,}",
            *_lines(self.dropped),
            f"games cut      {cut:>11,}  (kept up to the move that is named)",
            *_lines(self.cut),
            f"moves          {self.moves:>11,}",
            f"seconds        {self.seconds:>11,.1f}",
        ]
        return "\n".join(lines)


def _lines(tallies: dict[str, Tally]) -> Iterator[str]:
    for reason, tally in sorted(tallies.items(), key=lambda item: -item[1].count):
        yield f"  {reason:<24}{tally.count:>8,}"
        yield from (f"    {example}" for example in tally.examples)


def prepare(paths: Iterable[Path], out: Path, size: int = 19) -> Report:
    """Reads games as `read` does and writes them to `out`, over an older file only when whole.

    Raises InputError where no game is left, or `out` cannot be written.
    """
    games, report = read(paths, size)
    games.write(out)
    return report


def read(paths: Iterable[Path], size: int = 19) -> tuple[Games, Report]:
    """The games in files, folders and archives, with what was dropped or cut and why.

    Dropped are games that cannot be read, on another size of board, with no moves, with a handicap
    whose stones are not there, with setup stones that have no liberty, and those with the same
    stones and moves as one before. A game is cut before its first illegal move: occupied, suicide
    or simple ko; superko is no reason. An archive that is refused is left out and named in the
    report. Archives, and batches of files, are shared among as many processes as there are cores.
    Raises InputError for a path that is not there and where no game is left.
    """
    from tqdm import tqdm

    begun = time.monotonic()
    files = archives.files(paths)
    batches = list(_batches(files))
    small = sum(file.stat().st_size for file in files) < SMALL
    report = Report()
    names: dict[str, int] = {}
    group: list[int] = []
    kept: dict[_Game, None] = {}
    with ExitStack() as stack:
        workers = 1 if small else min(len(batches), os.cpu_count() or 1)
        work = partial(_read_batch, size=size)
        if workers > 1:
            made = stack.enter_context(ProcessPoolExecutor(workers)).map(work, batches)
        else:
            made = map(work, batches)
        for batch, (found, sources, part) in tqdm(
            zip(batches, made, strict=True), total=len(batches), unit=" archives", disable=None
        ):
            before = len(kept)
            for game, source in zip(found, sources, strict=True):
                if game in kept:
                    _count(part.dropped, "same as another", source)
                kept[game] = None
            if len(kept) > before:
                number = names.setdefault(_group(batch[0]), len(names))
                group += [number] * (len(kept) - before)
            report.add(part)
    if not kept:
        for error in report.refused:
            raise error
        reasons = "; ".join(
            f"{name}: {tally.examples[0]}" for name, tally in report.dropped.items()
        )
        raise InputError(f"no game of {report.read} can be used: {reasons}")
    games = Games(size, tuple(names), np.array(group, np.int16), **_arrays(list(kept)))
    report.kept, report.moves = len(games), len(games.moves)
    report.seconds = time.monotonic() - begun
    return games, report


class _Game(NamedTuple):
    """The bytes of a game's arrays; equal games are the same game."""

    moves: bytes
    colours: bytes
    setup: bytes
    setup_colours: bytes


def _batches(files: list[Path]) -> Iterator[list[Path]]:
    """An archive each, loose files together by folder."""
    for _, some in groupby(files, lambda path: archives.is_archive(path) or path.parent):
        each = list(some)
        step = 1 if archives.is_archive(each[0]) else BATCH
        yield from (each[first : first + step] for first in range(0, len(each), step))


def _group(path: Path) -> str:
    return path.name if archives.is_archive(path) else path.resolve().parent.name


def _read_batch(files: list[Path], size: int) -> tuple[list[_Game], list[str], Report]:
    """The games that can be used, their sources, and a report on the others."""
    report = Report()
    games: list[_Game] = []
    sources: list[str] = []
    state = rules.new_state(size)
    for file in files:
        try:
            records = [
                record
                for source, content in archives.read([file])
                for record in sgf.parse(content, source)
            ]
        except InputError as error:
            report.refused.append(error)
            continue
        for record in records:
            report.read += 1
            if isinstance(record, sgf.Rejected):
                report.broken += 1
                _count(report.dropped, record.reason, f"{record.source}: {record.detail}")
            elif record.size != size:
                _count(report.dropped, "another size of board", record.source)
            elif game := _checked(record, state, report):
                games.append(game)
                sources.append(record.source)
    return games, sources, report


def _checked(record: sgf.GameRecord, state: rules.State, report: Report) -> _Game | None:
    """The game up to its first illegal move."""
    if record.handicap > 1 and not record.setup_black and record.first == rules.WHITE:
        _count(report.dropped, "handicap without stones", record.source)
        return None
    rules.clear(state)
    setup = np.array([*record.setup_black, *record.setup_white], np.int16)
    setup_colours = np.full(len(setup), rules.WHITE, np.int8)
    setup_colours[: len(record.setup_black)] = rules.BLACK
    for point, colour in zip(setup, setup_colours, strict=True):
        rules.place(state, int(point), int(colour))
    if (state.liberty_count[state.chain[setup]] == 0).any():
        _count(report.dropped, "setup without liberty", record.source)
        return None
    colours = np.array([colour for colour, _ in record.moves], np.int8)
    moves = np.array([point for _, point in record.moves], np.int16)
    played = rules.replay(state, moves, colours)
    if played < len(moves):
        _count(report.cut, "illegal move", f"{record.source}: move {played + 1}")
    elif record.cut:
        reason, _, detail = record.cut.partition(": ")
        _count(report.cut, reason, f"{record.source}: move {played + 1} {detail}".rstrip())
    if not played:
        _count(report.dropped, "no moves", record.source)
        return None
    kept = (moves[:played], colours[:played], setup, setup_colours)
    return _Game(*(array.tobytes() for array in kept))


def _arrays(games: list[_Game]) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    for start, points, colours in (
        ("start", "moves", "colours"),
        ("setup_start", "setup", "setup_colours"),
    ):
        lengths = [len(getattr(game, colours)) for game in games]
        arrays[start] = np.cumsum([0, *lengths], dtype=np.int64)
        for name in (points, colours):
            joined = b"".join(getattr(game, name) for game in games)
            arrays[name] = np.frombuffer(joined, _DTYPES[name])
    return arrays


def _count(tallies: dict[str, Tally], reason: str, example: str) -> None:
    tallies.setdefault(reason, Tally()).add(Tally(1, [example]))
