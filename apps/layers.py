"""The layers of any network of the suite, row by row, as the lecture's tables have them."""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import domains
from core.errors import InputError
from core.registry import ARCHITECTURES, architecture, build, configure
from core.weights import list_cards

if TYPE_CHECKING:
    from torch import nn

    from core.arithmetic import LayerRow


def networks() -> list[str]:
    """The name of every network that a domain declares, sorted."""
    for domain in iter_modules(domains.__path__):
        import_module(f"domains.{domain.name}.model")
    return sorted(ARCHITECTURES)


def about(name: str) -> str:
    """What an architecture is, in Markdown: the words of its file, where it has one, and its own.

    Raises InputError for a name that is none.
    """
    made: Any = architecture(name).build
    while isinstance(made, partial):
        made = made.func
    module = sys.modules[made.__module__]
    shared = made.__module__.endswith(".model")
    return "\n\n".join(
        filter(None, ("" if shared else inspect.getdoc(module), inspect.getdoc(made)))
    )


def default_config(name: str) -> dict[str, Any]:
    """An architecture's own settings; one without a default is as in the domain's released models.

    Raises InputError for a name that is none, and for a setting that no released model has.
    """
    config = architecture(name).config
    folder = domains.weight_folders().get(_domain(name))
    released = [card.config for card in list_cards(folder)] if folder else []
    known = {key: value for settings in released for key, value in settings.items()}
    needed = [field.name for field in dataclasses.fields(config) if _has_no_default(field)]
    values = {key: known[key] for key in needed if key in known}
    return dataclasses.asdict(configure(config, values, name))


def layers(
    name: str, config: Mapping[str, Any], volume: Sequence[int] = ()
) -> tuple[dict[str, Any], list[LayerRow]]:
    """All settings, and the rows of the network's table, a total last.

    volume: of one input instead of the settings' own, as (channels, height, width)

    Only shapes are worked out, so a large network takes no longer than a small one. Raises
    InputError for settings that make no network, for a volume that is none of its inputs, and,
    naming it, for a layer that doesn't fit on what it gets.
    """
    import torch

    from core.arithmetic import table, total

    settings = dataclasses.asdict(configure(architecture(name).config, config, name))
    if volume:
        settings |= _given(volume, settings)
    with torch.device("meta"):
        network = build(name, settings)
        inputs = import_module(f"domains.{_domain(name)}.model").example_inputs(settings)
        taken = tuple(inputs[0].shape[1:])
        if volume and taken != tuple(volume):
            raise InputError(f"{name} takes {by(taken)}, not {by(volume)}")
        running = _Running(network)
        try:
            rows = table(network, *inputs)
        except RuntimeError as error:
            raise InputError(f"{name}: {running} doesn't fit on {by(running.shape)}") from error
    return settings, [*rows, total(rows)]


def volume_of(text: str) -> tuple[int, ...]:
    """A volume as it is typed.

    Raises InputError for what is none.

    >>> volume_of("3x224x224")
    (3, 224, 224)
    """
    if not re.fullmatch(r"[0-9]{1,4}(x[0-9]{1,4}){2,3}", text):
        raise InputError(f"{text!r} is no volume, such as 3x224x224")
    return tuple(map(int, text.split("x")))


def _given(volume: Sequence[int], settings: Mapping[str, Any]) -> dict[str, int]:
    """Those of the settings that a volume says: a picture is square."""
    given = {"channels": volume[0], "slices": volume[1]}
    if volume[-2] == volume[-1]:
        given["size"] = volume[-1]
    return {key: n for key, n in given.items() if isinstance(settings.get(key), int)}


def cells(row: LayerRow) -> dict[str, str | int]:
    """A row of the table of layers, by column; sizes are channels x height x width."""
    is_convolution = row.kernel and row.parameters
    return {
        "layer": row.name,
        "kind": row.kind,
        "output": by(row.output_shape),
        "filters": by(row.output_shape[:1]) if is_convolution else "",
        "kernel": by(row.kernel),
        "stride": by(row.stride),
        "pad": by(row.padding),
        "parameters": row.parameters,
        "multiply-adds": row.multiply_adds,
        "sees": by(row.receptive_field),
    }


def by(size: Sequence[int]) -> str:
    """As the field writes it.

    >>> by((3, 224, 224))
    '3x224x224'
    """
    return "x".join(map(str, size))


class _Running:
    """The innermost module of a network that is at work, as text, and the shape that it got."""

    def __init__(self, network: nn.Module) -> None:
        self.stack: list[tuple[str, tuple[int, ...]]] = []
        for name, module in network.named_modules():
            module.register_forward_pre_hook(self._enter(name))
            module.register_forward_hook(self._leave)

    def _enter(self, name: str) -> Any:
        return lambda module, inputs: self.stack.append((name, tuple(inputs[0].shape[1:])))

    def _leave(self, *_: Any) -> None:
        self.stack.pop()

    def __str__(self) -> str:
        return f"layer {self.stack[-1][0]}" if len(self.stack) > 1 else "the network"

    @property
    def shape(self) -> tuple[int, ...]:
        return self.stack[-1][1]


def _domain(name: str) -> str:
    return architecture(name).config.__module__.split(".")[1]


def _has_no_default(field: Any) -> bool:
    return field.default is field.default_factory is dataclasses.MISSING
