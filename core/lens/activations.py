"""What comes out of each layer of a network, and which part of the input a value has seen.

A layer is what a reader of the network's code would call one: a block's norm and activation belong
to it, a container is its parts, and what only passes its input on is none. Its name is its place,
as in the names of its weights, such as "groups.0.1"; the network itself is "output".
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from core.blocks import Conv, FullyConnected, TransposedConv
from core.errors import InputError

WHOLE = (Conv, TransposedConv, FullyConnected)
PASSING = (_DropoutNd, nn.Flatten, nn.Identity)
OUTPUT = "output"


@dataclass(frozen=True)
class Found:
    """An input that a unit answers to, and where in it.

    index: of the input, counted over all batches
    place: of the strongest value in the unit's map; () for a neuron
    window: the part of the input that this value depends on, a slice for each spatial axis
    input: `(C, *spatial)`
    """

    index: int
    place: tuple[int, ...]
    value: float
    window: tuple[slice, ...]
    input: Tensor

    @property
    def patch(self) -> Tensor:
        """The window, cut out of the input. `(C, *window)`"""
        return self.input[:, *self.window]


def run(
    network: nn.Module, inputs: Tensor, heard: Callable[[str, nn.Module, Tensor], object]
) -> Tensor:
    """What the network, set to eval mode, makes of a batch.

    Calls `heard(name, layer, output)` for each layer in the order in which they run. Others may run
    the network at the same time.
    """
    network = own(network)

    def listener(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, _inputs: object, output: object) -> None:
            if isinstance(output, Tensor):
                heard(name, module, output)

        return hook

    with ExitStack() as hooks:
        for name, module in _layers(network):
            hooks.enter_context(module.register_forward_hook(listener(name)))
        answer: Tensor = network.eval()(inputs)
    return answer


def own(network: nn.Module) -> nn.Module:
    """The network on the same weights, in modules that nobody else listens to or runs."""
    tensors = [*network.parameters(), *network.buffers()]
    return deepcopy(network, {id(tensor): tensor for tensor in tensors})


@torch.no_grad()
def layers(network: nn.Module, example: Tensor) -> dict[str, nn.Module]:
    """The layers by name, in the order in which they first run on `example`, `(B, *shape)`."""
    ran: dict[str, nn.Module] = {}
    run(network, example, lambda name, module, _output: ran.setdefault(name, module))
    return ran


def layer(network: nn.Module, example: Tensor, name: str) -> nn.Module:
    """The layer of this name. Raises InputError that lists the right ones."""
    known = layers(network, example)
    if name not in known:
        raise InputError(f"no layer called {name!r}; known: {', '.join(known)}")
    return known[name]


def label(network: nn.Module, name: str) -> str:
    """A layer's place and its kind, such as "groups.0.1 MaxPool"; "output" stays as it is."""
    return name if name == OUTPUT else f"{name} {type(network.get_submodule(name)).__name__}"


@torch.no_grad()
def every(network: nn.Module, one_input: Tensor) -> list[tuple[str, Tensor]]:
    """What comes out of each layer for `(*shape)`, in the order in which they ran.

    Maps are `(C, *spatial)`, neurons `(C,)`. A layer that runs twice is there twice.
    """
    found: list[tuple[str, Tensor]] = []
    run(network, one_input[None], lambda name, _layer, out: found.append((name, out[0].clone())))
    return found


def activations(network: nn.Module, inputs: Tensor, name: str) -> Tensor:
    """A layer's maps for a batch, `(B, C, *spatial)`, or its neurons, `(B, C)`.

    Of a layer that runs more than once, those of the first time. Raises InputError for a name that
    is none, listing the right ones.
    """
    layer(network, inputs[:1], name)
    return _output(network, name, inputs)


def degree(maps: Tensor) -> Tensor:
    """The degree of activation of each unit: a^k, the sum of a^k_ij over all places of its map.

    `(B, C, *spatial) -> (B, C)`; of a neuron, its value.
    """
    return maps.reshape(*maps.shape[:2], -1).sum(2)


