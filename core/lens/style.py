"""Neural style: what a picture shows, as another is painted.

Gatys, Ecker and Bethge, "Image style transfer using convolutional neural networks", CVPR 2016. What
is shown are a deep layer's maps; how it is painted is which maps go together, wherever in the
picture: their Gram matrices, at several layers.

The paper's losses depend on how large a network's values are; here each is a share of its target's
own square, so the same weights do for VGG and for the small networks of this suite.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.errors import InputError

from .activations import run
from .dream import reach

OUTSIDE = 10.0  # weight of leaving the values that a picture can have
HISTORY = 20  # steps by which L-BFGS knows the curvature


@dataclass(frozen=True)
class Layers:
    """By name: what is shown is compared at one, how it is painted at several."""

    content: str
    style: tuple[str, ...]


@dataclass(frozen=True)
class Styled:
    """A picture on its way, and its losses.

    picture: `(C, H, W)`, as large as the content
    content, style: shares of the target's own square; total_variation: mean squared step between
        neighbours
    step: of L-BFGS, how many are done
    """

    picture: Tensor
    content: float
    style: float
    total_variation: float
    step: int


def style(
    network: nn.Module,
    content: Tensor,
    painting: Tensor,
    lowest: Tensor,
    highest: Tensor,
    *,
    layers: Layers | None = None,
    strength: float = 10.0,
    smoothness: float = 0.1,
    steps: int = 200,
    every: int = 10,
    start: Tensor | None = None,
) -> Iterator[Styled]:
    """Paints `content` as `painting` is painted; yields the picture after each `every` steps.

    It begins with the content, so nothing is left to chance. A run that was interrupted goes on
    with its last picture as `start`: only L-BFGS's memory of the curvature is new. Memory grows
    with the pictures' areas.

    content: `(C, H, W)`; painting: `(C, H', W')`; normalised
    lowest, highest: the values that a picture can have; they broadcast to it
    layers: those of `default_layers` unless given
    strength: weight of the style, smoothness: of the total variation; the content's is 1
    Raises InputError for a layer that is none, and for a picture that is too small for one.
    """
    layers = layers or default_layers(network, content)
    names = (layers.content, *layers.style)
    with torch.no_grad():
        shown = reach(network, content[None], [layers.content])[layers.content]
        painted = reach(network, painting[None], layers.style)
    grams = {name: gram(painted[name][0]) for name in layers.style}
    levels = _levels(content if start is None else start)
    optimizer: Any = torch.optim.LBFGS(
        levels,
        max_iter=every,
        max_eval=10 * every,
        tolerance_grad=0.0,
        tolerance_change=0.0,
        history_size=HISTORY,
        line_search_fn="strong_wolfe",
    )

    def losses(at: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        maps = reach(network, at[None], names)
        of_style = [_share(gram(maps[name][0]), target) for name, target in grams.items()]
        of_content = _share(maps[layers.content], shown)
        return of_content, torch.stack(of_style).mean(), total_variation(at)

    def closure() -> Tensor:
        picture = _sum(levels)
        of_content, of_style, variation = losses(picture)
        outside = (picture - torch.clamp(picture, lowest, highest)).square().mean()
        loss = of_content + strength * of_style + smoothness * variation + OUTSIDE * outside
        for level, gradient in zip(levels, torch.autograd.grad(loss, levels), strict=True):
            level.grad = gradient
        return loss

    for done in range(0, steps, every):
        now = min(every, steps - done)
        optimizer.param_groups[0]["max_iter"] = now
        optimizer.step(closure)
        with torch.no_grad():
            seen = torch.clamp(_sum(levels), lowest, highest)
            of_content, of_style, variation = map(float, losses(seen))
        yield Styled(seen, of_content, of_style, variation, done + now)


def default_layers(network: nn.Module, picture: Tensor) -> Layers:
    """The last layer with weights before each pooling, or stride, that a picture comes to.

    For VGG-16 conv1_2, conv2_2, conv3_3, conv4_3, conv5_3: one for each size of maps. The content
    is compared at the last but one of them. Raises InputError for a network that has none.
    """
    names: list[str] = []
    last, side = "", 0

    def look(name: str, layer: nn.Module, maps: Tensor) -> None:
        nonlocal last, side
        shrinks = maps.ndim < 4 or maps.shape[2] <= side / 1.5
        if shrinks and last and last not in names:
            names.append(last)
        if next(layer.parameters(), None) is not None and maps.ndim == 4:
            last = name
        side = maps.shape[2] if maps.ndim == 4 else 0

    with suppress(RuntimeError), torch.no_grad():  # a head that wants another size
        run(network, picture[None], look)
    if not names:
        raise InputError(f"{type(network).__name__} has no maps that are pooled")
    return Layers(names[-2:][0], tuple(names))


def gram(maps: Tensor) -> Tensor:
    """How strongly each two maps go together: their mean product. `(C, H, W) -> (C, C)`"""
    flat = maps.flatten(1)
    return flat @ flat.T / flat.shape[1]


def total_variation(picture: Tensor) -> Tensor:
    """The mean squared step between neighbours, down and across. `(C, H, W) -> ()`"""
    return picture.diff(dim=1).square().mean() + picture.diff(dim=2).square().mean()


def _levels(picture: Tensor) -> list[Tensor]:
    """The picture, and what is to be added to it at a half, a quarter, … of its size: nothing yet.

    So L-BFGS finds colours and large shapes as easily as fine strokes.
    """
    levels = [picture.detach().clone()]
    while min(levels[-1].shape[1:]) > 1:
        sizes = [math.ceil(n / 2) for n in levels[-1].shape[1:]]
        levels.append(picture.new_zeros(len(picture), *sizes))
    return [level.requires_grad_() for level in levels]


def _sum(levels: list[Tensor]) -> Tensor:
    height, width = levels[0].shape[1:]
    enlarged = [F.interpolate(level[None], (height, width), mode="bilinear") for level in levels]
    return torch.cat(enlarged).sum(0)


def _share(values: Tensor, target: Tensor) -> Tensor:
    return (values - target).square().sum() / target.square().sum().clamp(min=1e-12)
