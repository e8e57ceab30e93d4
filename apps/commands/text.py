"""`receptive text`: train text networks, measure them, make word vectors."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from core.errors import InputError

from ..options import check_record, command_line, make_room, run_of, with_settings
from ..terminal import complain

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Train text networks, measure them, make word vectors.",
)

Paths = list[Path] | None


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="The model to write: its path without suffix.")],
    data: Annotated[Paths, typer.Option(help="Labelled csv, tsv or jsonl; repeatable.")] = None,
    dev: Annotated[Paths, typer.Option(help="Chooses epoch and temperature; repeatable.")] = None,
    test: Annotated[Paths, typer.Option(help="Keeps these texts out of training.")] = None,
    vectors: Annotated[
        Paths, typer.Option(help="Word vectors; several stand side by side.")
    ] = None,
    labels: Annotated[
        list[str] | None, typer.Option("--map", help="OLD=NEW label; OLD= leaves its rows out.")
    ] = None,
    column: Annotated[str | None, typer.Option(help="The column that holds the text.")] = None,
    label_column: Annotated[str | None, typer.Option(help="The column with the label.")] = None,
    arch: Annotated[str | None, typer.Option(help="text-cnn, bag-of-embeddings or rnn.")] = None,
    recipe: Annotated[
        str | None, typer.Option(help="A recipe by name or .toml file; options go before it.")
    ] = None,
    folds: Annotated[
        int, typer.Option(min=0, help="Cross-validate instead of writing a model.")
    ] = 0,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=VALUE of the recipe or the architecture; repeatable."),
    ] = None,
) -> None:
    """Train a network on labelled texts; an interrupted run resumes when it is called again.

    Writes OUT.toml (the card), OUT.safetensors and OUT.onnx. The log, and until the model is
    written the checkpoint, lie in OUT.run. With --folds N prints the accuracy of N-fold
    cross-validation as JSON.
    """
    from core import data as core_data
    from core.registry import configure
    from domains.text import recipe as recipes
    from domains.text import release

    run = run_of(out)
    fields = recipes.read_recipe(recipe, core_data.folder()) if recipe else {}
    mapping = mapped(labels)
    for name, paths in {"data": data, "dev": dev, "held_out": test}.items():
        if paths:
            fields[name] = tuple(
                recipes.LabelledFile(
                    path, labels=mapping, text_column=column, label_column=label_column
                )
                for path in paths
            )
    if vectors:
        fields["vectors"] = tuple(vectors)
    if arch:
        fields["arch"] = arch
    known = {field.name for field in dataclasses.fields(recipes.Recipe)} - {"settings"}
    fields = with_settings(fields, settings, known)
    made = configure(recipes.Recipe, fields, "a recipe")
    if folds:
        if found := release.cross_validate(made, run, folds):
            print(json.dumps(found))
    elif card := release.release(made, run, out, command_line()):
        print(card.path)


@app.command("eval")
def evaluate(
    data: Annotated[list[Path], typer.Option(help="Labelled csv, tsv or jsonl; repeatable.")],
    model: Annotated[str, typer.Option(help="A released model's name, or a card's path.")] = (
        "sentiment"
    ),
    labels: Annotated[
        list[str] | None, typer.Option("--map", help="OLD=NEW label; OLD= leaves its rows out.")
    ] = None,
    column: Annotated[str | None, typer.Option(help="The column that holds the text.")] = None,
    label_column: Annotated[str | None, typer.Option(help="The column with the label.")] = None,
    output: Annotated[str, typer.Option("--format", help="json or table.")] = "table",
    record: Annotated[
        str | None, typer.Option(help="Keep the figures in the model's card under this name.")
    ] = None,
) -> None:
    """Measure a model on labelled texts: one line a file.

    A set of two classes (negative, positive) is scored with the third left out of the choice.
    """
    from core import weights
    from domains.text.classifier import SentimentClassifier
    from domains.text.evaluation import evaluate as measure
    from domains.text.recipe import LabelledFile

    if record and len(data) > 1:
        raise typer.BadParameter("one file at a time", param_hint="--record")
    if output not in ("json", "table"):
        raise typer.BadParameter("json or table expected", param_hint="--format")
    classifier = SentimentClassifier.load(model)
    check_record(classifier.card, record)
    mapping = mapped(labels)
    for path in data:
        file = LabelledFile(path, labels=mapping, text_column=column, label_column=label_column)
        found = measure(classifier, file)
        if record:
            kept = {name: value for name, value in found.items() if name != "texts_per_second"}
            source = {"file": path.name} | ({"labels": mapping} if mapping else {})
            weights.record(classifier.card, record, {**source, **kept})
        if output == "json":
            print(json.dumps({"model": classifier.card.name, "data": path.name, **found}))
        else:
            print(path.name, *(f"{name} {shown(value)}" for name, value in found.items()), sep="  ")


@app.command()
def teach(
    out: Annotated[Path, typer.Option(help="The folder to write jsonl files to.")],
    recipe: Annotated[str, typer.Option(help="What the teacher is fine-tuned on.")] = "teacher",
    unlabelled: Annotated[
        Paths, typer.Option(help="Texts to judge by sentences; repeatable.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Sentences of each unlabelled file.")] = 250_000,
) -> None:
    """Fine-tune a larger network and write its opinions, for `train --data` to learn from.

    Needs the packages of the extra "teacher". Takes an hour on 2 cores, and resumes.
    """
    from core import data as core_data
    from core.registry import configure
    from domains.text import teacher
    from domains.text.recipe import Recipe, read_recipe

    made = configure(Recipe, read_recipe(recipe, core_data.folder()), "a recipe")
    for path in teacher.teach(made, unlabelled or [], limit, out):
        print(path)


@app.command()
def vectors(
    files: Annotated[list[Path], typer.Argument(help="Texts (txt, csv, tsv, jsonl), or vectors.")],
    out: Annotated[Path, typer.Option(help="The file to write: .bin is binary, else text.")],
    method: Annotated[str, typer.Option(help="word2vec, fasttext, or convert.")] = "word2vec",
    column: Annotated[str | None, typer.Option(help="The column that holds the text.")] = None,
    dimensions: Annotated[int, typer.Option(min=1, help="Of a vector.")] = 100,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the texts.")] = 5,
    minimum_count: Annotated[int, typer.Option(min=1, help="Rarer words are left out.")] = 5,
) -> None:
    """Train word vectors on texts, or convert vectors that others trained (GloVe, fastText, …)."""
    from core.weights import atomic_write
    from domains.text import embeddings

    bad: list[InputError] = []

    def reject(error: InputError) -> None:
        bad.append(error)
        complain(error)

    if method not in (*embeddings.METHODS, "convert"):
        raise typer.BadParameter("word2vec, fasttext or convert expected", param_hint="--method")
    if method == "convert" and len(files) > 1:
        raise typer.BadParameter("convert takes one file", param_hint="FILES")
    make_room(out)
    if method == "convert":
        made = embeddings.read(files[0])
    else:
        made = embeddings.train(
            files, reject, column=column, method=method, dimensions=dimensions, epochs=epochs,
            minimum_count=minimum_count,
        )  # fmt: skip
    with atomic_write(out, "wb") as file:
        embeddings.write(made, file, binary=out.suffix == ".bin")
    print(f"{len(made):,} words, {made.vector_size} dimensions: {out}", file=sys.stderr)
    if bad:
        raise typer.Exit(1)


def mapped(labels: list[str] | None) -> dict[str, str]:
    """--map options as a dict from a file's label to its meaning."""
    pairs = [label.partition("=") for label in labels or ()]
    bad = next((old for old, equals, _ in pairs if not equals), None)
    if bad is not None:
        raise InputError(f"--map {bad}: OLD=NEW expected")
    return {old: new for old, _, new in pairs}


def shown(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={shown(part)}" for name, part in value.items())
    return f"{value:.4f}" if isinstance(value, float) else str(value)
