"""LeNet-5: the first CNN in daily use, on the digits of millions of cheques."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import nn

from core.blocks import AveragePool, Conv, Flatten, FullyConnected
from core.registry import register

from .config import ImageConfig, flat_features

FIELD = 32  # the paper's digits, 20x20, lie in the middle of 32x32


@dataclass(frozen=True)
class LeNet5Config(ImageConfig):
    classes: int = 10
    channels: int = 1
    size: int = FIELD  # a smaller picture, as MNIST's 28x28, is padded to it, or to 33


@register("lenet5", LeNet5Config)
class LeNet5(nn.Sequential):
    """LeCun and others, "Gradient-based learning applied to document recognition", 1998, figure 2.

    Conv, subsample, conv, subsample, conv, then fully connected: 5x5 filters with stride 1, 2x2
    windows with stride 2, tanh. 0.95 % of MNIST's test digits were wrong, 0.8 % with distortions.

    As it is taught today: C3 joins all maps of S2, where the paper's table I leaves some out; S2
    and S4 plainly average, without the paper's coefficient and bias a map; and the output is
    linear instead of distances to drawings of the characters. That makes 61,706 parameters of the
    paper's 60,000. `(B, channels, size, size) -> (B, classes)` logits
    """

    def __init__(self, config: LeNet5Config) -> None:
        super().__init__()
        border = math.ceil(max(FIELD - config.size, 0) / 2)
        self.c1 = Conv(config.channels, 6, 5, padding=border, activation="tanh")
        self.s2 = AveragePool(2)
        self.c3 = Conv(6, 16, 5, activation="tanh")
        self.s4 = AveragePool(2)
        self.c5 = Conv(16, 120, 5, activation="tanh")
        features = flat_features(self, config)
        self.flatten = Flatten()
        self.f6 = FullyConnected(features, 84, "tanh")
        self.output = FullyConnected(84, config.classes)
