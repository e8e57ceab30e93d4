"""How fast are the rules? Moves a second on one core, real games replayed.

    .venv/bin/python tests/benchmarks/go_rules_speed.py [--json]

The compiled kernels, the Board that Python plays on (superko and all), and sgfmill's board, which
checks no legality, take turns; each figure is the median of its turns by processor time, the first
left out. Takes about half a minute.
"""

from __future__ import annotations

import argparse
import json
import random
import tarfile
from collections.abc import Callable, Iterator
from itertools import islice
from statistics import median
from time import process_time

import numpy as np
import sgfmill.boards
import sgfmill.sgf
from numpy.typing import NDArray
from report import markdown, verdict

from core.data import folder
from domains.go import rules
from domains.go.board import Board
from domains.go.rules import BLACK, PASS, WHITE

TARGET = 1_000_000  # moves a second
TURNS = 5
GAMES = 500

Game = tuple[NDArray[np.int16], NDArray[np.int8]]  # points, colours


def real_games() -> Iterator[Game]:
    """The 19x19 games without setup stones in the last of the KGS archives."""
    for path in sorted((folder() / "go").glob("kgs-*.tar.gz"))[-1:]:
        with tarfile.open(path) as archive:
            for member in archive:
                if not member.name.endswith(".sgf"):
                    continue
                file = archive.extractfile(member)
                game = sgfmill.sgf.Sgf_game.from_bytes(file.read() if file else b"")
                if game.get_size() != 19 or game.get_root().has_setup_stones():
                    continue
                moves = [node.get_move() for node in game.get_main_sequence()]
                points = [(18 - at[0]) * 19 + at[1] if at else PASS for side, at in moves if side]
                sides = [BLACK if side == "b" else WHITE for side, _ in moves if side]
                yield np.array(points, np.int16), np.array(sides, np.int8)


def random_games() -> Iterator[Game]:
    """Random legal points, 250 a game."""
    dice = random.Random(1)
    while True:
        board = Board(19)
        while len(board.moves) < 250:
            board.play(dice.choice(np.flatnonzero(board.legal()).tolist()))
        moves = np.array(board.moves)
        yield moves[:, 1].astype(np.int16), moves[:, 0].astype(np.int8)


def kernels(games: list[Game]) -> None:
    state = rules.new_state(19)
    for points, colours in games:
        rules.clear(state)
        rules.replay(state, points, colours)


def board(games: list[Game]) -> None:
    for points, colours in games:
        game = Board(19)
        for point, colour in zip(points.tolist(), colours.tolist(), strict=True):
            game.play(point, colour)


def sgfmill_board(games: list[Game]) -> None:
    letters = {BLACK: "b", WHITE: "w"}
    for points, colours in games:
        game = sgfmill.boards.Board(19)
        for point, colour in zip(points.tolist(), colours.tolist(), strict=True):
            if point != PASS:
                game.play(*divmod(point, 19), letters[colour])


def rate(run: Callable[[list[Game]], None], games: list[Game]) -> float:
    """Moves a second."""
    taken = []
    for _ in range(TURNS + 1):
        started = process_time()
        run(games)
        taken.append(process_time() - started)
    return sum(len(points) for points, _ in games) / median(taken[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description="Moves a second on one core.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    kind, games = "KGS games", list(islice(real_games(), GAMES))
    if not games:
        kind = "random games (RECEPTIVE_DATA has none)"
        games = list(islice(random_games(), GAMES))
    few = games[: GAMES // 10]
    rates = {
        "kernels": rate(kernels, games),
        "Board": rate(board, few),
        "sgfmill": rate(sgfmill_board, few),
    }
    met = rates["kernels"] >= TARGET
    if options.json:
        print(json.dumps({"games": kind, "moves_per_second": rates, "target_met": met}))
        return
    rows = [
        (name, f"{found:,.0f}", f"{found / rates['sgfmill']:.1f}") for name, found in rates.items()
    ]
    print(markdown(("rules", "moves/s", "ratio"), rows))
    print(f"\nRatios to sgfmill; one core; {len(games)} {kind}.")
    print(f"Kernels, target at least {TARGET:,} moves/s: {verdict(met)}.")


if __name__ == "__main__":
    main()
