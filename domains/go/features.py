"""The input of AlphaGo's policy network: 48 planes, each point of each 0 or 1.

Silver et al., "Mastering the game of Go with deep neural networks and tree search", Nature 529
(2016), Extended Data Table 2. The planes are drawn for one colour, whose stones are "own". Where
eight planes tell a number one of them is set: the first for 1 (captures: for 0), the last one
for its number or more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import symmetry
from .ladders import Scratch, mark_captures, mark_escapes, new_scratch
from .rules import (
    EMPTY,
    PASS,
    TURN,
    State,
    clear,
    kernel,
    legal,
    new_state,
    place,
    play,
    popcount,
)
from .scoring import is_eye

if TYPE_CHECKING:
    from .board import Board

COUNT = 48
STONE_COLOUR, ONES, TURNS_SINCE, LIBERTIES, CAPTURE_SIZE, SELF_ATARI_SIZE = 0, 3, 4, 12, 20, 28
LIBERTIES_AFTER, LADDER_CAPTURE, LADDER_ESCAPE, SENSIBLENESS, ZEROS = 36, 44, 45, 46, 47

# Each of these tells which of its planes is set at a point, from 0; -1 where none is.


@kernel
def stone_colour(state: State, point: int, colour: int) -> int:
    """Own stones, the opponent's, empty points."""
    if state.colour[point] == EMPTY:
        return 2
    return 0 if state.colour[point] == colour else 1


@kernel
def turns_since(state: State, point: int) -> int:
    """At stones: how many turns ago the stone was played; 1 is the last move, passes are turns, and
    setup stones are old.
    """
    return int(min(state.scalars[TURN] - state.placed[point], 8) - 1)


@kernel
def liberties(state: State, point: int) -> int:
    """At stones: how many liberties the chain has."""
    return int(min(state.liberty_count[state.chain[point]], 8) - 1)


@kernel
def capture_size(state: State, point: int, colour: int) -> int:
    """At legal moves: how many of the opponent's stones the move captures, 0 to 7."""
    captured = 0
    for side in range(4):
        beside = state.neighbours[point, side]
        if beside < 0:
            break
        if state.colour[beside] == -colour:
            head = state.chain[beside]
            if state.liberty_count[head] == 1 and _is_first(state, point, side):
                captured += state.stones[head]
    return min(captured, 7)


@kernel
def self_atari_size(stones: int, liberties: int) -> int:
    """At legal moves that leave the own chain they are part of with one liberty: how many stones
    that chain has, this one included.
    """
    return min(stones, 8) - 1 if liberties == 1 else -1


@kernel
def liberties_after(liberties: int) -> int:
    """At legal moves: how many liberties the own chain they are part of has afterwards."""
    return min(liberties, 8) - 1


@kernel
def sensibleness(state: State, point: int, colour: int) -> int:
    """At legal moves that don't fill an own eye: an empty point with own stones on all sides, of
    whose diagonal neighbours the opponent holds at most one, at the edge none.
    """
    return -1 if is_eye(state, point, colour) else 0


@kernel
def _is_first(state: State, point: int, side: int) -> bool:
    """Whether the chain on that side lies on no earlier side of the point too."""
    head = state.chain[state.neighbours[point, side]]
    for earlier in range(side):  # noqa: SIM110 (numba)
        if state.chain[state.neighbours[point, earlier]] == head:
            return False
    return True


@kernel
def _chain_after(
    state: State, point: int, colour: int, captures: bool, free: NDArray[np.uint64]
) -> tuple[int, int]:
    """Stones and liberties of the own chain that a legal move makes; `free` (W,) is overwritten."""
    free[:] = 0
    stones = 1
    for side in range(4):
        beside = state.neighbours[point, side]
        if beside < 0:
            break
        if state.colour[beside] == EMPTY:
            free[beside >> 6] |= np.uint64(1) << np.uint64(beside & 63)
        elif state.colour[beside] == colour and _is_first(state, point, side):
            head = state.chain[beside]
            stones += state.stones[head]
            for word in range(len(free)):
                free[word] |= state.liberties[head, word]
    if captures:
        _free_captured(state, point, colour, free)
    free[point >> 6] &= ~(np.uint64(1) << np.uint64(point & 63))
    count = 0
    for word in range(len(free)):
        count += popcount(free[word])
    return stones, count


@kernel
def _free_captured(state: State, point: int, colour: int, free: NDArray[np.uint64]) -> None:
    """Adds the captured stones that lie beside the new chain."""
    for side in range(4):
        beside = state.neighbours[point, side]
        if beside < 0:
            break
        head = state.chain[beside]
        if state.colour[beside] == -colour and state.liberty_count[head] == 1:
            stone = head
            for _ in range(state.stones[head]):
                if _is_beside(state, stone, point, colour):
                    free[stone >> 6] |= np.uint64(1) << np.uint64(stone & 63)
                stone = state.next[stone]


@kernel
def _is_beside(state: State, stone: int, point: int, colour: int) -> bool:
    """Whether a stone touches the point, or one of the chains of that colour around the point."""
    for side in range(4):
        beside = state.neighbours[stone, side]
        if beside == point:
            return True
        if beside >= 0 and state.colour[beside] == colour:
            for other in range(4):
                joined = state.neighbours[point, other]
                if joined >= 0 and state.chain[joined] == state.chain[beside]:
                    return True
    return False


