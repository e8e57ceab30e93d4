"""The digits found in a picture, as the Image page shows them: drawn in it, and row by row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image

from .detections import boxed, coloured

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from domains.image.rcnn import Detection, Detector
    from domains.image.segmentation import Segmenter

LONGEST = 512  # pixels of the longer side that are searched in a second or so, and shown at most
SPECK = 0.001  # of the picture: a label that has fewer pixels is left out
FADED = 0.35  # of the brightness of what is no digit, beneath a mask


class Finds(NamedTuple):
    """The picture with what was found, that in a line of HTML, and the rows of a table."""

    picture: Image.Image
    line: str
    rows: list[dict[str, Any]]


def boxes(detector: Detector, picture: Image.Image) -> Finds:
    """A box about each digit: probabilities, and the boxes' sides in pixels of the picture."""
    found = detector.detect(picture)
    scale = _enlargement(picture)
    drawn = boxed(_enlarged(picture, scale), [_scaled(detection, scale) for detection in found])
    sides = ("left (px)", "top (px)", "right (px)", "bottom (px)")
    rows = [
        {"digit": detection.label, "probability (%)": round(100 * detection.probability, 1)}
        | dict(zip(sides, map(round, detection.box), strict=True))
        for detection in found
    ]
    return Finds(drawn, _line(escape(detection.label) for detection in found), rows)


def mask(segmenter: Segmenter, picture: Image.Image) -> Finds:
    """A colour for each digit's pixels: how many they are, and their share of the picture."""
    mask = segmenter.segment(picture)
    counts = np.bincount(mask.ravel(), minlength=len(segmenter.labels) + 1)
    found = [n for n in range(1, len(counts)) if counts[n] >= SPECK * mask.size]
    rows = [
        {
            "digit": segmenter.labels[number - 1],
            "pixels": int(counts[number]),
            "share (%)": round(100 * float(counts[number]) / mask.size, 1),
        }
        for number in found
    ]
    labels = zip(found, (escape(segmenter.labels[number - 1]) for number in found), strict=True)
    line = _line(
        f'<span style="color: {_colour(number)}">■</span> {label}' for number, label in labels
    )
    drawn = _enlarged(masked(picture, mask), _enlargement(picture))
    return Finds(drawn, line, rows)


def masked(picture: Image.Image, mask: NDArray[np.uint8]) -> Image.Image:
    """The picture in dark grey, each digit of the mask (H, W) in its colour."""
    colours = coloured(mask).convert("RGB")
    faded = picture.convert("L").point([round(FADED * grey) for grey in range(256)])
    there = Image.fromarray(np.where(mask > 0, np.uint8(255), np.uint8(0)))
    return Image.composite(colours, faded.convert("RGB"), there)


def _line(labels: Iterable[str]) -> str:
    shown = " · ".join(f"<b>{label}</b>" for label in labels)
    return f'<div class="verdict" role="status">{shown or "No digit was found."}</div>'


def _colour(number: int) -> str:
    """Of a label in a mask, such as '#1f77b4'."""
    pixel = coloured(np.array([[number]], np.uint8)).convert("RGB")
    return f"#{pixel.tobytes().hex()}"


def _enlargement(picture: Image.Image) -> int:
    return max(1, LONGEST // max(picture.size))


def _enlarged(picture: Image.Image, scale: int) -> Image.Image:
    width, height = picture.size
    return picture.resize((width * scale, height * scale), Image.Resampling.NEAREST)


def _scaled(detection: Detection, scale: int) -> Detection:
    left, top, right, bottom = (side * scale for side in detection.box)
    return replace(detection, box=(left, top, right, bottom))
