"""GoogLeNet: modules that look through filters of several sizes at once, 22 layers deep.

Szegedy and others, "Going deeper with convolutions", CVPR 2015. Input 224x224x3. An Inception
module runs 1x1, 3x3 and 5x5 filters and a pooling side by side; cheap 1x1 filters first bring the
number of channels down. No fully connected layer but the last: 7 M parameters, a ninth of those of
AlexNet, and 1.5 billion multiply-adds. Two auxiliary heads bring the gradient to the lower layers;
they serve in training only, each with weight 0.3 in the loss. Winner of ILSVRC 2014: 6.67 % top-5
error, an ensemble; 10.07 % one network on one crop.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn

from core.blocks import (
    AveragePool,
    Branches,
    Conv,
    Flatten,
    FullyConnected,
    GlobalAveragePool,
    MaxPool,
)
from core.errors import InputError
from core.registry import register

from .config import ImageConfig

TABLE_1: dict[str, tuple[int, ...] | None] = {
    #                1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool proj
    "inception_3a": (64, 96, 128, 16, 32, 32),
    "inception_3b": (128, 128, 192, 32, 96, 64),
    "pool3": None,
    "inception_4a": (192, 96, 208, 16, 48, 64),
    "inception_4b": (160, 112, 224, 24, 64, 64),
    "inception_4c": (128, 128, 256, 24, 64, 64),
    "inception_4d": (112, 144, 288, 32, 64, 64),
    "inception_4e": (256, 160, 320, 32, 128, 128),
    "pool4": None,
    "inception_5a": (256, 160, 320, 32, 128, 128),
    "inception_5b": (384, 192, 384, 48, 128, 128),
}
AUXILIARY = {"inception_4a": 512, "inception_4d": 528}  # channels that a head sees
SMALLEST, SMALLEST_WITH_HEADS = 31, 79


@dataclass(frozen=True)
class GoogLeNetConfig(ImageConfig):
    auxiliary: bool = True  # heads for training

    def __post_init__(self) -> None:
        super().__post_init__()
        smallest = SMALLEST_WITH_HEADS if self.auxiliary else SMALLEST
        if self.size < smallest:
            raise InputError(
                f"size cannot be {self.size}: too little for GoogLeNet, at least {smallest}"
            )


class WithHeads(nn.Module):
    """Layers in order, with auxiliary classifiers behind some: `heads`, by the layer's name.

    `(B, channels, size, size) -> (B, classes)` logits; in training a tuple of the logits and those
    of every head, in order.
    """

    def __init__(self, layers: OrderedDict[str, nn.Module], heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.layers = nn.Sequential(layers)
        self.heads = nn.ModuleDict(heads)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        auxiliary: list[Tensor] = []
        for name, layer in self.layers.named_children():
            x = layer(x)
            if self.training and name in self.heads:
                auxiliary.append(self.heads[name](x))
        return (x, *auxiliary) if auxiliary else x


class GoogLeNet(WithHeads):
    """Table 1.

    Without `norm`: the paper's, with local response normalisation near the input.
    With `norm`: batch norm after every convolution (Ioffe and Szegedy, ICML 2015), and as in the
    published weights of today 3x3 filters where the paper has 5x5, and 2x2 in the last pooling.
    """

    def __init__(self, config: GoogLeNetConfig, norm: bool) -> None:
        conv = partial(Conv, norm=norm, eps=1e-3)
        layers = OrderedDict[str, nn.Module](
            conv1=conv(config.channels, 64, 7, stride=2, padding=3),
            pool1=MaxPool(3, 2, ceil=True),
            norm1=nn.Identity() if norm else nn.LocalResponseNorm(5),
            conv2_reduce=conv(64, 64, 1),
            conv2=conv(64, 192, 3, padding=1),
            norm2=nn.Identity() if norm else nn.LocalResponseNorm(5),
            pool2=MaxPool(3, 2, ceil=True),
        )
        before = 192
        for name, widths in TABLE_1.items():
            if widths is None:
                layers[name] = MaxPool(2 if norm and name == "pool4" else 3, 2, ceil=True)
            else:
                layers[name] = _inception(before, widths, 3 if norm else 5, conv)
                before = widths[0] + widths[2] + widths[4] + widths[5]
        layers["pool5"] = GlobalAveragePool()
        layers["dropout"] = nn.Dropout(0.4)
        layers["fc"] = FullyConnected(before, config.classes)
        side = (config.size + 1) // 16  # of the maps 4a to 4e
        heads = AUXILIARY if config.auxiliary else {}
        super().__init__(
            layers,
            {name: _head(depth, side, config.classes, conv) for name, depth in heads.items()},
        )


def _inception(before: int, widths: tuple[int, ...], large: int, conv: partial[Conv]) -> Branches:
    """Figure 2b. `(B, before, N, N) -> (B, 1x1 + 3x3 + 5x5 + pool proj, N, N)`"""
    one, reduce_3, three, reduce_5, five, projection = widths
    return Branches(
        [
            conv(before, one, 1),
            nn.Sequential(conv(before, reduce_3, 1), conv(reduce_3, three, 3, padding=1)),
            nn.Sequential(
                conv(before, reduce_5, 1), conv(reduce_5, five, large, padding=large // 2)
            ),
            nn.Sequential(MaxPool(3, 1, padding=1), conv(before, projection, 1)),
        ]
    )


def _head(before: int, side: int, classes: int, conv: partial[Conv]) -> nn.Sequential:
    """Section 5. `(B, before, side, side) -> (B, classes)` logits"""
    pooled = (side - 5) // 3 + 1
    return nn.Sequential(
        AveragePool(5, 3),
        conv(before, 128, 1),
        Flatten(),
        FullyConnected(128 * pooled**2, 1024, "relu"),
        nn.Dropout(0.7),
        FullyConnected(1024, classes),
    )


register("googlenet", GoogLeNetConfig)(partial(GoogLeNet, norm=False))
register("googlenet-bn", GoogLeNetConfig)(partial(GoogLeNet, norm=True))
