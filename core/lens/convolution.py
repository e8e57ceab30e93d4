"""The sandbox: one filter on one picture, small enough to see every number.

Pictures are `(H, W)`, one channel. As in every CNN a filter is not flipped, so this is
cross-correlation. The output of an axis is (N - F + 2P)/S + 1 long, and that must come out even:
InputError from `core.arithmetic.output_size` where it doesn't.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from core.arithmetic import output_size
from core.errors import InputError

KERNELS: dict[str, Tensor] = {
    "edge": torch.tensor([[-1.0, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
    "blur": torch.full((3, 3), 1 / 9),
    "sharpen": torch.tensor([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
    "emboss": torch.tensor([[-2.0, -1, 0], [-1, 1, 1], [0, 1, 2]]),
    "donut": torch.tensor(
        [
            [-1.0, 1, 1, 1, -1],
            [1, 0, -1, 0, 1],
            [1, -1, -4, -1, 1],
            [1, 0, -1, 0, 1],
            [-1, 1, 1, 1, -1],
        ]
    ),
}
"""Small filters by name.

The donut's ring of 12 is positive, its hole and the corners negative. Those of edge and donut add
up to 0, so that nothing comes out where the picture is plain; those of the others add up to 1.
"""


@dataclass(frozen=True)
class WrittenOut:
    """One output of a convolution; as a string, `3·1 + 0·(-1) + 2·1 = 5`.

    terms: each pixel with its weight, row by row of the filter; padding is a pixel of 0
    """

    terms: list[tuple[float, float]]
    value: float

    def __str__(self) -> str:
        products = (f"{_number(pixel)}·{_number(weight)}" for pixel, weight in self.terms)
        return f"{' + '.join(products)} = {self.value:.4g}"


@dataclass(frozen=True)
class SharedLayer:
    """A convolution as a fully connected layer: most weights are 0, the others are shared.

    weights: `(outputs, inputs)`; times the flattened picture, the flattened output
    which: `(outputs, inputs)` int64: the number of the filter's weight, counted row by row, that
        stands there; -1 where output and input are not connected
    """

    weights: Tensor
    which: Tensor


def convolve(picture: Tensor, kernel: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    """The filter's answer at each place. `(H, W), (F, F') -> (H', W')`; around it lie zeros."""
    return (_windows(picture, kernel.shape, stride, padding, 0.0) * kernel).sum((2, 3))


def terms(
    picture: Tensor, kernel: Tensor, row: int, column: int, stride: int = 1, padding: int = 0
) -> WrittenOut:
    """The output at a place, written out. Raises InputError for a place that is none."""
    windows = _windows(picture, kernel.shape, stride, padding, 0.0)
    height, width = windows.shape[:2]
    if not (0 <= row < height and 0 <= column < width):
        raise InputError(f"the output is {height}x{width}: no row {row}, column {column}")
    pixels = windows[row, column].flatten()
    pairs = list(zip(pixels.tolist(), kernel.flatten().tolist(), strict=True))
    return WrittenOut(pairs, sum(pixel * weight for pixel, weight in pairs))


def donutty(picture: Tensor) -> Tensor:
    """How donutty each pixel is, from -1 to 1: 1 in the middle of a white donut on black.

    `(H, W) -> (H, W)`, pixels from 0 (black) to 1 (white); 0 where the picture is plain.
    """
    donut = KERNELS["donut"].to(picture)
    return convolve(picture, donut, padding=2) / donut.clamp(min=0).sum()


def as_matrix(
    kernel: Tensor, height: int, width: int, stride: int = 1, padding: int = 0
) -> SharedLayer:
    """The fully connected layer that does what the filter does on pictures of this size.

    It has outputs x inputs weights, so memory grows with the fourth power of the picture's side.
    """
    inputs = height * width
    numbers = torch.arange(inputs).reshape(height, width)
    seen = _windows(numbers, kernel.shape, stride, padding, inputs).flatten(2).flatten(0, 1)
    which = torch.full((len(seen), inputs + 1), -1)  # the last for all of the padding
    which.scatter_(1, seen, torch.arange(kernel.numel()).expand_as(seen))
    which = which[:, :inputs]
    return SharedLayer(torch.where(which < 0, 0.0, kernel.flatten()[which]), which)


def max_pool(picture: Tensor, size: int, stride: int | None = None, padding: int = 0) -> Tensor:
    """The largest of each window. `(H, W) -> (H', W')`; the stride is the size unless given.

    Padding has no say. Raises InputError where it is more than half of the window.
    """
    if padding > size // 2:
        raise InputError(f"padding {padding} is more than half of a window of {size}")
    stride = size if stride is None else stride
    return _windows(picture, (size, size), stride, padding, -torch.inf).amax((2, 3))


def _windows(
    picture: Tensor, size: tuple[int, ...], stride: int, padding: int, outside: float
) -> Tensor:
    """`(H, W) -> (H', W', F, F')`"""
    for n, f in zip(picture.shape, size, strict=True):
        output_size(n, f, padding, stride)
    padded = F.pad(picture, [padding] * 4, value=outside)
    return padded.unfold(0, size[0], stride).unfold(1, size[1], stride)


def _number(value: float) -> str:
    text = f"{value:.4g}"
    return f"({text})" if value < 0 else text
