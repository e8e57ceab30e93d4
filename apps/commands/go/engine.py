"""`receptive go gtp` and `receptive go match`: the network among other Go programs."""

from __future__ import annotations

import json
import math
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from core.errors import InputError
from domains.go.komi import KOMI

from ...terminal import complain

Model = Annotated[str, typer.Option(help="A released network's name, or a card's path.")]
Strength = Annotated[
    str, typer.Option(help="full, relaxed, casual or careless: how far from the best move.")
]


class Format(StrEnum):
    json = "json"
    table = "table"


def gtp(
    model: Model = "go-policy",
    strength: Strength = "full",
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of weaker play's draws; any by default.")
    ] = None,
    resign: Annotated[bool, typer.Option("--resign", help="Give lost games up.")] = False,
) -> None:
    """Speak the Go Text Protocol, version 2, on standard input and output.

    For Sabaki, GoGui and every other program that takes a Go engine.
    """
    from importlib.metadata import version

    from domains.go.gtp import serve
    from domains.go.gtp_commands import Engine
    from domains.go.player import GoPlayer

    from ...go.compiling import compile_rules

    player = GoPlayer.load(model, strength, seed, resigns=resign)
    compile_rules()
    # Neither sys.stdin, which Python closes at its end, nor closed here: the thread that waits for
    # input holds its lock.
    lines = open(sys.stdin.fileno(), "rb", closefd=False)  # noqa: SIM115
    serve(Engine(player, version("receptive")).commands, lines, sys.stdout)


def match(
    opponent: Annotated[str, typer.Option(help="The command that starts a GTP program.")],
    games: Annotated[int, typer.Option(min=1, help="Colours alternate; we begin with Black.")],
    sgf: Annotated[Path, typer.Option(help="The folder for the games and games.jsonl.")],
    model: Model = "go-policy",
    strength: Strength = "full",
    size: Annotated[int, typer.Option(min=2, max=25, help="Of the board.")] = 19,
    komi: Annotated[float, typer.Option(help="For White.")] = KOMI,
    seed: Annotated[int, typer.Option(min=0, help="Of openings and draws.")] = 1,
    referee: Annotated[
        str | None,
        typer.Option(
            help="A GTP program that says the score.",
            show_default="the opponent if it knows final_score, else our count of the area",
        ),
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds for each answer.")] = 300.0,
    concurrency: Annotated[int, typer.Option(min=1, help="Games at a time.")] = 1,
    output: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.table,
) -> None:
    """Play a match against another Go program and tell the win rate with its 95 % interval.

    The first six moves of each game are drawn from the network, so that no two games are alike;
    the same seed brings the same ones. An interrupted match goes on when it is called again. A game
    in which a program crashes, is late or plays an illegal move counts for nobody, and is counted
    as an error.
    """
    from tqdm import tqdm

    from domains.go.match import play, summary
    from domains.go.match_game import Game, Match
    from domains.go.policy import Policy

    if not math.isfinite(komi):
        raise typer.BadParameter("a number expected", param_hint="--komi")
    policy = Policy.load(model)
    settings = Match(opponent, games, size, komi, strength, seed, referee, timeout)
    played: list[Game] = []
    with tqdm(total=games, unit=" games", disable=None) as bar:
        for game in play(settings, policy, sgf, concurrency):
            played.append(game)
            if game.error:
                complain(InputError(f"game {game.number}: {game.error}"))
            bar.set_postfix_str(f"{sum(game.won is True for game in played)} won", refresh=False)
            bar.update()
    found = {"model": policy.card.name, "strength": strength, "opponent": opponent}
    found |= summary(played)
    if output == Format.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:24}{value}")
    if any(game.error for game in played):
        raise typer.Exit(1)
