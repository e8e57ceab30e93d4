"""`receptive models`: the released models, what they are made of, whether their files are whole."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from core.errors import InputError
from core.weights import Card, find, list_cards
from core.weights import verify as verify_files
from domains import weight_folders

from ..figures import compared
from ..layers import cells, default_config, layers, networks, volume_of
from ..options import Form
from ..terminal import complain, visible, visible_lines

NARROWEST, WIDE = 80, 200
"""How narrow a table is made for a terminal, and how wide where there is none."""

NUMERIC = (
    "MB", "output", "filters", "kernel", "stride", "pad", "parameters", "multiply-adds", "sees"
)  # fmt: skip

app = typer.Typer(
    add_completion=False,
    help="Released models: their cards, layers and files.",
    invoke_without_command=True,
)


FormatOption = Annotated[Form, typer.Option("--format", help="How to print it.")]


class ListFormat(StrEnum):
    table = "table"
    json = "json"
    markdown = "markdown"


@app.callback()
def models(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_models()


@app.command("list")
def list_models(
    form: Annotated[ListFormat, typer.Option("--format", help="How to print it.")] = (
        ListFormat.table
    ),
) -> None:
    """One line a model."""
    cards = [card for folder in weight_folders().values() for card in list_cards(folder)]
    if form == ListFormat.json:
        _print_json([_record(card) for card in cards])
        return
    head = ("name", "domain", "architecture", "MB", "metrics")
    rows = [
        (card.name, card.domain, card.architecture, _megabytes(card), _figures(card))
        for card in cards
    ]
    if form == ListFormat.markdown:
        print("| " + " | ".join(head) + " |")
        print("|" + "---|" * len(head))
        for *cells, figures in rows:
            print(visible("| " + " | ".join([*map(str, cells), "<br>".join(figures)]) + " |"))
    else:
        _print_table(head, ((*map(str, cells), "\n".join(figures)) for *cells, figures in rows))


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(help="A released model, the path of a card, or an architecture.")
    ],
    volume: Annotated[
        str | None,
        typer.Option("--input", metavar="CxHxW", help="Its layers on an input of this volume."),
    ] = None,
    form: FormatOption = Form.table,
) -> None:
    """A model's card and its layers: output volume, filters, parameters, receptive field.

    "sees" is the receptive field: how many inputs along each axis one output depends on.
    """
    try:
        size = () if volume is None else volume_of(volume)
    except InputError as error:
        raise typer.BadParameter(str(error), param_hint="--input") from None
    if name in networks():
        config, rows = layers(name, default_config(name), size)
        record = {"architecture": name, "config": config}
    else:
        card = _find(name)
        _, rows = layers(card.architecture, card.config, size)
        record = _record(card)
    if form == Form.json:
        _print_json(record | {"layers": [dataclasses.asdict(row) for row in rows]})
        return
    _print_table(("field", "value"), ((field, _value(value)) for field, value in record.items()))
    table = list(map(cells, rows))
    _print_table(tuple(table[0]), (tuple(map(_value, row.values())) for row in table))


@app.command()
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Models, or paths of cards; all released ones.")
    ] = None,
) -> None:
    """Checks each file of a model against the sha256 in its card; exit code 1 if one differs."""
    folders = weight_folders().values()
    released = [path.stem for folder in folders for path in sorted(folder.glob("*.toml"))]
    failed = False
    for name in names or released:
        try:
            verify_files(find(name, *folders))
        except InputError as error:
            failed = True
            typer.echo(visible(f"{name}: failed"))
            complain(error)
        else:
            typer.echo(visible(f"{name}: ok"))
    raise typer.Exit(code=int(failed))


def _find(name: str) -> Card:
    """As `core.weights.find`, in all domains; the error lists the architectures too."""
    try:
        card = find(name, *weight_folders().values())
    except InputError as error:
        raise InputError(f"{error}; architectures: {', '.join(networks())}") from None
    if card.domain not in weight_folders():
        raise InputError(f"{card.path}: field 'domain': there is no domain {card.domain!r}")
    return card


def _record(card: Card) -> dict[str, Any]:
    fields = {field.name: getattr(card, field.name) for field in dataclasses.fields(card)}
    return fields | {"path": str(card.path)}


def _figures(card: Card) -> list[str]:
    return [f"{name}: {metric} {100 * share:.1f} %" for name, metric, share in compared(card)]


def _megabytes(card: Card) -> str:
    paths = [card.path.with_name(name) for name in card.files]
    if missing := [path.name for path in paths if not path.is_file()]:
        return f"no {missing[0]}"
    return f"{sum(path.stat().st_size for path in paths) / 1e6:.1f}"


def _value(value: Any, joint: str = "\n") -> str:
    if isinstance(value, Mapping):
        return joint.join(f"{name} {_value(inner, ', ')}" for name, inner in value.items())
    if isinstance(value, list):
        return joint.join(_value(inner, ", ") for inner in value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _print_json(content: Any) -> None:
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2, default=str))


def _print_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    shown = [tuple(map(visible_lines, row)) for row in rows]
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0), pad_edge=False)
    for name, *column in zip(head, *shown, strict=True):
        number = name in NUMERIC
        whole = max(map(len, (name, *column))) if number else None
        table.add_column(name, overflow="fold", no_wrap=number, min_width=whole)
    for row in shown:
        table.add_row(*row)
    console = Console(markup=False, highlight=False)
    console.width = max(console.width, NARROWEST) if sys.stdout.isatty() else WIDE
    console.print(table, crop=False)
