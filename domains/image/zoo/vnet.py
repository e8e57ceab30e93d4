"""V-Net: a class for every voxel of a volume.

Milletari and others, "V-Net: Fully convolutional neural networks for volumetric medical image
segmentation", 3DV 2016, figure 2. Input 128x128x64 voxels of a magnetic resonance scan, output two
volumes as large: prostate and background. U-Net's shape with filters of 5x5x5, residual stages, and
strided convolutions in place of pooling; trained on the overlap (Dice) itself, since most voxels
are background. 0.869 Dice on the PROMISE 2012 challenge, a second a volume.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from core.blocks import Conv, Residual, TransposedConv
from core.errors import InputError
from core.registry import register

from .config import ImageConfig

CONVOLUTIONS = (1, 2, 3, 3, 3)  # in a stage: L1 to L5; R4 to R1 as on the left


@dataclass(frozen=True)
class VNetConfig(ImageConfig):
    """Raises InputError for a volume that cannot be halved four times."""

    classes: int = 2
    channels: int = 1
    size: int = 128
    slices: int = 64
    width: int = 16  # channels of stage 1; each stage below has twice as many

    def __post_init__(self) -> None:
        super().__post_init__()
        times = 2 ** (len(CONVOLUTIONS) - 1)
        for name, n in (("size", self.size), ("slices", self.slices)):
            if n % times:
                raise InputError(f"{name} cannot be {n}: no multiple of {times}")


@register("vnet", VNetConfig)
class VNet(nn.Module):
    """Figure 2: `(B, channels, slices, size, size) -> (B, classes, slices, size, size)` logits."""

    def __init__(self, config: VNetConfig) -> None:
        super().__init__()
        widths = [config.width * 2**stage for stage in range(len(CONVOLUTIONS))]
        stages = list(zip(widths, CONVOLUTIONS, strict=True))
        first = Conv(config.channels, config.width, 5, padding=2, dims=3, activation=None)
        # One channel is simply added to each of the sixteen.
        shortcut = None if config.channels == 1 else _one_by_one(config.channels, config.width)
        self.left = nn.ModuleList(
            [
                Residual(first, shortcut, "prelu"),
                *(_stage(width, number) for width, number in stages[1:]),
            ]
        )
        self.shrink = nn.ModuleList(
            Conv(width, 2 * width, 2, stride=2, dims=3, activation="prelu") for width in widths[:-1]
        )
        right = [2 * width for width in reversed(widths[:-1])]  # half from below, half passed over
        self.enlarge = nn.ModuleList(
            TransposedConv(before, after // 2, 2, stride=2, dims=3, activation="prelu")
            for before, after in pairwise([widths[-1], *right])
        )
        self.right = nn.ModuleList(
            _stage(width, number)
            for width, number in zip(right, reversed(CONVOLUTIONS[:-1]), strict=True)
        )
        self.classify = _one_by_one(right[-1], config.classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.left[0](x)
        passed = []
        for shrink, stage in zip(self.shrink, self.left[1:], strict=True):
            passed.append(x)
            x = stage(shrink(x))
        for enlarge, stage in zip(self.enlarge, self.right, strict=True):
            x = stage(torch.cat([enlarge(x), passed.pop()], 1))
        logits: Tensor = self.classify(x)
        return logits


def _stage(width: int, number: int) -> Residual:
    """Convolutions that learn what to add to the stage's input."""
    body = nn.Sequential(
        *(
            Conv(width, width, 5, padding=2, dims=3, activation="prelu" if more else None)
            for more in reversed(range(number))
        )
    )
    return Residual(body, activation="prelu")


def _one_by_one(before: int, after: int) -> Conv:
    return Conv(before, after, 1, dims=3, activation=None)
