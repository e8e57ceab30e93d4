"""`receptive speech train` and `receptive speech eval`."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from core.errors import InputError

from ..options import Form, check_record, command_line, run_of, with_settings
from ..terminal import complain


def train(
    data: Annotated[
        list[Path],
        typer.Option(help="A folder with a folder of recordings for each word; repeatable."),
    ],
    out: Annotated[Path, typer.Option(help="The model to write: its path without suffix.")],
    recipe: Annotated[
        str | None, typer.Option(help="A recipe by name or .toml file; options go before it.")
    ] = None,
    arch: Annotated[
        str | None, typer.Option(help="speech-resnet, bc-resnet or speech-direction.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(help="A model by name or path, to train on from its weights."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="NAME=VALUE of the recipe (epochs, keywords, …) or of the architecture "
            "(widths, direction, …); repeatable.",
        ),
    ] = None,
) -> None:
    """Train a recogniser on recordings; an interrupted run resumes when it is called again.

    DATA is laid out as Speech Commands is: WORD/SPEAKER_nohash_N.wav, validation_list.txt,
    testing_list.txt, _background_noise_. Without the lists a tenth of the speakers each, by a hash
    of their names, is left for validation and testing. Writes OUT.toml (the card),
    OUT.safetensors and OUT.onnx; the log, and until then the checkpoint, lie in OUT.run.
    With --start the words may be others than the model's: its last layer then begins anew.
    `torchrun --no-python --nproc-per-node N -- receptive speech train …` shares the work.
    """
    from core.recipes import read_fields
    from core.registry import configure
    from core.runs import is_first
    from domains.speech import recipe as recipes
    from domains.speech.release import release

    run = run_of(out)
    fields = read_fields(recipe, recipes.RECIPES, recipes.Recipe) if recipe else {}
    fields |= {name: value for name, value in {"arch": arch, "start": start}.items() if value}
    known = {field.name for field in dataclasses.fields(recipes.Recipe)} - {"settings"}
    fields = with_settings(fields, settings, known)
    made = configure(recipes.Recipe, fields, "a recipe")
    ready = recipes.prepare(made, *data)
    for error in ready.refused if is_first() else ():
        complain(error)
    if card := release(made, ready, run, out, command_line()):
        print(card.path)
    if ready.refused:
        raise typer.Exit(1)


def synthesise(
    words: Annotated[
        Path, typer.Option(help="A text file of words, one a line, to speak as unknown ones.")
    ],
    out: Annotated[Path, typer.Option(help="The folder to write, for `train --data`.")],
    keyword: Annotated[
        list[str] | None, typer.Option(help="A word that the recogniser is to know; repeatable.")
    ] = None,
    unknown: Annotated[int, typer.Option(min=1, help="Clips of random words.")] = 7000,
    each: Annotated[int, typer.Option(min=0, help="Clips of each keyword.")] = 200,
) -> None:
    """Speak words in many voices by espeak-ng and flite, so that others aren't taken for keywords.

    Words that sound like a keyword are left out.
    """
    from domains.speech import synthesis

    try:
        known = words.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{words}: cannot be read: {error}") from error
    made = synthesis.synthesise(known, keyword or (), out, unknown, each, seed=1)
    print(f"{out}: {made:,} clips", file=sys.stderr)


def evaluate(
    data: Annotated[Path, typer.Option(help="A folder with a folder of recordings for each word.")],
    model: Annotated[str, typer.Option(help="A released model's name, or a card's path.")] = (
        "keywords"
    ),
    split: Annotated[
        Literal["training", "validation", "testing"] | None,
        typer.Option(help="Only those files, by the folder's lists or its speakers."),
    ] = None,
    noise: Annotated[
        Path | None, typer.Option(help="With --snr: a folder of background noise to add.")
    ] = None,
    snr: Annotated[
        float | None, typer.Option(help="With --noise: dB from the noise up to each clip.")
    ] = None,
    telephone: Annotated[
        bool, typer.Option("--telephone", help="As over a telephone: 8 kHz, 300 to 3,400 Hz.")
    ] = False,
    form: Annotated[Form, typer.Option("--format", help="What to write.")] = Form.table,
    record: Annotated[
        str | None, typer.Option(help="Keep the figures in the model's card under this name.")
    ] = None,
) -> None:
    """Measure how often a recogniser is right.

    The folders _unknown_ and _silence_, and those of words that the model doesn't know, count as
    what they are called. words, unknown, silence: the accuracy on each of these alone.
    """
    from core import weights
    from domains.speech import data as clips
    from domains.speech import evaluation
    from domains.speech.recogniser import KeywordRecogniser

    if (noise is None) != (snr is None):
        raise typer.BadParameter("--noise and --snr go together")
    if noise and telephone:
        raise typer.BadParameter("--noise or --telephone, not both")
    recogniser = KeywordRecogniser.load(model)
    check_record(recogniser.card, record)
    found = clips.read(data, recogniser.labels, (split,) if split else clips.SPLITS)
    for error in found.refused:
        complain(error)
    worsen: evaluation.Worsen | None = evaluation.by_telephone if telephone else None
    if noise is not None and snr is not None:
        worsen = evaluation.in_noise(clips.read_noise(noise), snr)
    heard = clips.together(*found.splits.values())
    try:
        figures = evaluation.evaluate(recogniser, heard, worsen)
    except InputError as error:
        raise InputError(f"{data}: {error}") from None
    if record:
        source = {"data": data.resolve().name} | ({"split": split} if split else {})
        weights.record(recogniser.card, record, {**source, **figures})
    if form == Form.json:
        print(json.dumps({"model": recogniser.card.name, **figures}))
    else:
        print(table(figures))
    if found.refused:
        raise typer.Exit(1)


def table(figures: dict[str, Any]) -> str:
    """Accuracy of all and by kind, recall by label, what is taken for what."""
    lines = [f"{'clips':<12}{figures['n']:>8,}   {figures['clips_per_second']:,} a second"]
    kinds = ["accuracy", *(kind for kind in ("words", "unknown", "silence") if kind in figures)]
    lines += [f"{kind:<12}{figures[kind]:>8.2%}" for kind in kinds]
    lines += ["", "recall"]
    lines += [f"{label:<12}{value:>8.2%}" for label, value in figures["recall"].items()]
    lines += ["", "taken for"]
    lines += [
        f"{truth:<12}{answer:<12}{count:>4}" for truth, answer, count in figures["confusions"]
    ]
    return "\n".join(lines)
