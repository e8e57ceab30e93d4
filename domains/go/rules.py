"""The rules of Go as compiled kernels on arrays: what `board`, `features` and `ladders` share.

A point is `row * size + column`, row 0 on top. Chains are kept as play goes on, each with the set
of its liberties: a move costs what it changes, not what lies on the board.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba.core import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from core.compiling import compiled

EMPTY, BLACK, WHITE = 0, 1, -1
PASS = -1
LARGEST = 25
SETUP_TURN = -1_000_000  # when a setup stone was placed

# places in State.scalars
SIZE, KO, KO_COLOUR, TURN, CAPTURED_BLACK, CAPTURED_WHITE = range(6)

kernel = compiled(_nrt=False)
"""A kernel allocates no memory, so `_nrt=False` spares it numba's counting of references to the
arrays in a State, which takes six times as long as the rules."""

_KEYS = np.random.default_rng(1969).integers(1 << 64, size=(LARGEST**2, 2), dtype=np.uint64)


class State(NamedTuple):
    """A position, changed in place by the kernels. n is the size; what is kept by chain lies at the
    chain's head, which is any one of its stones. W = ceil(n * n / 64).
    """

    colour: NDArray[np.int8]  # (n * n,) EMPTY, BLACK or WHITE
    chain: NDArray[np.int16]  # (n * n,) head of the chain; -1 where empty
    next: NDArray[np.int16]  # (n * n,) the chain's next stone, in a circle
    stones: NDArray[np.int16]  # (n * n,) by chain: how many stones
    liberties: NDArray[np.uint64]  # (n * n, W) by chain: point p is bit p & 63 of word p >> 6
    liberty_count: NDArray[np.int16]  # (n * n,) by chain
    placed: NDArray[np.int32]  # (n * n,) the turn in which the stone came, or SETUP_TURN
    neighbours: NDArray[np.int16]  # (n * n, 4) constant; -1 after the last one
    scalars: NDArray[np.int64]  # (8,) SIZE; KO, the point that KO_COLOUR may not retake, or -1;
    #                             TURN, moves and passes so far; CAPTURED_BLACK, CAPTURED_WHITE
    hash: NDArray[np.uint64]  # (1,) Zobrist (1970) of the stones


@cache
def _neighbours(size: int) -> NDArray[np.int16]:
    table = np.full((size * size, 4), -1, np.int16)
    for point in range(size * size):
        row, column = divmod(point, size)
        around = ((row - 1, column), (row, column - 1), (row, column + 1), (row + 1, column))
        found = [r * size + c for r, c in around if 0 <= r < size and 0 <= c < size]
        table[point, : len(found)] = found
    return table


def new_state(size: int) -> State:
    """The empty board of that size."""
    points = size * size
    return State(
        colour=np.zeros(points, np.int8),
        chain=np.full(points, -1, np.int16),
        next=np.zeros(points, np.int16),
        stones=np.zeros(points, np.int16),
        liberties=np.zeros((points, (points + 63) // 64), np.uint64),
        liberty_count=np.zeros(points, np.int16),
        placed=np.zeros(points, np.int32),
        neighbours=_neighbours(size),
        scalars=np.array([size, -1, 0, 0, 0, 0, 0, 0], np.int64),
        hash=np.zeros(1, np.uint64),
    )


@kernel
def clear(state: State) -> None:
    """Back to the empty board."""
    state.colour[:] = EMPTY
    state.chain[:] = -1
    state.scalars[1:] = 0
    state.scalars[KO] = -1
    state.hash[0] = 0


@kernel
def _copy(source: NDArray[Any], into: NDArray[Any]) -> None:
    for place in range(len(source)):
        into[place] = source[place]


@kernel
def copy_state(state: State, into: State) -> None:
    """Makes `into`, of the same size, the same position."""
    _copy(state.colour, into.colour)
    _copy(state.chain, into.chain)
    _copy(state.next, into.next)
    _copy(state.stones, into.stones)
    for point in range(len(state.colour)):
        _copy(state.liberties[point], into.liberties[point])
    _copy(state.liberty_count, into.liberty_count)
    _copy(state.placed, into.placed)
    _copy(state.scalars, into.scalars)
    _copy(state.hash, into.hash)


def _popcount(typing: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


popcount: Any = intrinsic(_popcount)
"""How many bits of a uint64 are set, for kernels: a single instruction."""


@kernel
def legal(state: State, point: int, colour: int) -> bool:
    """Whether the point is empty, and the stone neither suicide nor the retaking of a simple ko."""
    if state.colour[point] != EMPTY:
        return False
    if state.scalars[KO] == point and state.scalars[KO_COLOUR] == colour:
        return False
    for side in range(4):
        beside = state.neighbours[point, side]
        if beside < 0:
            break
        if state.colour[beside] == EMPTY:
            return True
        alone = state.liberty_count[state.chain[beside]] == 1
        if alone != (state.colour[beside] == colour):
            return True
    return False


@kernel
def hash_after(state: State, point: int, colour: int) -> np.uint64:
    """The hash that a `legal` stone would leave behind."""
    after: np.uint64 = state.hash[0] ^ _KEYS[point, (colour + 1) >> 1]
    for side in range(4):
        beside = state.neighbours[point, side]
        if beside < 0:
            break
        head = state.chain[beside]
        taken = state.colour[beside] == -colour and state.liberty_count[head] == 1
        for earlier in range(side):
            taken = taken and state.chain[state.neighbours[point, earlier]] != head
        if taken:
            stone = beside
            for _ in range(state.stones[head]):
                after ^= _KEYS[stone, (1 - colour) >> 1]
                stone = state.next[stone]
    return after


@kernel
def repeats(state: State, point: int, colour: int, history: NDArray[np.uint64]) -> bool:
    """Whether a `legal` stone would bring back a position whose hash is in the history."""
    after = hash_after(state, point, colour)
    found = False
    for past in range(len(history)):
        found |= history[past] == after
    return found


@kernel
def legal_points(
    state: State, colour: int, history: NDArray[np.uint64], out: NDArray[np.bool_]
) -> None:
    """Fills (n * n,) booleans: where a stone is `legal` and repeats nothing in the history."""
    for point in range(len(out)):
        out[point] = legal(state, point, colour) and not repeats(state, point, colour, history)


@kernel
def _lose_liberty(state: State, head: int, point: int) -> None:
    bit = np.uint64(1) << np.uint64(point & 63)
    if state.liberties[head, point >> 6] & bit:
        state.liberties[head, point >> 6] ^= bit
        state.liberty_count[head] -= 1


@kernel
def _gain_liberty(state: State, head: int, point: int) -> None:
    bit = np.uint64(1) << np.uint64(point & 63)
    if not state.liberties[head, point >> 6] & bit:
        state.liberties[head, point >> 6] |= bit
        state.liberty_count[head] += 1


@kernel
def _merge(state: State, one: int, other: int) -> None:
    """Makes two chains one; the larger one's head stays."""
    if state.stones[one] < state.stones[other]:
        one, other = other, one
    stone = other
    for _ in range(state.stones[other]):
        state.chain[stone] = one
        stone = state.next[stone]
    state.next[one], state.next[other] = state.next[other], state.next[one]
    state.stones[one] += state.stones[other]
    count = 0
    for word in range(state.liberties.shape[1]):
        state.liberties[one, word] |= state.liberties[other, word]
        count += popcount(state.liberties[one, word])
    state.liberty_count[one] = count


