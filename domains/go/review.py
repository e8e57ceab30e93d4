"""What the policy network thinks of a game's moves: their rank, probability and surprise.

The network reads nothing out: its first choice is a strong player's likely move, not the best one.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from core.errors import InputError

from .board import IllegalMove
from .policy import Policy, ranked
from .rules import BLACK, PASS, WHITE
from .sgf import GameRecord, board_at
from .vertices import colour_name
from .vertices import name as vertex

TOP = 5
"""So many of the network's choices are kept with each move."""

COLOURS = (BLACK, WHITE)

Moves = Sequence[tuple[int, int]]
"""(colour, point), as in a record."""

Progress = Callable[[Moves], Iterable[tuple[int, int]]]
"""Hands on the moves one by one and tells someone how far that is, as `tqdm` does."""


@dataclasses.dataclass(frozen=True, slots=True)
class MoveReview:
    """A move of a game under the network: `number` counts from 1, passes too.

    `rank` (1: the network's first choice) and `probability` are among the legal moves; a pass has
    neither, for the network knows only points. `top`: the network's first choices, best first.
    """

    number: int
    colour: int
    point: int
    rank: int | None
    probability: float | None
    top: list[tuple[int, float]]

    @property
    def surprise(self) -> float | None:
        """-log2 of the probability, in bits; 64 where that is smaller than 2^-64."""
        return None if self.probability is None else -math.log2(max(self.probability, 2**-64))


@dataclasses.dataclass(frozen=True)
class Review:
    """A game and what the network, `model`, thinks of its moves.

    `record` ends before the first illegal move; its `cut` says so. Rates leave passes out, and are
    nan where a player has no move.
    """

    record: GameRecord
    model: str
    moves: list[MoveReview]

    def count(self, colour: int) -> int:
        """A player's moves."""
        return len(self._ranks(colour))

    def match_rate(self, colour: int) -> float:
        """The share of a player's moves that were the network's first choice."""
        return _mean([rank == 1 for rank in self._ranks(colour)])

    def top5_rate(self, colour: int) -> float:
        """The share of a player's moves among the network's first five."""
        return _mean([rank <= TOP for rank in self._ranks(colour)])

    def mean_surprise(self, colour: int) -> float:
        """How much a player's moves surprise the network, in bits a move."""
        surprises = [move.surprise for move in self.moves if move.colour == colour]
        return _mean([surprise for surprise in surprises if surprise is not None])

    def _ranks(self, colour: int) -> list[int]:
        return [move.rank for move in self.moves if move.colour == colour and move.rank is not None]


def review(
    record: GameRecord, policy: Policy, symmetries: int = 8, progress: Progress = iter
) -> Review:
    """Each move of the game under the network, averaged over so many symmetries.

    Raises InputError, naming the game, where the network does not take the board's size, or the
    setup stones are against the rules.
    """
    record = legal_part(record)
    size = record.size
    if not policy.size_ok(size):
        raise _problem(record, f"{policy.card.name} takes no board of {size}x{size}")
    board = board_at(record, 0)
    moves = []
    for number, (colour, point) in enumerate(progress(record.moves), 1):
        choices = ranked(policy.probabilities(board, colour, symmetries), board.legal(colour))
        rank, probability = None, None
        if point != PASS:
            rank = [choice for choice, _ in choices].index(point) + 1
            probability = choices[rank - 1][1]
        moves.append(MoveReview(number, colour, point, rank, probability, choices[:TOP]))
        board.play(point, colour)
    return Review(record, policy.card.name, moves)


def legal_part(record: GameRecord) -> GameRecord:
    """The game up to its first illegal move, which `cut` then names.

    Raises InputError, naming the game, where the setup stones are against the rules.
    """
    try:
        board = board_at(record, 0)
    except InputError as error:
        raise _problem(record, str(error)) from None
    for turn, (colour, point) in enumerate(record.moves):
        try:
            board.play(point, colour)
        except IllegalMove as error:
            cut = f"move {turn + 1}: {error}"
            return dataclasses.replace(record, moves=record.moves[:turn], cut=cut)
    return record


