"""`receptive` with a Go network that anyone can foresee: run as a script, or take `Rows`."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import sgfmill.sgf

import domains.go.player

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "NO_COLOR": ""}
"""Of this script as a process."""


class Rows:
    """Prefers the point furthest up, of those the one furthest left: weights n * n, ... 2, 1."""

    asked: ClassVar = []

    def __init__(self, name="rows"):
        self.card = SimpleNamespace(name=name)

    @classmethod
    def load(cls, name="rows", threads=None):
        return cls("rows" if name == "go-policy" else name)

    def size_ok(self, size):
        return size >= 5

    def probabilities(self, board, colour=None, symmetries=8):
        self.asked.append(symmetries)
        weights = np.arange(board.size**2, 0, -1, dtype=np.float32)
        return weights / weights.sum()


def saved(path):
    """Moves such as "b C3" of an SGF file, its root and result."""
    tree = sgfmill.sgf.Sgf_game.from_bytes(path.read_bytes())
    moves = []
    for node in tree.get_main_sequence()[1:]:
        colour, point = node.get_move()
        vertex = "pass" if point is None else f"{'ABCDEFGHJKLMNOPQRST'[point[1]]}{point[0] + 1}"
        moves.append(f"{colour} {vertex}")
    return SimpleNamespace(moves=moves, root=tree.get_root(), komi=tree.get_komi())


if __name__ == "__main__":
    from apps.cli import main

    domains.go.player.Policy = Rows
    sys.argv[0] = "receptive"
    main()
