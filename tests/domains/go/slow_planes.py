"""The 48 planes once more, slowly: stones in a dict, flood fill, a new position for every move.

Written from the definitions, with nothing of `domains.go` but its conventions (colours 1 and -1,
passes -1). What it knows of a position is what a player sees on the board.
"""

from collections import namedtuple

import numpy as np

PLIES, FORKS = 100, 4


class Position(namedtuple("Position", "size stones ko turn placed")):
    """`stones` and `placed` are dicts by (row, column); `ko` is (point, banned colour) or None."""

    @classmethod
    def of(cls, size, black=(), white=()):
        stones = {divmod(p, size): 1 for p in black} | {divmod(p, size): -1 for p in white}
        return cls(size, stones, None, 0, dict.fromkeys(stones, -1_000_000))

    def on_board(self, points):
        return [(r, c) for r, c in points if 0 <= r < self.size and 0 <= c < self.size]

    def beside(self, point):
        r, c = point
        return self.on_board([(r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)])

    def chain(self, point):
        found, edge = {point}, [point]
        while edge:
            for near in self.beside(edge.pop()):
                if near not in found and self.stones.get(near) == self.stones[point]:
                    found.add(near)
                    edge.append(near)
        return frozenset(found)

    def liberties(self, point):
        return {n for s in self.chain(point) for n in self.beside(s) if n not in self.stones}

    def chains(self, colour):
        return {self.chain(point) for point, owner in self.stones.items() if owner == colour}

    def captured(self, point, colour):
        return {
            stone
            for near in self.beside(point)
            if self.stones.get(near) == -colour and self.liberties(near) == {point}
            for stone in self.chain(near)
        }

    def play(self, point, colour):
        """The position after a move (None is a pass), or None if the move is not legal."""
        if point is None:
            return self._replace(ko=None, turn=self.turn + 1)
        if point in self.stones or self.ko == (point, colour):
            return None
        captured = self.captured(point, colour)
        stones = {p: c for p, c in self.stones.items() if p not in captured} | {point: colour}
        placed = {**self.placed, point: self.turn}
        after = Position(self.size, stones, None, self.turn + 1, placed)
        liberties = after.liberties(point)
        if not liberties:
            return None
        if len(captured) == 1 and after.chain(point) == {point} and liberties == captured:
            return after._replace(ko=(*captured, -colour))
        return after


def is_eye(position, point, colour):
    if any(position.stones.get(near) != colour for near in position.beside(point)):
        return False
    r, c = point
    diagonal = position.on_board([(r - 1, c - 1), (r - 1, c + 1), (r + 1, c - 1), (r + 1, c + 1)])
    lost = sum(position.stones.get(d) == -colour for d in diagonal)
    return lost <= (1 if len(diagonal) == 4 else 0)


def defences(position, prey):
    """Points by which the owner of a chain in atari may extend it, or capture a neighbour."""
    colour = position.stones[prey]
    points = set(position.liberties(prey))
    for stone in position.chain(prey):
        for near in position.beside(stone):
            if position.stones.get(near) == -colour and len(position.liberties(near)) == 1:
                points |= position.liberties(near)
    return {point: after for point in points if (after := position.play(point, colour))}


def chases(position, prey):
    """Points that put a chain in atari, if it can't extend to three liberties right after."""
    colour = position.stones[prey]
    one, other = position.liberties(prey)
    found = {}
    for point, extension in ((one, other), (other, one)):
        both = {**position.stones, point: -colour, extension: colour}  # nothing captured yet
        after = position.play(point, -colour)
        if after and len(position._replace(stones=both).liberties(prey)) < 3:
            found[point] = after
    return found


def caught(position, prey, to_move, plies=PLIES - 1, forks=FORKS):
    if plies == 0:
        return False
    owner = position.stones[prey]
    if to_move == owner:
        choices = defences(position, prey)
    else:
        liberties = len(position.liberties(prey))
        if liberties != 2:
            return liberties < 2
        choices = chases(position, prey)
    if len(choices) > 1:
        forks -= 1
        if forks < 0:
            return False
    results = (caught(after, prey, -to_move, plies - 1, forks) for after in choices.values())
    return all(results) if to_move == owner else any(results)


def ladder_captures(position, colour):
    return {
        point
        for chain in position.chains(-colour)
        for prey in [min(chain)]
        if len(position.liberties(prey)) == 2
        for point, after in chases(position, prey).items()
        if caught(after, prey, -colour)
    }


def ladder_escapes(position, colour):
    return {
        point
        for chain in position.chains(colour)
        for prey in [min(chain)]
        if len(position.liberties(prey)) == 1
        for point, after in defences(position, prey).items()
        if not caught(after, prey, -colour)
    }


def planes(position, colour):
    """(48, n, n) uint8, in the order of the paper's Extended Data Table 2."""
    size = position.size
    out = np.zeros((48, size, size), np.uint8)
    out[3] = 1
    for point in np.ndindex(size, size):
        owner = position.stones.get(point, 0)
        out[(0 if owner == colour else 1) if owner else 2][point] = 1
        if owner:
            out[4 + min(position.turn - position.placed[point], 8) - 1][point] = 1
            out[12 + min(len(position.liberties(point)), 8) - 1][point] = 1
        elif after := position.play(point, colour):
            own, liberties = after.chain(point), after.liberties(point)
            out[20 + min(len(position.captured(point, colour)), 7)][point] = 1
            if len(liberties) == 1:
                out[28 + min(len(own), 8) - 1][point] = 1
            out[36 + min(len(liberties), 8) - 1][point] = 1
            out[46][point] = not is_eye(position, point, colour)
    for plane, points in (
        (44, ladder_captures(position, colour)),
        (45, ladder_escapes(position, colour)),
    ):
        for point in points:
            out[plane][point] = 1
    return out