def commented(review: Review) -> GameRecord:
    """The record with the review in its comments, below those that it has."""
    size = review.record.size
    added = {0: "\n".join([review.model, *(player_line(review, colour) for colour in COLOURS)])}
    added |= {move.number: move_comment(move, size) for move in review.moves}
    comments = dict(review.record.comments)
    for number, comment in added.items():
        comments[number] = "\n\n".join(filter(None, [comments.get(number), comment]))
    return dataclasses.replace(review.record, comments=comments)


def player_line(review: Review, colour: int) -> str:
    """A player's figures in words."""
    player = colour_name(colour).capitalize()
    count = review.count(colour)
    if not count:
        return f"{player}: no moves"
    return (
        f"{player}: {100 * review.match_rate(colour):.1f} % of {count} "
        f"{'move was' if count == 1 else 'moves were'} the network's first choice, "
        f"{100 * review.top5_rate(colour):.1f} % among its first {TOP}; "
        f"{review.mean_surprise(colour):.2f} bits of surprise a move"
    )


def move_comment(move: MoveReview, size: int) -> str:
    """A move's rank and probability, and the network's choices, in words."""
    choices = ", ".join(f"{vertex(point, size)} {100 * p:.1f} %" for point, p in move.top)
    if move.rank is None:
        return f"First choices: {choices}"
    return (
        f"{vertex(move.point, size)}: choice {move.rank}, {100 * (move.probability or 0):.1f} %, "
        f"{move.surprise:.1f} bits of surprise\nFirst choices: {choices}"
    )


def text(review: Review) -> Iterator[str]:
    """The lines of a report: the game, each player's figures, then a table of the moves."""
    record = review.record
    names = [
        " ".join(filter(None, (player, rank))) or "?"
        for player, rank in ((record.black, record.black_rank), (record.white, record.white_rank))
    ]
    game = f"{names[0]} (black) – {names[1]} (white), {record.size}x{record.size}"
    yield f"{record.source}: {game} {record.result}".rstrip()
    for colour in COLOURS:
        yield player_line(review, colour)
    yield ""
    yield f"move  colour  played  rank       %   bits  {review.model}'s first choices, in %"
    for move in review.moves:
        played = vertex(move.point, record.size)
        choices = "  ".join(f"{vertex(p, record.size)} {100 * share:.1f}" for p, share in move.top)
        figures = (
            f"{move.rank:>4}  {100 * (move.probability or 0):6.2f}  {move.surprise:5.1f}"
            if move.rank
            else " " * 19
        )
        colour_column = f"{move.number:>4}  {colour_name(move.colour)}   {played:<6}"
        yield f"{colour_column}  {figures}  {choices}".rstrip()
    yield ""


def rows(review: Review) -> Iterator[dict[str, Any]]:
    """A row a move, then a row a player with the rates (null where there is no move)."""
    size = review.record.size
    game = {"game": review.record.source}
    for move in review.moves:
        yield game | {
            "move": move.number,
            "colour": colour_name(move.colour),
            "vertex": vertex(move.point, size),
            "rank": move.rank,
            "probability": _rounded(move.probability),
            "surprise": _rounded(move.surprise),
            "top": [
                {"vertex": vertex(point, size), "probability": _rounded(probability)}
                for point, probability in move.top
            ],
        }
    for colour in COLOURS:
        yield game | {
            "player": colour_name(colour),
            "name": review.record.black if colour == BLACK else review.record.white,
            "moves": review.count(colour),
            "match_rate": _rounded(review.match_rate(colour)),
            "top5_rate": _rounded(review.top5_rate(colour)),
            "mean_surprise": _rounded(review.mean_surprise(colour)),
        }


def _problem(record: GameRecord, what: str) -> InputError:
    """Names the game where that has a source."""
    return InputError(": ".join(filter(None, (record.source, what))))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def _rounded(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else round(value, 6)
