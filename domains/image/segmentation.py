"""Segmentation at work: which digit each pixel is of, by a U-Net trained on scenes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core import weights

from .graph import Logits, load_graph
from .pictures import planes
from .rcnn import light_on_dark

FIT = "scene"  # what a card's preprocessing says of a segmenter

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

        Light on dark or dark on light, whichever more of the picture is. The network sees it with
        its longer side `size` pixels long; beside it, its border is continued.
        """
        grey = light_on_dark(planes(picture, 1)[0])
        scale = self.size / max(grey.shape)
        height, width = (max(round(side * scale), 1) for side in grey.shape)
        fitted = Image.fromarray(grey).resize((width, height), Image.Resampling.BILINEAR)
        beside = ((0, self.size - height), (0, self.size - width))
        [mask] = self.masks(np.pad(np.asarray(fitted), beside, mode="edge")[None])
        return np.asarray(
            Image.fromarray(mask[:height, :width]).resize(picture.size, Image.Resampling.NEAREST)
        )

    def masks(self, pictures: Grey) -> Grey:
        """Pictures light on dark (B, size, size) -> the masks of each, of the same shape."""
        prepared = (stretched(pictures)[:, None] / 255 - self.mean) / self.std
        masks: Grey = self.logits(prepared.astype(np.float32)).argmax(1).astype(np.uint8)
        return masks


def stretched(pictures: Grey) -> NDArray[np.float32]:
    """(B, H, W), each from 0 at its darkest to 255 at its brightest; a blank one is 0."""
    values = pictures.astype(np.float32)
    values -= values.min((1, 2), keepdims=True)
    values *= 255 / values.max((1, 2), keepdims=True).clip(1)
    return values


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
