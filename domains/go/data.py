"""Positions to train on, drawn from compact game records; planes are made as they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from . import features
from .games import Games
from .rules import PASS

SYMMETRIES = 8


@dataclass(frozen=True)
class Positions:
    """Those positions of `games` in which a stone is played; position i comes before move i."""

    games: Games
    moves: NDArray[np.int64]  # (N,) where the move to predict lies in games.moves

    @classmethod
    def of(cls, games: Games, chosen: NDArray[np.bool_]) -> Positions:
        """All positions of the games for which `chosen` (games,) is true. Passes are left out."""
        lengths = np.diff(games.start)
        return cls(games, np.flatnonzero(np.repeat(chosen, lengths) & (games.moves != PASS)))

    def __len__(self) -> int:
        return len(self.moves)

    def batch(
        self, indices: Sequence[int], symmetries: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """The 48 planes (B, 48, n, n) of these positions and the points played (B,)."""
        games, size = self.games, self.games.size
        moves = self.moves[np.asarray(indices)]
        numbers = np.searchsorted(games.start, moves, side="right") - 1
        planes = np.empty((len(moves), 48, size * size), np.uint8)
        played = np.empty(len(moves), np.int64)
        features.fill_batch(
            games.moves, games.colours, games.start,
            games.setup, games.setup_colours, games.setup_start,
            numbers, moves - games.start[numbers], symmetries, planes, played,
        )  # fmt: skip
        return planes.reshape(-1, 48, size, size), played


class PolicyData:
    """`core.training.TrainingData`: positions drawn at random, each under a random symmetry.

    `weight` (games,) says how often a game's positions are drawn, relative to other games'.
    """

    def __init__(
        self, positions: Positions, weight: NDArray[np.float64], epoch: int, planes: int
    ) -> None:
        self.positions, self.epoch, self.planes = positions, epoch, planes
        numbers = np.searchsorted(positions.games.start, positions.moves, side="right") - 1
        self.cumulative = np.cumsum(weight[numbers])

    def plan(
        self, epoch: int, batch_size: int, rng: np.random.Generator
    ) -> Sequence[Sequence[int]]:
        batches = self.epoch // batch_size
        drawn = rng.random(batches * batch_size) * self.cumulative[-1]
        indices = np.searchsorted(self.cumulative, drawn, side="right")
        return list(indices.reshape(batches, batch_size))

    def batch(self, indices: Sequence[int], rng: np.random.Generator) -> tuple[Tensor, ...]:
        symmetries = rng.integers(SYMMETRIES, size=len(indices))
        planes, played = self.positions.batch(indices, symmetries)
        return torch.from_numpy(shown(planes, self.planes)), torch.from_numpy(played)


def shown(planes: NDArray[np.uint8], count: int) -> NDArray[np.integer[Any]]:
    """What a network of `count` planes sees: all 48, or the single one, own stones 1, others -1."""
    if count == 48:
        return planes
    return planes[:, :1].astype(np.int8) - planes[:, 1:2].astype(np.int8)


def loss(model: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    """Cross-entropy of the move that was played, the mean over the batch."""
    planes, played = batch
    inputs = planes.float().contiguous(memory_format=torch.channels_last)
    return F.cross_entropy(model(inputs).float(), played)
