"""What was found in a picture: as lines (a table, csv or jsonl), and drawn.

A writer is called with a file's name and a find and returns its line, the first time after a
header.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ..lines import csv_line
from ..terminal import visible

if TYPE_CHECKING:
    from domains.image.rcnn import Detection

COLUMNS = ("file", "label", "probability", "left", "top", "right", "bottom")
COLOURS = (
    (31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189),
    (140, 86, 75), (227, 119, 194), (127, 127, 127), (188, 189, 34), (23, 190, 207),
)  # fmt: skip
"""Of the labels in turn: Tableau's ten, which people tell apart."""


class Table:
    """Columns of fixed width, boxes in whole pixels."""

    def __init__(self, files: Iterable[str], labels: Iterable[str]) -> None:
        self.file_width = max(len(visible(file)) for file in ("file", *files))
        self.label_width = max(len(visible(label)) for label in ("label", *labels))
        self.head = self._line(*COLUMNS) + "\n"

    def __call__(self, file: str, found: Detection) -> str:
        head, self.head = self.head, ""
        sides = (str(round(side)) for side in found.box)
        probability = f"{found.probability:.3f}"
        return head + self._line(visible(file), visible(found.label), probability, *sides)

    def _line(self, file: str, label: str, probability: str, *sides: str) -> str:
        line = f"{file:{self.file_width}}  {label:{self.label_width}}  {probability:>11}"
        return line + "".join(f"{side:>8}" for side in sides)


class Csv:
    """The columns of COLUMNS."""

    def __init__(self) -> None:
        self.head = csv_line(COLUMNS) + "\n"

    def __call__(self, file: str, found: Detection) -> str:
        head, self.head = self.head, ""
        sides = (f"{side:.1f}" for side in found.box)
        return head + csv_line([file, found.label, f"{found.probability:.6f}", *sides])


class Jsonl:
    """file, label, probability and box: left, top, right, bottom."""

    def __call__(self, file: str, found: Detection) -> str:
        row = {
            "file": file,
            "label": found.label,
            "probability": round(found.probability, 6),
            "box": [round(side, 1) for side in found.box],
        }
        return json.dumps(row, ensure_ascii=False)


def boxed(picture: Image.Image, found: Sequence[Detection]) -> Image.Image:
    """The picture with a box and the label about everything found, a colour a label."""
    labels = sorted({detection.label for detection in found})
    drawing = picture.copy()
    pen = ImageDraw.Draw(drawing)
    width = max(max(picture.size) // 300, 1)
    size = max(max(picture.size) // 30, 10)
    for detection in reversed(found):  # the surest on top
        colour = COLOURS[labels.index(detection.label) % len(COLOURS)]
        left, top, right, bottom = detection.box
        pen.rectangle((left, top, right - 1, bottom - 1), outline=colour, width=width)
        above = max(top - 1.2 * size, 0)
        pen.text((left, above), detection.label, colour, font_size=size)
    return drawing


def coloured(mask: NDArray[np.uint8]) -> Image.Image:
    """A mask (H, W) as a picture with a palette: 0 is black, each label has its colour."""
    picture = Image.fromarray(mask)
    labels = [COLOURS[number % len(COLOURS)] for number in range(255)]
    picture.putpalette([value for colour in ((0, 0, 0), *labels) for value in colour])
    return picture