def window(
    network: nn.Module, shape: Sequence[int], name: str, place: Sequence[int]
) -> tuple[slice, ...]:
    """The part of an input that the layer's values at `place` depend on, for each spatial axis.

    It is found by looking how far a NaN spreads, so it is what really goes in, whatever the
    weights: smaller than the receptive field near an edge, the whole axis behind a global pool.
    Exact for layers that slide; of units with different windows (Inception), the largest.

    shape: of one input, `(C, *spatial)`
    Raises InputError for a layer or a place that is none.
    """
    example = next(network.parameters()).new_ones(1, *shape)
    layer(network, example, name)
    places = _output(network, name, example).shape[2:]
    if len(place) != len(places) or not all(0 <= p < n for p, n in zip(place, places, strict=True)):
        raise InputError(f"layer {name!r} has a map of {_by(places)}: no place {tuple(place)}")
    return _window(network, name, example, place)


def top(
    network: nn.Module, batches: Iterable[Tensor], name: str, unit: int, k: int = 9
) -> list[Found]:
    """The k inputs to which a unit answers most strongly at any one place, the strongest first.

    batches: `(B, *shape)` each; only the k best inputs are kept, so there may be any number
    Zeiler and Fergus, "Visualizing and understanding convolutional networks", ECCV 2014, figure 2.
    Raises InputError for a layer or a unit that is none.
    """
    best: list[tuple[float, int, tuple[int, ...], Tensor]] = []
    seen = 0
    for batch in batches:
        if not seen:
            layer(network, batch[:1], name)
        maps = _output(network, name, batch)
        if not 0 <= unit < maps.shape[1]:
            raise InputError(f"layer {name!r} has units 0 to {maps.shape[1] - 1}: no {unit}")
        strongest, places = maps[:, unit].reshape(len(batch), -1).max(1)
        for row in strongest.argsort(descending=True, stable=True)[:k].tolist():
            place = tuple(int(p) for p in torch.unravel_index(places[row], maps.shape[2:]))
            best.append((float(strongest[row]), seen + row, place, batch[row].clone()))
        best = sorted(best, key=lambda one: -one[0])[:k]
        seen += len(batch)
    return [
        Found(index, place, value, _window(network, name, one[None], place), one)
        for value, index, place, one in best
    ]


class _Reached(Exception):
    """The layer has run: the rest of the network need not."""

    def __init__(self, output: Tensor) -> None:
        self.output = output


@torch.no_grad()
def _output(network: nn.Module, name: str, inputs: Tensor) -> Tensor:
    """Of a layer that there is."""
    network = own(network).eval()
    found = network if name == OUTPUT else network.get_submodule(name)

    def stop(_layer: nn.Module, _inputs: object, output: Tensor) -> None:
        raise _Reached(output)

    with found.register_forward_hook(stop):
        try:
            answer: Tensor = network(inputs)
        except _Reached as reached:
            return reached.output
    return answer


def _layers(module: nn.Module, name: str = "") -> Iterator[tuple[str, nn.Module]]:
    is_whole = isinstance(module, WHOLE)
    if not is_whole:
        for part, child in module.named_children():
            if part != "activation":
                yield from _layers(child, f"{name}.{part}" if name else part)
    is_container = not is_whole and type(module).forward is nn.Sequential.forward
    if not is_container and not isinstance(module, PASSING):
        yield name or OUTPUT, module


def _window(
    network: nn.Module, name: str, example: Tensor, place: Sequence[int]
) -> tuple[slice, ...]:
    """By bisection: a part of the input that reaches far enough makes the values at `place` NaN."""

    def reaches(axis: int, part: slice) -> bool:
        probe = torch.ones_like(example)
        probe.transpose(0, axis)[part] = torch.nan
        spoiled = _output(network, name, probe)[0].isnan().any(0)  # (*spatial)
        return bool(spoiled[tuple(place)])

    def along(axis: int, n: int) -> slice:
        before = bisect_left(range(n), True, key=lambda m: reaches(axis, slice(0, m + 1)))
        behind = bisect_left(range(n), True, key=lambda m: reaches(axis, slice(n - m - 1, n)))
        return slice(before, n - behind)

    with torch.backends.cudnn.flags(enabled=False):  # its NaNs may spread over tiles: Winograd
        return tuple(along(axis, n) for axis, n in enumerate(example.shape[2:], 2))


def _by(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes)) or "one value"
