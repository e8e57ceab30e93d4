"""Deep Dream: a picture changes until a layer sees more of what it already sees in it.

Mordvintsev, Olah and Tyka, "Inceptionism: Going deeper into neural networks", Google Research blog,
2015, and the notebook that they published with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.errors import InputError

from .activations import run

SCALE = 1.4  # of an octave to the next
LEVELS = 4  # of the gradient's pyramid, besides what is left
TINY = 1e-12
TILE = 256  # pixels along a side that the network sees at once, at most


@dataclass(frozen=True)
class Dreamed:
    """A dream after some of its steps.

    picture: `(C, H, W)`, as large as the one that it began with
    strength: what the step began with and raises, over the octave's whole picture: the mean square
        of the layer's values, or the mean of one unit's
    step, steps: that are done, and of the whole dream
    """

    picture: Tensor
    strength: float
    step: int
    steps: int


def dream(
    network: nn.Module,
    picture: Tensor,
    layer: str,
    lowest: Tensor,
    highest: Tensor,
    *,
    unit: int | None = None,
    octaves: int = 4,
    steps: int = 10,
    rate: float = 0.03,
    tile: int = TILE,
    seed: int = 0,
) -> Iterator[Dreamed]:
    """Exaggerates what a layer sees, or one unit of it, and yields the picture after each step.

    It begins small and grows octave by octave, so that what is dreamed has all sizes. A step moves
    a value by `rate` on average, coarse things and fine alike. The network sees a tile at a time,
    so memory holds no more of its maps, however large the picture is; the tiles lie elsewhere at
    each step, so their edges don't show.

    The network runs no further than the layer, so behind convolutions a picture may have any size.

    picture: `(C, H, W)`, normalised
    lowest, highest: the values that a picture can have; they broadcast to it
    octaves: sizes, each 1.4 times the one before, the last the picture's; steps: in each
    Raises InputError for a layer or a unit that is none, and for a picture that is too small.
    """
    generator = torch.Generator().manual_seed(seed)
    height, width = picture.shape[1:]
    detail = torch.zeros_like(picture[:, :1, :1])
    for octave in range(octaves):
        factor = SCALE ** (octave + 1 - octaves)
        size = (max(round(height * factor), 1), max(round(width * factor), 1))
        base = _resized(picture, size)
        now = base + _resized(detail, size)
        for step in range(steps):
            gradient, strength = _gradient(network, now, layer, unit, tile, generator)
            even = _even(gradient)
            now = now + rate * even / even.abs().mean().clamp(min=TINY)
            now = torch.clamp(now, lowest, highest)
            detail = now - base
            seen = torch.clamp(picture + _resized(detail, (height, width)), lowest, highest)
            yield Dreamed(seen, strength, octave * steps + step + 1, octaves * steps)


def reach(network: nn.Module, inputs: Tensor, names: Collection[str]) -> dict[str, Tensor]:
    """What these layers make of a batch; the network runs no further.

    A head that wants one size is so never asked. Raises InputError for a name that is none, or of
    a layer that does not take inputs of this size, listing those that do.
    """
    ran: dict[str, None] = {}
    found: dict[str, Tensor] = {}

    def keep(name: str, _layer: nn.Module, maps: Tensor) -> None:
        ran[name] = None
        if name in names:
            found.setdefault(name, maps)
        if len(found) == len(set(names)):
            raise _Reached

    try:
        run(network, inputs, keep)
    except _Reached:
        return found
    except torch.OutOfMemoryError:
        raise
    except RuntimeError:  # the layer after the last that ran does not fit
        pass
    missing = next(name for name in names if name not in found)
    size = "x".join(map(str, inputs.shape[2:]))
    known = ", ".join(ran) or "none"
    raise InputError(f"no layer called {missing!r} that takes {size}; known: {known}")


class _Reached(Exception):
    """All that was asked for is there."""


def _gradient(
    network: nn.Module,
    picture: Tensor,
    layer: str,
    unit: int | None,
    tile: int,
    generator: torch.Generator,
) -> tuple[Tensor, float]:
    """Of the sum over all places, and the mean over them."""
    height, width = picture.shape[1:]
    shift = [int(torch.randint(n, (), generator=generator)) for n in (height, width)]
    rolled = picture.roll(shift, (1, 2))
    gradient = torch.empty_like(rolled)
    total, count = 0.0, 0
    for rows in _parts(height, tile):
        for columns in _parts(width, tile):
            part = rolled[:, rows, columns].detach()[None].requires_grad_()
            with torch.enable_grad():
                seen = _seen(reach(network, part, [layer])[layer], layer, unit)
                (found,) = torch.autograd.grad(seen.sum(), part)
            gradient[:, rows, columns] = found[0]
            total, count = total + float(seen.detach().sum()), count + seen.numel()
    return gradient.roll([-n for n in shift], (1, 2)), total / count


def _seen(values: Tensor, layer: str, unit: int | None) -> Tensor:
    if unit is None:
        return values.square()
    if not 0 <= unit < values.shape[1]:
        raise InputError(f"layer {layer!r} has units 0 to {values.shape[1] - 1}: no {unit}")
    return values[:, unit]


def _parts(n: int, most: int) -> Iterator[slice]:
    """An axis in as few parts as will do, much alike in length."""
    parts = -(-n // most)
    for part in range(parts):
        yield slice(n * part // parts, n * (part + 1) // parts)


def _even(gradient: Tensor) -> Tensor:
    """Coarse and fine count alike: each level of its Laplacian pyramid is divided by its own size.

    Else the finest, to which networks answer most, would drown all others.
    """
    levels = []
    for _ in range(LEVELS):
        height, width = gradient.shape[1:]
        coarse = _resized(gradient, (-(-height // 2), -(-width // 2)))
        levels.append(gradient - _resized(coarse, (height, width)))
        gradient = coarse
    levels.append(gradient)
    gradient = torch.zeros_like(gradient)
    for level in reversed(levels):
        gradient = _resized(gradient, (level.shape[1], level.shape[2]))
        gradient = gradient + level / level.square().mean().sqrt().clamp(min=TINY)
    return gradient


def _resized(picture: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(picture[None], size, mode="bilinear", antialias=True)[0]
