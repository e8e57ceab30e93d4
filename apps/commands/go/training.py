"""`receptive go train` and `receptive go eval`."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ...options import command_line, run_of, with_settings
from ...terminal import complain, visible_lines
from .engine import Format


def train(
    data: Annotated[Path, typer.Option(help="Games, as `receptive go prepare` writes them.")],
    out: Annotated[Path, typer.Option(help="The model to write: its path without suffix.")],
    recipe: Annotated[
        str | None, typer.Option(help="A recipe by name or .toml file; options go before it.")
    ] = None,
    arch: Annotated[
        str | None, typer.Option(help="policy-resnet, alphago or go-fully-connected.")
    ] = None,
    start: Annotated[
        str | None, typer.Option(help="A model by name or path, to train on from its weights.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="NAME=VALUE of the recipe (positions, learning_rate, …) or of the architecture "
            "(filters, blocks, …); repeatable.",
        ),
    ] = None,
) -> None:
    """Train a policy network on games; an interrupted run resumes when it is called again.

    Writes OUT.toml (the card), OUT.safetensors and OUT.onnx. The log, and until the model is
    written the checkpoint, lie in OUT.run. `torchrun --no-python --nproc-per-node N -- receptive go
    train …` shares the work among N processes.
    """
    from core.recipes import read_fields
    from core.registry import configure
    from domains.go import recipe as recipes
    from domains.go.games import Games
    from domains.go.release import release

    run = run_of(out)
    fields = read_fields(recipe, recipes.RECIPES, recipes.Recipe) if recipe else {}
    fields |= {name: value for name, value in {"arch": arch, "start": start}.items() if value}
    known = {field.name for field in dataclasses.fields(recipes.Recipe)} - {"settings"}
    fields = with_settings(fields, settings, known)
    made = configure(recipes.Recipe, fields, "a recipe")
    if card := release(made, Games.load(data), run, out, command_line()):
        print(card.path)


def evaluate(
    data: Annotated[
        list[Path],
        typer.Option(help="SGF files, folders and archives; repeatable."),
    ],
    model: Annotated[str, typer.Option(help="A released model's name, or a card's path.")] = (
        "go-policy"
    ),
    symmetries: Annotated[
        int, typer.Option(help="1, or 8: the mean of the answers to the board turned and mirrored.")
    ] = 1,
    output: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.table,
    record: Annotated[
        str | None, typer.Option(help="Keep the figures in the model's card under this name.")
    ] = None,
) -> None:
    """Measure how often a network foresees the move that was played, each position once.

    top1 and top5: the move is the network's first choice, among its first five. loss: mean of
    -ln(probability), in nats.
    """
    import numpy as np

    from core import weights
    from domains.go import evaluation, games
    from domains.go.data import Positions
    from domains.go.policy import SYMMETRIES, Policy

    if symmetries not in SYMMETRIES:
        raise typer.BadParameter("1 or 8 expected", param_hint="--symmetries")
    card = Policy.find(model)
    found, report = games.read(data, card.preprocessing["size"])
    policy = Policy(card)
    positions = Positions.of(found, np.ones(len(found), bool))
    figures = evaluation.evaluate(policy, positions, symmetries)
    if record:
        sources = ", ".join(path.name for path in data)
        weights.record(policy.card, record, {"data": sources, **figures})
    if output == Format.json:
        print(json.dumps({"model": policy.card.name, "games": len(found), **figures}))
    else:
        print(table(figures))
    for error in report.refused:
        complain(error)
    if report.kept < report.read or report.cut:
        print(visible_lines(str(report)), file=sys.stderr)
    if report.refused or report.broken:
        raise typer.Exit(1)


def table(figures: dict[str, Any]) -> str:
    """One line for all positions, then one a phase of the game."""
    rows = {"all positions": figures, **figures["phases"]}
    lines = [f"{'':<20}{'top1':>8}{'top5':>8}{'loss':>8}{'n':>10}"]
    for name, row in rows.items():
        shares = f"{row['top1']:>8.2%}{row['top5']:>8.2%}{row['loss']:>8.3f}"
        lines.append(f"{name:<20}{shares}{row['n']:>10,}")
    return "\n".join(lines)
