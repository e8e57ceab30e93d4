"""Game records in SGF (https://www.red-bean.com/sgf/), read and written."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

from sgfmill import sgf_grammar

from core.errors import InputError

from .rules import BLACK, EMPTY, LARGEST, PASS, WHITE
from .sgf_collection import Broken, Properties, main_lines
from .vertices import to_sgf

if TYPE_CHECKING:
    from .board import Board

LARGEST_KOMI = 200
"""More is no number of points: some servers write 375 for 3 3/4 stones."""


@dataclass(frozen=True)
class GameRecord:
    """A game's main line. Points are `row * size + column`, row 0 on top; PASS is -1."""

    size: int = 19
    komi: float | None = None  # None where it is not stated, or beyond LARGEST_KOMI
    handicap: int = 0
    black: str = ""
    white: str = ""
    black_rank: str = ""
    white_rank: str = ""
    result: str = ""
    date: str = ""
    rules: str = ""
    setup_black: tuple[int, ...] = ()  # before the first move
    setup_white: tuple[int, ...] = ()
    first: int = BLACK  # the colour to move
    moves: tuple[tuple[int, int], ...] = ()  # (colour, point), colours as the record has them
    comments: dict[int, str] = field(default_factory=dict)  # after how many moves; 0: the root
    source: str = ""
    cut: str = ""  # why the main line is not read to its end, if so


@dataclass(frozen=True)
class Rejected:
    """A game that cannot be read: `reason` is one of few kinds, `detail` says what and where."""

    source: str
    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}: {self.detail}"


def parse(data: bytes, source: str = "") -> Iterator[GameRecord | Rejected]:
    """The games of a collection, one after the other, `SOURCE#1` and so on if there are several.

    A game is Rejected if its brackets are broken, it is not Go, its board is not square or not of 2
    to 25, or a setup stone is off the board. Where the main line has a move off the board, or setup
    stones after the first move, it is cut there (`cut` says so). Passes are empty or, up to 19x19,
    `tt`. Never raises.
    """
    games = main_lines(data)
    first, second = next(games, None), next(games, None)
    if first is None:
        yield Rejected(source, "no game", "nothing begins with '(;'")
    elif second is None:
        yield _record(first, source)
    else:
        for number, game in enumerate(chain((first, second), games), start=1):
            yield _record(game, f"{source}#{number}")


def _record(nodes: list[Properties] | Broken, source: str) -> GameRecord | Rejected:
    if isinstance(nodes, Broken):
        one = nodes.begin == nodes.end
        place = f"line {nodes.begin}" if one else f"lines {nodes.begin} to {nodes.end}"
        return Rejected(source, "broken brackets", f"{nodes.problem}, {place}")
    root: Properties = {}
    for node in nodes:  # the first of each property, which for facts on the game is the only one
        for name, values in node.items():
            root.setdefault(name, values)
        if b"B" in node or b"W" in node:
            break
    if _simple(root, b"GM") not in ("", "1"):
        return Rejected(source, "not Go", f"GM[{_simple(root, b'GM')[:20]}]")
    size = _size(_simple(root, b"SZ"))
    if size is None:
        return Rejected(source, "board size", f"SZ[{_simple(root, b'SZ')[:20]}] is not 2 to 25")
    points = _points(size)
    setup: dict[int, int] = {}
    moves: list[tuple[int, int]] = []
    comments: dict[int, str] = {}
    cut = ""
    for node in nodes:
        for name, values in node.items():
            if name in _MOVES:
                point = points.get(values[0].strip())
                if point is None:
                    cut = f"off the board: {name.decode()}[{_text(values[0][:20])}]"
                    break
                moves.append((_MOVES[name], point))
            elif name in _SETUP:
                if moves:
                    cut = "setup stones after the first move"
                    break
                try:
                    placed = [point for value in values for point in _rectangle(value, points)]
                except ValueError as error:
                    return Rejected(source, "setup stones", str(error))
                setup.update(dict.fromkeys(placed, _SETUP[name]))
        if cut:
            break
        if b"C" in node:
            text = _text(sgf_grammar.text_value(b"".join(node[b"C"])))
            comments[len(moves)] = "\n".join(filter(None, (comments.get(len(moves)), text)))
    black = tuple(sorted(point for point, colour in setup.items() if colour == BLACK))
    white = tuple(sorted(point for point, colour in setup.items() if colour == WHITE))
    komi = _number(_simple(root, b"KM"))
    to_play = _COLOURS.get(_simple(root, b"PL").lower())
    return GameRecord(
        size=size,
        komi=komi if komi is None or abs(komi) <= LARGEST_KOMI else None,
        handicap=max(0, int(_number(_simple(root, b"HA")[:3]) or 0)),
        black=_simple(root, b"PB"),
        white=_simple(root, b"PW"),
        black_rank=_simple(root, b"BR"),
        white_rank=_simple(root, b"WR"),
        result=_simple(root, b"RE"),
        date=_simple(root, b"DT"),
        rules=_simple(root, b"RU"),
        setup_black=black,
        setup_white=white,
        first=to_play or _first(moves, black, white),
        moves=tuple(moves),
        comments=comments,
        source=source,
        cut=cut,
    )


