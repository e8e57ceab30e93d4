"""ResNet: each block learns what to add to its input, so that 152 layers train as well as 18.

He and others, "Deep residual learning for image recognition", CVPR 2016. Input 224x224x3. A plain
network of 56 layers had a larger error than one of 20, on the training set too; with a shortcut
around every two or three convolutions the deeper is the better. Batch norm after every convolution;
no fully connected layer but the last. Winner of ILSVRC 2015: 3.57 % top-5 error, an ensemble; one
ResNet-152 4.49 % on the validation set.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import partial

from torch import nn

from core.blocks import Conv, FullyConnected, GlobalAveragePool, MaxPool, Residual, SqueezeExcite
from core.errors import InputError
from core.registry import register

from .config import ImageConfig

BLOCKS = {  # table 1: blocks in conv2_x to conv5_x
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
STAGES = {"conv2_x": 64, "conv3_x": 128, "conv4_x": 256, "conv5_x": 512}  # width of the 3x3 filters
FIRST_WITH_BOTTLENECKS = 50


@dataclass(frozen=True)
class ResNetConfig(ImageConfig):
    stride_in: str = "3x3"  # which filters of a bottleneck halve the map: 1x1 in the paper

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stride_in not in ("1x1", "3x3"):
            raise InputError(f"stride_in cannot be {self.stride_in!r}: 1x1, 3x3")


class ResNet(nn.Sequential):
    """Table 1: `(B, channels, size, size) -> (B, classes)` logits.

    Where a stage begins, its first block halves the map (but in conv2_x, behind the pooling), and a
    1x1 projection takes the shortcut to the new size. The published weights of today have that
    stride in the 3x3 filters; the paper in the first 1x1, which skips three quarters of the map.

    With `reduction`, every block weighs its channels before it adds: see `senet`.
    """

    def __init__(self, config: ResNetConfig, depth: int, reduction: int | None = None) -> None:
        bottleneck = depth >= FIRST_WITH_BOTTLENECKS
        layers = OrderedDict[str, nn.Module](
            conv1=Conv(config.channels, 64, 7, stride=2, padding=3, norm=True),
            pool1=MaxPool(3, 2, padding=1),
        )
        before = 64
        for (name, width), blocks in zip(STAGES.items(), BLOCKS[depth], strict=True):
            after = 4 * width if bottleneck else width
            stage = nn.Sequential()
            for number in range(blocks):
                stride = 2 if number == 0 and name != "conv2_x" else 1
                body = (
                    _bottleneck(before, width, stride, config.stride_in)
                    if bottleneck
                    else _basic(before, width, stride)
                )
                if reduction:
                    body.append(SqueezeExcite(after, reduction))
                changes = stride != 1 or before != after
                stage.append(
                    Residual(
                        body,
                        Conv(before, after, 1, stride=stride, norm=True, activation=None)
                        if changes
                        else None,
                    )
                )
                before = after
            layers[name] = stage
        layers["pool5"] = GlobalAveragePool()
        layers["fc"] = FullyConnected(before, config.classes)
        super().__init__(layers)


def _basic(before: int, width: int, stride: int) -> nn.Sequential:
    """Figure 5, left: two 3x3."""
    return nn.Sequential(
        Conv(before, width, 3, stride=stride, padding=1, norm=True),
        Conv(width, width, 3, padding=1, norm=True, activation=None),
    )


def _bottleneck(before: int, width: int, stride: int, stride_in: str) -> nn.Sequential:
    """Figure 5, right: 1x1 to few channels, 3x3 on those, 1x1 to four times as many."""
    first, second = (stride, 1) if stride_in == "1x1" else (1, stride)
    return nn.Sequential(
        Conv(before, width, 1, stride=first, norm=True),
        Conv(width, width, 3, stride=second, padding=1, norm=True),
        Conv(width, 4 * width, 1, norm=True, activation=None),
    )


for _depth in BLOCKS:
    register(f"resnet{_depth}", ResNetConfig)(partial(ResNet, depth=_depth))
