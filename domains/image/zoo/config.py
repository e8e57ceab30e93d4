"""What all networks for images have in common."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from core.errors import InputError


@dataclass(frozen=True)
class ImageConfig:
    """Raises InputError for a size that makes no sense."""

    classes: int = 1000
    channels: int = 3  # of a picture: 3 in colour, 1 in grey
    size: int = 224  # its height and its width

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name == "dropout":
                valid = 0 <= value < 1
            else:
                valid = not isinstance(value, int) or isinstance(value, bool) or value >= 1
            if not valid:
                raise InputError(f"{name} cannot be {value}")


@torch.no_grad()
def flat_features(layers: nn.Sequential, config: ImageConfig) -> int:
    """How many values the layers make of one picture: the inputs of a fully connected layer on top.

    They run on a batch of no pictures, which costs nothing. Raises InputError, naming the layer,
    where one doesn't fit on what the layers before it leave of the picture.
    """
    size = config.size
    x = torch.zeros(0, config.channels, size, size)
    for name, layer in layers.named_children():
        try:
            x = layer(x)
        except RuntimeError as error:
            left = "x".join(map(str, x.shape[1:]))
            raise InputError(
                f"a picture of {size}x{size} is too small: layer {name} doesn't fit on {left}"
            ) from error
    return x.shape[1:].numel()