def board_at(record: GameRecord, move: int | None = None) -> Board:
    """The position after that many moves, by default after the last one, superko allowed.

    Raises InputError where there are fewer moves, IllegalMove for one that is against the rules.
    """
    from .board import Board

    moves = record.moves if move is None else record.moves[:move]
    if not 0 <= (move or 0) <= len(record.moves):
        raise InputError(f"{record.source}: has {len(record.moves)} moves, not {move}")
    board = Board(record.size, superko=False)
    if record.setup_black or record.setup_white:
        board.place(record.setup_black, record.setup_white)
    for colour, point in moves:
        board.play(point, colour)
    board.to_play = (
        record.moves[len(moves)][0]
        if len(moves) < len(record.moves)
        else (-moves[-1][0] if moves else record.first)
    )
    return board


def write(record: GameRecord) -> bytes:
    """The record in SGF FF[4], UTF-8, comments included."""
    root = {"FF": "4", "GM": "1", "CA": "UTF-8", "AP": "receptive", "SZ": str(record.size)}
    facts = {
        "PB": record.black,
        "PW": record.white,
        "BR": record.black_rank,
        "WR": record.white_rank,
        "RE": record.result,
        "DT": record.date,
        "RU": record.rules,
        "KM": "" if record.komi is None else str(record.komi).removesuffix(".0"),
        "HA": str(record.handicap or ""),
    }
    root.update({name: value for name, value in facts.items() if value})
    if record.first != _first(record.moves, record.setup_black, record.setup_white):
        root["PL"] = _NAMES[record.first]
    nodes = [{name: [_raw(value)] for name, value in root.items()}]
    for name, stones in (("AB", record.setup_black), ("AW", record.setup_white)):
        if stones:
            nodes[0][name] = [to_sgf(point, record.size).encode() for point in stones]
    for colour, point in record.moves:
        nodes.append({_NAMES[colour]: [to_sgf(point, record.size).encode()]})
    for number, text in record.comments.items():
        if 0 <= number < len(nodes):
            nodes[number]["C"] = [_raw(text)]
    tree = sgf_grammar.Coarse_game_tree()
    tree.sequence = nodes
    written: bytes = sgf_grammar.serialise_game_tree(tree)
    return written


_MOVES = {b"B": BLACK, b"W": WHITE}
_SETUP = {b"AB": BLACK, b"AW": WHITE, b"AE": EMPTY}
_NAMES = {BLACK: "B", WHITE: "W"}
_COLOURS = {"b": BLACK, "black": BLACK, "w": WHITE, "white": WHITE}


def _first(moves: Sequence[tuple[int, int]], black: Sequence[int], white: Sequence[int]) -> int:
    """Whose turn a record starts with where it doesn't say: White's after handicap stones."""
    if moves:
        return moves[0][0]
    return WHITE if black and not white else BLACK


@cache
def _points(size: int) -> dict[bytes, int]:
    """From an SGF move's value to the point."""
    points = {to_sgf(point, size).encode(): point for point in (PASS, *range(size * size))}
    return points | {b"tt": PASS} if size <= 19 else points


def _rectangle(value: bytes, points: dict[bytes, int]) -> list[int]:
    """The points of a setup property's value: one, or a rectangle "aa:cc".

    Raises ValueError where there are none.
    """
    corners = [points.get(corner.strip(), PASS) for corner in value.split(b":")]
    if PASS in corners or len(corners) > 2:
        raise ValueError(f"[{_text(value[:20])}] is off the board")
    size = math.isqrt(len(points))  # a pass or two are among them
    (top, bottom), (left, right) = (
        sorted((corners[0] // size, corners[-1] // size)),
        sorted((corners[0] % size, corners[-1] % size)),
    )
    return [
        row * size + column for row in range(top, bottom + 1) for column in range(left, right + 1)
    ]


def _size(text: str) -> int | None:
    """The size that SZ[] says, 19 if nothing; None if the board is not square or not of 2 to 25."""
    sides = {side.strip() for side in text.split(":")} if text else {"19"}
    side = sides.pop()
    if sides or not re.fullmatch("[0-9]{1,2}", side) or not 2 <= int(side) <= LARGEST:
        return None
    return int(side)


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _simple(properties: Properties, name: bytes) -> str:
    raw = properties.get(name, [b""])
    return _text(sgf_grammar.simpletext_value(raw[0])).strip() if raw else ""


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _raw(text: str) -> bytes:
    raw: bytes = sgf_grammar.escape_text(text.encode("utf-8", "replace"))
    return raw
