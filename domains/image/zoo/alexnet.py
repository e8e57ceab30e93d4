"""AlexNet: the network that won ImageNet's contest of 2012, and the field with it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from core.blocks import Conv, Flatten, FullyConnected, MaxPool
from core.registry import register

from .config import ImageConfig, flat_features


@dataclass(frozen=True)
class AlexNetConfig(ImageConfig):
    size: int = 227  # the paper says 224, on which 11x11 filters with stride 4 don't come out even


@register("alexnet", AlexNetConfig)
class AlexNet(nn.Sequential):
    """Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural
    networks", NIPS 2012, figure 2, in one column instead of one for each of two GPUs.

    First use of ReLU; normalisation layers (rare since); heavy augmentation; dropout 0.5. Top-5
    error in the contest: 18.2 % alone, 15.3 % an ensemble of seven, 26.2 % the runner-up.
    62,378,344 parameters, 58,631,144 of them fully connected.
    `(B, channels, size, size) -> (B, classes)` logits
    """

    def __init__(self, config: AlexNetConfig) -> None:
        super().__init__()
        self.conv1 = Conv(config.channels, 96, 11, stride=4)
        self.pool1 = MaxPool(3, stride=2)
        self.norm1 = response_norm()
        self.conv2 = Conv(96, 256, 5, padding=2)
        self.pool2 = MaxPool(3, stride=2)
        self.norm2 = response_norm()
        self.conv3 = Conv(256, 384, 3, padding=1)
        self.conv4 = Conv(384, 384, 3, padding=1)
        self.conv5 = Conv(384, 256, 3, padding=1)
        self.pool3 = MaxPool(3, stride=2)
        features = flat_features(self, config)
        self.flatten = Flatten()
        self.dropout6 = nn.Dropout(0.5)
        self.fc6 = FullyConnected(features, 4096, "relu")
        self.dropout7 = nn.Dropout(0.5)
        self.fc7 = FullyConnected(4096, 4096, "relu")
        self.fc8 = FullyConnected(4096, config.classes)


def response_norm() -> nn.LocalResponseNorm:
    """b = a / (2 + 1e-4 * sum of a² over five neighbouring channels)^0.75: section 3.3.

    torch takes the mean of the five where the paper takes the sum, hence 5e-4.
    """
    return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2)


@register("alexnet-2014", ImageConfig)
class AlexNet2014(nn.Sequential):
    """Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014.

    Fewer filters in the first two layers, no normalisation: the AlexNet whose ImageNet weights
    torchvision publishes. 61,100,840 parameters.
    `(B, channels, size, size) -> (B, classes)` logits
    """

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        self.conv1 = Conv(config.channels, 64, 11, stride=4, padding=2)
        self.pool1 = MaxPool(3, stride=2)
        self.conv2 = Conv(64, 192, 5, padding=2)
        self.pool2 = MaxPool(3, stride=2)
        self.conv3 = Conv(192, 384, 3, padding=1)
        self.conv4 = Conv(384, 256, 3, padding=1)
        self.conv5 = Conv(256, 256, 3, padding=1)
        self.pool3 = MaxPool(3, stride=2)
        features = flat_features(self, config)
        self.flatten = Flatten()
        self.dropout6 = nn.Dropout(0.5)
        self.fc6 = FullyConnected(features, 4096, "relu")
        self.dropout7 = nn.Dropout(0.5)
        self.fc7 = FullyConnected(4096, 4096, "relu")
        self.fc8 = FullyConnected(4096, config.classes)
