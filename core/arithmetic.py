"""What a layer costs and sees, by the formulas of the lecture: sizes, parameters, multiply-adds.

N is the length of an input axis, F of the filter, P the padding at each end, S the stride; D is the
depth of the input and K the number of filters. Only `table` needs torch, imported when called.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn


def output_size(n: int, f: int, p: int = 0, s: int = 1) -> int:
    """(N - F + 2P)/S + 1. Raises InputError where that is no whole number, or below 1."""
    if n < 1 or f < 1 or p < 0 or s < 1:
        raise InputError(f"no layer has N = {n}, F = {f}, P = {p}, S = {s}")
    steps, rest = divmod(n - f + 2 * p, s)
    if steps < 0 or rest:
        raise InputError(
            f"a filter of {f} doesn't fit on {n} with padding {p} and stride {s}: "
            f"({n} - {f} + {2 * p})/{s} + 1 = {(n - f + 2 * p) / s + 1:.4g}"
        )
    return steps + 1


def conv_parameters(f: int, d: int, k: int) -> int:
    """F·F·D·K + K: the weights of K square filters and their biases."""
    return f * f * d * k + k


def fully_connected_parameters(inputs: int, outputs: int) -> int:
    """A weight from each input to each output, and a bias for each output."""
    return inputs * outputs + outputs


def conv_multiply_adds(n: int, f: int, d: int, k: int) -> int:
    """Multiplications of K square filters that make an output of N x N, each with its addition."""
    return n * n * f * f * d * k


def receptive_field(layers: Iterable[tuple[int, int]]) -> int:
    """How many inputs along an axis one output sees, through (F, S) conv or pool layers in order.

    Each layer widens the field by F - 1 steps of its input, and multiplies the step by S.
    """
    size, step = 1, 1
    for f, s in layers:
        size += (f - 1) * step
        step *= s
    return size


@dataclasses.dataclass(frozen=True)
class LayerRow:
    """One layer of a network as it ran, for one example.

    name: where it stands in the network, as in the names of its weights
    kind: its class
    input_shape, output_shape: without the batch axis
    kernel, stride, padding: by axis; empty where the layer has none
    parameters: its own; those shared with an earlier row are counted there
    multiply_adds: of convolution (both ways), fully connected and recurrent layers; 0 for others
    receptive_field: inputs that one output sees at most, by axis of the network's input
    """

    name: str
    kind: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    parameters: int
    multiply_adds: int
    receptive_field: tuple[int, ...]


def table(model: nn.Module, *inputs: Tensor) -> list[LayerRow]:
    """The layers of `model` in the order in which they ran on `inputs`, a batch of any size.

    Inputs are (B, C, *spatial), or (B, T) for token ids. Layers that only act value by value (ReLU,
    dropout) are left out; Branches come behind their parts. Where branches meet, the larger
    receptive field counts; it ends where the input ends. Parameters of layers that did not run
    follow with empty shapes, so the column always adds up to the whole model's.
    """
    from .tracing import trace

    return trace(model, inputs)


def total(rows: Sequence[LayerRow]) -> LayerRow:
    """The last line of a table: parameters and multiply-adds added up."""
    return LayerRow(
        name="total",
        kind="",
        input_shape=(),
        output_shape=(),
        kernel=(),
        stride=(),
        padding=(),
        parameters=sum(row.parameters for row in rows),
        multiply_adds=sum(row.multiply_adds for row in rows),
        receptive_field=(),
    )
