"""The networks for sounds: what the lecture notes compare, and small modern ones.

Every network maps log-mel spectrograms to logits, `(B, 1, mels, frames) -> (B, classes)`: rows are
bands of frequency, the lowest first, columns are spectra in time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.blocks import (
    Conv,
    Flatten,
    FullyConnected,
    GlobalAveragePool,
    MaxPool,
    Residual,
    SqueezeExcite,
)
from core.errors import InputError
from core.registry import register

from .audio import MELS


@dataclass(frozen=True)
class SpeechConfig:
    """What all networks for sounds have in common."""

    classes: int = 12
    frames: int = 98  # spectra of one example

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name == "dropout":
                valid = 0 <= value < 1
            elif isinstance(value, tuple):
                valid = min(value, default=0) >= 1
            else:
                valid = isinstance(value, str) or value > 0
            if not valid:
                raise InputError(f"{name} cannot be {value}")


@dataclass(frozen=True)
class Direction:
    """How the filters of a lecture network lie and move: (frequency, time) each."""

    first: tuple[int, int]
    stride: tuple[int, int]
    pool: tuple[int, int]
    second: tuple[int, int]
    second_pool: tuple[int, int]


def directions(frames: int) -> dict[str, Direction]:
    """The lecture notes' choice of where a filter moves.

    frequency: it spans all of the time, and slides over frequency
    limited: it spans a seventh of the time, one of seven stretches side by side
    time: it spans all frequencies, and slides over time
    both: small in both, as on any picture
    """
    seventh = frames // 7
    return {
        "frequency": Direction((8, frames), (1, 1), (3, 1), (4, 1), (2, 1)),
        "limited": Direction((8, seventh), (1, seventh), (3, 1), (4, 1), (2, 1)),
        "time": Direction((MELS, 8), (1, 1), (1, 3), (1, 4), (1, 2)),
        "both": Direction((8, 8), (1, 1), (3, 3), (4, 4), (2, 2)),
    }


FEWEST_FRAMES = {"frequency": 1, "limited": 7, "time": 22, "both": 22}  # for both layers to fit


@dataclass(frozen=True)
class DirectionConfig(SpeechConfig):
    direction: str = "frequency"  # frequency, limited, time or both
    filters: int = 64
    hidden: int = 128
    dropout: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.direction not in directions(self.frames):
            raise InputError(
                f"direction cannot be {self.direction!r}: {', '.join(directions(self.frames))}"
            )
        if self.frames < FEWEST_FRAMES[self.direction]:
            raise InputError(
                f"direction {self.direction!r} cannot see {self.frames} spectra: too few"
            )


@register("speech-direction", DirectionConfig)
class DirectionCNN(nn.Sequential):
    """Two convolutions with pooling along the direction in which their filters move.

    Along frequency, a filter finds a pattern in a high voice that it learned from a low one:
    Abdel-Hamid and others, "Convolutional neural networks for speech recognition", 2014.
    """

    def __init__(self, config: DirectionConfig) -> None:
        way, k = directions(config.frames)[config.direction], config.filters
        convolutions = nn.Sequential(
            nn.BatchNorm2d(1),
            Conv(1, k, way.first, stride=way.stride, norm=True),
            MaxPool(way.pool),
            Conv(k, k, way.second, norm=True),
            MaxPool(way.second_pool),
            Flatten(),
        )
        with torch.no_grad():
            features = convolutions.eval()(torch.zeros(1, 1, MELS, config.frames)).shape[1]
        super().__init__(
            convolutions.train(),
            FullyConnected(features, config.hidden, "relu"),
            nn.Dropout(config.dropout),
            FullyConnected(config.hidden, config.classes),
        )


@dataclass(frozen=True)
class SpeechResNetConfig(SpeechConfig):
    widths: tuple[int, ...] = (32, 48, 64, 96)  # of the first layer, then of each block
    reduction: int = 8  # of squeeze-excite
    dropout: float = 0.2


@register("speech-resnet", SpeechResNetConfig)
class SpeechResNet(nn.Sequential):
    """A small residual network; each block but the first halves frequency and time.

    He and others, CVPR 2016; for keywords Tang and Lin, "Deep residual learning for small-footprint
    keyword spotting", 2018; squeeze-excite: Hu and others, CVPR 2018.
    """

    def __init__(self, config: SpeechResNetConfig) -> None:
        widths = config.widths
        super().__init__(
            nn.BatchNorm2d(1),
            Conv(1, widths[0], 5, stride=2, padding=2, norm=True),
            *(
                _block(before, after, 1 if number == 0 else 2, config.reduction)
                for number, (before, after) in enumerate(pairwise(widths))
            ),
            GlobalAveragePool(),
            nn.Dropout(config.dropout),
            FullyConnected(widths[-1], config.classes),
        )


def _block(before: int, after: int, stride: int, reduction: int) -> Residual:
    return Residual(
        nn.Sequential(
            Conv(before, after, 3, stride=stride, padding=1, norm=True),
            Conv(after, after, 3, padding=1, norm=True, activation=None),
            SqueezeExcite(after, reduction),
        ),
        Conv(before, after, 1, stride=stride, norm=True, activation=None),
    )


@dataclass(frozen=True)
class BCResNetConfig(SpeechConfig):
    scale: float = 1.0  # tau: of all widths
    dropout: float = 0.1


BC_WIDTHS = (16, 8, 12, 16, 20, 32)  # at scale 1: table 1
BC_STAGES = ((2, 1, 1), (2, 2, 2), (4, 2, 4), (4, 1, 8))  # blocks, stride in frequency, dilation
SUB_BANDS = 5


@register("bc-resnet", BCResNetConfig)
class BCResNet(nn.Sequential):
    """Table 1 of Kim and others, "Broadcasted residual learning", Interspeech 2021.

    Most of the work is done on the mean over frequency, and its result is broadcast to all bands.
    """

    def __init__(self, config: BCResNetConfig) -> None:
        widths = [max(round(width * config.scale), 1) for width in BC_WIDTHS]
        blocks: list[nn.Module] = []
        before = widths[0]
        for after, (number, stride, dilation) in zip(widths[1:5], BC_STAGES, strict=True):
            for block in range(number):
                step = stride if block == 0 else 1
                blocks.append(BroadcastedResidual(before, after, step, dilation, config.dropout))
                before = after
        super().__init__(
            Conv(1, widths[0], 5, stride=(2, 1), padding=2, norm=True),
            *blocks,
            Conv(before, before, 5, padding=(0, 2), groups=before, bias=False, activation=None),
            Conv(before, widths[5], 1, norm=True),
            GlobalAveragePool(),
            FullyConnected(widths[5], config.classes),
        )


class BroadcastedResidual(nn.Module):
    """relu(x + f2(x) + f1(mean of f2(x) over frequency)); `(B, C, F, T) -> (B, C', F / stride, T)`.

    Where the number of channels changes, x itself is left out. Section 2.2.
    """

    def __init__(self, before: int, after: int, stride: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.has_shortcut = before == after
        self.enter = nn.Identity() if self.has_shortcut else Conv(before, after, 1, norm=True)
        self.over_frequency = nn.Sequential(
            Conv(after, after, (3, 1), stride=(stride, 1), padding=(1, 0), groups=after,
                 bias=False, activation=None),
            SubSpectralNorm(after, SUB_BANDS),
        )  # fmt: skip
        self.over_time = nn.Sequential(
            Conv(after, after, (1, 3), padding=(0, dilation), dilation=(1, dilation), groups=after,
                 norm=True, activation="silu"),
            Conv(after, after, 1, bias=False, activation=None),
            nn.Dropout2d(dropout),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        bands = self.over_frequency(self.enter(x))  # (B, C', F / stride, T)
        broadcast = self.over_time(bands.mean(2, keepdim=True))  # (B, C', 1, T)
        out = bands + broadcast
        return F.relu(out + x if self.has_shortcut else out)


class SubSpectralNorm(nn.Module):
    """Batch norm with statistics of its own for each of `bands` groups of frequencies.

    `(B, C, F, T) -> same`. Chang and others, "SubSpectral normalization", ICASSP 2021.
    """

    def __init__(self, channels: int, bands: int) -> None:
        super().__init__()
        self.bands = bands
        self.norm = nn.BatchNorm2d(channels * bands)

    def forward(self, x: Tensor) -> Tensor:
        b, c, f, t = x.shape
        normed: Tensor = self.norm(x.reshape(b, c * self.bands, f // self.bands, t))
        return normed.reshape(b, c, f, t)


def example_inputs(config: Mapping[str, Any]) -> tuple[Tensor, ...]:
    """One silent picture, for summaries and exports."""
    return (torch.zeros(1, 1, MELS, config.get("frames", 98)),)
