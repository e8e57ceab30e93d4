"""`receptive image train-detector`, `train-segmenter`, `eval-detector` and `eval-segmenter`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import InputError

from ..options import Form, check_record, command_line, run_of, with_settings
from ..terminal import visible

if TYPE_CHECKING:
    from core.weights import Card
    from domains.image.scenes import Scenes

Data = Annotated[Path, typer.Option(help="A folder of MNIST's idx files, or other 28x28 pictures.")]
Out = Annotated[Path, typer.Option(help="The model to write: its path without suffix.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the scenes.")]
Record = Annotated[
    str | None, typer.Option(help="Keep the figures in the model's card under this name.")
]


FormOption = Annotated[Form, typer.Option("--format", help="What to write.")]


def train_detector(
    data: Data,
    features: Annotated[
        str,
        typer.Option(
            help="The classifier whose weights training begins with, by its card: of grey "
            "pictures, ending with a fully connected layer, as keras-mnist does."
        ),
    ],
    out: Out,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=VALUE of the recipe (scenes, epochs, …); repeatable."),
    ] = None,
) -> None:
    """Train R-CNN to find the digits in scenes, which are made of DATA's training digits.

    Writes OUT.toml (the card), OUT.safetensors and OUT.onnx; the log, and until then the
    checkpoint, lie in OUT.run, from which an interrupted run resumes.
    """
    from core import weights
    from core.registry import configure
    from domains.image import rcnn_training as training
    from domains.image import scenes
    from domains.image.graph import WEIGHTS

    run = run_of(out)
    fields = with_settings({}, settings, {f.name for f in dataclasses.fields(training.Recipe)})
    recipe = configure(training.Recipe, fields, "a recipe")
    card = weights.find(features, WEIGHTS)
    source, labels = scenes.read(data, "train")
    made = training.release(recipe, card, source, labels, run, out, command_line())
    if made:
        print(made.path)


def train_segmenter(
    data: Data,
    out: Out,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="NAME=VALUE of the recipe (scenes, epochs, …) or of the U-Net (width, depth, …); "
            "repeatable.",
        ),
    ] = None,
) -> None:
    """Train a U-Net to tell every pixel's digit in scenes made of DATA's training digits.

    Writes OUT.toml (the card), OUT.safetensors and OUT.onnx; the log, and until then the
    checkpoint, lie in OUT.run, from which an interrupted run resumes.
    """
    from core.registry import configure
    from domains.image import scenes
    from domains.image import segmentation_training as training

    run = run_of(out)
    known = {field.name for field in dataclasses.fields(training.Recipe)} - {"settings"}
    recipe = configure(training.Recipe, with_settings({}, settings, known), "a recipe")
    source, labels = scenes.read(data, "train")
    if made := training.release(recipe, source, labels, run, out, command_line()):
        print(made.path)


def eval_detector(
    data: Data,
    model: Annotated[str, typer.Option(help="A detector's name, or a card's path.")] = (
        "digit-detector"
    ),
    number: Annotated[int, typer.Option("--scenes", min=1, help="So many scenes.")] = 500,
    seed: Seed = 0,
    form: FormOption = Form.table,
    record: Record = None,
) -> None:
    """Measure mean average precision on scenes made of DATA's test digits.

    As in PASCAL VOC: a box is right if it overlaps a digit of its class by more than half of what
    both cover, and no better box has found that digit.
    """
    from core import weights
    from domains.image.detection import evaluate
    from domains.image.rcnn import Detector
    from domains.image.scenes import scenes

    detector = Detector.load(model)
    check_record(detector.card, record)
    source = _test_scenes(data, detector.card)
    figures = evaluate(detector, scenes(source, number, seed))
    if record:
        weights.record(detector.card, record, {"data": data.resolve().name, **figures})
    if form is Form.json:
        print(json.dumps({"model": detector.card.name, **figures}))
        return
    print(f"{figures['n']:,} digits in {figures['scenes']:,} scenes, "
          f"{figures['scenes_per_second']} scenes a second")  # fmt: skip
    print(f"within a proposal        {figures['proposed']:>7.2%}")
    print(f"mean average precision   {figures['mean_average_precision']:>7.2%}\n")
    _print("average precision", figures["average_precision"])


def eval_segmenter(
    data: Data,
    model: Annotated[str, typer.Option(help="A segmenter's name, or a card's path.")] = (
        "digit-segmenter"
    ),
    number: Annotated[int, typer.Option("--scenes", min=1, help="So many scenes.")] = 500,
    seed: Seed = 0,
    form: FormOption = Form.table,
    record: Record = None,
) -> None:
    """Measure intersection over union on scenes made of DATA's test digits."""
    from core import weights
    from domains.image.scenes import scenes
    from domains.image.segmentation import Segmenter
    from domains.image.segmentation_training import evaluate, of_size

    segmenter = Segmenter.load(model)
    check_record(segmenter.card, record)
    source = of_size(_test_scenes(data, segmenter.card), segmenter.size)
    figures = evaluate(segmenter, scenes(source, number, seed))
    if record:
        weights.record(segmenter.card, record, {"data": data.resolve().name, **figures})
    if form is Form.json:
        print(json.dumps({"model": segmenter.card.name, **figures}))
        return
    print(f"{figures['n']:,} scenes, {figures['scenes_per_second']} a second")
    print(f"mean intersection over union   {figures['mean_iou']:>7.2%}")
    print(f"of digits, whichever           {figures['digits_iou']:>7.2%}\n")
    _print("intersection over union", figures["iou"])


def _test_scenes(data: Path, card: Card) -> Scenes:
    from domains.image import scenes

    source, labels = scenes.read(data, "test")
    if list(labels) != card.labels:
        raise InputError(
            f"{data}: its classes are {', '.join(labels)}, the model's {', '.join(card.labels)}"
        )
    return source


def _print(title: str, shares: Mapping[str, float]) -> None:
    print(title)
    width = max(map(len, map(visible, shares))) + 2
    for label, share in shares.items():
        print(f"{visible(label):<{width}}{share:>8.2%}")
