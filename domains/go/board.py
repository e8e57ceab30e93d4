"""A game on the board: a position with its history, and what is wrong with an illegal move."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError

from . import rules
from .rules import BLACK, EMPTY, PASS, WHITE
from .vertices import colour_name, name

_MARKS = {EMPTY: ".", BLACK: "X", WHITE: "O"}
_COLOURS = {mark: colour for colour, mark in _MARKS.items()}
_SENTENCES = {
    "off the board": "point {point} is off the {size}x{size} board",
    "occupied": "{vertex} is occupied: a {owner} stone stands there",
    "suicide": "{vertex} is suicide: the stone would have no liberty and capture nothing",
    "ko": "{vertex} is ko: what was just captured there may not be retaken at once",
    "superko": "{vertex} is superko: the whole board would look as it did before",
}


class IllegalMove(InputError):
    """A move against the rules. The message is a sentence that says which one, and how."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason  # "occupied", "suicide", "ko", "superko" or "off the board"


class Board:
    """A position and the moves that led to it.

    Suicide and retaking a simple ko are refused, and with `superko` every move that brings back an
    earlier position of the whole board, whoever's turn it was (positional superko). Colours are
    free: one may play twice in a row. Raises InputError for a size that is not in 2 to 25.
    """

    def __init__(self, size: int = 19, superko: bool = True) -> None:
        if not 2 <= size <= rules.LARGEST:
            raise InputError(f"board size {size}: 2 to {rules.LARGEST} are possible")
        self.size, self.superko = size, superko
        self.to_play = BLACK
        self.state = rules.new_state(size)
        self.moves: list[tuple[int, int]] = []  # (colour, point or PASS) since the setup
        self.setup: list[tuple[int, int]] = []  # (colour, point) of the stones before move 1
        self._hashes = [0]  # of the position after the setup, and of those after each move

    @classmethod
    def diagram(cls, text: str, superko: bool = True) -> Board:
        """A board from rows of `.`, `X` (black) and `O` (white), with blanks between or not.

        Raises InputError if it isn't square, has other marks, or stones without a liberty.
        """
        rows = ["".join(line.split()) for line in text.split("\n") if line.strip()]
        if any(len(row) != len(rows) for row in rows):
            raise InputError(f"no square diagram: rows of {', '.join(map(str, map(len, rows)))}")
        marks = "".join(rows)
        if strange := set(marks) - set(_COLOURS):
            raise InputError(f"no mark of a diagram: {min(strange)!r}; ., X and O are")
        board = cls(len(rows), superko)
        black, white = ([p for p, mark in enumerate(marks) if mark == own] for own in "XO")
        board.place(black, white)
        return board

    def __str__(self) -> str:
        return "\n".join(" ".join(_MARKS[colour] for colour in row) for row in self.stones.tolist())

    @property
    def stones(self) -> NDArray[np.int8]:
        """(n, n) copy: EMPTY, BLACK or WHITE."""
        return self.state.colour.reshape(self.size, self.size).copy()

    @property
    def ko(self) -> int | None:
        """The point that the side to play may not retake at once."""
        return self._ko(self.to_play)

    @property
    def passes(self) -> int:
        """How many passes in a row the game ends with so far."""
        return next(
            (count for count, (_, point) in enumerate(reversed(self.moves)) if point != PASS),
            len(self.moves),
        )

    def captured(self, colour: int) -> int:
        """How many stones of that colour were taken."""
        place = rules.CAPTURED_BLACK if colour == BLACK else rules.CAPTURED_WHITE
        return int(self.state.scalars[place])

    def why_illegal(self, point: int, colour: int | None = None) -> str | None:
        """The rule against a move: a reason of IllegalMove. None if the move is legal."""
        colour = colour or self.to_play
        if point == PASS:
            return None
        if not 0 <= point < self.size**2:
            return "off the board"
        if self.state.colour[point] != EMPTY:
            return "occupied"
        if not rules.legal(self.state, point, colour):
            return "ko" if point == self._ko(colour) else "suicide"
        if rules.repeats(self.state, point, colour, self._history()):
            return "superko"
        return None

    def is_legal(self, point: int, colour: int | None = None) -> bool:
        """Whether the move is allowed; a pass always is."""
        return self.why_illegal(point, colour) is None

    def legal(self, colour: int | None = None) -> NDArray[np.bool_]:
        """(n * n,) where a stone is allowed."""
        found = np.empty(self.size**2, np.bool_)
        rules.legal_points(self.state, colour or self.to_play, self._history(), found)
        return found

    def play(self, point: int, colour: int | None = None) -> int:
        """A move or a PASS; the number of stones it captures. Raises IllegalMove."""
        colour = colour or self.to_play
        if reason := self.why_illegal(point, colour):
            raise IllegalMove(reason, self._sentence(reason, point))
        captured = rules.play(self.state, point, colour)
        self.moves.append((colour, int(point)))
        self._hashes.append(int(self.state.hash[0]))
        self.to_play = -colour
        return captured

    def undo(self) -> None:
        """Takes the last move back. Raises InputError if there is none."""
        if not self.moves:
            raise InputError("no move to undo")
        self.to_play, _ = self.moves.pop()
        self._hashes.pop()
        rules.clear(self.state)
        for colour, point in self.setup:
            rules.place(self.state, point, colour)
        moves = np.array(self.moves, np.int16).reshape(-1, 2)
        rules.replay(self.state, moves[:, 1].copy(), moves[:, 0].astype(np.int8))

    def copy(self) -> Board:
        """The same game on another board."""
        other = Board(self.size, self.superko)
        other.to_play, other.moves, other.setup = self.to_play, self.moves[:], self.setup[:]
        other._hashes = self._hashes[:]
        rules.copy_state(self.state, other.state)
        return other

    def place(
        self, black: Iterable[int] = (), white: Iterable[int] = (), empty: Iterable[int] = ()
    ) -> None:
        """Sets stones and takes some off, without captures; then the game starts from there.

        The moves so far, their captures and ko are forgotten. Raises InputError for points off the
        board and for stones left without a liberty; then the board stays as it was.
        """
        colours = self.state.colour.copy()
        for colour, points in ((BLACK, black), (WHITE, white), (EMPTY, empty)):
            for point in points:
                if not 0 <= point < len(colours):
                    raise InputError(f"point {point} is off the {self.size}x{self.size} board")
                colours[point] = colour
        setup = [(int(colours[point]), int(point)) for point in np.flatnonzero(colours)]
        state = rules.new_state(self.size)
        for colour, point in setup:
            rules.place(state, point, colour)
        for _, point in setup:
            if state.liberty_count[state.chain[point]] == 0:
                raise InputError(f"setup leaves {name(point, self.size)} without a liberty")
        self.state, self.setup, self.moves = state, setup, []
        self._hashes = [int(state.hash[0])]

    def _history(self) -> NDArray[np.uint64]:
        return np.array(self._hashes if self.superko else [], np.uint64)

    def _ko(self, colour: int) -> int | None:
        point, barred = self.state.scalars[[rules.KO, rules.KO_COLOUR]].tolist()
        return point if point >= 0 and colour == barred else None

    def _sentence(self, reason: str, point: int) -> str:
        vertex = name(point, self.size)
        owner = colour_name(self.state.colour[point]) if reason == "occupied" else None
        return _SENTENCES[reason].format(point=point, size=self.size, vertex=vertex, owner=owner)


