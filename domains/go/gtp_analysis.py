"""What the network thinks of a position, in the words of Leela Zero, KataGo and GoGui.

The network knows how likely each move is and nothing else. Where a format wants more, it gets a
neutral value, always the same one: winrate 50 %, visits 1, score and utility 0, ownership 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from core.errors import InputError

from . import features, vertices
from .board import Board
from .gtp import Analysis, integer
from .player import GoPlayer

_VALUES = {
    "whiteWin": 0.5,
    "whiteLoss": 0.5,
    "noResult": 0,
    "whiteLead": 0,
    "whiteScoreSelfplay": 0,
    "whiteScoreSelfplaySq": 0,
    "varTimeLeft": 0,
    "shorttermWinlossError": 0,
    "shorttermScoreError": 0,
}
_KATA_VALUES = (
    "visits 1 utility 0 winrate 0.5 scoreMean 0 scoreStdev 0 scoreLead 0 scoreSelfplay 0 "
    "prior {:.6f} lcb 0.5 utilityLcb 0"
)
_LZ_VALUES = "visits 1 winrate 5000 prior {:.0f} lcb 5000"

_COMMANDS = "gfx/Policy/policy\ngfx/Input plane/planes %s\nparam/Player/player"
_READ_OVER = (
    "minmoves",
    "rootInfo",
    "ownership",
    "ownershipStdev",
    "movesOwnership",
    "movesOwnershipStdev",
    "pvVisits",
    "pvEdgeVisits",
    "noResultValue",
)
_KEYS = (*_READ_OVER, "interval", "maxmoves", "avoid", "allow")
_SHOWN = 10  # moves on GoGui's board


def lz_line(move: str, probability: float, order: int) -> str:
    """A move as Leela Zero has it: winrate and prior in units of 0.01 %."""
    return f"info move {move} {_LZ_VALUES.format(10_000 * probability)} order {order} pv {move}"


def kata_line(move: str, probability: float, order: int) -> str:
    """A move as KataGo has it: winrate and prior from 0 to 1."""
    return f"info move {move} {_KATA_VALUES.format(probability)} order {order} pv {move}"


def analyse(
    player: GoPlayer,
    board: Board,
    arguments: Sequence[str],
    line: Callable[[str, float, int], str],
) -> Analysis:
    """All legal moves, best first, in one line.

    The arguments are `[COLOUR] [INTERVAL]` and, in any order, `interval N`, `maxmoves N`, `avoid
    COLOUR VERTEX,... TURNS` and `allow` likewise; intervals are in hundredths of a second. KataGo's
    other keys are read over with their values. Raises InputError for anything else.
    """
    words = iter(arguments)
    colour, interval, most = board.to_play, None, board.size**2
    shown = set(range(board.size**2))
    for place, word in enumerate(words):
        if place == 0 and not word.isdecimal() and word not in _KEYS:
            colour = vertices.parse_colour(word)
        elif place < 2 and word.isdecimal():
            interval = integer(word)
        elif word in ("avoid", "allow"):
            chosen, named, _ = _next(words), _next(words), integer(_next(words))
            points = {vertices.parse(name, board.size) for name in named.split(",")}
            if vertices.parse_colour(chosen) == colour:
                shown = shown - points if word == "avoid" else shown & points
        elif word == "interval":
            interval = integer(_next(words))
        elif word == "maxmoves":
            most = max(integer(_next(words)), 0)
        elif word in _READ_OVER:
            _next(words)
        else:
            raise InputError("syntax error: no key of an analysis")
    moves = [move for move in player.moves(board, colour) if move[0] in shown][:most]
    text = " ".join(
        line(vertices.name(point, board.size), probability, order)
        for order, (point, probability) in enumerate(moves)
    )
    return Analysis(text, None if interval is None else max(interval, 1) / 100)


def raw_network(player: GoPlayer, board: Board, number: int) -> str:
    """KataGo's `kata-raw-nn` under one symmetry: the policy over legal points, NAN elsewhere.

    The network never passes: policyPass is 0.
    """
    moves = dict(player.moves_under(board, number))
    rows = [
        " ".join(
            f"{moves[point]:.6f}" if point in moves else "NAN"
            for point in range(row * board.size, (row + 1) * board.size)
        )
        for row in range(board.size)
    ]
    values = [f"{name} {value:.6f}" for name, value in _VALUES.items()]
    policy = ["policy", *rows, "policyPass 0.000000"]
    ownership = ["whiteOwnership", *[" ".join(["0.000000"] * board.size)] * board.size]
    return "\n".join([f"symmetry {number}", *values, *policy, *ownership])


def gogui_commands() -> str:
    """GoGui's analyze commands: type, label and command of each."""
    return _COMMANDS


def gogui_policy(player: GoPlayer, board: Board) -> str:
    """The likeliest moves on GoGui's board, each with its percentage, redder where likelier."""
    moves = player.moves(board)[:_SHOWN]
    lines = []
    for point, probability in moves:
        vertex = vertices.name(point, board.size)
        other = round(255 * (1 - probability / moves[0][1]))
        lines.append(f"COLOR #ff{other:02x}{other:02x} {vertex}")
        lines.append(f"LABEL {vertex} {100 * probability:.0f}")
    return "\n".join([*lines, f"TEXT {player.name}: percent, first instinct, no reading"])


def gogui_plane(board: Board, number: int) -> str:
    """One of the network's 48 input planes on GoGui's board, and what it means."""
    if not 0 <= number < features.COUNT:
        raise InputError(f"syntax error: a plane is 0 to {features.COUNT - 1}")
    family = max((plane for plane in features.PLANES if plane.first <= number), key=_first)
    marked = features.planes(board)[number].ravel().nonzero()[0].tolist()
    points = " ".join(vertices.name(point, board.size) for point in marked)
    title = f"TEXT {family.name}, {number - family.first + 1} of {family.count}: {family.meaning}"
    return f"COLOR #3070c0 {points}\n{title}" if marked else title


def _first(plane: features.Plane) -> int:
    return plane.first


def _next(words: Iterator[str]) -> str:
    word = next(words, None)
    if word is None:
        raise InputError("syntax error: a value is missing")
    return word
