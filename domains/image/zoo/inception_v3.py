"""Inception v3: large filters replaced by several small and flat ones.

Szegedy and others, "Rethinking the Inception architecture for computer vision", CVPR 2016. Input
299x299x3. A 5x5 filter is two 3x3 (28 % less work), a 7x7 is a 1x7 and a 7x1; maps shrink in a
convolution and a pooling side by side; batch norm everywhere, in the auxiliary head too; label
smoothing. 5 billion multiply-adds, 24 M parameters. 5.6 % top-5 error, one network on one crop;
3.58 % an ensemble.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import partial

from torch import nn

from core.blocks import AveragePool, Branches, Conv, FullyConnected, GlobalAveragePool, MaxPool
from core.errors import InputError
from core.registry import register

from .config import ImageConfig
from .googlenet import WithHeads

SMALLEST, SMALLEST_WITH_HEAD = 75, 299
conv = partial(Conv, norm=True, eps=1e-3)


@dataclass(frozen=True)
class InceptionV3Config(ImageConfig):
    size: int = 299
    auxiliary: bool = True  # a head for training

    def __post_init__(self) -> None:
        super().__post_init__()
        smallest = SMALLEST_WITH_HEAD if self.auxiliary else SMALLEST
        if self.size < smallest:
            raise InputError(
                f"size cannot be {self.size}: too little for Inception v3, at least {smallest}"
            )


@register("inception-v3", InceptionV3Config)
class InceptionV3(WithHeads):
    """Table 1, as in the published weights: a 1x1 convolution and a pooling before the modules."""

    def __init__(self, config: InceptionV3Config) -> None:
        layers = OrderedDict[str, nn.Module](
            conv1=conv(config.channels, 32, 3, stride=2),
            conv2=conv(32, 32, 3),
            conv3=conv(32, 64, 3, padding=1),
            pool1=MaxPool(3, 2),
            conv4=conv(64, 80, 1),
            conv5=conv(80, 192, 3),
            pool2=MaxPool(3, 2),
            inception_5b=_two_3x3(192, 32),
            inception_5c=_two_3x3(256, 64),
            inception_5d=_two_3x3(288, 64),
            inception_6a=_to_17(288),
            inception_6b=_flat_7x7(128),
            inception_6c=_flat_7x7(160),
            inception_6d=_flat_7x7(160),
            inception_6e=_flat_7x7(192),
            inception_7a=_to_8(768),
            inception_7b=_wide(1280),
            inception_7c=_wide(2048),
            pool3=GlobalAveragePool(),
            dropout=nn.Dropout(0.5),
            fc=FullyConnected(2048, config.classes),
        )
        head = nn.Sequential(
            AveragePool(5, 3),
            conv(768, 128, 1),
            conv(128, 768, 5),
            GlobalAveragePool(),
            FullyConnected(768, config.classes),
        )
        super().__init__(layers, {"inception_6e": head} if config.auxiliary else {})


def _two_3x3(before: int, projection: int) -> Branches:
    """Figure 5. `(B, before, 35, 35) -> (B, 224 + projection, 35, 35)`"""
    return Branches(
        [
            conv(before, 64, 1),
            nn.Sequential(conv(before, 48, 1), conv(48, 64, 5, padding=2)),
            nn.Sequential(
                conv(before, 64, 1), conv(64, 96, 3, padding=1), conv(96, 96, 3, padding=1)
            ),
            nn.Sequential(AveragePool(3, 1, padding=1), conv(before, projection, 1)),
        ]
    )


def _to_17(before: int) -> Branches:
    """Figure 10. `(B, before, 35, 35) -> (B, 480 + before, 17, 17)`"""
    return Branches(
        [
            conv(before, 384, 3, stride=2),
            nn.Sequential(
                conv(before, 64, 1), conv(64, 96, 3, padding=1), conv(96, 96, 3, stride=2)
            ),
            MaxPool(3, 2),
        ]
    )


def _flat_7x7(width: int) -> Branches:
    """Figure 6, n = 7. `(B, 768, 17, 17) -> same`"""
    return Branches(
        [
            conv(768, 192, 1),
            nn.Sequential(conv(768, width, 1), _row(width, width, 7), _column(width, 192, 7)),
            nn.Sequential(
                conv(768, width, 1),
                _column(width, width, 7),
                _row(width, width, 7),
                _column(width, width, 7),
                _row(width, 192, 7),
            ),
            nn.Sequential(AveragePool(3, 1, padding=1), conv(768, 192, 1)),
        ]
    )


def _to_8(before: int) -> Branches:
    """Figure 10. `(B, before, 17, 17) -> (B, 512 + before, 8, 8)`"""
    return Branches(
        [
            nn.Sequential(conv(before, 192, 1), conv(192, 320, 3, stride=2)),
            nn.Sequential(
                conv(before, 192, 1),
                _row(192, 192, 7),
                _column(192, 192, 7),
                conv(192, 192, 3, stride=2),
            ),
            MaxPool(3, 2),
        ]
    )


def _wide(before: int) -> Branches:
    """Figure 7. `(B, before, 8, 8) -> (B, 2048, 8, 8)`"""
    return Branches(
        [
            conv(before, 320, 1),
            nn.Sequential(conv(before, 384, 1), _row_beside_column(384)),
            nn.Sequential(
                conv(before, 448, 1), conv(448, 384, 3, padding=1), _row_beside_column(384)
            ),
            nn.Sequential(AveragePool(3, 1, padding=1), conv(before, 192, 1)),
        ]
    )


def _row(before: int, after: int, n: int) -> Conv:
    return conv(before, after, (1, n), padding=(0, n // 2))


def _column(before: int, after: int, n: int) -> Conv:
    return conv(before, after, (n, 1), padding=(n // 2, 0))


def _row_beside_column(width: int) -> Branches:
    return Branches([_row(width, width, 3), _column(width, width, 3)])
