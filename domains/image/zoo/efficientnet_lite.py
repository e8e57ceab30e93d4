"""EfficientNet-Lite0: the small network behind `receptive[imagenet]`.

EfficientNet-B0 (Tan and Le, "EfficientNet: rethinking model scaling for convolutional neural
networks", ICML 2019, table 1) as its authors made it fit for phones in 2020: no squeeze-excite, and
ReLU6, which is easy on 8-bit numbers, in the place of SiLU. Its block is MobileNetV2's inverted
residual: 1x1 filters make many channels of few, one filter a channel looks around, and 1x1 filters
make few of many again. 4,652,008 parameters; its authors measured 75.1 % on ImageNet.

    input 224x224x3
    3x3 conv, stride 2                    112x112x32
    1 x  inverted residual 3x3, x1        112x112x16
    2 x  inverted residual 3x3, x6        56x56x24
    2 x  inverted residual 5x5, x6        28x28x40
    3 x  inverted residual 3x3, x6        14x14x80
    3 x  inverted residual 5x5, x6        14x14x112
    4 x  inverted residual 5x5, x6        7x7x192
    1 x  inverted residual 3x3, x6        7x7x320
    1x1 conv, global average pool         1280
    fully connected                       1000
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from core.blocks import Activation, Conv, FullyConnected, GlobalAveragePool, Residual
from core.registry import register

from .config import ImageConfig

STEM, HEAD = 32, 1280  # filters of the first and of the last convolution
DROPOUT = 0.2
NORM_EPS = 1e-3  # of TensorFlow, where it was trained


class Stage(NamedTuple):
    """A row of the table; the first of its blocks has the stride."""

    layers: int
    kernel: int
    stride: int
    expansion: int  # times the channels that come in
    filters: int


STAGES = (
    Stage(1, kernel=3, stride=1, expansion=1, filters=16),
    Stage(2, kernel=3, stride=2, expansion=6, filters=24),
    Stage(2, kernel=5, stride=2, expansion=6, filters=40),
    Stage(3, kernel=3, stride=2, expansion=6, filters=80),
    Stage(3, kernel=5, stride=1, expansion=6, filters=112),
    Stage(4, kernel=5, stride=2, expansion=6, filters=192),
    Stage(1, kernel=3, stride=1, expansion=6, filters=320),
)


@register("efficientnet-lite0", ImageConfig)
class EfficientNetLite0(nn.Sequential):
    """`(B, channels, size, size) -> (B, classes)` logits. Any size will do."""

    def __init__(self, config: ImageConfig) -> None:
        layers = OrderedDict[str, nn.Module](stem=_conv(config.channels, STEM, 3, stride=2))
        channels = STEM
        for number, stage in enumerate(STAGES, 1):
            blocks = nn.Sequential()
            for n in range(stage.layers):
                blocks.append(_block(channels, stage, stage.stride if n == 0 else 1))
                channels = stage.filters
            layers[f"stage{number}"] = blocks
        layers["head"] = _conv(channels, HEAD)
        layers["pool"] = GlobalAveragePool()
        layers["dropout"] = nn.Dropout(DROPOUT)
        layers["fc"] = FullyConnected(HEAD, config.classes)
        super().__init__(layers)


class SamePadding(nn.Module):
    """Zeros around a picture, as many as make N/S of N, rounded up; the odd one goes to the end.

    `(B, C, H, W) -> (B, C, H', W')`. TensorFlow's padding "SAME": with stride 2 on an even N it has
    one zero less at the beginning than Conv's, which is the same at both ends.
    """

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        (top, bottom), (left, right) = map(self.ends, x.shape[2:])
        return F.pad(x, (left, right, top, bottom))

    def ends(self, n: int) -> tuple[int, int]:
        """Zeros before and after an axis that is n long."""
        outputs = -(-n // self.stride)
        zeros = max((outputs - 1) * self.stride + self.kernel - n, 0)
        return zeros // 2, zeros - zeros // 2


def _block(channels: int, stage: Stage, stride: int) -> nn.Module:
    """An inverted residual, without activation where the channels are few.

    Sandler and others, "MobileNetV2", CVPR 2018, section 3.3.
    """
    wide = channels * stage.expansion
    layers = OrderedDict[str, nn.Module]()
    if stage.expansion > 1:
        layers["expand"] = _conv(channels, wide)
    layers["depthwise"] = _conv(wide, wide, stage.kernel, stride=stride, groups=wide)
    layers["project"] = _conv(wide, stage.filters, activation=None)
    body = nn.Sequential(layers)
    adds = stride == 1 and channels == stage.filters
    return Residual(body, activation=None) if adds else body


def _conv(
    before: int,
    after: int,
    kernel: int = 1,
    *,
    stride: int = 1,
    groups: int = 1,
    activation: Activation | None = "relu6",
) -> nn.Module:
    conv = partial(
        Conv, before, after, kernel, stride=stride, groups=groups, norm=True, eps=NORM_EPS,
        activation=activation,
    )  # fmt: skip
    if stride == 1:
        return conv(padding=kernel // 2)
    return nn.Sequential(OrderedDict(pad=SamePadding(kernel, stride), conv=conv()))
