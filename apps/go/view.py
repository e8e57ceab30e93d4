"""What the Go page shows, made of plain data: nothing here is Streamlit's.

What a record says of itself (names, comments) never goes through here: it is shown by `st.text`.
"""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

from domains.go import features, scoring
from domains.go.komi import in_words
from domains.go.rules import BLACK, EMPTY, PASS, WHITE
from domains.go.vertices import colour_name
from domains.go.vertices import name as vertex

from ..figures import bars, percent
from .picture import Hint, Picture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from domains.go.review import MoveReview, Review
    from domains.go.sgf import GameRecord

    from .session import Game, Moves

STYLE = """<style>
.line {font-size: .95rem; line-height: 1.5; overflow-wrap: anywhere}
.hints .line {color: var(--quiet); font-size: .85rem; margin-bottom: .3rem}
.hints {min-height: 10.5rem}
.players {display: grid; gap: .6rem; grid-template-columns: 1fr 1fr; margin: 0 0 .5rem}
.players div {border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .7rem}
.players .turn {border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent)}
.players b::before {border: 1px solid #666; border-radius: 50%; content: ""; display: inline-block;
  height: .8em; margin-right: .45em; vertical-align: -.05em; width: .8em}
.players .black b::before {background: #111}
.players .white b::before {background: #fff}
.players small {color: var(--quiet); display: block}
</style>
"""

_MARKS = {EMPTY: ".", BLACK: "X", WHITE: "O"}
_STONES = {".": "empty", "X": "black stone", "O": "white stone"}


def picture(game: Game, moves: Moves, plane: NDArray[np.uint8] | None = None) -> Picture:
    """The board as the game shows it, with hints at `moves` (best first) and a plane's points."""
    board, size = game.board, game.record.size
    stones = _marks(board.state.colour)
    owner = ""
    playable = board.legal().tolist() if game.yours_to_move else [False] * size**2
    if game.dead is not None:
        owner = _marks(scoring.ownership(board, game.dead).ravel())
        playable = [stone != "." for stone in stones]
    last = game.record.moves[game.cursor - 1][1] if game.cursor else PASS
    to_play = colour_name(board.to_play)
    names = [vertex(point, size) for point in range(size * size)]
    set_points = [] if plane is None else plane.ravel().astype(bool).tolist()
    return Picture(
        size=size,
        turn=game.turn,
        title=f"Go board, {size} by {size}, move {game.cursor}, {to_play} to play",
        names=names,
        labels=[
            ", ".join([name, _STONES[stone], *remarks])
            for name, stone, remarks in zip(
                names, stones, _remarks(game, moves, set_points, last), strict=True
            )
        ],
        stones=stones,
        playable=playable,
        ghost=to_play if game.yours_to_move else "",
        last=None if last == PASS else last,
        ko=board.ko,
        hints=[_hint(rank, move, moves[0]) for rank, move in enumerate(moves, 1)],
        plane=set_points,
        dead=sorted(game.dead or ()),
        owner=owner,
        announcement=announcement(game),
    )


def _marks(colours: NDArray[np.int8]) -> str:
    return "".join(_MARKS[colour] for colour in colours.tolist())


def _remarks(game: Game, moves: Moves, plane: list[bool], last: int) -> list[list[str]]:
    """What there is to say of each point besides its stone."""
    remarks: list[list[str]] = [[] for _ in range(game.record.size**2)]
    for rank, (point, probability) in enumerate(moves, 1):
        remarks[point].append(f"choice {rank}, {percent(probability)}")
    for point, is_set in enumerate(plane):
        if is_set:
            remarks[point].append("set in the plane")
    for point in game.dead or ():
        remarks[point].append("dead")
    if game.yours_to_move:
        illegal = ~game.board.legal() & (game.board.state.colour == EMPTY)
        for point in illegal.nonzero()[0].tolist():
            remarks[point].append(f"{game.board.why_illegal(point)}, not legal now")
    if last != PASS:
        remarks[last].append("last move")
    return remarks


def _hint(rank: int, move: tuple[int, float], best: tuple[int, float]) -> Hint:
    point, probability = move
    digits = 0 if probability >= 0.0995 else 1
    shade = math.sqrt(probability / best[1]) if best[1] else 0.0
    return Hint(point, rank, f"{100 * probability:.{digits}f}", round(shade, 2))


def announcement(game: Game) -> str:
    """The last move and what came of it, in words, and whose turn it is."""
    said = []
    if game.cursor:
        colour, point = game.record.moves[game.cursor - 1]
        did = "passes" if point == PASS else f"plays {vertex(point, game.record.size)}"
        said.append(f"{colour_name(colour).capitalize()} {did}.")
    if game.message and game.message not in said:
        said.append(game.message)
    return " ".join([*said, status(game)])


