"""ZFNet: AlexNet improved by looking at what its filters had learned; the contest of 2013."""

from __future__ import annotations

from torch import nn

from core.blocks import Conv, Flatten, FullyConnected, MaxPool
from core.registry import register

from .alexnet import response_norm
from .config import ImageConfig, flat_features


@register("zfnet", ImageConfig)
class ZFNet(nn.Sequential):
    """Zeiler and Fergus, "Visualizing and understanding convolutional networks", ECCV 2014.

    AlexNet, but conv1 has 7x7 filters with stride 2 instead of 11x11 with stride 4, which had
    missed the middle frequencies (figure 6), and conv3 to conv5 have 512, 1024 and 512 filters
    instead of 384, 384 and 256 (table 2). The volumes are figure 3's: 110, 55, 26, 13, 6. Top-5
    error 14.8 % (an ensemble; 11.7 % their company's entry), AlexNet's 15.3 %. 107,627,624
    parameters. `(B, channels, size, size) -> (B, classes)` logits
    """

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        self.conv1 = Conv(config.channels, 96, 7, stride=2, padding=1)
        self.pool1 = MaxPool(3, stride=2, padding=1)
        self.norm1 = response_norm()
        self.conv2 = Conv(96, 256, 5, stride=2)
        self.pool2 = MaxPool(3, stride=2, padding=1)
        self.norm2 = response_norm()
        self.conv3 = Conv(256, 512, 3, padding=1)
        self.conv4 = Conv(512, 1024, 3, padding=1)
        self.conv5 = Conv(1024, 512, 3, padding=1)
        self.pool3 = MaxPool(3, stride=2)
        features = flat_features(self, config)
        self.flatten = Flatten()
        self.dropout6 = nn.Dropout(0.5)
        self.fc6 = FullyConnected(features, 4096, "relu")
        self.dropout7 = nn.Dropout(0.5)
        self.fc7 = FullyConnected(4096, 4096, "relu")
        self.fc8 = FullyConnected(4096, config.classes)
