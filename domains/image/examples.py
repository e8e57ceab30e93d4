"""What a network is trained on: pictures varied anew each time, and the loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from .augmentation import Augmentation, moved, warped

AUXILIARY = 0.3  # weight of an auxiliary head's loss: Szegedy and others, CVPR 2015, section 5


class Normaliser:
    """From bytes to numbers with mean 0 and variance 1 over the training pictures, by channel."""

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        self.mean = torch.tensor(mean).reshape(-1, 1, 1) * 255
        self.scale = 1 / (torch.tensor(std).reshape(-1, 1, 1) * 255)

    @classmethod
    def of(cls, pictures: NDArray[np.uint8]) -> tuple[list[float], list[float]]:
        """Mean and standard deviation of each channel, from 0 to 1, of `(N, C, H, W)`."""
        counts = [np.bincount(channel.ravel(), minlength=256) for channel in
                  pictures.swapaxes(0, 1)]  # fmt: skip
        values = np.arange(256) / 255
        means = [float(np.average(values, weights=count)) for count in counts]
        variances = [
            float(np.average((values - mean) ** 2, weights=count))
            for count, mean in zip(counts, means, strict=True)
        ]
        return [round(m, 4) for m in means], [round(max(v, 1e-4) ** 0.5, 4) for v in variances]

    def __call__(self, pictures: Tensor) -> Tensor:
        """`(B, C, H, W)` uint8 -> float of the same shape."""
        return (pictures - self.mean) * self.scale


@dataclass
class ImageData:
    """`core.training.TrainingData`: pictures (B, C, H, W) float and classes (B,)."""

    pictures: Tensor  # uint8 (N, C, H, W)
    classes: Tensor  # int64 (N,)
    normalised: Normaliser
    augmentation: Augmentation

    def plan(
        self, epoch: int, batch_size: int, rng: np.random.Generator
    ) -> Sequence[Sequence[int]]:
        order = rng.permutation(len(self.classes))
        starts = range(0, len(order), batch_size)
        plan = [order[start : start + batch_size].tolist() for start in starts]
        if len(plan) > 1 and len(plan[-1]) == 1:  # of one picture, batch norm has no variance
            plan[-2:] = [plan[-2] + plan[-1]]
        return plan

    def batch(self, indices: Sequence[int], rng: np.random.Generator) -> tuple[Tensor, ...]:
        random = torch.Generator().manual_seed(int(rng.integers(2**63)))
        chosen = torch.tensor(indices)
        pictures = self.normalised(moved(self.pictures[chosen], self.augmentation, random))
        seen = warped(pictures, self.augmentation, random)
        return seen.contiguous(memory_format=torch.channels_last), self.classes[chosen]


class Loss:
    """Cross-entropy, the mean over the batch; auxiliary heads add a share of theirs."""

    def __init__(self, smoothing: float) -> None:
        self.smoothing = smoothing

    def __call__(self, model: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        pictures, classes = batch
        answers: Any = model(pictures)
        logits, *auxiliary = answers if isinstance(answers, tuple) else (answers,)
        loss = self._of(logits, classes)
        for head in auxiliary:
            loss = loss + AUXILIARY * self._of(head, classes)
        return loss

    def _of(self, logits: Tensor, classes: Tensor) -> Tensor:
        return F.cross_entropy(logits.float(), classes, label_smoothing=self.smoothing)
