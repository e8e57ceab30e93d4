"""R-CNN at work: regions with CNN features (Girshick and others, CVPR 2014, figure 1).

1. take a picture; 2. extract region proposals (selective search); 3. warp each region and compute
its features by a CNN; 4. classify it, by one linear classifier a class; then non-maximum
suppression, here of all classes together, as a mark is one digit. `rcnn_training` makes the
network: it ends with the linear classifiers.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core import weights

from .boxes import Boxes, Scores, suppress
from .graph import Logits, load_graph
from .pictures import planes
from .proposals import propose
from .tiles import pyramid, resized, tiles

FIT = "region"  # what a card's preprocessing says of a detector
LONGEST = 2048  # pixels of a side in which regions are looked for
TILE = 256  # pixels of the side of a square that regions are looked for in at once
SHARED = 72  # pixels that neighbouring tiles have in common
LARGEST = 64  # pixels of a region, but where the whole picture is one tile: fits into SHARED
CONTEXT = 28 / 20  # side of a region's square by the box's longer side: that of MNIST's digits
FAINTEST = 32  # levels between the darkest and the brightest of a region that is stretched to 255
COVERED = 0.5  # share of the smaller of two boxes from which they are of one thing
BATCH = 128  # regions that the network sees at once

Grey = NDArray[np.uint8]


class Found(NamedTuple):
    """Boxes, the class of each, and how probably it is one."""

    boxes: Boxes  # (n, 4)
    classes: NDArray[np.int64]  # (n,)
    scores: Scores  # (n,)


@dataclass(frozen=True, slots=True)
class Detection:
    """What is in a box: left, top, right, bottom, in pixels of the picture."""

    label: str
    probability: float
    box: tuple[float, float, float, float]


class Detector:
    """A network that judges regions, with its labels and preprocessing. Made by `load`, or of a
    function from prepared regions `(B, 1, size, size)` to logits `(B, labels)`."""

    card: weights.Card  # of a released model

    def __init__(
        self, logits: Logits, labels: Sequence[str], preprocessing: Mapping[str, Any]
    ) -> None:
        self.logits, self.labels = logits, tuple(labels)
        self.size: int = preprocessing["size"]
        self.mean, self.std = (float(preprocessing[key][0]) for key in ("mean", "std"))

    @classmethod
    def load(cls, name: str = "digit-detector") -> Detector:
        """A released detector by name, or one of your own by the path of its card.

        Raises InputError if there is none, if a file of it was altered, or if it is no detector.
        """
        card, logits = load_graph(name, "detector", (FIT,), os.cpu_count() or 1)
        detector = cls(logits, card.labels, card.preprocessing)
        detector.card = card
        return detector

    def detect(self, picture: Image.Image, least: float = 0.5) -> list[Detection]:
        """What is found with a probability of `least` or more, the surest first.

        Light on dark or dark on light, whichever more of the picture is. A box is tight around
        what is in it.
        """
        found = self.find(light_on_dark(planes(picture, 1)[0]), least)
        return [
            Detection(self.labels[number], float(score), tuple(box.tolist()))
            for box, number, score in zip(*found, strict=True)
        ]

    def find(self, picture: Grey, least: float) -> Found:
        """What is in a picture (H, W), light on dark, the surest first. A box is of one class.

        It is searched in tiles: as large as it is (LONGEST at most), then in ever smaller copies,
        in which the larger things are found, till it is a single tile.
        """
        longest = min(max(picture.shape), LONGEST)
        lengths = pyramid(longest, min(TILE, longest))
        parts = []
        for length in lengths:
            copy = resized(picture, length)
            enlarge = np.divide(picture.shape, copy.shape)[[1, 0, 1, 0]]
            shortest = 0.0 if length == lengths[0] else LARGEST / 2
            largest = LARGEST if length > TILE else math.inf
            for tile in tiles(copy.shape, TILE, SHARED):
                boxes = proposed(copy, tile)
                sides = (boxes[:, 2:] - boxes[:, :2]).max(1)
                boxes = boxes[(sides >= shortest) & (sides <= largest)]
                found = self.judge(copy, boxes, least)
                parts.append(found._replace(boxes=found.boxes * enlarge))
        boxes, classes, scores = map(np.concatenate, zip(*parts, strict=True))
        return suppressed(Found(boxes, classes, scores))

    def judge(self, picture: Grey, boxes: Boxes, least: float) -> Found:
        """Those of the boxes that are something, each of its likeliest class, each thing once."""
        scores = self.scores(warp(picture, boxes, self.size))
        likely = scores.max(1) >= least
        return suppressed(Found(boxes[likely], scores[likely].argmax(1), scores[likely].max(1)))

    def scores(self, regions: Grey) -> NDArray[np.float64]:
        """Regions (n, size, size) -> the probability that each is one of each class (n, labels).

        Those of one region need not add up to 1: it may be none.
        """
        found = [np.zeros((0, len(self.labels)))]
        for start in range(0, len(regions), BATCH):
            batch = (regions[start : start + BATCH, None] / np.float32(255) - self.mean) / self.std
            found.append(sigmoid(self.logits(batch.astype(np.float32))))
        return np.concatenate(found)


def proposed(picture: Grey, tile: tuple[slice, slice]) -> Boxes:
    """The proposals of a tile, in pixels of the picture, without those that its border cuts."""
    part = picture[tile]
    boxes = propose(part)
    start = np.array([tile[1].start, tile[0].start])
    end = start + part.shape[::-1]
    boxes += np.tile(start, 2)
    cut_before = (boxes[:, :2] == start) & (start > 0)
    cut_after = (boxes[:, 2:] == end) & (end < picture.shape[::-1])
    whole: Boxes = boxes[~(cut_before | cut_after).any(1)]
    return whole


def suppressed(found: Found) -> Found:
    """Each thing once, whatever its class, the surest first."""
    kept = suppress(found.boxes, found.scores, COVERED)
    return Found(found.boxes[kept], found.classes[kept], found.scores[kept])


def warp(picture: Grey, boxes: Boxes, size: int) -> Grey:
    """Each box with its surroundings, (n, size, size), its contrast stretched.

    The tightest square with context (the paper's appendix A): proportions are kept, and the longer
    side is as large as that of a digit in MNIST. Beyond the border the picture is continued.
    """
    sides = (boxes[:, 2:] - boxes[:, :2]).max(1, initial=1) * CONTEXT
    beyond = math.ceil(sides.max(initial=1))
    wide = Image.fromarray(np.pad(picture, beyond, mode="edge"))
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2 + beyond
    squares = np.concatenate([middles - sides[:, None] / 2, middles + sides[:, None] / 2], 1)
    regions = np.empty((len(boxes), size, size), np.float32)
    for region, square in zip(regions, squares.tolist(), strict=True):
        region[:] = np.asarray(wide.resize((size, size), Image.Resampling.BILINEAR, tuple(square)))
    regions -= regions.min((1, 2), keepdims=True)
    regions *= 255 / regions.max((1, 2), keepdims=True).clip(FAINTEST)
    return regions.round().astype(np.uint8)


def light_on_dark(picture: Grey) -> Grey:
    """The picture, inverted if most of it is light."""
    return 255 - picture if np.median(picture) > 127 else picture


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    powers: NDArray[np.float64] = 1 / (1 + np.exp(-logits.astype(np.float64).clip(-500)))
    return powers
