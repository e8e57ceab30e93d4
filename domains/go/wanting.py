"""The board that wants a move most, found by a climb over stones."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import InputError
from core.lens.subject import Subject

from . import features, vertices
from .board import Board
from .lens import as_input
from .rules import BLACK, EMPTY, WHITE

CONFIDENT = 0.99  # of a move: a board that wants it more is not looked for
STEPS = 200  # of the climb
TRIED = 16  # changes a step that the network is asked about
SHAKEN = 4  # points that are changed at random where no change helps
LAST = 2 * WHITE  # marks White's last move in the arrays of stones here

Stones = NDArray[np.int8]  # (..., points): EMPTY, BLACK, WHITE or LAST


@dataclass(frozen=True)
class Wanted:
    """A board, Black to play, and the network's probability of the move that it was made for."""

    board: Board
    probability: float


def wanting(
    subject: Subject,
    vertex: str,
    seed: int = 0,
    steps: int = STEPS,
    progress: Callable[[int, int], None] | None = None,
) -> Wanted:
    """A legal board on which Black's move at `vertex` is as good as sure to the network.

    It begins empty. Each step changes one point, to a stone, to none or to White's last move, as
    the gradient, times the change of the planes, promises the most, if the network agrees; where
    none of the changes helps, a few points near the vertex are changed at random, and the best
    board so far is kept. The climb ends above 99 %, or after so many steps.

    progress: called with the steps done, and with `steps`
    Ebrahimi and others, "HotFlip: white-box adversarial examples for text classification", ACL
    2018, which flips letters so. Raises InputError for a vertex that is none.
    """
    size = subject.shape[1]
    point = vertices.parse(vertex, size)
    if point < 0:
        raise InputError(f"no vertex on a {size}x{size} board: {vertex!r}")
    rng = np.random.default_rng(seed)
    stones = best = np.zeros(size**2, np.int8)
    odds = most = float(_log_odds(subject, _planes(stones[None], point)[0], point)[0])
    for step in range(steps):
        if most > math.log(CONFIDENT / (1 - CONFIDENT)):
            break
        changed = _changes(stones, point)
        planes, legal = _planes(changed, point)
        changed, planes = changed[legal], planes[legal]
        promising = _promise(subject, stones, planes, point).argsort(descending=True)[:TRIED]
        found = _log_odds(subject, planes[promising.numpy()], point)
        index = int(found.argmax())
        if float(found[index]) > odds:
            odds, stones = float(found[index]), changed[int(promising[index])]
        else:
            stones = _shaken(best, point, rng)
            odds = float(_log_odds(subject, _planes(stones[None], point)[0], point)[0])
        if odds > most:
            most, best = odds, stones
        if progress:
            progress(step + 1, steps)
    board = Board(size, superko=False)
    board.place(np.flatnonzero(best == BLACK).tolist(), np.flatnonzero(best == WHITE).tolist())
    for last in np.flatnonzero(best == LAST).tolist():
        board.play(last, WHITE)
    return Wanted(board, float(torch.tensor(most).sigmoid()))


def _changes(stones: Stones, point: int) -> Stones:
    """All boards with one other point changed, `(3 * (points - 1), points)`."""
    others = np.delete(np.arange(len(stones)), point)
    marks = np.array([EMPTY, BLACK, WHITE, LAST], np.int8)
    changed = np.tile(stones, (len(others), len(marks), 1))
    changed[:, marks == LAST] = np.where(stones == LAST, WHITE, stones)
    changed[np.arange(len(others)), :, others] = marks
    kept: Stones = changed[stones[others][:, None] != marks]
    return kept


def _shaken(stones: Stones, point: int, rng: np.random.Generator) -> Stones:
    size = math.isqrt(len(stones))
    rows, columns = np.divmod(np.arange(len(stones)), size)
    near = np.exp(-(abs(rows - rows[point]) + abs(columns - columns[point])) / 2)
    near[point] = 0
    while True:
        shaken = stones.copy()
        chosen = rng.choice(len(stones), SHAKEN, replace=False, p=near / near.sum())
        shaken[chosen] = rng.choice([EMPTY, BLACK, WHITE], SHAKEN)
        if _planes(shaken[None], point)[1][0]:
            return shaken


def _planes(boards: Stones, point: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The 48 planes of boards `(B, points)`, Black to play, and whether a board and Black's move at
    `point` are legal, `(B,)`: all chains have liberties, White's last move took none of them, and
    the new chain will have some."""
    count, points = boards.shape
    size = math.isqrt(points)
    answers, last = np.nonzero(boards == LAST)
    plies = np.bincount(answers, minlength=count)
    start = np.concatenate([[0], np.cumsum(plies + 1)])
    moves, colours = np.full(start[-1], point, np.int16), np.full(start[-1], BLACK, np.int8)
    moves[start[answers]], colours[start[answers]] = last, WHITE
    number, setup = np.nonzero((boards != EMPTY) & (boards != LAST))
    planes = np.empty((count, features.COUNT, points), np.uint8)
    features.fill_batch(
        moves, colours, start, setup.astype(np.int16), boards[number, setup],
        np.searchsorted(number, np.arange(count + 1)),
        np.arange(count), plies, np.zeros(count, np.int64), planes, np.empty(count, np.int64),
    )  # fmt: skip
    free = planes[:, features.LIBERTIES : features.CAPTURE_SIZE].sum((1, 2))
    after = planes[:, features.LIBERTIES_AFTER : features.LADDER_CAPTURE, point].any(1)
    return planes.reshape(count, -1, size, size), (free == (boards != EMPTY).sum(1)) & after


def _log_odds(subject: Subject, planes: NDArray[np.uint8], point: int) -> Tensor:
    with torch.no_grad():
        return _odds(subject.network(as_input(features.seen(planes, subject.shape[0]))), point)


def _odds(logits: Tensor, point: int) -> Tensor:
    """log of p / (1 - p), `(B,)`: unlike p, it never stops rising."""
    others = torch.cat([logits[:, :point], logits[:, point + 1 :]], 1)
    return logits[:, point] - others.logsumexp(1)


def _promise(subject: Subject, stones: Stones, changed: NDArray[np.uint8], point: int) -> Tensor:
    """By how much the log-odds should rise, to first order, `(B,)`."""
    count = subject.shape[0]
    here = as_input(features.seen(_planes(stones[None], point)[0], count)).requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(_odds(subject.network(here), point)[0], here)
    there = as_input(features.seen(changed, count))
    return (there - here.detach()).flatten(1) @ gradient.flatten()
