"""The eight symmetries of the square board, by number from 0 (as it is) to 7.

Bit 2 of the number transposes the board, then bit 1 turns it upside down, then bit 0 mirrors it
left to right.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

SYMMETRIES = range(8)
INVERSE = (0, 1, 2, 3, 4, 6, 5, 7)  # apply(apply(planes, s), INVERSE[s]) is planes again


def apply(planes: NDArray[Any], symmetry: int) -> NDArray[Any]:
    """Planes (..., n, n) under a symmetry: a contiguous array of the same shape."""
    if symmetry & 4:
        planes = planes.swapaxes(-1, -2)
    if symmetry & 2:
        planes = planes[..., ::-1, :]
    if symmetry & 1:
        planes = planes[..., ::-1]
    return np.ascontiguousarray(planes)


@cache
def table(size: int) -> NDArray[np.int16]:
    """(8, n * n): where each point goes, `apply(planes, s).flat[table[s][p]] == planes.flat[p]`."""
    points = np.arange(size * size, dtype=np.int16).reshape(size, size)
    return np.stack([apply(points, INVERSE[symmetry]).ravel() for symmetry in SYMMETRIES])
