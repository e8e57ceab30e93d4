"""A trained network as the lens sees it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class Subject:
    """A network in eval mode, whose weights want no gradient, and what its inputs can be.

    network: maps `(B, *shape)` float to `(B, len(labels))` logits
    shape: of one input: (channels, height, width), or (channels, length) along one axis
    neutral: `(*shape)`: an input where there is nothing: grey, quiet, no word
    lowest, highest: the values that an input can have, of a shape that broadcasts to `shape`
    """

    name: str
    network: nn.Module
    shape: tuple[int, ...]
    labels: tuple[str, ...]
    neutral: Tensor
    lowest: Tensor
    highest: Tensor
