"""The lecture's first CNN: two convolutions for MNIST, written in Keras there."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from core.blocks import Conv, Flatten, FullyConnected, MaxPool
from core.registry import register

from .config import ImageConfig, flat_features


@dataclass(frozen=True)
class KerasMNISTConfig(ImageConfig):
    classes: int = 10
    channels: int = 1
    size: int = 28


@register("keras-mnist", KerasMNISTConfig)
class KerasMNIST(nn.Sequential):
    """28x28 -> 25 maps of 26x26 -> 13x13 -> 50 of 11x11 -> 5x5 -> 1250 -> 100 -> 10.

    The slide's question: how many parameters has each filter? 3x3 = 9 in the first layer, and
    25x9 = 225 in the second, as a filter is as deep as its input (and a bias each). 137,660 in all.
    `(B, channels, size, size) -> (B, classes)` logits
    """

    def __init__(self, config: KerasMNISTConfig) -> None:
        super().__init__()
        self.conv1 = Conv(config.channels, 25, 3)
        self.pool1 = MaxPool(2)
        self.conv2 = Conv(25, 50, 3)
        self.pool2 = MaxPool(2)
        features = flat_features(self, config)
        self.flatten = Flatten()
        self.hidden = FullyConnected(features, 100, "relu")
        self.output = FullyConnected(100, config.classes)
