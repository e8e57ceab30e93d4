"""How often a classifier is right: in training, and once released, on pictures moved as well."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from tqdm import tqdm

from core import metrics

from .data import Images
from .examples import Normaliser

if TYPE_CHECKING:
    from .classifier import ImageClassifier

Change = Callable[[Image.Image], Image.Image]

BATCH = 256
EIGHT = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]  # directions


def validate(
    model: nn.Module, pictures: Tensor, classes: Tensor, normalised: Normaliser, mirrored: bool
) -> dict[str, float]:
    """Accuracy on pictures uint8 (N, C, H, W); `mirrored`, by the mean over both sides."""
    device = next(model.parameters()).device
    right = 0
    for start in range(0, len(classes), BATCH):
        batch = normalised(pictures[start : start + BATCH]).to(device)
        batch = batch.contiguous(memory_format=torch.channels_last)
        answers = model(batch).float().softmax(1)
        if mirrored:
            answers = answers + model(batch.flip(3)).float().softmax(1)
        right += int((answers.argmax(1).cpu() == classes[start : start + BATCH]).sum())
    return {"accuracy": right / len(classes)}


def evaluate(
    classifier: ImageClassifier, images: Images, move: Change | None = None
) -> dict[str, Any]:
    """Figures of a released classifier.

    accuracy, top5; confusion: from label to answer to number of pictures; recall: by label; n. With
    `move` each picture is changed before it is seen.
    """
    labels = list(classifier.labels)
    scores, seconds = [], 0.0
    for start in tqdm(range(0, len(images.classes), BATCH), unit=" batches", disable=None):
        batch = [picture_of(array) for array in images.pictures[start : start + BATCH]]
        if move:
            batch = [move(picture) for picture in batch]
        started = time.perf_counter()
        answers = classifier.predict(batch)
        seconds += time.perf_counter() - started
        scores += [[answer.scores[label] for label in labels] for answer in answers]
    table, classes = torch.tensor(scores), torch.from_numpy(images.classes)
    found = metrics.classification(table, classes, labels)
    best = table.topk(min(5, len(labels)), dim=1).indices
    confusion = np.zeros((len(labels), len(labels)), int)
    np.add.at(confusion, (images.classes, table.argmax(1).numpy()), 1)
    return metrics.rounded({
        "accuracy": found["accuracy"],
        "top5": (best == classes[:, None]).any(1).double().mean().item(),
        "confusion": {
            labels[i]: {labels[j]: int(row[j]) for j in np.flatnonzero(row)}
            for i, row in enumerate(confusion) if row.any()
        },
        "recall": found["recall"],
        "ece": found["ece"],
        "n": len(classes),
        "images_per_second": round(len(classes) / seconds),
    })  # fmt: skip


class Move:
    """Turns, enlarges and shifts pictures by fixed amounts, each its own way: seeded, always so."""

    def __init__(self, rotation: float = 0.0, zoom: float = 0.0, shift: float = 0.0) -> None:
        self.rotation, self.zoom, self.shift = rotation, zoom, shift
        self.rng = np.random.default_rng(0)

    def __call__(self, picture: Image.Image) -> Image.Image:
        """Turned `rotation` degrees one way or the other, larger or smaller by the share `zoom`,
        moved `shift` pixels in one of eight directions; what comes in from outside is black."""
        turn, growth = self.rng.choice([-1, 1], 2)
        way = EIGHT[self.rng.integers(8)]
        angle, scale = math.radians(turn * self.rotation), (1 + self.zoom) ** -int(growth)
        cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
        x, y = picture.width / 2, picture.height / 2
        from_x, from_y = x + way[0] * self.shift, y + way[1] * self.shift
        return picture.transform(
            picture.size,
            Image.Transform.AFFINE,
            (cos, sin, x - cos * from_x - sin * from_y, -sin, cos, y + sin * from_x - cos * from_y),
            Image.Resampling.BILINEAR,
        )


def picture_of(array: np.ndarray[Any, np.dtype[np.uint8]]) -> Image.Image:
    """`(C, H, W)` uint8, of one channel or three."""
    return Image.fromarray(
        array[0] if len(array) == 1 else np.ascontiguousarray(array.transpose(1, 2, 0))
    )
