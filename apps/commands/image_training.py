"""`receptive image train` and `receptive image eval`."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from core.errors import InputError

from ..image import IMAGENET
from ..options import Form, check_record, command_line, run_of, with_settings
from ..terminal import complain, visible


def train(
    data: Annotated[
        Path,
        typer.Option(help="A folder of idx files, CIFAR binaries or of a folder a class; a .npz."),
    ],
    out: Annotated[Path, typer.Option(help="The model to write: its path without suffix.")],
    recipe: Annotated[
        str | None, typer.Option(help="A recipe by name or .toml file; options go before it.")
    ] = None,
    arch: Annotated[
        str | None, typer.Option(help="A network by name: airbench, lenet5, resnet18, ….")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="NAME=VALUE of the recipe (epochs, flip, rotation, …) or of the architecture "
            "(widths, …); repeatable.",
        ),
    ] = None,
) -> None:
    """Train a classifier on pictures; an interrupted run resumes when it is called again.

    Only the training part of DATA is read. Writes OUT.toml (the card), OUT.safetensors and
    OUT.onnx; the log, and until then the checkpoint, lie in OUT.run.
    `torchrun --no-python --nproc-per-node N receptive image train …` shares the work.
    """
    from core.recipes import read_fields
    from core.registry import configure
    from core.runs import is_first
    from domains.image import data as pictures
    from domains.image import recipe as recipes
    from domains.image.release import release

    run = run_of(out)
    fields = read_fields(recipe, recipes.RECIPES, recipes.Recipe) if recipe else {}
    fields |= {"arch": arch} if arch else {}
    known = {field.name for field in dataclasses.fields(recipes.Recipe)} - {"settings"}
    fields = with_settings(fields, settings, known)
    made = configure(recipes.Recipe, fields, "a recipe")
    channels = 1 if made.fit == "digit" else 3
    found = pictures.load(data, "train", made.size, channels, made.fit)
    for error in found.refused if is_first() else ():
        complain(error)
    if card := release(made, found, run, out, command_line()):
        print(card.path)
    if found.refused:
        raise typer.Exit(1)


def evaluate(
    data: Annotated[Path, typer.Option(help="As for train; its test part is read.")],
    model: Annotated[str, typer.Option(help="A released model's name, or a card's path.")],
    rotation: Annotated[
        float, typer.Option(help="Degrees by which each picture is turned, either way.")
    ] = 0.0,
    zoom: Annotated[
        float, typer.Option(min=0, help="Share by which it is made larger or smaller.")
    ] = 0.0,
    shift: Annotated[
        float, typer.Option(min=0, help="Pixels by which it is moved, in any direction.")
    ] = 0.0,
    form: Annotated[Form, typer.Option("--format", help="What to write.")] = Form.table,
    record: Annotated[
        str | None, typer.Option(help="Keep the figures in the model's card under this name.")
    ] = None,
) -> None:
    """Measure how often a classifier is right, on the pictures as they are or moved."""
    if model == IMAGENET:
        raise InputError(f"--model {model}: eval measures released models, and this has no card")

    from core import weights
    from domains.image import data as pictures
    from domains.image import evaluation
    from domains.image.classifier import ImageClassifier

    classifier = ImageClassifier.load(model)
    card = classifier.card
    check_record(card, record)
    seen = (card.preprocessing[key] for key in ("size", "channels", "fit"))
    found = pictures.load(data, "test", *seen)
    for error in found.refused:
        complain(error)
    if list(found.labels) != card.labels:
        raise InputError(
            f"{data}: its classes are {', '.join(found.labels)}, "
            f"the model's {', '.join(card.labels)}"
        )
    if not found.has_parts:
        print(f"{visible(str(data))}: no test part in it, so all of it is read", file=sys.stderr)
    moves = {"rotation": rotation, "zoom": zoom, "shift": shift}
    move = evaluation.Move(**moves) if any(moves.values()) else None
    figures = evaluation.evaluate(classifier, found, move)
    if record:
        source = {"data": data.resolve().name} | {name: v for name, v in moves.items() if v}
        kept = {name: value for name, value in figures.items() if name != "confusion"}
        weights.record(card, record, {**source, **kept})
    if form == Form.json:
        print(json.dumps({"model": card.name, **figures}))
    else:
        print(table(figures))
    if found.refused:
        raise typer.Exit(1)


def table(figures: dict[str, Any]) -> str:
    """Accuracy, recall by label, what is taken for what."""
    width = max(map(len, ("accuracy", *figures["recall"]))) + 2
    lines = [f"{'pictures':<{width}}{figures['n']:>8,}   {figures['images_per_second']:,} a second"]
    lines += [f"{name:<{width}}{figures[name]:>8.2%}" for name in ("accuracy", "top5")]
    lines += ["", "recall"]
    lines += [f"{label:<{width}}{value:>8.2%}" for label, value in figures["recall"].items()]
    pairs = sorted(
        (-count, truth, answer)
        for truth, row in figures["confusion"].items()
        for answer, count in row.items()
        if truth != answer
    )
    lines += ["", "taken for"]
    lines += [
        f"{truth:<{width}}{answer:<{width}}{-count:>6,}" for count, truth, answer in pairs[:10]
    ]
    return "\n".join(lines)
