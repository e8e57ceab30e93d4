"""The board as a terminal shows it."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text

from domains.go.board import Board, fixed_handicap, maximum_handicap
from domains.go.rules import BLACK, EMPTY, PASS, WHITE
from domains.go.vertices import COLUMNS

WOOD = "on color(179)"
SYMBOLS = {BLACK: ("X", "●", "color(16)"), WHITE: ("O", "●", "color(231)")}


def drawn(board: Board, marks: Mapping[int, str], colour: bool) -> Text:
    """The board with its coordinates; the last move in parentheses, `marks` by point on it.

    Plain, Black is X and White O; in colour both are discs on wood.
    """
    size = board.size
    last = board.moves[-1][1] if board.moves else PASS
    most = maximum_handicap(size)
    stars = fixed_handicap(size, most) if most else []
    stones = board.stones.ravel()
    letters = "   " + "".join(f" {letter}" for letter in COLUMNS[:size])
    picture = Text(f"{letters}\n")
    for row in range(size):
        picture.append(f"{size - row:>2} ")
        for point in range(row * size, (row + 1) * size):
            before = "(" if point == last else ")" if point == last + 1 and point % size else " "
            picture.append(before, f"bold color(160) {WOOD}" if colour else "")
            picture.append(*symbol(stones[point], marks.get(point), point in stars, colour))
        end = ")" if last == (row + 1) * size - 1 else " "
        picture.append(end, f"bold color(160) {WOOD}" if colour else "")
        picture.append(f" {size - row}\n")
    picture.append(letters)
    return picture


def symbol(stone: int, mark: str | None, star: bool, colour: bool) -> tuple[str, str]:
    """How a point looks: a character and its style."""
    if mark is not None:
        return mark, f"bold color(20) {WOOD}" if colour else ""
    if stone == EMPTY:
        return "+" if star else "·" if colour else ".", f"color(94) {WOOD}" if colour else ""
    plain, disc, style = SYMBOLS[stone]
    return (disc, f"{style} {WOOD}") if colour else (plain, "")
