"""Matches against another Go program: many games, and what they show."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.weights import atomic_write

from . import sgf
from .board import Board
from .gtp_client import KINDS, GtpClient
from .match_game import Game, Match, mean, play_game
from .player import GoPlayer
from .rules import PASS

if TYPE_CHECKING:
    from .policy import Policy

OPENING = 6
"""So many first moves of each game, of both sides, are drawn from the network."""
SETTINGS = "match.json"
ROWS = "games.jsonl"


def play(match: Match, policy: Policy, folder: Path, concurrency: int = 1) -> Iterator[Game]:
    """The games of a match as they end, `concurrency` at a time.

    Each is written to the folder as it ends, and the table of all so far with it. The same match
    has the same games, if the opponent has `set_random_seed` or plays alike each time; one that was
    interrupted goes on in its folder, its games so far coming first. Raises InputError before
    anything is played where the opponent or the referee doesn't start, where the folder can't be
    made or holds another match, and for a strength or a size that there isn't.
    """
    GoPlayer(policy, match.strength)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror}") from None
    for command in [match.opponent, *filter(None, [match.referee])]:
        with GtpClient(command, match.timeout):
            pass
    games = _played(match, policy, folder)
    yield from games
    done = {game.number for game in games}
    openings = _openings(match, policy)
    with ThreadPoolExecutor(concurrency) as workers:
        jobs = [
            workers.submit(play_game, match, policy, number, opening)
            for number, opening in enumerate(openings, 1)
            if number not in done
        ]
        try:
            for job in as_completed(jobs):
                game, record = job.result()
                games.append(game)
                _write(folder / game.sgf, sgf.write(record))
                rows = sorted(map(asdict, games), key=lambda row: row["number"])
                _write(folder / ROWS, "".join(f"{json.dumps(row)}\n" for row in rows).encode())
                yield game
        finally:
            for job in jobs:
                job.cancel()


def _played(match: Match, policy: Policy, folder: Path) -> list[Game]:
    """The games that this match has in the folder so far, but for those with an error."""
    settings = asdict(match) | {"games": None, "model": policy.card.files}
    place = folder / SETTINGS
    try:
        if not place.exists():
            _write(place, json.dumps(settings).encode())
        if json.loads(place.read_text(encoding="utf-8")) != settings:
            raise InputError(f"{folder}: another match has been played here")
        lines = (folder / ROWS).read_text(encoding="utf-8").splitlines()
        found = [Game(**json.loads(line)) for line in lines]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{folder}: {SETTINGS} or {ROWS} is not what a match wrote") from None
    return [game for game in found if not game.error and game.number <= match.games]


def summary(games: Sequence[Game]) -> dict[str, Any]:
    """Wins, losses, draws and `win_rate` with its 95 % `interval` over `games`, those that have a
    result; draws are half a win. `errors` counts the others by kind.
    """
    counted = [game for game in games if not game.error]
    wins = sum(game.won is True for game in counted)
    draws = sum(game.won is None for game in counted)
    points = wins + draws / 2
    errors = Counter(game.end for game in games if game.error)
    return {
        "win_rate": points / len(counted) if counted else None,
        "interval": list(wilson(points, len(counted))) if counted else None,
        "games": len(counted),
        "wins": wins,
        "losses": len(counted) - wins - draws,
        "draws": draws,
        "as_black": _by_colour(counted, "black"),
        "as_white": _by_colour(counted, "white"),
        "errors": {kind: errors[kind] for kind in KINDS},
        "seconds_a_move": mean([time for game in games for time in game.seconds]),
        "opponent_seconds_a_move": mean([time for game in games for time in game.opponent_seconds]),
    }


def wilson(wins: float, games: int) -> tuple[float, float]:
    """The 95 % interval of a win rate (Wilson, JASA 22, 1927)."""
    z = 1.959964
    rate, scale = wins / games, 1 + z**2 / games
    middle = (rate + z**2 / (2 * games)) / scale
    half = z * math.sqrt(rate * (1 - rate) / games + z**2 / (4 * games**2)) / scale
    return max(0.0, middle - half), min(1.0, middle + half)


def _openings(match: Match, policy: Policy) -> list[list[int]]:
    """The first moves of each game, no two alike: one that was drawn before gets longer."""
    openings: list[list[int]] = []
    for number in range(1, match.games + 1):
        player = GoPlayer(policy, "casual", match.game_seed(number), symmetries=1)
        board = Board(match.size)
        while len(board.moves) < OPENING or [point for _, point in board.moves] in openings:
            move = player.genmove(board, komi=match.komi)
            if move.point == PASS:
                raise InputError(
                    f"--games {match.games}: not so many openings on {match.size}x{match.size}"
                )
            board.play(move.point)
        openings.append([point for _, point in board.moves])
    return openings


def _write(path: Path, data: bytes) -> None:
    with atomic_write(path, "wb") as file:
        file.write(data)


def _by_colour(games: Sequence[Game], colour: str) -> dict[str, int]:
    results = [game.won for game in games if game.colour == colour]
    return {"games": len(results), "wins": results.count(True)}