def status(game: Game) -> str:
    """Where the game stands, a sentence."""
    if game.dead is not None:
        counting = "territory and prisoners" if game.territory else "area"
        given = in_words(game.komi, game.compensation)
        counted = f"Counted by {counting}, {given}: {scoring.format_result(game.score)}."
        recorded = game.record.result
        if recorded:
            return f"{counted} The record says {recorded}."
        return counted if game.over else f"{counted} The game is not over: a guess."
    if game.over:
        return f"The game is over: {game.result}." if game.result else "The game is over."
    if not game.at_end:
        return f"Move {game.cursor} of {len(game.record.moves)}."
    to_play = colour_name(game.board.to_play).capitalize()
    if game.network_to_move:
        return f"{to_play} to play: the network."
    return f"{to_play} to play: you." if game.you != "Both" else f"{to_play} to play."


def players(game: Game) -> str:
    """HTML: each colour, who plays it, and how many stones it has captured."""
    boxes = []
    for colour in (BLACK, WHITE):
        name = colour_name(colour)
        turn = " turn" if colour == game.board.to_play and not game.over else ""
        who = "you" if game.you.plays(colour) else "the network"
        captured = game.board.captured(-colour)
        komi = f" · komi {game.komi:g}" if colour == WHITE else ""
        boxes.append(
            f'<div class="{name}{turn}"><b>{name.capitalize()}</b> · {who}'
            f"<small>captured {captured}{komi}</small></div>"
        )
    return f'<div class="players">{"".join(boxes)}</div>'


def choices(moves: Moves, size: int, most: int = 5) -> str:
    """HTML: the network's first choices, best first, with their probabilities."""
    return bars((vertex(point, size), probability) for point, probability in moves[:most])


def judgement(move: tuple[int, int], number: int, before: Moves, size: int) -> str:
    """What the network thought of a move, `before` being its moves there: rank and probability."""
    colour, point = move
    start = f"Move {number}, {colour_name(colour).capitalize()} {vertex(point, size)}"
    if point == PASS:
        return f"{start}: the network has no opinion of passes."
    for rank, (other, probability) in enumerate(before, 1):
        if other == point:
            return f"{start}: choice {rank} of {len(before)}, {percent(probability)}."
    return f"{start}: not legal for the network."


def lines(*texts: str) -> str:
    """HTML: a line a text, which may be a user's."""
    return "".join(f'<div class="line">{escape(text)}</div>' for text in texts if text)


def plane(number: int) -> str:
    """HTML: which of the 48 planes that is, counted from 0, and what it means."""
    family = next(f for f in features.PLANES if number < f.first + f.count)
    which = f" {number - family.first + 1} of {family.count}" if family.count > 1 else ""
    return f'<div class="line"><b>{escape(family.name)}{which}</b></div>' + lines(family.meaning)


def about(record: GameRecord) -> str:
    """Who played, when and how it ended, as far as the record says: text, not HTML."""
    players = [
        " ".join(filter(None, who))
        for who in ((record.black, record.black_rank), (record.white, record.white_rank))
    ]
    facts = [
        f"{players[0] or 'Black'} – {players[1] or 'White'}",
        record.date,
        record.result,
        f"{len(record.moves)} moves",
        f"{record.handicap} handicap stones" if record.handicap else "",
    ]
    return ", ".join(filter(None, facts))


def rates(done: Review) -> list[dict[str, Any]]:
    """Table rows: how often each player chose what the network would."""
    return [
        {
            "player": colour_name(colour).capitalize(),
            "moves": done.count(colour),
            "match rate": percent(done.match_rate(colour)),
            "among the first 5": percent(done.top5_rate(colour)),
            "surprise (bits a move)": round(done.mean_surprise(colour), 2),
        }
        for colour in (BLACK, WHITE)
        if done.count(colour)
    ]


def surprises(done: Review) -> list[dict[str, Any]]:
    """Rows of the surprise graph, a move each; passes have no surprise."""
    return [_surprise(move, done.record.size) for move in done.moves if move.surprise is not None]


def most_surprising(done: Review, most: int = 10) -> list[dict[str, Any]]:
    """Table rows: the moves that the network expected the least, and what it expected."""
    known = [move for move in done.moves if move.surprise is not None and move.top]
    known.sort(key=lambda move: -(move.surprise or 0.0))
    size = done.record.size
    return [
        _surprise(move, size)
        | {"first choice": f"{vertex(move.top[0][0], size)}, {percent(move.top[0][1])}"}
        for move in known[:most]
    ]


def _surprise(move: MoveReview, size: int) -> dict[str, Any]:
    return {
        "move": move.number,
        "player": colour_name(move.colour).capitalize(),
        "played": vertex(move.point, size),
        "rank": move.rank,
        "probability": percent(move.probability or 0.0),
        "surprise (bits)": round(move.surprise or 0.0, 2),
    }
