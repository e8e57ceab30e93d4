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
from core.errors import InputError

from .data import Images
from .examples import Normaliser

if TYPE_CHECKING:
    from .classifier import ImageClassifier

Change = Callable[[Image.Image], Image.Image]

BATCH = 256
EIGHT = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]  # directions


def logits(model: nn.Module, pictures: Tensor, normalised: Normaliser, mirrored: bool) -> Tensor:
    """Of pictures uint8 (N, C, H, W): (views, N, labels); `mirrored`, the second view is that of
    the mirror image."""
    device = next(model.parameters()).device
    answers = []
    for start in range(0, len(pictures), BATCH):
        batch = normalised(pictures[start : start + BATCH]).to(device)
        batch = batch.contiguous(memory_format=torch.channels_last)
        views = [batch, batch.flip(3)] if mirrored else [batch]
        answers.append(torch.stack([model(view).float().cpu() for view in views]))
    return torch.cat(answers, 1)


def validate(answers: Tensor, classes: Tensor) -> dict[str, float]:
    """Figures of logits (views, N, labels) against classes (N,); the views' mean is the answer."""
    scores = answers.softmax(-1).mean(0)
    found = metrics.classification(scores, classes, [str(i) for i in range(scores.shape[1])])
    return {
        "accuracy": found["accuracy"],
        "nll": metrics.negative_log_likelihood(scores, classes),
        "ece": found["ece"],
    }


def evaluate(
    classifier: ImageClassifier, images: Images, move: Change | None = None
) -> dict[str, Any]:
    """Figures of a released classifier.

    accuracy, top5; confusion: from label to answer to number of pictures; recall: by label; nll,
    the negative log-likelihood in nats, and ece, the expected calibration error; n. With `move`
    each picture is changed before it is seen. Raises InputError for one that can't be answered.
    """
    labels = list(classifier.labels)
    scores, seconds = [], 0.0
    for start in tqdm(range(0, len(images.classes), BATCH), unit=" batches", disable=None):
        batch = [picture_of(array) for array in images.pictures[start : start + BATCH]]
        if move:
            batch = [move(picture) for picture in batch]
        started = time.perf_counter()
        answers = list(classifier.answers(batch))
        seconds += time.perf_counter() - started
        for number, answer in enumerate(answers, start + 1):
            if isinstance(answer, InputError):
                raise InputError(f"picture {number:,} of {len(images):,}: {answer}")
            scores.append([answer.scores[label] for label in labels])
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
        "nll": metrics.negative_log_likelihood(table, classes),
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
