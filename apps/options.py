"""What the commands' options have in common."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Collection, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from core.errors import InputError

if TYPE_CHECKING:
    from core.weights import Card


def check_input(files: Collection[str], kind: str) -> None:
    """Raises BadParameter where a `kind` of file is to come from a person's keyboard."""
    if "-" in files and sys.stdin.isatty():
        raise typer.BadParameter(f"standard input is a terminal, not a {kind}", param_hint="FILE")


def make_room(out: Path) -> None:
    """Makes the folder of a file that is to be written, long before it is.

    Raises InputError if that cannot be, or if the file cannot be written there.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {out}: {error.strerror}") from None
    if out.is_dir():
        raise InputError(f"--out {out}: is a folder")
    if not os.access(out if out.exists() and not out.is_file() else out.parent, os.W_OK):
        raise InputError(f"--out {out}: cannot be written")


def run_of(out: Path) -> Path:
    """The folder of a run that will write the model `out`, for which there is room.

    Raises InputError, long before it is written, if `out` can't name a model or be written.
    """
    from core.weights import PICKLES

    if out.name in ("", "..") or re.search(r"[\\:]", out.name) or out.suffix in PICKLES:
        raise InputError(f"--out {out}: not the name of a model")
    make_room(out.with_name(f"{out.name}.toml"))
    return out.with_name(f"{out.name}.run")


def command_line() -> str:
    """The command that this process runs, for the card of the model that it makes."""
    command = shlex.join(["receptive", *sys.argv[1:]])
    processes = os.environ.get("WORLD_SIZE", "1")
    return command if processes == "1" else (
        f"torchrun --no-python --nproc-per-node {processes} -- {command}"
    )  # fmt: skip


class Format(StrEnum):
    """How answers are printed, a row each."""

    table = "table"
    csv = "csv"
    jsonl = "jsonl"


class Form(StrEnum):
    """How figures are printed."""

    table = "table"
    json = "json"


def check_record(card: Card, name: str | None) -> None:
    """Raises InputError, before anything is measured, if figures can't be kept under `name`."""
    if name and not isinstance(card.metrics.get(name, {}), dict):
        raise InputError(f"--record {name}: the card has a figure of that name")


def with_settings(
    fields: dict[str, Any], settings: Sequence[str] | None, known: Collection[str]
) -> dict[str, Any]:
    """A recipe's fields with --set options: NAME=VALUE of the recipe if it is `known`, or else
    of its architecture.
    """
    fields = dict(fields)
    for setting in settings or ():
        name, equals, value = setting.partition("=")
        if not equals:
            raise InputError(f"--set {setting}: NAME=VALUE expected")
        if name in known:
            fields[name] = parsed(value)
        else:
            fields["settings"] = {**fields.get("settings", {}), name: parsed(value)}
    return fields


def parsed(value: str) -> Any:
    """A setting's value as TOML reads it; what it can't read is a plain word."""
    import tomllib

    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return value
