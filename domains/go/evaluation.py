"""How often a network's first choice is the move that was played, and related figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from core.errors import InputError

from . import features
from .data import Positions
from .policy import Policy, softmax

BATCH = 128
PHASES = {"opening": (0, 50), "middle game": (50, 150), "endgame": (150, 10**6)}  # moves before


def figures(ranks: NDArray[np.int64], chances: NDArray[np.float64]) -> dict[str, Any]:
    """Of the played moves' ranks, best 1, and their probabilities: top1, top5, loss (nats), n."""
    return {
        "top1": round(float(np.mean(ranks <= 1)), 4),
        "top5": round(float(np.mean(ranks <= 5)), 4),
        "loss": round(float(-np.log(np.maximum(chances, 1e-30)).mean()), 4),
        "n": len(ranks),
    }


def ranked(
    probabilities: NDArray[np.float32], played: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rank, best 1, and probability of the played points (B,) in (B, points); of equals, worst."""
    chance = np.take_along_axis(probabilities, played[:, None], 1)
    return (probabilities >= chance).sum(1), chance[:, 0].astype(np.float64)


def validation(model: nn.Module, positions: Positions, planes: int) -> dict[str, float]:
    """`figures` of a network in training, each position as it lies on the board."""
    device = next(model.parameters()).device
    found = []
    for start in range(0, len(positions), BATCH):
        batch = range(start, min(start + BATCH, len(positions)))
        drawn, played = positions.batch(batch, np.zeros(len(batch), np.int64))
        inputs = torch.from_numpy(features.seen(drawn, planes)).to(device).float()
        logits = model(inputs.contiguous(memory_format=torch.channels_last))
        found.append(ranked(softmax(logits.float().cpu().numpy()), played))
    return figures(*(np.concatenate(part) for part in zip(*found, strict=True)))


def evaluate(policy: Policy, positions: Positions, symmetries: int) -> dict[str, Any]:
    """`figures` of a released network over all positions, and by phase of the game.

    Raises InputError where there is no position.
    """
    if not len(positions):
        raise InputError("no stone is played in any of the games")
    games = positions.games
    numbers = np.searchsorted(games.start, positions.moves, side="right") - 1
    plies = positions.moves - games.start[numbers]
    found = []
    for start in tqdm(range(0, len(positions), BATCH), unit=" batches", disable=None):
        batch = range(start, min(start + BATCH, len(positions)))
        drawn, played = positions.batch(batch, np.zeros(len(batch), np.int64))
        found.append(ranked(policy.answer(features.seen(drawn, policy.planes), symmetries), played))
    ranks, chances = (np.concatenate(part) for part in zip(*found, strict=True))
    phases = {
        name: figures(ranks[among], chances[among])
        for name, (first, last) in PHASES.items()
        if (among := (plies >= first) & (plies < last)).any()
    }
    return {**figures(ranks, chances), "symmetries": symmetries, "phases": phases}
