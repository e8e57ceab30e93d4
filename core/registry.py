"""From an architecture's name to its config dataclass and its builder."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

from . import weights
from .errors import InputError

if TYPE_CHECKING:
    from torch import nn

Config = TypeVar("Config")


@dataclasses.dataclass(frozen=True)
class Architecture:
    """A network that can be built from its name: `build(config)` makes a fresh module."""

    name: str
    config: type[Any]
    build: Callable[[Any], nn.Module]


ARCHITECTURES: dict[str, Architecture] = {}


def register(
    name: str, config: type[Config]
) -> Callable[[Callable[[Config], nn.Module]], Callable[[Config], nn.Module]]:
    """Class or function decorator: what it decorates builds architecture `name` from a `config`."""

    def decorate(build: Callable[[Config], nn.Module]) -> Callable[[Config], nn.Module]:
        ARCHITECTURES[name] = Architecture(name, config, build)
        return build

    return decorate


def architecture(name: str) -> Architecture:
    """The registered architecture. Raises InputError, listing the known names, if there is none."""
    if name not in ARCHITECTURES:
        known = ", ".join(sorted(ARCHITECTURES))
        raise InputError(f"no architecture called {name!r}; known: {known}")
    return ARCHITECTURES[name]


def build(name: str, config: Mapping[str, Any]) -> nn.Module:
    """A fresh network. Raises InputError for an unknown name, and as `configure` does."""
    entry = architecture(name)
    return entry.build(configure(entry.config, config, name))


def trained(card: weights.Card) -> nn.Module:
    """The network of a card with its weights, in eval mode; they want no gradient.

    Raises InputError as `build` and `weights.load` do, and where the weights are another network's.
    """
    import torch

    network = build(card.architecture, card.config)
    tensors = weights.load(card)
    try:
        network.load_state_dict(
            {key: torch.from_numpy(tensors[key]) for key in network.state_dict()}
        )
    except (KeyError, RuntimeError):
        raise InputError(f"{card.weights}: not weights of a network of this card") from None
    return network.eval().requires_grad_(False)


def configure(config: type[Config], values: Mapping[str, Any], name: str) -> Config:
    """A config dataclass of these values, lists as tuples; errors call it `name`.

    Raises InputError for an unknown field, one that is missing, and a value of the wrong type.
    """
    fields: Any = dataclasses.fields(config)  # type: ignore[arg-type]
    kinds = get_type_hints(config)
    if unknown := sorted(set(values) - set(kinds)):
        raise InputError(
            f"{name} has no setting {unknown[0]!r}; it has: {', '.join(sorted(kinds))}"
        )
    for field in fields:
        if field.name not in values and (
            field.default is field.default_factory is dataclasses.MISSING
        ):
            raise InputError(f"{name} needs a value for {field.name!r}")
    given = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
    for key, value in given.items():
        if not _fits(value, kinds[key]):
            raise InputError(f"{name}: {key} cannot be {values[key]!r}")
    return config(**given)


def _fits(value: Any, kind: Any) -> bool:
    parts = get_args(kind)
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(_fits(part, parts[0]) for part in value)
    if get_origin(kind) is UnionType:
        return any(_fits(value, part) for part in parts)
    if kind is Any:
        return True
    if isinstance(value, bool) and kind is not bool:
        return False
    return isinstance(value, (int, float) if kind is float else get_origin(kind) or kind)
