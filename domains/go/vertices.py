"""What points and colours are called: in GTP, in SGF and among people.

A point is `row * size + column`, row 0 on top and column 0 on the left, or PASS.
"""

from __future__ import annotations

from core.errors import InputError

from .rules import BLACK, PASS, WHITE

COLUMNS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"  # no I
_SGF = "abcdefghijklmnopqrstuvwxyz"
_COLOURS = {"b": BLACK, "black": BLACK, "w": WHITE, "white": WHITE}


def name(point: int, size: int) -> str:
    """GTP's name, rows counted from below: "Q16", or "pass"."""
    if point == PASS:
        return "pass"
    row, column = divmod(point, size)
    return f"{COLUMNS[column]}{size - row}"


def parse(text: str, size: int) -> int:
    """The point that GTP calls so, in any case. Raises InputError where there is none."""
    letters = text.strip().upper()
    if letters == "PASS":
        return PASS
    column = COLUMNS.find(letters[:1]) if letters else -1
    number = letters[1:]
    row = size - int(number) if number.isascii() and number.isdigit() and len(number) < 4 else -1
    if not (0 <= column < size and 0 <= row < size):
        raise InputError(f"no vertex on a {size}x{size} board: {_shortened(text)}")
    return row * size + column


def to_sgf(point: int, size: int) -> str:
    """SGF's name: "pd" is column p, row d; "" for a pass."""
    if point == PASS:
        return ""
    row, column = divmod(point, size)
    return _SGF[column] + _SGF[row]


def colour_name(colour: int) -> str:
    """ "black" or "white"."""
    return "black" if colour == BLACK else "white"


def parse_colour(text: str) -> int:
    """BLACK or WHITE from b, w, black or white in any case. Raises InputError for all else."""
    colour = _COLOURS.get(text.strip().lower())
    if colour is None:
        raise InputError(f"no colour: {_shortened(text)}; b, w, black and white are")
    return colour


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 20 else f"{text[:20]}…")
