"""What each layer of a network makes of a picture: its feature maps, and those drawn as tiles."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from torch import nn

Maps = NDArray[np.float32]  # (C, H, W)
Colours = NDArray[np.float64]  # (anchors, 3)

WIDTH = 704  # of the tiles together, in pixels, about
GAP = 2  # between two tiles
MOST = 256  # tiles; a layer has up to a few thousand maps
ABOVE: Colours = np.asarray([(0, 0, 0), (190, 95, 0), (255, 180, 60), (255, 255, 255)], float)
BELOW: Colours = np.asarray([(0, 0, 0), (0, 85, 190), (80, 160, 255), (215, 235, 255)], float)


def activations(network: nn.Module, picture: Maps) -> list[tuple[str, Maps]]:
    """What comes out of each layer for a prepared picture, `(C, H, W)`, in the order they ran.

    A layer is called by its place and its kind, such as "groups.0.1 MaxPool". Neurons are maps of
    one pixel: `(neurons, 1, 1)`.
    """
    import torch

    from core.lens.activations import every, label

    return [
        (label(network, name), maps.reshape(len(maps), *maps.shape[1:] or (1, 1)).numpy())
        for name, maps in every(network, torch.from_numpy(picture))
    ]


def tiles(maps: Maps) -> Image.Image:
    """The first MOST maps of a layer, `(C, H, W)`, row by row in a square, clear between them.

    Nothing is black; orange to white is above 0, blue below, relative to the layer's strongest.
    """
    maps = maps[:MOST]
    count, height, width = maps.shape
    columns = math.ceil(math.sqrt(count * height / width))
    rows = math.ceil(count / columns)
    scale = max(1, (WIDTH // columns - GAP) // width)
    tile = (height * scale, width * scale)
    size = (rows * (tile[0] + GAP) - GAP, columns * (tile[1] + GAP) - GAP)
    picture = np.zeros((*size, 4), np.uint8)
    for index, pixels in enumerate(coloured(maps)):
        top, left = (tile[0] + GAP) * (index // columns), (tile[1] + GAP) * (index % columns)
        large = pixels.repeat(scale, 0).repeat(scale, 1)
        picture[top : top + tile[0], left : left + tile[1], :3] = large
        picture[top : top + tile[0], left : left + tile[1], 3] = 255
    return Image.fromarray(picture)


def coloured(maps: Maps) -> NDArray[np.uint8]:
    """`(C, H, W) -> (C, H, W, 3)`, as `tiles` says."""
    strength = np.abs(maps) / max(float(np.abs(maps).max()), np.finfo(np.float32).tiny)
    return np.where((maps >= 0)[..., None], _along(ABOVE, strength), _along(BELOW, strength))


def _along(anchors: Colours, strength: Maps) -> NDArray[np.uint8]:
    places = np.linspace(0, 1, len(anchors))
    return np.stack([np.interp(strength, places, part) for part in anchors.T], -1).astype(np.uint8)
