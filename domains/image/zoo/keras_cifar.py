"""Keras's example for CIFAR-10: ten kinds of objects in pictures of 32x32."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from core.blocks import Conv, Flatten, FullyConnected, MaxPool
from core.registry import register

from .config import ImageConfig, flat_features


@dataclass(frozen=True)
class KerasCIFARConfig(ImageConfig):
    classes: int = 10
    size: int = 32


@register("keras-cifar", KerasCIFARConfig)
class KerasCIFAR(nn.Sequential):
    """Conv, conv, pool, dropout, twice; then fully connected: `cifar10_cnn.py` of Keras.

    Each pair of 3x3 filters sees 5x5 before it is pooled; the first of a pair is padded to keep the
    size. 1,250,858 parameters, 1,180,160 of them in the hidden layer.
    `(B, channels, size, size) -> (B, classes)` logits
    """

    def __init__(self, config: KerasCIFARConfig) -> None:
        super().__init__()
        self.conv1 = Conv(config.channels, 32, 3, padding=1)
        self.conv2 = Conv(32, 32, 3)
        self.pool1 = MaxPool(2)
        self.dropout1 = nn.Dropout(0.25)
        self.conv3 = Conv(32, 64, 3, padding=1)
        self.conv4 = Conv(64, 64, 3)
        self.pool2 = MaxPool(2)
        self.dropout2 = nn.Dropout(0.25)
        features = flat_features(self, config)
        self.flatten = Flatten()
        self.hidden = FullyConnected(features, 512, "relu")
        self.dropout3 = nn.Dropout(0.5)
        self.output = FullyConnected(512, config.classes)
