"""VGG: small filters, deep networks; second in the contest of 2014."""

from __future__ import annotations

from functools import partial

from torch import nn

from core.blocks import Conv, Flatten, FullyConnected, MaxPool
from core.registry import register

from .alexnet import response_norm
from .config import ImageConfig, flat_features

TABLE_1 = {
    "vgg11": "3-64 | 3-128 | 3-256 3-256 | 3-512 3-512 | 3-512 3-512",
    "vgg11-lrn": "3-64 LRN | 3-128 | 3-256 3-256 | 3-512 3-512 | 3-512 3-512",
    "vgg13": "3-64 3-64 | 3-128 3-128 | 3-256 3-256 | 3-512 3-512 | 3-512 3-512",
    "vgg16-1x1": "3-64 3-64 | 3-128 3-128 | 3-256 3-256 1-256 | 3-512 3-512 1-512"
    " | 3-512 3-512 1-512",
    "vgg16": "3-64 3-64 | 3-128 3-128 | 3-256 3-256 3-256 | 3-512 3-512 3-512 | 3-512 3-512 3-512",
    "vgg19": "3-64 3-64 | 3-128 3-128 | 3-256 3-256 3-256 3-256 | 3-512 3-512 3-512 3-512"
    " | 3-512 3-512 3-512 3-512",
}
"""The paper's configurations A, A-LRN, B, C, D, E: 3-64 is 64 filters of 3x3; | a 2x2 max pool."""


class VGG(nn.Sequential):
    """Simonyan and Zisserman, "Very deep convolutional networks", ICLR 2015, table 1.

    3x3 filters with stride 1 and padding 1 and 2x2 pools, nothing else: three layers of 3x3 see as
    much as one of 7x7, with fewer parameters (3·3²C² against 7²C²) and more nonlinearities. 133,
    133, 133, 134, 138 and 144 million parameters (table 2). Top-5 error in the contest 7.3 % (an
    ensemble), ZFNet's year 11.7 %. `(B, channels, size, size) -> (B, classes)` logits
    """

    def __init__(self, column: str, config: ImageConfig) -> None:
        super().__init__()
        channels = config.channels
        for block, layers in enumerate(column.split(" | "), 1):
            for number, layer in enumerate(layers.split(), 1):
                if layer == "LRN":
                    self.add_module(f"norm{block}", response_norm())
                    continue
                kernel, filters = map(int, layer.split("-"))
                conv = Conv(channels, filters, kernel, padding=kernel // 2)
                self.add_module(f"conv{block}_{number}", conv)
                channels = filters
            self.add_module(f"pool{block}", MaxPool(2))
        features = flat_features(self, config)
        self.flatten = Flatten()
        self.fc6 = FullyConnected(features, 4096, "relu")
        self.dropout6 = nn.Dropout(0.5)
        self.fc7 = FullyConnected(4096, 4096, "relu")
        self.dropout7 = nn.Dropout(0.5)
        self.fc8 = FullyConnected(4096, config.classes)


for _name, _column in TABLE_1.items():
    register(_name, ImageConfig)(partial(VGG, _column))
