"""Recipes: what a domain's training consists of, by name or in a .toml file of the user's own."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

from .errors import InputError


def read_fields(name: str, folder: Path, recipe: type[Any]) -> dict[str, Any]:
    """The fields of the recipe `name` in `folder`, or of a .toml file, for the dataclass `recipe`.

    Raises InputError if there is none, listing those there, or for an unknown field.
    """
    path = Path(name) if name.endswith(".toml") else folder / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.toml")))
        raise InputError(f"no recipe called {name!r}; known: {known}")
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {error}") from None
    known_fields = {field.name for field in dataclasses.fields(recipe)}
    if unknown := sorted(set(fields) - known_fields):
        raise InputError(f"{path}: a recipe has no field {unknown[0]!r}")
    return fields
