"""What a CNN is set beside: no layer but the last, layers that see all, one filter for a digit.

Defaults are those for MNIST: ten digits, 28x28, grey.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from core.arithmetic import output_size
from core.blocks import Conv, Flatten, FullyConnected, GlobalMaxPool
from core.registry import register

from .config import ImageConfig


@dataclass(frozen=True)
class SoftmaxRegressionConfig(ImageConfig):
    classes: int = 10
    channels: int = 1
    size: int = 28


@register("softmax-regression", SoftmaxRegressionConfig)
class SoftmaxRegression(nn.Sequential):
    """y = softmax(Wx + b): every pixel votes for and against every class. 7,850 parameters.

    The lecture's first network for digits, 90.2 % there.
    `(B, channels, size, size) -> (B, classes)` logits; the softmax is the loss's.
    """

    def __init__(self, config: SoftmaxRegressionConfig) -> None:
        super().__init__()
        self.flatten = Flatten()
        self.output = FullyConnected(config.channels * config.size**2, config.classes)


@dataclass(frozen=True)
class FullyConnectedConfig(SoftmaxRegressionConfig):
    hidden: tuple[int, ...] = (500, 500)  # units of each hidden layer


@register("fully-connected", FullyConnectedConfig)
class FullyConnectedNetwork(nn.Sequential):
    """Three layers, 784-500-500-10, in which each neuron looks at the whole picture.

    The lecture's deep network before it comes to CNNs, 98 % there: 648,010 parameters, since
    nothing tells it that a stroke is the same stroke elsewhere.
    `(B, channels, size, size) -> (B, classes)` logits
    """

    def __init__(self, config: FullyConnectedConfig) -> None:
        super().__init__()
        widths = [config.channels * config.size**2, *config.hidden]
        self.flatten = Flatten()
        self.hidden = nn.Sequential(*(FullyConnected(a, b, "relu") for a, b in pairwise(widths)))
        self.output = FullyConnected(widths[-1], config.classes)


@dataclass(frozen=True)
class OneFilterConfig(SoftmaxRegressionConfig):
    template: int = 20  # its height and width: the box that MNIST's digits were scaled to

    def __post_init__(self) -> None:
        super().__post_init__()
        output_size(self.size, self.template)


@register("one-filter", OneFilterConfig)
class OneFilter(nn.Sequential):
    """One filter a class, as large as a digit: a template that slides over the picture.

    The class's logit is the template's best match at any place, so a shifted digit keeps its
    answer; but one template is to fit all sevens. 4,010 parameters.
    `(B, channels, size, size) -> (B, classes)` logits
    """

    def __init__(self, config: OneFilterConfig) -> None:
        super().__init__()
        self.templates = Conv(config.channels, config.classes, config.template, activation=None)
        self.best_match = GlobalMaxPool()
