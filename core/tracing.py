"""Runs a network once and writes down what each layer did: the torch half of `arithmetic.table`.

A hook on each module measures the layer. The receptive field travels with the tensors: a
TorchFunctionMode hands it from the inputs of any operation (relu, add, cat, view, ...) to its
outputs, so branches and free code in a `forward` need no special care.

Along an axis it is an `Axis`: how many inputs k positions in a row see at most, for k = 1, 2, ...
A position of a convolution sees what F neighbours before it see; on the way up, where several
positions come from the same one, k of them see what fewer before them see.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from .arithmetic import LayerRow
from .blocks import AveragePool, Branches, GlobalAveragePool, GlobalMaxPool, KMaxPool, MaxPool

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
MAX_POOLS = (MaxPool, nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
AVERAGE_POOLS = (AveragePool, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
SLIDING = (*CONVOLUTIONS, *TRANSPOSED, *MAX_POOLS, *AVERAGE_POOLS)
ALWAYS_SHOWN = (*SLIDING, Branches, nn.LocalResponseNorm)
SEEING_ALL = (GlobalMaxPool, GlobalAveragePool, KMaxPool, nn.RNNBase)


Axis = tuple[int, ...]  # entry k - 1: inputs of the network that k positions in a row see at most


def seen(axis: Axis, positions: int) -> int:
    """By `positions` in a row, or by all where there are fewer."""
    return axis[min(positions, len(axis)) - 1]


def widen(axis: Axis, kernel: int, stride: int, positions: int) -> Axis:
    """Through a layer that slides, to `positions` outputs."""
    return tuple(seen(axis, (k - 1) * stride + kernel) for k in range(1, positions + 1))


def spread(axis: Axis, kernel: int, stride: int, positions: int) -> Axis:
    """Through a transposed convolution: a filter lies at every `stride`-th output."""
    return tuple(seen(axis, math.ceil((k + kernel - 1) / stride)) for k in range(1, positions + 1))


def meet(axes: Sequence[Axis]) -> Axis:
    """Where branches meet, the largest counts."""
    if len(set(axes)) == 1:
        return axes[0]
    return tuple(max(seen(axis, k + 1) for axis in axes) for k in range(max(map(len, axes))))


class ReceptiveFields(TorchFunctionMode):
    """While on, keeps the receptive field, an Axis for each axis of the input, of every tensor."""

    def __init__(self, inputs: Sequence[Tensor]) -> None:
        super().__init__()
        self.fields = WeakTensorKeyDictionary()
        for x in inputs:
            self.mark(x, [tuple(range(1, n + 1)) for n in x.shape[2:] or x.shape[1:]])

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        self.mark(output, self.of((args, kwargs)))
        return output

    def of(self, values: Any) -> list[Axis]:
        """The largest field of these tensors."""
        fields = [self.fields[x] for x in _tensors(values) if x in self.fields]
        dims = max(map(len, fields), default=0)
        meeting = zip(*(field for field in fields if len(field) == dims), strict=True)
        return [meet(axes) for axes in meeting]

    def mark(self, values: Any, field: list[Axis]) -> None:
        for x in _tensors(values):
            self.fields[x] = field


def trace(model: nn.Module, inputs: Sequence[Tensor]) -> list[LayerRow]:
    """See `arithmetic.table`."""
    fields = ReceptiveFields(inputs)
    names = {module: name for name, module in model.named_modules()}
    training = {module: module.training for module in model.modules()}
    counted: set[nn.Parameter] = set()
    rows: list[LayerRow] = []

    def add_row(
        module: nn.Module,
        taken: Sequence[int],
        shape: Sequence[int],
        multiply_adds: int,
        field: Any,
    ) -> None:
        own = set(module.parameters(recurse=False)) - counted
        counted.update(own)
        dims = len(shape) - 1
        rows.append(
            LayerRow(
                name=names[module],
                kind=type(module).__name__,
                input_shape=tuple(taken),
                output_shape=tuple(shape),
                kernel=_window(module, "kernel_size", dims),
                stride=_window(module, "stride", dims),
                padding=_window(module, "padding", dims),
                parameters=sum(weight.numel() for weight in own),
                multiply_adds=multiply_adds,
                receptive_field=tuple(seen(axis, 1) for axis in field),
            )
        )

    def measure(module: nn.Module, args: Any, kwargs: Mapping[str, Any], output: Any) -> None:
        before, after = next(_tensors((args, kwargs)), None), next(_tensors(output), None)
        if before is None or after is None:
            return
        if isinstance(module, SLIDING):
            dims = after.ndim - 2
            kernel = _window(module, "kernel_size", dims)
            dilation = _window(module, "dilation", dims) or (1,) * dims
            wide = [(f - 1) * d + 1 for f, d in zip(kernel, dilation, strict=True)]
            stride = _window(module, "stride", dims)
            moves = zip(fields.of((args, kwargs)), wide, stride, after.shape[2:], strict=False)
            through = spread if isinstance(module, TRANSPOSED) else widen
            fields.mark(output, [through(axis, f, s, n) for axis, f, s, n in moves])
        elif isinstance(module, SEEING_ALL) or (isinstance(module, nn.Linear) and before.ndim == 2):
            fields.mark(output, [axis[-1:] for axis in fields.of((args, kwargs))])
        is_leaf = next(module.children(), None) is None
        reshapes = is_leaf and before.shape != after.shape
        if reshapes or _has_own_parameters(module) or isinstance(module, ALWAYS_SHOWN):
            cost = _multiply_adds(module, before, after, output)
            add_row(module, before.shape[1:], after.shape[1:], cost, fields.of(output))

    with ExitStack() as stack:
        for module in model.modules():
            stack.enter_context(module.register_forward_hook(measure, with_kwargs=True))
        stack.callback(lambda: [module.train(was) for module, was in training.items()])
        model.eval()
        with fields, torch.no_grad():
            model(*inputs)
    for module in model.modules():
        if set(module.parameters(recurse=False)) - counted:
            add_row(module, (), (), 0, ())
    return rows


def _tensors(values: Any) -> Iterator[Tensor]:
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, Mapping):
        yield from _tensors(list(values.values()))
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _tensors(value)


def _has_own_parameters(module: nn.Module) -> bool:
    return next(module.parameters(recurse=False), None) is not None


def _window(module: nn.Module, name: str, dims: int) -> tuple[int, ...]:
    """A size of a layer that slides, by axis; empty for other layers."""
    size: Any = getattr(module, name, ()) if isinstance(module, SLIDING) else ()
    if size == "same":
        kernel, dilation = (_window(module, of, dims) for of in ("kernel_size", "dilation"))
        return tuple((f - 1) * d // 2 for f, d in zip(kernel, dilation, strict=True))
    if size == "valid":
        size = 0
    return (size,) * dims if isinstance(size, int) else tuple(size)


def _multiply_adds(module: nn.Module, before: Tensor, after: Tensor, output: Any) -> int:
    """For one example: each weight works once at each position where its filter lies."""
    if isinstance(module, CONVOLUTIONS):
        return module.weight.numel() * math.prod(after.shape[2:])
    if isinstance(module, TRANSPOSED):
        return module.weight.numel() * math.prod(before.shape[2:])
    if isinstance(module, nn.Linear):
        return module.weight.numel() * math.prod(after.shape[1:-1])
    if isinstance(module, nn.RNNBase):
        packed = isinstance(output[0], PackedSequence)
        steps = (
            len(output[0].batch_sizes) if packed else after.shape[1 if module.batch_first else 0]
        )
        return sum(weight.numel() for weight in module.parameters() if weight.ndim == 2) * steps
    return 0
