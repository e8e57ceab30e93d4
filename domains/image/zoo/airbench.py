"""A small network that learns fast: Jordan, "94% on CIFAR-10 in 3.29 seconds", arXiv:2404.00498.

What makes it fast: its first filters need not be learned. They whiten the picture (section 3.1):
the 2x2 patches of the training pictures are turned to their principal components, each with the
same variance, and each together with its negative, as an activation cuts off one side. And every
later filter begins as the identity (section 3.2), so depth costs nothing at the start.

    whiten  2x2         N -> N - 1
    3 x     3x3 conv, 2x2 max pool, batch norm, SiLU, 3x3 conv, batch norm, SiLU
    max pool over what is left, fully connected
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.blocks import Conv, FullyConnected, GlobalMaxPool, MaxPool
from core.errors import InputError
from core.registry import register

from .config import ImageConfig

WHITENING = 2  # pixels along a side of a patch
QUIET = 5e-4  # added to a component's variance, of pixels whose own is about 1
SCALE = 1 / 9  # of the logits, so that training begins with a small loss


@dataclass(frozen=True)
class AirbenchConfig(ImageConfig):
    classes: int = 10
    size: int = 32
    widths: tuple[int, ...] = (64, 256, 256)  # filters of the groups

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.widths or min(self.widths) < 1:
            raise InputError(f"widths cannot be {list(self.widths)}")
        if self.size <= 2 ** len(self.widths):
            raise InputError(f"{len(self.widths)} groups cannot halve {self.size} pixels")


@register("airbench", AirbenchConfig)
class Airbench(nn.Module):
    """`(B, channels, size, size) -> (B, classes)` logits."""

    def __init__(self, config: AirbenchConfig) -> None:
        super().__init__()
        patch = config.channels * WHITENING**2
        self.whiten = Conv(config.channels, 2 * patch, WHITENING, activation="silu")
        self.whiten.conv.weight.requires_grad_(False)
        widths = (2 * patch, *config.widths)
        self.groups = nn.Sequential(
            *(_group(before, after) for before, after in zip(widths, config.widths, strict=False))
        )
        self.pool = GlobalMaxPool()
        self.head = FullyConnected(widths[-1], config.classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.groups(self.whiten(x))  # (B, widths[-1], size / 2^groups, …)
        logits: Tensor = self.head(self.pool(x))
        return logits * SCALE

    @torch.no_grad()
    def prepare(self, pictures: Tensor) -> None:
        """Makes the first filters whiten pictures like these, `(N, channels, H, W)`."""
        filters = self.whiten.conv.weight
        patch = filters[0].numel()
        products, places = torch.zeros(patch, patch, dtype=torch.float64), 0
        for batch in torch.split(pictures, 64):
            seen = nn.functional.unfold(batch, WHITENING).transpose(0, 1).flatten(1).double()
            products += seen @ seen.T  # (patch, patch)
            places += seen.shape[1]
        variances, components = torch.linalg.eigh(products / places)
        whitening = (components / (variances + QUIET).sqrt()).T.reshape(-1, *filters.shape[1:])
        filters.copy_(torch.cat([whitening, -whitening]))


def _group(before: int, after: int) -> nn.Sequential:
    group = nn.Sequential(
        Conv(before, after, 3, padding=1, bias=False, activation=None),
        MaxPool(2),
        _norm(after),
        Conv(after, after, 3, padding=1, bias=False, activation=None),
        _norm(after),
    )
    for layer in group:
        if isinstance(layer, Conv):
            filters = layer.conv.weight
            nn.init.dirac_(filters.data[: min(filters.shape[:2])])
    return group


def _norm(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(channels), nn.SiLU())
