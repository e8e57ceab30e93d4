"""`receptive`: one sub-command a domain, each imported only when it is called."""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from core.errors import InputError

from .terminal import complain

COMMANDS = ("sentiment", "go", "speech", "image", "app", "text", "models", "data")


class Commands(TyperGroup):
    """The modules of `apps.commands`; each offers its own `app`."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        command = typer.main.get_command(import_module(f"apps.commands.{cmd_name}").app)
        command.name = cmd_name
        return command


app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"receptive {version('receptive')}")
        raise typer.Exit


@app.callback()
def receptive(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """One convolutional core, four senses: Go, text, speech and images."""


def _nothing(mode: str) -> Any:
    """A stream that is empty and takes whatever is written."""
    return Path(os.devnull).open(mode)


def main() -> None:
    """The console script. Exits 0 when done, 1 when some input was bad, 2 on wrong usage."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller
            setattr(sys, name, _nothing(mode))
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except InputError as error:
        complain(error)
        sys.exit(1)
    except OSError as error:
        sys.stdout = _nothing("w")  # what it still holds would fail again at exit
        if not isinstance(error, BrokenPipeError):
            place = f"{error.filename}: " if error.filename else ""
            complain(InputError(f"{place}{error.strerror or error}"))
        sys.exit(1)


if __name__ == "__main__":
    main()
