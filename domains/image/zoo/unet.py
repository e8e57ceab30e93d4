"""U-Net: a class for every pixel, from a way down that sees much and a way up that is precise.

Ronneberger and others, "U-Net: Convolutional networks for biomedical image segmentation", MICCAI
2015, figure 1. Input 572x572x1, output 388x388x2. On the way down the map halves and the channels
double; on the way up it is the other way round, and each level also gets the map that the way down
had at its size. No padding: a pixel is only judged where all that it depends on was seen. Won the
ISBI cell tracking challenge of 2015 on two of its sets, trained on 35 and 20 pictures and on
deformed copies of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.arithmetic import output_size
from core.blocks import Conv, MaxPool, TransposedConv
from core.errors import InputError
from core.registry import register

from .config import ImageConfig


@dataclass(frozen=True)
class UNetConfig(ImageConfig):
    """Raises InputError for a size that a pooling would not halve, or that leaves no output."""

    classes: int = 2
    channels: int = 1
    size: int = 572
    width: int = 64  # channels of the first level; each level below has twice as many
    depth: int = 4  # poolings
    padded: bool = False  # then the output is as large as the input
    norm: bool = False  # batch norm after every 3x3 convolution
    dropout: float = 0.5  # at the end of the way down

    def __post_init__(self) -> None:
        super().__post_init__()
        padding, n = int(self.padded), self.size
        try:
            for level in range(2 * self.depth + 1):
                n = output_size(output_size(n, 3, padding), 3, padding)
                if level < self.depth:
                    n = output_size(n, 2, s=2)
                elif level < 2 * self.depth:
                    n *= 2
        except InputError as error:
            raise InputError(f"size cannot be {self.size}: {error}") from None


@register("unet", UNetConfig)
class UNet(nn.Module):
    """Figure 1: `(B, channels, size, size) -> (B, classes, size', size')` logits.

    size' is size with `padded`, else what is left: 388 of 572.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        widths = [config.width * 2**level for level in range(config.depth + 1)]
        before = [config.channels, *widths]

        def two_convolutions(level: int, channels: int) -> nn.Sequential:
            padding, after = int(config.padded), widths[level]
            return nn.Sequential(
                Conv(channels, after, 3, padding=padding, norm=config.norm),
                Conv(after, after, 3, padding=padding, norm=config.norm),
            )

        levels = range(config.depth)
        self.down = nn.ModuleList(two_convolutions(level, before[level]) for level in levels)
        self.pool = MaxPool(2)
        self.bottom = two_convolutions(config.depth, before[config.depth])
        self.dropout = nn.Dropout(config.dropout)
        self.enlarge = nn.ModuleList(
            TransposedConv(2 * widths[level], widths[level], 2, stride=2, activation=None)
            for level in reversed(levels)
        )
        self.up = nn.ModuleList(
            two_convolutions(level, 2 * widths[level]) for level in reversed(levels)
        )
        self.classify = Conv(config.width, config.classes, 1, activation=None)

    def forward(self, x: Tensor) -> Tensor:
        passed = []
        for convolve in self.down:
            x = convolve(x)
            passed.append(x)
            x = self.pool(x)
        x = self.dropout(self.bottom(x))
        for enlarge, convolve in zip(self.enlarge, self.up, strict=True):
            x = enlarge(x)
            x = convolve(torch.cat([centre(passed.pop(), x.shape[2]), x], 1))
        logits: Tensor = self.classify(x)
        return logits


def centre(x: Tensor, size: int) -> Tensor:
    """The middle of a map. `(B, C, N, N) -> (B, C, size, size)`"""
    start = (x.shape[2] - size) // 2
    return x[:, :, start : start + size, start : start + size]
