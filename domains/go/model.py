"""The policy networks: AlphaGo's, what the lecture notes compare it with, and the one we release.

Every network maps planes to logits, `(B, planes, size, size) float -> (B, size * size)`: one number
a point, row by row from the top, as high as an expert is likely to play there. There is no pooling:
on a picture, dropping every other row keeps the object; on a Go board it changes the position.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from core.blocks import Conv, Flatten, FullyConnected, PositionBias, Residual, SqueezeExcite
from core.errors import InputError
from core.registry import register

PLANES = (1, 48)  # the single plane, or those of `features`


@dataclass(frozen=True)
class PolicyConfig:
    """What all policy networks have in common."""

    planes: int = 48
    size: int = 19  # of the board that it is trained on

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 1:
                raise InputError(f"{name} cannot be {value}")
        if self.planes not in PLANES:
            raise InputError(f"planes cannot be {self.planes}: 1 or 48")


@dataclass(frozen=True)
class AlphaGoConfig(PolicyConfig):
    filters: int = 192  # k: the paper has 128, 192, 256 and 384
    layers: int = 12  # with 3x3 filters and the 5x5 one; the 1x1 one comes on top


@register("alphago", AlphaGoConfig)
class AlphaGo(nn.Sequential):
    """Silver and others, Nature 2016, Methods, "Neural network architecture".

    Zero padding to 23x23 and k filters of 5x5, then to 21x21 and k of 3x3 in layers 2 to 12, then
    one 1x1 filter with a bias for each position. k = 192 has 3,882,793 parameters.
    """

    def __init__(self, config: AlphaGoConfig) -> None:
        k = config.filters
        super().__init__(
            Conv(config.planes, k, 5, padding=2),
            *(Conv(k, k, 3, padding=1) for _ in range(config.layers - 1)),
            Conv(k, 1, 1, bias=False, activation=None),
            Flatten(),
            PositionBias(config.size**2),
        )


@dataclass(frozen=True)
class GoFullyConnectedConfig(PolicyConfig):
    planes: int = 1
    hidden: int = 1024  # units of a hidden layer
    layers: int = 3  # hidden ones


@register("go-fully-connected", GoFullyConnectedConfig)
class GoFullyConnected(nn.Sequential):
    """The board as a vector: the network that the lecture notes set beside the CNN.

    It must learn each pattern anew at each place.
    """

    def __init__(self, config: GoFullyConnectedConfig) -> None:
        points = config.size**2
        widths = [config.planes * points, *[config.hidden] * config.layers]
        super().__init__(
            Flatten(),
            *(FullyConnected(a, b, "relu") for a, b in pairwise(widths)),
            FullyConnected(widths[-1], points),
        )


@dataclass(frozen=True)
class PolicyResNetConfig(PolicyConfig):
    filters: int = 96
    blocks: int = 5  # of two layers each
    reduction: int = 8  # of squeeze-excite: it lets each point know of the whole board


@register("policy-resnet", PolicyResNetConfig)
class PolicyResNet(nn.Sequential):
    """A residual network with batch norm, and squeeze-excite at the end of each block's body.

    He and others, CVPR 2016; for Go Cazenave, "Residual networks for computer Go", 2018; Hu and
    others, CVPR 2018. Nothing in it belongs to a position or a size: it plays on any board.
    """

    def __init__(self, config: PolicyResNetConfig) -> None:
        k = config.filters
        super().__init__(
            Conv(config.planes, k, 3, padding=1, norm=True),
            *(_block(k, config.reduction) for _ in range(config.blocks)),
            Conv(k, 1, 1, activation=None),
            Flatten(),
        )


def _block(filters: int, reduction: int) -> Residual:
    return Residual(
        nn.Sequential(
            Conv(filters, filters, 3, padding=1, norm=True),
            Conv(filters, filters, 3, padding=1, norm=True, activation=None),
            SqueezeExcite(filters, reduction),
        )
    )


def plays_any_size(architecture: str) -> bool:
    """Whether a network of this architecture answers on boards that it was not trained on."""
    return architecture == "policy-resnet"


def example_inputs(config: Mapping[str, Any]) -> tuple[Tensor, ...]:
    """One empty board, for summaries and exports."""
    size = config.get("size", 19)
    return (torch.zeros(1, config.get("planes", 48), size, size),)
