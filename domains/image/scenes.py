"""Scenes: digits scattered over a dirty canvas, where every box and every pixel's class is known.

After the cluttered MNIST of Mnih and others, NIPS 2014, section 4.1 (pieces of other digits lie
about), with several digits of any size, uneven brightness, lines and noise.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.data import split
from core.errors import InputError

from .arrays import Part
from .data import load

Grey = NDArray[np.uint8]  # from black to white

SIDE = 28  # of a picture of a digit, in pixels
HELD_OUT = 0.1  # share of the training digits that only validation sees

MARGIN = 2  # pixels between the boxes of two digits
TRIES = 20  # places tried for a digit before it is left out
INK = 0.5  # share of a digit's brightness from which a pixel is the digit's
MOST_CLASSES = 255  # that a mask's bytes tell apart, besides background
PIECE = 10  # pixels along a side of the largest piece of another digit


@dataclass(frozen=True)
class Scene:
    """A picture of n digits, light on dark."""

    picture: Grey  # (size, size)
    boxes: NDArray[np.float64]  # (n, 4): left, top, right, bottom in pixels, tight around the digit
    classes: NDArray[np.int64]  # (n,)
    mask: Grey  # (size, size): 0 is background, 1 + class a digit


@dataclass(frozen=True)
class Scenes:
    """What scenes are made of: pictures (N, SIDE, SIDE) of digits light on dark, and classes.

    Raises InputError where there is no digit, and for a size that the largest does not fit into.
    """

    digits: Grey
    classes: NDArray[np.int64]
    size: int = 128  # of a scene
    most: int = 8  # digits in it; the least is 1
    sides: tuple[int, int] = (16, 56)  # of a digit's box, the longer one
    pieces: int = 16  # of other digits that lie about, at most
    lines: int = 3  # at most

    def __post_init__(self) -> None:
        if not len(self.digits):
            raise InputError("no digit to make scenes of")
        if self.size < max(self.sides):
            raise InputError(f"a digit of {max(self.sides)} pixels on a scene of {self.size}")

    def parts(self, seed: int) -> tuple[Scenes, Scenes]:
        """To train on and to validate on, without a digit in common."""
        chosen = split(len(self.digits), (1 - HELD_OUT, HELD_OUT), seed)
        train, held_out = (
            dataclasses.replace(self, digits=self.digits[part], classes=self.classes[part])
            for part in chosen
        )
        return train, held_out

    def draw(self, rng: np.random.Generator) -> Scene:
        """A scene, all of whose randomness is from `rng`."""
        dark = rng.uniform(0, 80)
        canvas = _uneven(self.size, dark, rng)
        for _ in range(rng.integers(self.pieces + 1)):
            self._drop_piece(canvas, rng.uniform(dark, 255), rng)
        for _ in range(rng.integers(self.lines + 1)):
            _draw_line(canvas, rng.uniform(dark, 255), rng)
        mask = np.zeros((self.size, self.size), np.uint8)
        boxes: list[tuple[int, ...]] = []
        classes: list[int] = []
        for _ in range(rng.integers(1, self.most + 1)):
            index = rng.integers(len(self.digits))
            digit = self._digit(self.digits[index], rng)
            if not (digit >= INK).any() or (place := self._place(digit.shape, boxes, rng)) is None:
                continue
            left, top = place
            height, width = digit.shape
            here = np.s_[top : top + height, left : left + width]
            canvas[here] += (rng.uniform(dark + 100, 255) - canvas[here]).clip(0) * digit
            mask[here][digit >= INK] = self.classes[index] + 1
            rows, columns = np.nonzero(digit >= INK)
            boxes.append((
                left + columns.min(), top + rows.min(),
                left + columns.max() + 1, top + rows.max() + 1,
            ))  # fmt: skip
            classes.append(int(self.classes[index]))
        canvas += rng.normal(0, rng.uniform(0, 12), canvas.shape)
        picture = canvas.round().clip(0, 255).astype(np.uint8)
        found = np.array(boxes, float).reshape(-1, 4)
        return Scene(picture, found, np.array(classes, np.int64), mask)

    def _digit(self, digit: Grey, rng: np.random.Generator) -> NDArray[np.float64]:
        """Turned up to 15 degrees, cut out, brought to a random size; (h, w) from 0 to 1."""
        turned = Image.fromarray(digit).rotate(rng.uniform(-15, 15), Image.Resampling.BICUBIC)
        cut = turned.crop(turned.getbbox())
        low, high = np.log(self.sides)
        scale = np.exp(rng.uniform(low, high)) / max(cut.size)
        width, height = (max(round(side * scale), 1) for side in cut.size)
        shrunk = cut.resize((width, height), Image.Resampling.BICUBIC)
        shown: NDArray[np.float64] = np.asarray(shrunk, float) / 255
        return shown

    def _place(
        self, shape: Sequence[int], boxes: list[tuple[int, ...]], rng: np.random.Generator
    ) -> tuple[int, int] | None:
        """Left and top of a free place for a digit (height, width); None if none was found."""
        height, width = shape
        for _ in range(TRIES):
            left = int(rng.integers(self.size - width + 1))
            top = int(rng.integers(self.size - height + 1))
            if all(
                left >= right + MARGIN
                or left + width + MARGIN <= other_left
                or top >= bottom + MARGIN
                or top + height + MARGIN <= other_top
                for other_left, other_top, right, bottom in boxes
            ):
                return left, top
        return None

    def _drop_piece(self, canvas: Any, brightness: float, rng: np.random.Generator) -> None:
        height, width = rng.integers(4, PIECE + 1, 2)
        top, left = rng.integers(SIDE - height), rng.integers(SIDE - width)
        piece = self.digits[rng.integers(len(self.digits)), top : top + height, left : left + width]
        top, left = rng.integers(self.size - height), rng.integers(self.size - width)
        here = np.s_[top : top + height, left : left + width]
        canvas[here] += (brightness - canvas[here]).clip(0) * (piece / 255)


def read(path: Path, part: Part) -> tuple[Scenes, tuple[str, ...]]:
    """Scenes of a set of pictures as `data.load` reads it, and the names of its classes.

    Raises InputError as `load` does, where the pictures are not SIDE x SIDE and grey, and
    where there are too many classes.
    """
    images = load(path, part, SIDE, channels=1)
    if images.pictures.shape[1:] != (1, SIDE, SIDE):
        raise InputError(f"{path}: grey pictures of {SIDE}x{SIDE} pixels are needed, as MNIST's")
    if len(images.labels) > MOST_CLASSES:
        raise InputError(f"{path}: {len(images.labels)} classes; at most {MOST_CLASSES} have masks")
    return Scenes(images.pictures[:, 0], images.classes), images.labels


def scenes(source: Scenes, number: int, seed: int) -> list[Scene]:
    """Always the same scenes from the same digits."""
    rng = np.random.default_rng(seed)
    return [source.draw(rng) for _ in range(number)]


def _uneven(size: int, dark: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """A canvas that is brighter towards one side, (size, size)."""
    across, down = rng.uniform(-30, 30, 2)
    axis = np.linspace(-1, 1, size)
    canvas: NDArray[np.float64] = dark + across * axis[None, :] + down * axis[:, None]
    return canvas


def _draw_line(canvas: Any, brightness: float, rng: np.random.Generator) -> None:
    """From one side to the other, so that it is no digit 1."""
    size = len(canvas)
    line = Image.new("L", (size, size))
    start, end = rng.uniform(0, size, 2)
    ends = [(0, start), (size, end)] if rng.random() < 0.5 else [(start, 0), (end, size)]
    ImageDraw.Draw(line).line(ends, fill=255, width=int(rng.integers(1, 4)))
    canvas += (brightness - canvas).clip(0) * (np.asarray(line) / 255)
