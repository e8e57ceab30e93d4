"""A large picture as networks for small ones see it: at several sizes, each in tiles that overlap.

After the overlap-tile strategy of Ronneberger, Fischer and Brox (MICCAI 2015, section 2, figure 2).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.uint8]


def pyramid(longest: int, side: int) -> list[int]:
    """Lengths of a picture's longer side at which it is looked at, the greatest first.

    From `longest` to `side`, each at most twice the next, in even steps; one that is shorter than
    `side` is looked at as long as `side`.
    """
    steps = max(math.ceil(math.log2(longest / side)), 0)
    return [
        round(side * (longest / side) ** (step / max(steps, 1))) for step in range(steps, -1, -1)
    ]


def tiles(shape: tuple[int, ...], side: int, shared: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of the squares of `side` pixels that cover a picture of shape (H, W).

    Neighbours share `shared` pixels or more. A picture that is shorter is one shorter tile.
    """
    down, across = (_starts(length, side, shared) for length in shape)
    for top in down:
        for left in across:
            yield slice(top, top + side), slice(left, left + side)


def _starts(length: int, side: int, shared: int) -> list[int]:
    number = max(math.ceil((length - shared) / (side - shared)), 1)
    return [round(start) for start in np.linspace(0, max(length - side, 0), number).tolist()]


def resized(picture: Grey, longest: int) -> Grey:
    """The picture (H, W) with its longer side `longest` pixels long, antialiased."""
    scale = longest / max(picture.shape)
    height, width = (max(round(length * scale), 1) for length in picture.shape)
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR))
