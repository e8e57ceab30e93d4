"""A small board that only looks: a position, and the network's likeliest moves on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from domains.go.board import fixed_handicap, maximum_handicap
from domains.go.rules import BLACK, EMPTY

if TYPE_CHECKING:
    from domains.go.board import Board

CELL, MARGIN = 20, 20  # units from line to line, and from the rim to the first line
STONE, MARK = 9.6, 19  # radii


def svg(board: Board, moves: Iterable[tuple[int, float]]) -> str:
    """The board with `moves`, (point, probability), as discs that say how many percent."""
    size = board.size
    far = MARGIN + CELL * (size - 1)
    lines = "".join(
        f"M{MARGIN} {line}H{far}M{line} {MARGIN}V{far}"
        for line in range(MARGIN, far + 1, CELL)
    )  # fmt: skip
    parts = [
        f'<rect width="{far + MARGIN}" height="{far + MARGIN}" rx="8" fill="#e3b566"/>',
        f'<path d="{lines}" fill="none" stroke="#4a3413"/>',
    ]
    for point in fixed_handicap(size, maximum_handicap(size)):
        parts.append(_disc(point, size, 2.6, "#4a3413"))
    for point, stone in enumerate(board.stones.ravel().tolist()):
        if stone != EMPTY:
            parts.append(_disc(point, size, STONE, "#17171a" if stone == BLACK else "#fdfcf8"))
    for point, probability in moves:
        x, y = _place(point, size)
        parts.append(_disc(point, size, MARK, "#0f5499"))
        parts.append(
            f'<text x="{x}" y="{y + 7}" fill="#fff" font-size="20" font-weight="600" '
            f'font-family="sans-serif" text-anchor="middle">{100 * probability:.0f}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {far + MARGIN} {far + MARGIN}">'
        f"{''.join(parts)}</svg>"
    )


def _place(point: int, size: int) -> tuple[int, int]:
    row, column = divmod(point, size)
    return MARGIN + CELL * column, MARGIN + CELL * row


def _disc(point: int, size: int, radius: float, colour: str) -> str:
    x, y = _place(point, size)
    return f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{colour}"/>'
