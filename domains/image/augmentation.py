"""Pictures varied anew each time they are seen: what a class looks like elsewhere, turned, larger.

The lecture asks for it: a convolution finds a pattern anywhere, but not turned or at another size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from core.errors import InputError

ELASTIC_STEP = 7  # pixels between the places that are pushed, each its own way


@dataclass(frozen=True)
class Augmentation:
    """The most by which a picture varies, each amount drawn evenly for each picture.

    What comes in from outside the picture is its mirror image.
    """

    flip: bool = False  # left and right, every second time
    shift: int = 0  # pixels, in both directions
    rotation: float = 0.0  # degrees either way
    zoom: float = 0.0  # larger or smaller by this share
    shear: float = 0.0  # a row slides by this share of its distance from the middle
    elastic: float = 0.0  # pixels: Simard and others, ICDAR 2003
    cutout: int = 0  # side in pixels of a square made grey: DeVries and Taylor, arXiv:1708.04552

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value < math.inf or (name in ("zoom", "shear") and value >= 1):
                raise InputError(f"augmentation: {name} cannot be {value}")


def moved(pictures: Tensor, most: Augmentation, random: torch.Generator) -> Tensor:
    """Flip and shift, by whole pixels: `(B, C, H, W) -> same`, of any type.

    Raises InputError for a shift that is no smaller than the picture.
    """
    count, _, height, width = pictures.shape
    if most.shift >= min(height, width):
        raise InputError(f"augmentation: a shift of {most.shift} on {height} x {width} pixels")
    rows, columns = (
        torch.arange(n) + torch.randint(-most.shift, most.shift + 1, (count, 1), generator=random)
        for n in (height, width)
    )
    if most.flip:
        turned = torch.randint(2, (count, 1), generator=random).bool()
        columns = torch.where(turned, columns.flip(1), columns)
    rows, columns = _mirrored(rows, height), _mirrored(columns, width)
    every = torch.arange(count)[:, None, None]
    return pictures[every, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def warped(pictures: Tensor, most: Augmentation, random: torch.Generator) -> Tensor:
    """Rotation, zoom, shear, elastic distortion and cutout: `(B, C, H, W) float -> same`.

    The pictures are normalised: 0 is grey.
    """
    if most.rotation or most.zoom or most.shear or most.elastic:
        pictures = _resampled(pictures, most, random)
    if most.cutout:
        pictures = pictures * _holes(pictures, most.cutout, random)
    return pictures


def _mirrored(places: Tensor, n: int) -> Tensor:
    """Places outside 0 … n - 1, mirrored at the edge pixels."""
    return (n - 1) - ((n - 1) - places.abs()).abs()


def _resampled(pictures: Tensor, most: Augmentation, random: torch.Generator) -> Tensor:
    count, _, height, width = pictures.shape
    angle = torch.deg2rad(_evenly(count, most.rotation, random))
    size = (1 + _evenly(count, most.zoom, random)).reciprocal()
    shear = _evenly(count, most.shear, random)
    cos, sin, none = angle.cos() * size, angle.sin() * size, torch.zeros(count)
    matrices = torch.stack(
        [torch.stack([cos, shear * cos - sin, none], 1),
         torch.stack([sin, shear * sin + cos, none], 1)], 1
    )  # fmt: skip
    grid = F.affine_grid(matrices, [count, 1, height, width], align_corners=False)
    if most.elastic:
        places = [max(n // ELASTIC_STEP, 2) for n in (height, width)]
        pushes = torch.rand(count, 2, *places, generator=random) * 2 - 1
        smooth = F.interpolate(pushes, (height, width), mode="bicubic", align_corners=True)
        grid = grid + smooth.permute(0, 2, 3, 1) * most.elastic * 2 / torch.tensor([width, height])
    return F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)


def _holes(pictures: Tensor, side: int, random: torch.Generator) -> Tensor:
    """0 in a square around a random place of each picture, 1 elsewhere: `(B, 1, H, W)`."""
    count, _, height, width = pictures.shape
    rows, columns = (
        (torch.arange(n) - torch.randint(n, (count, 1), generator=random) + side // 2)
        for n in (height, width)
    )
    inside = [(places >= 0) & (places < side) for places in (rows, columns)]
    return (~(inside[0][:, :, None] & inside[1][:, None, :]))[:, None].float()


def _evenly(count: int, most: float, random: torch.Generator) -> Tensor:
    return (torch.rand(count, generator=random) * 2 - 1) * most