def maximum_handicap(size: int) -> int:
    """How many stones `fixed_handicap` has at most; 0 where it has none."""
    if size < 7:
        return 0
    return 9 if size % 2 and size > 7 else 4


def fixed_handicap(size: int, stones: int) -> list[int]:
    """The handicap points of GTP version 2 (section 4.1.1). Raises InputError for a number that
    isn't in 2 to `maximum_handicap`.
    """
    most = maximum_handicap(size)
    if not 2 <= stones <= most:
        possible = f"2 to {most} are" if most else "none is"
        raise InputError(f"{stones} handicap stones on a {size}x{size} board: {possible} possible")
    low, middle = (3 if size >= 13 else 2), size // 2
    high = size - 1 - low
    corners = [(high, low), (low, high), (low, low), (high, high)]  # (row, column)
    sides = [(middle, low), (middle, high), (high, middle), (low, middle)]
    around = [*corners, *sides][: stones if stones < 5 else stones // 2 * 2]
    centre = [(middle, middle)] * (stones - len(around))
    return [row * size + column for row, column in around + centre]


def free_handicap(size: int, stones: int) -> list[int]:
    """The fixed points, as far as they go; then each stone where most room is left to the others
    and to the edge. Raises InputError for a number that isn't in 2 to n * n - 1.
    """
    if not 2 <= stones < size**2:
        raise InputError(
            f"{stones} handicap stones on a {size}x{size} board: 2 to {size**2 - 1} are possible"
        )
    fixed = min(stones, maximum_handicap(size))
    chosen = fixed_handicap(size, fixed) if fixed else []
    row, column = np.divmod(np.arange(size**2), size)
    line = 1 + np.minimum.reduce([row, column, size - 1 - row, size - 1 - column])
    room = (2 * line) ** 2
    for point in chosen:
        room = np.minimum(room, (row - row[point]) ** 2 + (column - column[point]) ** 2)
    while len(chosen) < stones:
        point = int(room.argmax())
        chosen.append(point)
        room = np.minimum(room, (row - row[point]) ** 2 + (column - column[point]) ** 2)
    return chosen
