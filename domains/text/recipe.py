"""All that makes a text network: the recipe, and its texts, read and cleaned."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.recipes import read_fields
from core.registry import configure
from core.training import TrainingConfig, training_config

from .data import Example, canonical, read, without
from .files import open_file
from .tokens import SPECIAL

RECIPES = Path(__file__).parent / "recipes"
MONITORS = ("accuracy", "macro_recall", "macro_f1")


@dataclasses.dataclass(frozen=True)
class LabelledFile:
    """A file of labelled texts and how it is used."""

    path: Path
    weight: float = 1.0  # how often an epoch shows each text, on average
    labels: dict[str, str] = dataclasses.field(default_factory=dict)
    # what the file's labels mean here; "" leaves those rows out
    text_column: str | None = None
    label_column: str | None = None

    def read(
        self, labels: tuple[str, ...] | list[str] | None = None, soft: bool = False
    ) -> tuple[list[str], list[Example]]:
        """Its labels and examples, see `data.read`."""
        return read(
            self.path, labels, self.labels, self.weight, soft=soft,
            text_column=self.text_column, label_column=self.label_column,
        )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Recipe:
    """All that makes a text network. Raises InputError for a value that makes no sense."""

    data: tuple[LabelledFile, ...] = ()  # what it trains on
    dev: tuple[LabelledFile, ...] = ()  # chooses the epoch and the temperature
    held_out: tuple[LabelledFile, ...] = ()  # test files: no text of theirs is trained on
    labels: tuple[str, ...] = ()  # in their order; default: those of the first file, sorted
    arch: str = "text-cnn"
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)  # of the architecture
    vectors: tuple[Path, ...] = ()  # word vectors to start from, side by side; none: random
    vocabulary: int = 60_000  # words at most
    minimum_count: int = 1  # a rarer word is known only if the vectors' own list has it
    extra_words: bool = False  # fill the vocabulary up with the vectors' first words
    monitor: str = "accuracy"  # the dev figure that chooses the epoch, mean over dev files
    learning_rate: float = 1e-3
    embedding_rate: float = 1.0  # the word vectors' learning rate, as a multiple
    weight_decay: float = 0.0  # decoupled (AdamW), of all but the word vectors
    balance: float = 0.0  # 1: the classes of each file come equally often; 0: as they are
    crop: int = 256  # words of a training text, a random stretch each epoch
    unknown: float = 0.0  # share of training words hidden
    epochs: int = 10
    batch_size: int = 64
    schedule: str = "cosine"
    warmup: float = 0.05
    gradient_clip: float | None = None
    precision: str = "32-true"
    patience: int | None = None
    seed: int = 1
    description: str = ""
    licence: str = ""

    def __post_init__(self) -> None:
        for name, valid in {
            "labels": len(set(map(canonical, self.labels))) == len(self.labels) != 1,
            "vocabulary": self.vocabulary > len(SPECIAL),
            "monitor": self.monitor in MONITORS,
            "learning_rate": self.learning_rate > 0,
            "crop": self.crop >= 1,
            "unknown": 0 <= self.unknown < 1,
            "balance": 0 <= self.balance <= 1,
        }.items():
            if not valid:
                raise InputError(f"a recipe: {name} cannot be {getattr(self, name)!r}")
        for name, origin in {
            "vocabulary": "the texts",
            "classes": "the labels",
            **({"dimensions": "the vectors"} if self.vectors else {}),
        }.items():
            if name in self.settings:
                raise InputError(f"a recipe: {name} comes from {origin}, it cannot be set")
        self.training()

    def training(self) -> TrainingConfig:
        return training_config(self)


def labelled_file(entry: str | Mapping[str, Any], folder: Path) -> LabelledFile:
    """A file of a recipe: its path below `folder`, or a table of a LabelledFile's fields."""
    fields = {"path": entry} if isinstance(entry, str) else dict(entry)
    return configure(LabelledFile, {**fields, "path": folder / fields["path"]}, "a file")


def read_recipe(name: str, folder: Path) -> dict[str, Any]:
    """The fields of a recipe in `recipes/`, or of a .toml file; its paths are below `folder`.

    Raises InputError if there is none, listing those there, or for an unknown field.
    """
    fields = read_fields(name, RECIPES, Recipe)
    for key in ("data", "dev", "held_out"):
        try:
            fields[key] = tuple(labelled_file(entry, folder) for entry in fields.get(key, ()))
        except (KeyError, TypeError, ValueError):
            raise InputError(
                f"recipe {name}: {key}: each is a path, or a table of path, weight and labels"
            ) from None
    try:
        fields["vectors"] = tuple(folder / entry for entry in fields.get("vectors", ()))
        fields["labels"] = tuple(fields.get("labels", ()))
    except TypeError:
        raise InputError(f"recipe {name}: vectors and labels: lists expected") from None
    return fields


def run_folder(recipe: Recipe, run: Path) -> Path:
    """Where a run of this recipe keeps its log and checkpoint: a folder of its own in `run`.

    It is named after the recipe and what its files hold now. Raises InputError if one can't be
    read.
    """
    key = hashlib.sha256(repr(recipe).encode())
    files = [entry.path for entry in (*recipe.data, *recipe.dev, *recipe.held_out)]
    for path in (*files, *recipe.vectors):
        with open_file(path) as file:
            key.update(hashlib.file_digest(file, "sha256").digest())
    return run / key.hexdigest()[:12]


@dataclasses.dataclass
class Ready:
    """A recipe's texts, read and cleaned."""

    labels: list[str]
    train: list[Example]
    dev: list[list[Example]]


def prepare(recipe: Recipe) -> Ready:
    """Reads the files; no text of dev or held-out files stays in training, nor any repeat.

    Raises InputError at the first bad row, and for patience without a dev file.
    """
    if recipe.patience and not recipe.dev:
        raise InputError("patience needs a file of labelled texts to measure on (--dev)")
    labels, examples = training_texts(recipe)
    dev = [entry.read(labels)[1] for entry in recipe.dev]
    kept_out = [example.text for group in dev for example in group]
    for entry in recipe.held_out:
        kept_out += [example.text for example in entry.read()[1]]
    kept = without([example.text for example in examples], kept_out)
    if not kept:
        raise InputError(
            f"{recipe.data[0].path}: every text to train on stands in the dev or test files too"
        )
    return Ready(labels, [examples[number] for number in kept], dev)


def training_texts(recipe: Recipe) -> tuple[list[str], list[Example]]:
    """The labels, and all the texts to train on, repeats included.

    Raises InputError at the first bad row, and where all texts have the same label.
    """
    if not recipe.data:
        raise InputError("training needs at least one file of labelled texts (--data)")
    labels = [canonical(label) for label in recipe.labels] or recipe.data[0].read()[0]
    examples: list[Example] = []
    for entry in recipe.data:
        examples += balanced(entry.read(labels, soft=True)[1], recipe.balance)
    if len({example.target.index(max(example.target)) for example in examples}) < 2:
        raise InputError(f"{recipe.data[0].path}: training needs texts of two labels at least")
    return labels, examples


def balanced(examples: Sequence[Example], share: float) -> list[Example]:
    """The examples with weights under which their classes come more equally often.

    A class with n_c of n examples, of k classes, is weighted by (n / (k n_c)) ** share.
    """
    classes = [example.target.index(max(example.target)) for example in examples]
    counts = Counter(classes)
    factor = {one: (len(classes) / (len(counts) * n)) ** share for one, n in counts.items()}
    return [
        dataclasses.replace(example, weight=example.weight * factor[one])
        for example, one in zip(examples, classes, strict=True)
    ]
