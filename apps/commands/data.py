"""`receptive data`: which sets of training data there are, and fetching them."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from importlib.util import find_spec
from typing import Annotated

import typer

import domains
from core import data
from core.errors import InputError

app = typer.Typer(
    add_completion=False,
    help="Training data: public sets, where they lie, how to fetch them.",
    invoke_without_command=True,
)

Name = Annotated[str, typer.Argument(help="A set that `receptive data list` names.")]


@app.callback()
def data_sets(context: typer.Context) -> None:
    for domain in pkgutil.iter_modules(domains.__path__, "domains."):
        if domain.ispkg and find_spec(f"{domain.name}.datasets"):
            importlib.import_module(f"{domain.name}.datasets")
    if context.invoked_subcommand is None:
        list_sets()


@app.command("list")
def list_sets() -> None:
    """What each set is, its licence, where it is looked for, where it is fetched from."""
    typer.echo(f"data folder (RECEPTIVE_DATA): {data.folder()}")
    for name, known in sorted(data.DATASETS.items()):
        try:
            places = [str(path) for path in data.locate(name)]
        except InputError:
            places = [f"(not there; receptive data get {name})"]
        typer.echo(f"\n{name}: {known.description}")
        typer.echo(f"  licence  {known.licence}")
        for place in places:
            typer.echo(f"  at       {place}")
        for source in known.sources:
            unchecked = "" if source.sha256 else " (no published checksum)"
            typer.echo(f"  from     {source.url}{unchecked}")


@app.command()
def get(name: Name) -> None:
    """Fetches a set, checks its sha256, makes the tables that recipes read; prints their paths."""
    for place in data.get(name, progress=sys.stderr.isatty()):
        typer.echo(place)


@app.command()
def path(name: Name) -> None:
    """Where a set lies: its tables, one a line, or its folder."""
    for place in data.locate(name):
        typer.echo(place)
