"""From an architecture's name to its config dataclass and its builder."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

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
    """A fresh network. Raises InputError for an unknown name or an unknown config field."""
    entry = architecture(name)
    fields = {field.name for field in dataclasses.fields(entry.config)}
    if unknown := sorted(set(config) - fields):
        raise InputError(
            f"{name} has no setting {unknown[0]!r}; it has: {', '.join(sorted(fields))}"
        )
    required = [
        field.name
        for field in dataclasses.fields(entry.config)
        if field.default is field.default_factory is dataclasses.MISSING
    ]
    if missing := [field for field in required if field not in config]:
        raise InputError(f"{name} needs a value for {missing[0]!r}")
    values = {key: tuple(v) if isinstance(v, list) else v for key, v in config.items()}
    return entry.build(entry.config(**values))
