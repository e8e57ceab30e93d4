"""The lecture's formulas with the numbers of one layer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.arithmetic import LayerRow

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def output_size(row: LayerRow) -> list[str]:
    """How long the output of a layer that slides is: a line for each axis, or one for all of them
    where they are alike, such as "(N - F + 2P)/S + 1 = (32 - 5 + 2·0)/1 + 1 = 28".

    Nothing of a layer that doesn't slide.
    """
    if not row.kernel:
        return []
    sizes = zip(
        row.input_shape[1:], row.kernel, row.padding, row.stride, row.output_shape[1:], strict=True
    )
    write = _back if row.kind.startswith("ConvTranspose") else _forth
    lines = [write(*size) for size in sizes]
    if len(set(lines)) == 1:
        return lines[:1]
    axes = AXES[len(lines)]
    return [f"{axis}: {line}" for axis, line in zip(axes, lines, strict=True)]


def _forth(n: int, f: int, p: int, s: int, out: int) -> str:
    size = (n - f + 2 * p) / s + 1
    if out not in (math.floor(size), math.ceil(size)):  # dilated: so wide does the filter lie
        f = n + 2 * p - (out - 1) * s
        size = out
    rounded = "" if size == out else f", rounded {'down' if out < size else 'up'} to {out}"
    return f"(N - F + 2P)/S + 1 = ({n} - {f} + 2·{p})/{s} + 1 = {size:.6g}{rounded}"


def _back(n: int, f: int, p: int, s: int, out: int) -> str:
    return f"(N - 1)·S + F - 2P = ({n} - 1)·{s} + {f} - 2·{p} = {out}"


def parameters(row: LayerRow) -> str:
    """The weights and biases of a convolution, "5·5·1·6 + 6 = 156", or of a fully connected layer;
    "" of a layer that has other parameters, or none."""
    if not row.kernel and row.kind != "Linear":
        return ""
    filters = row.output_shape[0]
    factors = (*row.kernel, row.input_shape[0], filters)
    product, weights = "·".join(map(str, factors)), math.prod(factors)
    biases = {weights: "", weights + filters: f" + {filters}"}.get(row.parameters)
    return "" if biases is None else f"{product}{biases} = {row.parameters:,}"
