"""SENet: a residual network that weighs its channels by what the whole picture shows.

Hu and others, "Squeeze-and-excitation networks", CVPR 2018. Input 224x224x3. At the end of each
block the channels' means (squeeze) go through two fully connected layers to a weight for each
channel (excite). For a tenth more parameters and hardly more work SE-ResNet-50 comes close to
ResNet-101. Winner of ILSVRC 2017, the last: 2.251 % top-5 error, an ensemble.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from torch import nn

from core.registry import register

from .resnet import ResNet, ResNetConfig


@dataclass(frozen=True)
class SEResNetConfig(ResNetConfig):
    reduction: int = 16  # of the channels between squeeze and excite


def _se_resnet(config: SEResNetConfig, depth: int) -> nn.Module:
    return ResNet(config, depth, config.reduction)


for _depth in (50, 101):
    register(f"se-resnet{_depth}", SEResNetConfig)(partial(_se_resnet, depth=_depth))
