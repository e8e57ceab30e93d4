"""A policy network that plays: which of its moves it chooses, and when it passes or resigns.

It reads nothing out: the network's first instinct, less the moves that cannot be right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError

from . import features, scoring, symmetry
from .board import Board
from .komi import KOMI
from .policy import Policy, ranked
from .rules import EMPTY, PASS

LARGEST_SACRIFICE = 6
"""A chain of more stones is not put into atari for nothing: no nakade has more."""
HOPELESS = 0.2
"""Who resigns does so when this share of the points behind, ..."""
LATE = 0.5
"""... once this share of them is occupied; before, nobody can be said to be ahead."""


@dataclass(frozen=True)
class Strength:
    """At temperature 0 the likeliest move is played. Else one is drawn, with probabilities to the
    power of 1 / temperature, from the likeliest that together have `top_p` of the probability.
    """

    name: str
    temperature: float
    top_p: float


STRENGTHS = {
    strength.name: strength
    for strength in (
        Strength("full", 0.0, 1.0),
        Strength("relaxed", 1.0, 0.5),
        Strength("casual", 1.0, 0.9),
        Strength("careless", 1.5, 0.98),
    )
}


@dataclass(frozen=True)
class Move:
    """A point, or PASS; `resign` gives the game up instead."""

    point: int
    resign: bool = False


class GoPlayer:
    """A policy network with a strength. Make one with `load`."""

    def __init__(
        self,
        policy: Policy,
        strength: str = "full",
        seed: int | None = None,
        symmetries: int = 8,
        resigns: bool = False,
    ) -> None:
        if strength not in STRENGTHS:
            raise InputError(f"strength {strength!r} is not one of: {', '.join(STRENGTHS)}")
        self.policy = policy
        self.strength = STRENGTHS[strength]
        self.symmetries = symmetries
        self.resigns = resigns
        self.reseed(seed)

    @classmethod
    def load(
        cls,
        name: str = "go-policy",
        strength: str = "full",
        seed: int | None = None,
        symmetries: int = 8,
        resigns: bool = False,
        threads: int | None = None,
    ) -> GoPlayer:
        """A player by the name of a released network, or by the path of a card.

        Raises InputError where there is no such network or no such strength.
        """
        return cls(Policy.load(name, threads), strength, seed, symmetries, resigns)

    @property
    def name(self) -> str:
        """The network's."""
        return self.policy.card.name

    def reseed(self, seed: int | None) -> None:
        """From the same seed come the same draws."""
        self._dice = np.random.default_rng(seed)

    def moves(self, board: Board, colour: int | None = None) -> list[tuple[int, float]]:
        """(point, probability) of all legal moves, best first; sums to 1 over them.

        First instinct, no reading. Eyes are among them, a pass is not: the network knows none.
        """
        probabilities = self.policy.probabilities(board, colour, self.symmetries)
        return ranked(probabilities, board.legal(colour))

    def moves_under(
        self, board: Board, number: int, colour: int | None = None
    ) -> list[tuple[int, float]]:
        """As `moves`, but as the network sees the board under one of the eight symmetries."""
        planes = symmetry.apply(features.planes(board, colour), number)
        turned = self.policy.answer(features.seen(planes[None], self.policy.planes), symmetries=1)
        return ranked(turned[0, symmetry.table(board.size)[number]], board.legal(colour))

    def genmove(
        self,
        board: Board,
        colour: int | None = None,
        komi: float = KOMI,
        moves: list[tuple[int, float]] | None = None,
    ) -> Move:
        """What to play; never an illegal move, never a single-point eye of its own.

        `moves` are those of `moves`, for who has asked for them already.

        Passes where no sensible move is left. When the opponent has passed, once half the points
        are occupied, it also passes if it is ahead, by area and by territory, or if no point is
        left that belongs to nobody; else it plays such a point. Resigns, if it may, far behind.
        Who is ahead is for `scoring.dead_stones` to say, an estimate.
        """
        colour = colour or board.to_play
        wanted = _sensible(board, colour, LARGEST_SACRIFICE)
        late = (board.state.colour != EMPTY).mean() >= LATE
        passed = bool(board.moves) and board.moves[-1] == (-colour, PASS)
        if late and (passed or self.resigns):
            dead = scoring.dead_stones(board)
            leads = [colour * (count(board, dead) - komi)
                     for count in (scoring.area, scoring.territory)]  # fmt: skip
            if self.resigns and max(leads) < -HOPELESS * board.size**2:
                return Move(PASS, resign=True)
            if passed and min(leads) > 0:
                return Move(PASS)
            if passed:
                nobodys = scoring.ownership(board, dead).ravel() == EMPTY
                wanted = _sensible(board, colour, 0) & nobodys
        if not wanted.any():
            return Move(PASS)
        moves = self.moves(board, colour) if moves is None else moves
        return Move(self._chosen([move for move in moves if wanted[move[0]]]))

    def _chosen(self, moves: Sequence[tuple[int, float]]) -> int:
        """One of the moves, which come best first."""
        points = [point for point, _ in moves]
        if self.strength.temperature == 0:
            return points[0]
        logs = np.log([max(probability, 1e-30) for _, probability in moves])
        powers = np.exp((logs - logs[0]) / self.strength.temperature)
        shares = powers / powers.sum()
        likeliest = 1 + int(np.searchsorted(shares.cumsum(), self.strength.top_p))
        shares = shares[:likeliest]
        return int(self._dice.choice(points[:likeliest], p=shares / shares.sum()))


def _sensible(board: Board, colour: int, sacrifice: int) -> NDArray[np.bool_]:
    """(n * n,) legal moves that fill no eye of their own and don't put more than so many own stones
    into atari without a capture.
    """
    planes = features.planes(board, colour).reshape(features.COUNT, -1).astype(bool)
    atari = planes[features.SELF_ATARI_SIZE + sacrifice : features.LIBERTIES_AFTER].any(0)
    captures = planes[features.CAPTURE_SIZE + 1 : features.SELF_ATARI_SIZE].any(0)
    sensible: NDArray[np.bool_] = planes[features.SENSIBLENESS] & (captures | ~atari)
    return sensible & board.legal(colour)
