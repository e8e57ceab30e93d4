"""Regions of scenes, and the batches of them that R-CNN's network is fine-tuned on.

Girshick and others, CVPR 2014, section 2.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from .boxes import overlap
from .proposals import propose
from .rcnn import warp
from .scenes import Scene

OBJECT = 0.5  # overlap with a digit from which a region is one
OBJECTS = 0.25  # share of a batch that is digits: 32 of 128


@dataclass
class Regions:
    """Warped regions, `(N, size, size)`, and how much each overlaps the nearest digit of each
    class, `(N, classes)`: 1 is that digit's own box."""

    pictures: NDArray[np.uint8]
    overlaps: NDArray[np.float64]

    def classes(self) -> NDArray[np.int64]:
        """By the nearest digit; those too far from any are background, the last class."""
        background = self.overlaps.shape[1]
        near = self.overlaps.max(1) >= OBJECT
        classes: NDArray[np.int64] = np.where(near, self.overlaps.argmax(1), background)
        return classes


def collect(drawn: Sequence[Scene], size: int, classes: int) -> Regions:
    """The digits' own boxes and all proposals of the scenes."""
    pictures, overlaps = [], []
    for scene in tqdm(drawn, "regions", unit=" scenes", disable=None, delay=2):
        boxes = np.concatenate([scene.boxes, propose(scene.picture)])
        shares = overlap(boxes, scene.boxes)
        nearest = np.zeros((len(boxes), classes))
        for digit, label in enumerate(scene.classes):
            nearest[:, label] = np.maximum(nearest[:, label], shares[:, digit])
        pictures.append(warp(scene.picture, boxes, size))
        overlaps.append(nearest)
    return Regions(np.concatenate(pictures), np.concatenate(overlaps))


@dataclass
class RegionData:
    """`core.training.TrainingData`: regions (B, 1, size, size) float and classes (B,)."""

    pictures: Tensor  # uint8 (N, size, size)
    classes: Tensor  # int64 (N,), background last
    mean: float
    std: float

    def plan(
        self, epoch: int, batch_size: int, rng: np.random.Generator
    ) -> Sequence[Sequence[int]]:
        """Every digit's region once, among three times as many of background."""
        is_object = (self.classes < self.classes.max()).numpy()
        objects = rng.permutation(np.flatnonzero(is_object))
        background = np.flatnonzero(~is_object)
        each = round(batch_size * OBJECTS)
        return [
            [*objects[start : start + each], *rng.choice(background, batch_size - each)]
            for start in range(0, len(objects), each)
        ]

    def batch(self, indices: Sequence[int], rng: np.random.Generator) -> tuple[Tensor, ...]:
        chosen = torch.tensor(np.array(indices))
        return self.normalised(self.pictures[chosen]), self.classes[chosen]

    def normalised(self, pictures: Tensor) -> Tensor:
        values = (pictures[:, None] / 255 - self.mean) / self.std
        return values.contiguous(memory_format=torch.channels_last)


def loss(model: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    regions, classes = batch
    return F.cross_entropy(model(regions).float(), classes)
