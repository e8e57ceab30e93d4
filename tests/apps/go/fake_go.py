"""`receptive` with a Go network that anyone can foresee: run as a script, or take `Rows`."""

import sys
from types import SimpleNamespace
from typing import ClassVar

import numpy as np

import domains.go.policy


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


if __name__ == "__main__":
    from apps.cli import main

    domains.go.policy.Policy = Rows
    sys.argv[0] = "receptive"
    main()
