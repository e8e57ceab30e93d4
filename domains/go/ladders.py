"""Ladders: a chain is put in atari again and again until it is caught, or gets away.

The prey's owner may extend, or capture a chaser in atari; three liberties are freedom. The chaser
may only put the prey in atari. A reading goes PLIES deep (a ladder across the whole of 19x19 takes
about 70), and on any one line at most FORKS moves may have an alternative. What can't be read
within these bounds counts as not caught: with 9 forks in place of 4 the planes of 16 in 8,369
positions of KGS games are others. Both bounds are the same in whichever order moves are tried, so
that symmetric positions have symmetric ladders.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .rules import EMPTY, TURN, State, copy_state, kernel, legal, new_state, play, popcount

PLIES = 100
FORKS = 4

FREE, CAUGHT, FORK = range(3)  # what following a line can end in


class Scratch(NamedTuple):
    """What a reading writes on: a position and a set of moves for each fork it may be after, and
    the set of first moves.
    """

    states: State  # every array with one more axis in front, FORKS + 1 long
    moves: NDArray[np.uint64]  # (FORKS + 2, W)


def new_scratch(size: int) -> Scratch:
    """For positions of that size, any number of them in turn."""
    states = State._make(np.stack([array] * (FORKS + 1)) for array in new_state(size))
    return Scratch(states, np.zeros((FORKS + 2, states.liberties.shape[-1]), np.uint64))


@kernel
def mark_captures(state: State, colour: int, scratch: Scratch, out: NDArray[np.uint8]) -> None:
    """1 where a move puts an opponent's chain of two liberties in atari for good: it is caught,
    whatever its owner does.

    `out` is (n * n,), zeros.
    """
    moves = scratch.moves[FORKS + 1]
    for prey in range(len(out)):
        chosen = state.colour[prey] == -colour and state.chain[prey] == prey
        if chosen and state.liberty_count[prey] == 2:
            _find_chases(state, prey, moves)
            point = _pop(moves)
            while point >= 0:
                if not out[point]:
                    out[point] = _succeeds(state, prey, point, colour, scratch)
                point = _pop(moves)


@kernel
def mark_escapes(state: State, colour: int, scratch: Scratch, out: NDArray[np.uint8]) -> None:
    """1 where a move saves an own chain in atari: by extending it or by capturing a neighbour, so
    that no ladder catches it.

    Arguments as in `mark_captures`.
    """
    moves = scratch.moves[FORKS + 1]
    for prey in range(len(out)):
        chosen = state.colour[prey] == colour and state.chain[prey] == prey
        if chosen and state.liberty_count[prey] == 1:
            _find_defences(state, prey, moves)
            point = _pop(moves)
            while point >= 0:
                if not out[point]:
                    out[point] = _succeeds(state, prey, point, colour, scratch)
                point = _pop(moves)


@kernel
def _succeeds(state: State, prey: int, point: int, colour: int, scratch: Scratch) -> bool:
    """Whether the move catches the chain at `prey`, or saves it if it is of that colour."""
    owner, turn = state.colour[prey], state.scalars[TURN]
    forks = 0
    _branch(state, point, colour, scratch, forks)
    while True:
        verdict = _follow(scratch, forks, prey, colour, turn)
        while verdict != FORK:
            if forks == 0:
                return bool((verdict == CAUGHT) != (owner == colour))
            forks -= 1
            suits = FREE if _to_move(scratch, forks, colour, turn) == owner else CAUGHT
            if verdict != suits and _size(scratch.moves[forks]):
                verdict = FORK
        alternative = _pop(scratch.moves[forks])
        to_move = _to_move(scratch, forks, colour, turn)
        _branch(_level(scratch, forks), alternative, to_move, scratch, forks + 1)
        forks += 1


@kernel
def _follow(scratch: Scratch, forks: int, prey: int, colour: int, turn: int) -> int:
    """Plays on while the side to move has a single choice: CAUGHT, FREE, or FORK and its moves."""
    state, moves = _level(scratch, forks), scratch.moves[forks]
    owner = state.colour[prey]
    while state.scalars[TURN] - turn < PLIES:
        to_move = _to_move(scratch, forks, colour, turn)
        if to_move == owner:
            _find_defences(state, prey, moves)
            choices = _size(moves)
            if choices == 0:
                return CAUGHT
        else:
            liberties = state.liberty_count[state.chain[prey]]
            if liberties != 2:
                return CAUGHT if liberties < 2 else FREE
            _find_chases(state, prey, moves)
            choices = _size(moves)
            if choices == 0:
                return FREE
        if choices > 1:
            return FORK if forks < FORKS else FREE
        play(state, _pop(moves), to_move)
    return FREE


@kernel
def _to_move(scratch: Scratch, forks: int, colour: int, turn: int) -> int:
    """Whose turn it is, where `colour` moved first, in that turn."""
    return colour if (scratch.states.scalars[forks, TURN] - turn) % 2 == 0 else -colour


@kernel
def _branch(state: State, point: int, colour: int, scratch: Scratch, forks: int) -> None:
    branch = _level(scratch, forks)
    copy_state(state, branch)
    play(branch, point, colour)


@kernel
def _level(scratch: Scratch, forks: int) -> State:
    """The position that the scratch holds for the line after so many forks."""
    states = scratch.states
    return State(
        states.colour[forks],
        states.chain[forks],
        states.next[forks],
        states.stones[forks],
        states.liberties[forks],
        states.liberty_count[forks],
        states.placed[forks],
        states.neighbours[forks],
        states.scalars[forks],
        states.hash[forks],
    )


@kernel
def _find_chases(state: State, prey: int, moves: NDArray[np.uint64]) -> None:
    """The legal moves that put a chain of two liberties in atari, without those after which it
    could at once extend to three liberties.
    """
    head, chaser = state.chain[prey], -state.colour[prey]
    moves[:] = 0
    _unite(moves, state.liberties[head])
    one, other = _pop(moves), _pop(moves)
    if _liberties_of_extension(state, head, other, one) < 3 and legal(state, one, chaser):
        moves[one >> 6] |= np.uint64(1) << np.uint64(one & 63)
    if _liberties_of_extension(state, head, one, other) < 3 and legal(state, other, chaser):
        moves[other >> 6] |= np.uint64(1) << np.uint64(other & 63)


@kernel
def _liberties_of_extension(state: State, head: int, point: int, taken: int) -> int:
    """How many liberties the chain gets by a stone at its liberty `point`, when its liberty `taken`
    is no more; captures not counted.
    """
    count = 0
    for word in range(state.liberties.shape[1]):
        liberties = state.liberties[head, word]
        for side in range(4):
            beside = state.neighbours[point, side]
            if beside < 0:
                break
            if state.colour[beside] == EMPTY:
                if beside >> 6 == word:
                    liberties |= np.uint64(1) << np.uint64(beside & 63)
            elif state.colour[beside] == state.colour[head]:
                liberties |= state.liberties[state.chain[beside], word]
        count += popcount(liberties)
    return count - 2  # `point` and `taken` themselves


@kernel
def _find_defences(state: State, prey: int, moves: NDArray[np.uint64]) -> None:
    """The legal moves that extend a chain in atari or capture a neighbour of it."""
    owner, head = state.colour[prey], state.chain[prey]
    moves[:] = 0
    _unite(moves, state.liberties[head])
    stone = head
    for _ in range(state.stones[head]):
        for side in range(4):
            beside = state.neighbours[stone, side]
            if beside < 0:
                break
            if state.colour[beside] == -owner and state.liberty_count[state.chain[beside]] == 1:
                _unite(moves, state.liberties[state.chain[beside]])
        stone = state.next[stone]
    for word in range(len(moves)):
        left = moves[word]
        while left:
            lowest = left & ~(left - np.uint64(1))
            left ^= lowest
            if not legal(state, (word << 6) + popcount(lowest - np.uint64(1)), owner):
                moves[word] ^= lowest


# Sets of points, (W,): point p is bit p & 63 of word p >> 6.


@kernel
def _unite(points: NDArray[np.uint64], others: NDArray[np.uint64]) -> None:
    for word in range(len(points)):
        points[word] |= others[word]


@kernel
def _size(points: NDArray[np.uint64]) -> int:
    size = 0
    for word in range(len(points)):
        size += popcount(points[word])
    return size


@kernel
def _pop(points: NDArray[np.uint64]) -> int:
    """Takes the first point out of a set; -1 if there is none."""
    for word in range(len(points)):
        if points[word]:
            lowest = points[word] & ~(points[word] - np.uint64(1))
            points[word] ^= lowest
            return int((word << 6) + popcount(lowest - np.uint64(1)))
    return -1
