"""R-CNN at work: regions with CNN features (Girshick and others, CVPR 2014, figure 1).

1. take a picture; 2. extract region proposals (selective search); 3. warp each region and compute
its features by a CNN; 4. classify it, by one linear classifier a class; then non-maximum
suppression. `rcnn_training` makes the network: it ends with the linear classifiers.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core import weights

from .boxes import Boxes, suppress
from .graph import Logits, load_graph
from .pictures import planes
from .proposals import propose

FIT = "region"  # what a card's preprocessing says of a detector
LONGEST = 512  # pixels of a side in which regions are looked for
CONTEXT = 28 / 20  # side of a region's square by the box's longer side: that of MNIST's digits
FAINTEST = 32  # levels between the darkest and the brightest of a region that is stretched to 255
OVERLAP = 0.3  # from which, of two boxes of a class, the one of the lower score goes
BATCH = 128  # regions that the network sees at once

Grey = NDArray[np.uint8]


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
        what is in it; of a picture longer than LONGEST a smaller copy is searched.
        """
        grey = light_on_dark(planes(picture, 1)[0])
        scale = min(LONGEST / max(grey.shape), 1.0)
        height, width = (max(round(side * scale), 1) for side in grey.shape)
        small = Image.fromarray(grey).resize((width, height), Image.Resampling.BILINEAR)
        searched = np.asarray(small)
        enlarge = np.array([picture.width / width, picture.height / height] * 2)
        found = [
            Detection(self.labels[label], float(score), tuple((box * enlarge).tolist()))
            for label, (boxes, scores) in enumerate(self.find(searched, propose(searched), least))
            for box, score in zip(boxes, scores, strict=True)
        ]
        return sorted(found, key=lambda detection: -detection.probability)

    def find(
        self, picture: Grey, proposals: Boxes, least: float
    ) -> list[tuple[Boxes, NDArray[np.float64]]]:
        """Which proposals are what, and how surely: boxes and probabilities, class by class.

        The picture (H, W) is light on dark.
        """
        scores = self.scores(warp(picture, proposals, self.size))
        found = []
        for column in scores.T:
            likely = column >= least
            boxes, marks = proposals[likely], column[likely]
            kept = suppress(boxes, marks, OVERLAP)
            found.append((boxes[kept], marks[kept]))
        return found

    def scores(self, regions: Grey) -> NDArray[np.float64]:
        """Regions (n, size, size) -> the probability that each is one of each class (n, labels).

        Those of one region need not add up to 1: it may be none.
        """
        found = [np.zeros((0, len(self.labels)))]
        for start in range(0, len(regions), BATCH):
            batch = (regions[start : start + BATCH, None] / np.float32(255) - self.mean) / self.std
            found.append(sigmoid(self.logits(batch.astype(np.float32))))
        return np.concatenate(found)


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