@kernel
def _put(state: State, point: int, colour: int) -> None:
    """A stone on an empty point: chains and liberties follow, nothing is captured yet."""
    state.colour[point] = colour
    state.hash[0] ^= _KEYS[point, (colour + 1) >> 1]
    state.chain[point] = point
    state.next[point] = point
    state.stones[point] = 1
    state.liberties[point] = 0
    state.liberty_count[point] = 0
    for side in range(4):
        beside = state.neighbours[point, side]
        if beside < 0:
            break
        if state.colour[beside] == EMPTY:
            _gain_liberty(state, point, beside)
        else:
            _lose_liberty(state, state.chain[beside], point)
    for side in range(4):
        beside = state.neighbours[point, side]
        if beside < 0:
            break
        if state.colour[beside] == colour and state.chain[beside] != state.chain[point]:
            _merge(state, state.chain[point], state.chain[beside])


@kernel
def _capture(state: State, head: int) -> int:
    """Takes a chain off the board, how many stones; its neighbours get their liberties back."""
    colour, stones = state.colour[head], int(state.stones[head])
    stone = head
    for _ in range(stones):
        state.colour[stone] = EMPTY
        state.chain[stone] = -1
        state.hash[0] ^= _KEYS[stone, (colour + 1) >> 1]
        for side in range(4):
            beside = state.neighbours[stone, side]
            if beside < 0:
                break
            if state.colour[beside] == -colour:
                _gain_liberty(state, state.chain[beside], stone)
        stone = state.next[stone]
    state.scalars[CAPTURED_BLACK if colour == BLACK else CAPTURED_WHITE] += stones
    return stones


@kernel
def play(state: State, point: int, colour: int) -> int:
    """A `legal` move or PASS; the number of stones that it captures."""
    turn = state.scalars[TURN]
    state.scalars[TURN] = turn + 1
    state.scalars[KO] = -1
    if point == PASS:
        return 0
    _put(state, point, colour)
    state.placed[point] = turn
    captured, taken = 0, -1
    for side in range(4):
        beside = state.neighbours[point, side]
        if beside < 0:
            break
        if state.colour[beside] == -colour and state.liberty_count[state.chain[beside]] == 0:
            captured += _capture(state, state.chain[beside])
            taken = beside
    if captured == 1 and state.stones[state.chain[point]] == 1 == state.liberty_count[point]:
        state.scalars[KO] = taken
        state.scalars[KO_COLOUR] = -colour
    return captured


@kernel
def _rebuild(state: State) -> None:
    """Makes chains, liberties and hash anew from the colours alone."""
    _copy(state.colour, state.next)  # which nothing needs before its stone is put
    state.colour[:] = EMPTY
    state.chain[:] = -1
    state.hash[0] = 0
    for point in range(len(state.colour)):
        if state.next[point] != EMPTY:
            _put(state, point, state.next[point])


@kernel
def place(state: State, point: int, colour: int) -> None:
    """A setup stone, or none where the colour is EMPTY, over whatever was there; no captures."""
    state.scalars[KO] = -1
    if state.colour[point] != EMPTY:
        state.colour[point] = EMPTY
        _rebuild(state)
    if colour != EMPTY:
        _put(state, point, colour)
        state.placed[point] = SETUP_TURN


@kernel
def replay(state: State, moves: NDArray[np.int16], colours: NDArray[np.int8]) -> int:
    """Plays points and passes until one is not legal; how many were played."""
    for turn in range(len(moves)):
        point = moves[turn]
        if point != PASS:
            on_board = 0 <= point < len(state.colour)
            if not on_board or not legal(state, point, colours[turn]):
                return turn
        play(state, point, colours[turn])
    return len(moves)
