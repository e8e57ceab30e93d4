"""One game of a match: our player in this process against a program that speaks GTP.

Suicide is against the rules for both. The opponent may repeat a position where simple ko allows it,
as most programs do; our player never does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError

from . import scoring, sgf
from .board import Board
from .gtp_client import EngineError, GtpClient
from .komi import KOMI
from .player import GoPlayer
from .rules import BLACK, WHITE
from .vertices import colour_name, name, parse

if TYPE_CHECKING:
    from .policy import Policy

LONGEST = 2.5
"""A game of more moves than this many times the points is scored as it stands."""
RESIGNATION = "resignation"

_RESULT = re.compile(r"[BW]\+([0-9]+(\.[0-9]+)?|R)")


@dataclass(frozen=True)
class Match:
    """What is played. `opponent` and `referee` are commands that start GTP programs; without a
    referee the opponent says the score if it knows `final_score`, else our count of the area after
    `scoring.dead_stones`. `timeout` is in seconds for each answer of a program.
    """

    opponent: str
    games: int
    size: int = 19
    komi: float = KOMI
    strength: str = "full"
    seed: int = 1
    referee: str | None = None
    timeout: float = 300.0

    def game_seed(self, number: int) -> int:
        """Of a game's opening, of our draws, and of the opponent's."""
        return int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0] >> 1)


@dataclass
class Game:
    """A game of a match. `won` is by our player: None for a draw, and for a game with an error,
    which counts for nobody.
    """

    number: int
    colour: str  # ours
    result: str = "Void"
    won: bool | None = None
    end: str = ""  # "passes", RESIGNATION, "move limit", or the kind of its error
    error: str = ""
    referee: str = ""
    area: str = ""  # our own count, whoever was the referee
    moves: int = 0
    seconds: list[float] = field(default_factory=list)  # each of our moves
    opponent_seconds: list[float] = field(default_factory=list)
    sgf: str = ""


def play_game(
    match: Match, policy: Policy, number: int, opening: Sequence[int]
) -> tuple[Game, sgf.GameRecord]:
    """Plays a game to its end, whatever that is."""
    colour = BLACK if number % 2 else WHITE
    player = GoPlayer(policy, match.strength, match.game_seed(number))
    game = Game(number, colour_name(colour), sgf=f"game-{number:0{len(str(match.games))}}.sgf")
    board = Board(match.size)
    opponent = match.opponent
    try:
        with GtpClient(match.opponent, match.timeout) as program:
            opponent = program.name
            _set_up(match, number, program)
            for point in opening:
                _tell(program, board, point)
            _play(match, game, board, player, colour, program)
            if game.end != RESIGNATION:
                _score(match, game, board, program)
    except EngineError as error:
        game.end, game.error, game.result = error.kind, str(error), "Void"
    else:
        game.won = None if game.result == "0" else (game.result[0] == "B") == (colour == BLACK)
    game.moves = len(board.moves)
    names = {colour: f"receptive {player.name} {match.strength}", -colour: opponent}
    record = sgf.GameRecord(
        size=match.size,
        komi=match.komi,
        black=names[BLACK],
        white=names[WHITE],
        result=game.result,
        moves=tuple(board.moves),
        comments={0: _comment(match, game)},
    )
    return game, record


def _set_up(match: Match, number: int, program: GtpClient) -> None:
    if "set_random_seed" in program.commands:
        program.ask(f"set_random_seed {match.game_seed(number)}")
    for command in (f"boardsize {match.size}", "clear_board", f"komi {match.komi:g}"):
        program.ask(command)


def _tell(program: GtpClient, board: Board, point: int) -> None:
    """Plays a move on our board and on the program's."""
    colour = board.to_play
    board.play(point)
    program.ask(f"play {colour_name(colour)} {name(point, board.size)}")


def _play(
    match: Match, game: Game, board: Board, player: GoPlayer, colour: int, program: GtpClient
) -> None:
    """To two passes, a resignation or the move limit. Raises EngineError."""
    while len(board.moves) < LONGEST * board.size**2:
        ours = board.to_play == colour
        board.superko = ours
        started = perf_counter()
        if ours:
            move = player.genmove(board, komi=match.komi)
            game.seconds.append(round(perf_counter() - started, 4))
            _tell(program, board, move.point)
        else:
            answer = program.ask(f"genmove {colour_name(-colour)}").lower()
            game.opponent_seconds.append(round(perf_counter() - started, 4))
            if answer == "resign":
                game.end, game.result = RESIGNATION, "B+R" if colour == BLACK else "W+R"
                return
            try:
                board.play(parse(answer, board.size))
            except InputError as error:
                raise EngineError("illegal move", f"{match.opponent}: {error}") from None
        if board.passes == 2:
            game.end = "passes"
            return
    game.end = "move limit"


def _score(match: Match, game: Game, board: Board, program: GtpClient) -> None:
    """By the referee; beside it our own count. Raises EngineError where the referee fails."""
    score = scoring.area_score(board, scoring.dead_stones(board), match.komi)
    game.area = scoring.format_result(score)
    if match.referee:
        with GtpClient(match.referee, match.timeout) as referee:
            _set_up(match, game.number, referee)
            for colour, point in board.moves:
                referee.ask(f"play {colour_name(colour)} {name(point, board.size)}")
            game.referee, game.result = referee.name, _asked_score(referee)
    elif "final_score" in program.commands:
        game.referee, game.result = program.name, _asked_score(program)
    else:
        game.referee, game.result = "receptive", game.area


def _asked_score(referee: GtpClient) -> str:
    """ "B+3.5", "W+0.5" or "0". Raises EngineError for an answer that says none of these."""
    answer = referee.ask("final_score")
    if answer.lower() in ("0", "draw", "jigo"):
        return "0"
    if not _RESULT.fullmatch(answer):
        raise EngineError("no GTP", f"{referee.command}: final_score: {answer[:60]!r}")
    return answer


def _comment(match: Match, game: Game) -> str:
    lines = [f"Game {game.number} of a match, seed {match.seed}: {game.end}"]
    if game.error:
        lines.append(game.error)
    if game.referee:
        lines.append(f"Score by {game.referee}; by our own count of the area {game.area}")
    return "\n".join(lines)


def mean(times: Sequence[float]) -> float | None:
    return round(sum(times) / len(times), 4) if times else None
