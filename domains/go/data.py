"""Positions to train on, drawn from compact game records; planes are made as they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from . import features, symmetry
from .games import Games
from .rules import PASS


@dataclass(frozen=True)
class Positions:
    """Those positions of `games` in which a stone is played: the ones before `moves`."""

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
        self.first = np.searchsorted(positions.moves, positions.games.start)  # of each game
        self.weight, self.total = weight, np.cumsum(weight * np.diff(self.first))

    def plan(
        self, epoch: int, batch_size: int, rng: np.random.Generator
    ) -> Sequence[Sequence[int]]:
        batches = self.epoch // batch_size
        drawn = rng.random(batches * batch_size) * self.total[-1]
        games = np.searchsorted(self.total, drawn, side="right")
        back = ((self.total[games] - drawn) / self.weight[games]).astype(np.int64)
        indices = np.maximum(self.first[games + 1] - 1 - back, self.first[games])
        return list(indices.reshape(batches, batch_size))

    def batch(self, indices: Sequence[int], rng: np.random.Generator) -> tuple[Tensor, ...]:
        symmetries = rng.integers(len(symmetry.SYMMETRIES), size=len(indices))
        planes, played = self.positions.batch(indices, symmetries)
        return torch.from_numpy(features.seen(planes, self.planes)), torch.from_numpy(played)


def loss(model: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    """Cross-entropy of the move that was played, the mean over the batch."""
    planes, played = batch
    inputs = planes.float().contiguous(memory_format=torch.channels_last)
    return F.cross_entropy(model(inputs).float(), played)
