"""`receptive image`: name what is in pictures and find it, train image networks, measure them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import InputError

from ..image import IMAGENET, default_model
from ..image.answers import Csv, Jsonl, Table
from ..options import Format, check_input
from ..terminal import complain, visible_lines
from .image_detection import detect, segment
from .image_scenes import eval_detector, eval_segmenter, train_detector, train_segmenter
from .image_training import evaluate, train

if TYPE_CHECKING:
    from domains.image.classifier import ImageClassifier

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Name what is in pictures and find it, train image networks, measure them.",
)


@app.command()
def classify(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|FOLDER|-...",
            help="Pictures: jpeg, png, webp, gif, tiff, …; folders with all that is below them; "
            "patterns such as '*.jpg'; - for one on standard input.",
            show_default=False,
        ),
    ],
    format: Annotated[Format, typer.Option(help="What to print.")] = Format.table,
    top: Annotated[int, typer.Option(min=1, help="So many of the likeliest labels.")] = 5,
    model: Annotated[
        str | None,
        typer.Option(
            help="Name or path of a released model.",
            show_default="imagenet where the extra is installed, else objects",
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="Published ImageNet weights instead: a .pth or .safetensors file.",
            show_default=False,
        ),
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option(help="With --weights: their network, vgg16 for one.", show_default=False),
    ] = None,
) -> None:
    """Say what is in pictures.

    One line a picture, in order, as they are answered: the likeliest labels
    with their probabilities. A photograph is judged by the square in its
    middle. A file that is no picture is named on standard error, and the
    others are answered.
    """
    if bool(weights) != bool(arch):
        raise typer.BadParameter("--weights and --arch go together")
    if weights and model:
        raise typer.BadParameter("--model or --weights, not both")
    check_input(files, "picture")

    from tqdm import tqdm

    from ..image.files import pictures, source

    if weights and arch:
        from domains.image import imagenet

        classifier = imagenet.load_weights(weights, arch)
    else:
        classifier = _released(model)
    bad = False

    def reject(error: InputError) -> None:
        nonlocal bad
        bad = True
        complain(error)

    sources = [source(file) for file in pictures(files, reject)]
    top = min(top, len(classifier.labels))
    write: Table | Csv | Jsonl
    if format is Format.table:
        write = Table([name for _, name in sources], classifier.labels)
    else:
        write = Csv(top) if format is Format.csv else Jsonl()
    terminal = sys.stdout.isatty()
    looks = {"unit": " pictures", "delay": 2, "leave": False, "dynamic_ncols": True}
    with tqdm(total=len(sources), disable=terminal or None, **looks) as bar:
        for (_, name), answer in zip(sources, classifier.classify(sources), strict=True):
            bar.update()
            if isinstance(answer, InputError):
                bar.clear()
                reject(answer)
            else:
                line = write(name, answer.top(top))
                print(visible_lines(line) if terminal else line, flush=True)
    if bad:
        raise typer.Exit(1)


app.command()(train)
app.command("eval")(evaluate)
app.command()(detect)
app.command()(segment)
app.command()(train_detector)
app.command()(train_segmenter)
app.command()(eval_detector)
app.command()(eval_segmenter)


def _released(model: str | None) -> ImageClassifier:
    """The model of that name; which it is, is said on stderr where none was named."""
    from domains.image import imagenet
    from domains.image.classifier import ImageClassifier

    name = model or default_model()
    classifier = imagenet.load() if name == IMAGENET else ImageClassifier.load(name)
    if model is None:
        more = "" if name == IMAGENET else "; pip install 'receptive[imagenet]' for 1,000"
        print(f"model: {name}, {len(classifier.labels):,} classes{more}", file=sys.stderr)
    return classifier
