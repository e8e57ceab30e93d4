"""`receptive go play` and `receptive go review`."""

from __future__ import annotations

import io
import json
import math
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import InputError
from domains.go.komi import HANDICAP_KOMI, KOMI

from ...terminal import complain, visible
from .engine import Model, Strength

if TYPE_CHECKING:
    from domains.go.sgf import GameRecord


class Colour(StrEnum):
    black = "black"
    white = "white"
    both = "both"
    none = "none"


class Format(StrEnum):
    text = "text"
    jsonl = "jsonl"


def play(
    size: Annotated[
        int | None, typer.Option(min=2, max=25, help="Of the board.", show_default="19")
    ] = None,
    colour: Annotated[Colour, typer.Option(help="What you play.")] = Colour.black,
    handicap: Annotated[
        int | None, typer.Option(min=0, help="Black's stones on the board.", show_default="0")
    ] = None,
    komi: Annotated[
        float | None,
        typer.Option(
            help="White's points beforehand.",
            show_default=f"{KOMI}, with handicap {HANDICAP_KOMI}",
        ),
    ] = None,
    strength: Strength = "full",
    hints: Annotated[
        bool, typer.Option("--hints", help="Show the network's choices before your moves.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of weaker play's draws; any by default.")
    ] = None,
    load: Annotated[Path | None, typer.Option(help="An SGF file to go on with.")] = None,
    save: Annotated[
        Path | None, typer.Option(help="A new SGF file to keep the game in, or that of --load.")
    ] = None,
    model: Model = "go-policy",
) -> None:
    """Play Go against the network in the terminal.

    Type q16 to play there, or help for all commands. Without a terminal, the
    same lines are read from standard input. Two passes end the game, and it is
    scored by area; for handicap stones White gets a point each. The file of
    --save has the game after each move; that of --load is taken only if it
    holds one game, and keeps its main line.
    """
    if load and (size, handicap) != (None, None):
        raise typer.BadParameter("the file of --load has its own size and handicap")
    if komi is not None and not math.isfinite(komi):
        raise typer.BadParameter("not a number of points", param_hint="--komi")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")

    from domains.go.player import GoPlayer
    from domains.go.rules import BLACK, WHITE

    from ...go.compiling import compile_rules
    from ...go.terminal import Game

    people = {"black": {BLACK}, "white": {WHITE}, "both": {BLACK, WHITE}, "none": set[int]()}
    record = _loaded(load) if load else _new(size or 19, handicap or 0)
    if komi is not None:
        record = replace(record, komi=komi)
    player = GoPlayer.load(model, strength=strength, seed=seed)
    compile_rules()
    if not player.policy.size_ok(record.size):
        raise InputError(f"{player.name} takes no board of {record.size}x{record.size}")
    if load is None:
        names = {
            side: "human" if side in people[colour] else player.name for side in (BLACK, WHITE)
        }
        record = replace(record, black=names[BLACK], white=names[WHITE])
    alone = load if load and record.source == str(load) else None
    Game(player, record, people[colour], hints, save, alone).run()


def review(
    files: Annotated[
        list[Path],
        typer.Argument(help="SGF files of any number of games, folders, archives."),
    ],
    format: Annotated[Format, typer.Option(help="What to print.")] = Format.text,
    sgf: Annotated[
        Path | None, typer.Option(help="An SGF file to write, with a comment on each move.")
    ] = None,
    model: Model = "go-policy",
    symmetries: Annotated[int, typer.Option(help="Of the board, averaged over: 1 or 8.")] = 8,
) -> None:
    """Say what the network thinks of the moves of a game.

    Each move's rank and probability and the network's first five choices, and
    how often each player chose as it would. jsonl has a row a move, then a row
    a player. This is first instinct, no reading: what a strong player would
    likely play, no verdict.
    """
    from tqdm import tqdm

    from core.weights import atomic_write
    from domains.go import review as reviews
    from domains.go.policy import SYMMETRIES, Policy
    from domains.go.sgf import write

    if symmetries not in SYMMETRIES:
        raise typer.BadParameter("1 or 8 expected", param_hint="--symmetries")
    policy = Policy.load(model)
    bad, answered = False, False
    with atomic_write(sgf, "wb") if sgf else nullcontext() as out:
        for record in _records(files):
            try:
                if isinstance(record, InputError):
                    raise record
                progress = partial(
                    tqdm, desc=visible(record.source), unit=" moves", delay=2, leave=False,
                    dynamic_ncols=True, disable=None,
                )  # fmt: skip
                found = reviews.review(record, policy, symmetries, progress)
            except InputError as error:
                bad = True
                complain(error)
                continue
            answered = True
            if format is Format.text:
                print(*map(visible, reviews.text(found)), sep="\n", flush=True)
            else:
                print(*map(_json, reviews.rows(found)), sep="\n", flush=True)
            if out:
                out.write(write(reviews.commented(found)) + b"\n")
            if cut := found.record.cut:
                bad = True
                complain(InputError(f"{found.record.source}: {cut}; reviewed up to there"))
        if not answered:
            raise typer.Exit(1)
    if bad:
        raise typer.Exit(1)


def _records(files: list[Path]) -> Iterator[GameRecord | InputError]:
    """The games of all files in order, and what is bad in them."""
    from domains.go import archives
    from domains.go.sgf import Rejected, parse

    for path in files:
        try:
            for source, content in archives.read([path]):
                for record in parse(content, source):
                    yield InputError(str(record)) if isinstance(record, Rejected) else record
        except InputError as error:
            yield error


def _json(row: dict[str, Any]) -> str:
    """A row of jsonl; at a terminal nothing in it steers that."""
    line = json.dumps(row, ensure_ascii=False)
    return visible(line) if sys.stdout.isatty() else line


def _new(size: int, handicap: int) -> GameRecord:
    """A game that is about to begin. Raises InputError for a handicap that the size has not."""
    from domains.go.board import fixed_handicap
    from domains.go.rules import BLACK, WHITE
    from domains.go.sgf import GameRecord

    return GameRecord(
        size=size,
        handicap=handicap,
        date=date.today().isoformat(),
        rules="Chinese",
        setup_black=tuple(fixed_handicap(size, handicap)) if handicap else (),
        first=WHITE if handicap else BLACK,
    )


def _loaded(path: Path) -> GameRecord:
    """The first game of a file, to go on with. Raises InputError where it is not whole, and for a
    folder or an archive.
    """
    from domains.go import archives
    from domains.go.review import legal_part

    if path.is_dir() or archives.is_archive(path):
        raise InputError(f"{path}: not an SGF file")
    record = next(_records([path]))
    if isinstance(record, InputError):
        raise record
    record = legal_part(record)
    if record.cut:
        raise InputError(f"{record.source}: {record.cut}")
    return record
