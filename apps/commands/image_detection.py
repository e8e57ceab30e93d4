"""`receptive image detect` and `receptive image segment`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from core.errors import InputError
from core.weights import atomic_write

from ..image.detections import Csv, Jsonl, Table, boxed, coloured
from ..options import Format, check_input, make_room
from ..terminal import complain, visible, visible_lines


def detect(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|FOLDER|-...",
            help="Pictures: png, jpeg, …; folders with all that is below them; patterns such as "
            "'*.png'; - for one on standard input.",
            show_default=False,
        ),
    ],
    format: Annotated[Format, typer.Option(help="What to print.")] = Format.table,
    least: Annotated[
        float, typer.Option(min=0, max=1, help="The probability from which a find counts.")
    ] = 0.5,
    out: Annotated[
        Path | None,
        typer.Option(metavar="PNG", help="The picture to write, boxes drawn.", show_default=False),
    ] = None,
    model: Annotated[str, typer.Option(help="Name or path of a released detector.")] = (
        "digit-detector"
    ),
) -> None:
    """Find the digits in pictures.

    One line a digit, the surest of a picture first: what it is, how probably,
    and the left, top, right and bottom of its box in pixels. Digits may be
    light on dark or dark on light, and of any size from 16 pixels up. A picture
    longer than 2,048 pixels is searched in a copy of that length: of 4,000, from
    32 up. --out takes one picture.
    """
    if out and len(files) > 1:
        raise typer.BadParameter("one picture at a time", param_hint="--out")
    _check(files, out)

    from tqdm import tqdm

    from domains.image.pictures import open_picture
    from domains.image.rcnn import Detector

    from ..image.files import pictures, source

    detector = Detector.load(model)
    bad = False

    def reject(error: InputError) -> None:
        nonlocal bad
        bad = True
        complain(error)

    sources = [source(file) for file in pictures(files, reject)]
    if out and len(sources) > 1:
        raise typer.BadParameter("one picture at a time", param_hint="--out")
    write: Table | Csv | Jsonl
    if format is Format.table:
        write = Table([name for _, name in sources], detector.labels)
    else:
        write = Csv() if format is Format.csv else Jsonl()
    terminal = sys.stdout.isatty()
    looks = {"unit": " pictures", "delay": 2, "leave": False, "dynamic_ncols": True}
    with tqdm(total=len(sources), disable=terminal or None, **looks) as bar:
        for file, name in sources:
            bar.update()
            try:
                picture = open_picture(file, name)
                found = detector.detect(picture, least)
                for detection in found:
                    line = write(name, detection)
                    print(visible_lines(line) if terminal else line, flush=True)
                if not found:
                    bar.clear()
                    print(f"{visible(name)}: nothing found", file=sys.stderr)
                if out:
                    with atomic_write(out, "wb") as drawing:
                        boxed(picture, found).save(drawing, "png")
            except InputError as error:
                bar.clear()
                reject(error)
    if bad:
        raise typer.Exit(1)


def segment(
    picture: Annotated[
        str, typer.Argument(metavar="FILE|-", help="A picture: png, jpeg, …; - for stdin.")
    ],
    out: Annotated[
        Path,
        typer.Option(metavar="PNG", help="The mask to write, as large as the picture."),
    ],
    model: Annotated[str, typer.Option(help="Name or path of a released segmenter.")] = (
        "digit-segmenter"
    ),
) -> None:
    """Say of each pixel of a picture which digit it belongs to.

    The mask's pixels are 0 for background and n for the nth label, each in a
    colour. Printed are the labels found, how many pixels each has, and their
    share of the picture. Digits may be light on dark or dark on light, and
    from 16 pixels to two thirds of the picture's longer side. A picture longer
    than 2,048 pixels is seen in a copy of that length: of 4,000, from 32 up.
    It was trained on drawn scenes: in a photograph it takes texture for digits.
    """
    _check([picture], out)

    import numpy as np

    from domains.image.pictures import open_picture
    from domains.image.segmentation import Segmenter

    from ..image.files import source

    segmenter = Segmenter.load(model)
    file, name = source(picture)
    mask = segmenter.segment(open_picture(file, name))
    with atomic_write(out, "wb") as drawing:
        coloured(mask).save(drawing, "png")
    counts = np.bincount(mask.ravel(), minlength=len(segmenter.labels) + 1)[1:].tolist()
    width = max(map(len, ("label", *map(visible, segmenter.labels))))
    print(f"{'label':{width}}  {'pixels':>10}  {'share':>7}")
    for label, count in zip(segmenter.labels, counts, strict=True):
        if count:
            print(f"{visible(label):{width}}  {count:>10}  {count / mask.size:>7.2%}")
    if not any(counts):
        print(f"{visible(name)}: nothing found", file=sys.stderr)


def _check(files: list[str], out: Path | None) -> None:
    if out and out.suffix.lower() != ".png":
        raise typer.BadParameter("a name that ends in .png expected", param_hint="--out")
    if out and any(file != "-" and out.resolve() == Path(file).resolve() for file in files):
        raise typer.BadParameter("the picture itself would be overwritten", param_hint="--out")
    check_input(files, "picture")
    if out:
        make_room(out)
