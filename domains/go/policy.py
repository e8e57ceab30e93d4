"""Released policy networks at work: from a position to a probability for each point.

Runs the exported network on onnxruntime; imports no torch.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import inference, weights
from core.errors import InputError

from . import features, symmetry
from .board import Board
from .rules import LARGEST

WEIGHTS = Path(__file__).parent / "weights"
SYMMETRIES = (1, 8)  # that an answer may be the mean of

Array = NDArray[np.float32]


class Policy:
    """A policy network. Make one with `load`."""

    def __init__(self, card: weights.Card, threads: int | None = None) -> None:
        self.card = card
        self.planes: int = card.preprocessing["planes"]
        self.size: int = card.preprocessing["size"]
        self.any_size: bool = card.preprocessing["any_size"]
        weights.verify(card)
        self.session = inference.session(card, threads or os.cpu_count() or 1)

    @classmethod
    def load(cls, name: str = "go-policy", threads: int | None = None) -> Policy:
        """A released network by name, or one of your own by the path of its card.

        Raises InputError if there is none, if a file of it was altered, or if it doesn't play Go.
        """
        return cls(cls.find(name), threads)

    @staticmethod
    def find(name: str) -> weights.Card:
        """The card that `load` goes by. Raises InputError if there is none, or not of Go."""
        card = weights.find(name, WEIGHTS)
        if card.domain != "go":
            raise InputError(f"{card.path}: a model of domain {card.domain!r}, not a Go network")
        for field, valid in {
            "planes": card.preprocessing.get("planes") in (1, features.COUNT),
            "size": card.preprocessing.get("size") in range(2, LARGEST + 1),
            "any_size": isinstance(card.preprocessing.get("any_size"), bool),
        }.items():
            if not valid:
                raise InputError(f"{card.path}: field 'preprocessing' has no valid {field!r}")
        return card

    def size_ok(self, size: int) -> bool:
        """Whether the network answers on boards of this size."""
        return self.any_size or size == self.size

    def probabilities(self, board: Board, colour: int | None = None, symmetries: int = 8) -> Array:
        """How likely an expert plays each point, `(size * size,)`, sums to 1 over all of them.

        A first instinct: illegal points get a little too. `symmetries` 8 averages the answers to
        the board turned and mirrored, 1 asks once. Raises InputError for a size that the network
        does not play.
        """
        if not self.size_ok(board.size):
            raise InputError(
                f"{self.card.name} plays on {self.size}x{self.size}, not {board.size}x{board.size}"
            )
        planes = features.seen(features.planes(board, colour), self.planes)
        found: Array = self.answer(planes[None], symmetries)[0]
        return found

    def answer(self, planes: NDArray[np.generic], symmetries: int = 8) -> Array:
        """Probabilities `(B, size * size)` of planes `(B, planes, size, size)`."""
        size = planes.shape[-1]
        turned = np.stack([symmetry.apply(planes, s) for s in range(symmetries)])
        flat = turned.reshape(-1, *planes.shape[1:]).astype(np.float32)
        probabilities = softmax(self.session.run(["logits"], {"planes": flat})[0])
        each = probabilities.reshape(symmetries, len(planes), size * size)
        back = [each[s][:, symmetry.table(size)[s]] for s in range(symmetries)]
        mean: Array = np.mean(back, axis=0, dtype=np.float32)
        return mean


def softmax(logits: Array) -> Array:
    """Over the last axis."""
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    shares: Array = powers / powers.sum(-1, keepdims=True)
    return shares


def ranked(probabilities: Array, legal: NDArray[np.bool_]) -> list[tuple[int, float]]:
    """(point, probability) of the legal points, best first; sums to 1 over them.

    Both arrays are `(size * size,)`. Of equal probabilities the first point comes first; what is
    less than 1e-30 counts as that.
    """
    shares = np.where(legal, np.maximum(probabilities.astype(np.float64), 1e-30), 0)
    shares /= max(shares.sum(), 1e-30)
    best = np.argsort(-shares, kind="stable")[: int(legal.sum())]
    return [(int(point), float(shares[point])) for point in best]
