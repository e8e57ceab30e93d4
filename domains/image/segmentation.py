"""Segmentation at work: which digit each pixel is of, by a U-Net trained on scenes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from core import weights

from .graph import Logits, load_graph
from .pictures import planes
from .rcnn import FAINTEST, LONGEST, light_on_dark
from .tiles import pyramid, resized, tiles

FIT = "scene"  # what a card's preprocessing says of a segmenter
MARGIN = 24  # pixels of a tile's border that a neighbour knows better
SHORTEST, LARGEST = 28, 64  # pixels of a mark's longer side that a copy is trusted with
BATCH = 32  # tiles that the network sees at once

Grey = NDArray[np.uint8]


class Segmenter:
    """A network that judges pixels, with its labels and preprocessing. Made by `load`, or of a
    function from prepared pictures `(B, 1, size, size)` to logits `(B, labels + 1, size, size)`, of
    which the first is that of the background."""

    card: weights.Card  # of a released model

    def __init__(
        self, logits: Logits, labels: Sequence[str], preprocessing: Mapping[str, Any]
    ) -> None:
        self.logits, self.labels = logits, tuple(labels)
        self.size: int = preprocessing["size"]
        self.mean, self.std = (float(preprocessing[key][0]) for key in ("mean", "std"))

    @classmethod
    def load(cls, name: str = "digit-segmenter") -> Segmenter:
        """A released segmenter by name, or one of your own by the path of its card.

        Raises InputError if there is none, if a file of it was altered, or if it is no segmenter.
        """
        card, logits = load_graph(name, "segmenter", (FIT,), os.cpu_count() or 1)
        segmenter = cls(logits, card.labels, card.preprocessing)
        segmenter.card = card
        return segmenter

    def segment(self, picture: Image.Image) -> Grey:
        """A mask as large as the picture, (H, W): 0 is background, n the nth label.

        Light on dark or dark on light, whichever more of the picture is. The picture is looked at
        as large as it is (LONGEST at most), then in ever smaller copies till its longer side is
        `size` pixels long. Each copy is trusted with marks from SHORTEST to LARGEST pixels long; of
        two in one place, that of the smaller copy stays.
        """
        grey = light_on_dark(planes(picture, 1)[0])
        shape = picture.size[::-1]
        mask = np.zeros(shape, np.uint8)
        lengths = pyramid(min(max(shape), LONGEST), self.size)
        for length in lengths:
            shortest = 0 if length == lengths[0] else SHORTEST
            largest = LARGEST if length > self.size else self.size
            found = of_sides(self.tiled(resized(grey, length)), shortest, largest)
            large = np.asarray(
                Image.fromarray(found).resize(picture.size, Image.Resampling.NEAREST)
            )
            np.copyto(mask, large, where=large > 0)
        return mask

    def tiled(self, picture: Grey) -> Grey:
        """The mask of a picture of any size (H, W), light on dark, tile by tile.

        The network sees each tile with its surroundings: where tiles overlap, each is believed but
        MARGIN pixels from its border. Beyond its own border the picture is continued.
        """
        [prepared] = stretched(picture[None])
        mask = np.empty(picture.shape, np.uint8)
        squares = list(tiles(picture.shape, self.size, 2 * MARGIN))
        for start in range(0, len(squares), BATCH):
            batch = squares[start : start + BATCH]
            parts = [prepared[square] for square in batch]
            beyond = [[(0, self.size - length) for length in part.shape] for part in parts]
            seen = [np.pad(part, pad, mode="edge") for part, pad in zip(parts, beyond, strict=True)]
            for (rows, columns), found in zip(batch, self.classes(np.stack(seen)), strict=True):
                top, left = (MARGIN if part.start else 0 for part in (rows, columns))
                place = mask[rows, columns]
                place[top:, left:] = found[top : place.shape[0], left : place.shape[1]]
        return mask

    def masks(self, pictures: Grey) -> Grey:
        """Pictures light on dark (B, size, size) -> the masks of each, of the same shape."""
        return self.classes(stretched(pictures))

    def classes(self, pictures: NDArray[np.float32]) -> Grey:
        """As `masks`, of pictures whose contrast is stretched."""
        prepared = (pictures[:, None] / 255 - self.mean) / self.std
        classes: Grey = self.logits(prepared.astype(np.float32)).argmax(1).astype(np.uint8)
        return classes


def stretched(pictures: Grey) -> NDArray[np.float32]:
    """(B, H, W), each from 0 at its darkest to 255 at its brightest; a nearly blank one less."""
    values = pictures.astype(np.float32)
    values -= values.min((1, 2), keepdims=True)
    values *= 255 / values.max((1, 2), keepdims=True).clip(FAINTEST)
    return values


def of_sides(mask: Grey, shortest: int, largest: int) -> Grey:
    """The mask (H, W) without the marks whose longer side is not within the bounds, in pixels.

    A mark is what hangs together, corners counted, whatever its labels.
    """
    marks, _ = ndimage.label(mask, np.ones((3, 3)))
    boxes = ndimage.find_objects(marks)
    sides = np.array([0, *(max(side.stop - side.start for side in box) for box in boxes)])
    within = (sides >= shortest) & (sides <= largest)
    trusted: Grey = mask * within[marks]
    return trusted


def intersections_over_unions(
    found: Sequence[Grey], truth: Sequence[Grey], classes: int
) -> NDArray[np.float64]:
    """Of each class over all masks together, (classes,); NaN for one that is in none.

    True positives / (true positives + false positives + false negatives), as in PASCAL VOC
    (Everingham and others, IJCV 2015, section 4.1.4).
    """
    counts = np.zeros((classes, classes))
    for mask, real in zip(found, truth, strict=True):
        pairs = real.ravel() * np.int64(classes) + mask.ravel()
        counts += np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    right = np.diagonal(counts)
    unions = counts.sum(0) + counts.sum(1) - right
    with np.errstate(invalid="ignore"):
        shares: NDArray[np.float64] = right / unions
    return shares
