"""A policy without a network. As a program: a GTP engine that plays by it, at the full strength."""

import sys
from pathlib import Path
from types import SimpleNamespace
from zlib import crc32

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[3]))

import numpy as np

from domains.go import features

ENGINE = [sys.executable, str(Path(__file__))]


class StubPolicy:
    """Some probabilities for each position, always the same; or those that `likes` says by point.

    Takes boards of every size but 20.
    """

    def __init__(self, likes=None):
        self.card = SimpleNamespace(name="stub", files={})
        self.planes = features.COUNT
        self.likes = likes

    def size_ok(self, size):
        return size != 20

    def probabilities(self, board, colour=None, symmetries=8):
        return self.answer(features.planes(board, colour)[None], symmetries)[0]

    def answer(self, planes, symmetries=8):
        if self.likes is None:
            dice = np.random.default_rng(crc32(planes[:, :3].tobytes()))
            shares = dice.exponential(size=planes.shape[-1] ** 2) ** 4
        else:
            shares = np.full(planes.shape[-1] ** 2, 1e-6)
            shares[list(self.likes)] = list(self.likes.values())
        return (shares / shares.sum()).astype(np.float32)[None]


if __name__ == "__main__":
    from domains.go.gtp import serve
    from domains.go.gtp_commands import Engine
    from domains.go.player import GoPlayer

    lines = open(0, "rb", closefd=False)  # noqa: SIM115
    serve(Engine(GoPlayer(StubPolicy()), "1").commands, lines, sys.stdout)
