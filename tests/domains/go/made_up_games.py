"""Games for tests: random legal ones, and the compact records of them."""

from pathlib import Path

import numpy as np

from domains.go import games, sgf
from domains.go.board import Board


def random_record(seed: int, size: int = 19, moves: int = 30, handicap: int = 0) -> sgf.GameRecord:
    rng = np.random.default_rng(seed)
    board = Board(size)
    setup = tuple(rng.choice(size * size, handicap, replace=False).tolist())
    board.place(black=setup)
    if handicap:
        board.to_play = -1
    first = board.to_play
    for _ in range(moves):
        board.play(int(rng.choice(np.flatnonzero(board.legal()))))
    return sgf.GameRecord(
        size=size, handicap=handicap, setup_black=setup, first=first, moves=tuple(board.moves)
    )


def write_records(records, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, record in enumerate(records):
        (folder / f"{number}.sgf").write_bytes(sgf.write(record))
    return folder


def prepared(tmp_path: Path, **groups) -> Path:
    """A file of games; each keyword is the name of a folder and its records."""
    folders = [write_records(records, tmp_path / name) for name, records in groups.items()]
    out = tmp_path / "games"
    games.prepare(folders, out)
    return out