@kernel
def fill(state: State, colour: int, scratch: Scratch, out: NDArray[np.uint8]) -> None:
    """All planes for the colour to move: `out` is (48, n * n), overwritten."""
    out[:] = 0
    out[ONES] = 1
    for point in range(out.shape[1]):
        out[STONE_COLOUR + stone_colour(state, point, colour), point] = 1
        if state.colour[point] != EMPTY:
            _set(out, TURNS_SINCE, turns_since(state, point), point)
            _set(out, LIBERTIES, liberties(state, point), point)
        elif legal(state, point, colour):
            captured = capture_size(state, point, colour)
            stones, free = _chain_after(state, point, colour, captured > 0, scratch.moves[0])
            _set(out, CAPTURE_SIZE, captured, point)
            _set(out, SELF_ATARI_SIZE, self_atari_size(stones, free), point)
            _set(out, LIBERTIES_AFTER, liberties_after(free), point)
            _set(out, SENSIBLENESS, sensibleness(state, point, colour), point)
    mark_captures(state, colour, scratch, out[LADDER_CAPTURE])
    mark_escapes(state, colour, scratch, out[LADDER_ESCAPE])


@kernel
def _set(out: NDArray[np.uint8], first: int, plane: int, point: int) -> None:
    if plane >= 0:
        out[first + plane, point] = 1


@dataclass(frozen=True)
class Plane:
    """A family of planes: planes `first` to `first + count - 1` of the 48."""

    name: str
    first: int
    count: int
    meaning: str


def _family(name: str, first: int, count: int, function: Callable[..., Any]) -> Plane:
    meaning = (function.__doc__ or "").split("\n\n")[0]
    return Plane(name, first, count, " ".join(meaning.split()))


PLANES = (
    _family("stone colour", STONE_COLOUR, 3, stone_colour),
    Plane("ones", ONES, 1, "1 everywhere: tells the board from the padding around it."),
    _family("turns since", TURNS_SINCE, 8, turns_since),
    _family("liberties", LIBERTIES, 8, liberties),
    _family("capture size", CAPTURE_SIZE, 8, capture_size),
    _family("self-atari size", SELF_ATARI_SIZE, 8, self_atari_size),
    _family("liberties after move", LIBERTIES_AFTER, 8, liberties_after),
    _family("ladder capture", LADDER_CAPTURE, 1, mark_captures),
    _family("ladder escape", LADDER_ESCAPE, 1, mark_escapes),
    _family("sensibleness", SENSIBLENESS, 1, sensibleness),
    Plane("zeros", ZEROS, 1, "0 everywhere."),
)


def planes(board: Board, colour: int | None = None) -> NDArray[np.uint8]:
    """(48, n, n) for that colour, by default the one to play."""
    out = np.empty((COUNT, board.size, board.size), np.uint8)
    seen_by = board.to_play if colour is None else colour
    fill(board.state, int(seen_by), new_scratch(board.size), out.reshape(COUNT, -1))
    return out


def seen(planes: NDArray[np.uint8], count: int) -> NDArray[np.integer[Any]]:
    """What a network of `count` planes sees of (..., 48, n, n): all of them, or for 1 a single
    one, own stones 1, the opponent's -1.
    """
    if count == COUNT:
        return planes
    return planes[..., :1, :, :].astype(np.int8) - planes[..., 1:2, :, :].astype(np.int8)


def single_plane(board: Board) -> NDArray[np.int8]:
    """(1, n, n): black stones 1, white stones -1, the simple input."""
    return board.stones[np.newaxis]


def fill_batch(
    moves: NDArray[np.int16],
    colours: NDArray[np.int8],
    start: NDArray[np.int64],
    setup: NDArray[np.int16],
    setup_colours: NDArray[np.int8],
    setup_start: NDArray[np.int64],
    games: NDArray[np.int64],
    plies: NDArray[np.int64],
    symmetries: NDArray[np.int64],
    planes_out: NDArray[np.uint8],
    targets_out: NDArray[np.int64],
) -> None:
    """Examples to train on: position i is that of game `games[i]` before its move `plies[i]`, which
    must be no pass, turned by `symmetries[i]`.

    The first six arrays are those of `games.Games`. `planes_out` (B, 48, n * n) gets the planes for
    the colour that moved, `targets_out` (B,) the point it chose.
    """
    size = math.isqrt(planes_out.shape[2])
    _fill_batch(
        new_state(size), new_scratch(size), symmetry.table(size), moves, colours, start,
        setup, setup_colours, setup_start, games, plies, symmetries, planes_out, targets_out,
    )  # fmt: skip


_wide: Any = np.int64  # else numba compiles all that is called once more, for smaller integers


@kernel
def _fill_batch(
    state: State,
    scratch: Scratch,
    table: NDArray[np.int16],
    moves: NDArray[np.int16],
    colours: NDArray[np.int8],
    start: NDArray[np.int64],
    setup: NDArray[np.int16],
    setup_colours: NDArray[np.int8],
    setup_start: NDArray[np.int64],
    games: NDArray[np.int64],
    plies: NDArray[np.int64],
    symmetries: NDArray[np.int64],
    planes_out: NDArray[np.uint8],
    targets_out: NDArray[np.int64],
) -> None:
    """Stones are turned as they are played: the planes of a turned game are the turned planes."""
    for i in range(len(games)):
        game, turned = games[i], table[symmetries[i]]
        clear(state)
        for stone in range(setup_start[game], setup_start[game + 1]):
            place(state, _wide(turned[setup[stone]]), _wide(setup_colours[stone]))
        last = start[game] + plies[i]
        for turn in range(start[game], last):
            point = PASS if moves[turn] == PASS else _wide(turned[moves[turn]])
            play(state, point, _wide(colours[turn]))
        fill(state, _wide(colours[last]), scratch, planes_out[i])
        targets_out[i] = turned[moves[last]]
