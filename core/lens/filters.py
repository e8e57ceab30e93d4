"""The filters nearest the input: the only ones that can be looked at as they are."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn

from core.errors import InputError
from core.tracing import CONVOLUTIONS


def first(network: nn.Module, shape: Sequence[int] = ()) -> Tensor:
    """The weights of the network's first layer, `(K, C, *F)`: K filters on C channels.

    They are shown as they stand, learned or not: Airbench's are set to whiten the pictures, so they
    are the principal components of small patches, each divided by its standard deviation, and then
    their negatives. Of several first convolutions side by side, those of the first.

    shape: of one input, `(C, *spatial)`, where the first layer is fully connected: a neuron is then
        a filter as large as the input, `(K, *shape)`
    Raises InputError where the first layer is neither.
    """
    for module in network.modules():
        if isinstance(module, CONVOLUTIONS):
            return module.weight.detach().clone()
        if isinstance(module, nn.Linear):
            if not shape or module.in_features != math.prod(shape):
                break
            return module.weight.detach().reshape(-1, *shape).clone()
    raise InputError(f"{type(network).__name__} has no filters on its input")
