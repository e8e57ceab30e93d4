"""From a recipe to a released text network: read, train, calibrate, measure on dev, export."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import time
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core import metrics, registry, weights
from core.errors import InputError
from core.export import to_onnx
from core.training import Result, TrainingConfig, fit

from . import embeddings
from .classifier import SentimentClassifier
from .data import Example, TextData, Words, count_words, loss, read, without
from .model import TextCNN
from .tokens import SPECIAL, Vocabulary

RECIPES = Path(__file__).parent / "recipes"
MAX_WORDS = 2048  # of a text that a released network reads
MONITORS = ("accuracy", "macro_recall", "macro_f1")
EMBEDDING_DTYPE = torch.float16  # of released word vectors; all other weights are float32


@dataclasses.dataclass(frozen=True)
class Source:
    """A file of labelled texts and how it is used."""

    path: Path
    weight: float = 1.0  # how often an epoch shows each text, on average
    labels: dict[str, str] = dataclasses.field(default_factory=dict)
    # what the file's labels mean here; "" leaves those rows out


@dataclasses.dataclass(frozen=True)
class Recipe:
    """All that makes a text network."""

    data: tuple[Source, ...] = ()  # what it trains on
    dev: tuple[Source, ...] = ()  # chooses the epoch and the temperature
    held_out: tuple[Source, ...] = ()  # test files: no text of theirs is trained on
    labels: tuple[str, ...] = ()  # in their order; default: those of the first file, sorted
    arch: str = "text-cnn"
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)  # of the architecture
    vectors: tuple[Path, ...] = ()  # word vectors to start from, side by side; none: random
    vocabulary: int = 60_000  # words at most
    minimum_count: int = 1  # a rarer word is known only if the vectors have it
    extra_words: bool = False  # fill the vocabulary up with the vectors' first words
    monitor: str = "accuracy"  # the dev figure that chooses the epoch, mean over dev files
    learning_rate: float = 1e-3
    embedding_rate: float = 1.0  # the word vectors' learning rate, as a multiple
    weight_decay: float = 0.0  # decoupled (AdamW), of all but the word vectors
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
            "vocabulary": self.vocabulary > len(SPECIAL),
            "monitor": self.monitor in MONITORS,
            "learning_rate": self.learning_rate > 0,
            "crop": self.crop >= 1,
            "unknown": 0 <= self.unknown < 1,
        }.items():
            if not valid:
                raise InputError(f"a recipe: {name} cannot be {getattr(self, name)!r}")

    def training(self) -> TrainingConfig:
        names = {field.name for field in dataclasses.fields(TrainingConfig)}
        given = {field.name for field in dataclasses.fields(self)}
        return TrainingConfig(**{name: getattr(self, name) for name in names & given})


def source(entry: str | Mapping[str, Any], folder: Path = Path()) -> Source:
    """A file of a recipe: its path, or a table with `path`, `weight` and `labels`."""
    fields = {"path": entry} if isinstance(entry, str) else dict(entry)
    return Source(**{**fields, "path": folder / fields["path"]})


def read_recipe(name: str, folder: Path) -> dict[str, Any]:
    """The fields of a recipe in `recipes/`, or of a .toml file; its paths are below `folder`.

    Raises InputError if there is none, listing those there, or for an unknown field.
    """
    path = Path(name) if name.endswith(".toml") else RECIPES / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in RECIPES.glob("*.toml")))
        raise InputError(f"no recipe called {name!r}; known: {known}")
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    known_fields = {field.name for field in dataclasses.fields(Recipe)}
    if unknown := sorted(set(fields) - known_fields):
        raise InputError(f"{path}: a recipe has no field {unknown[0]!r}")
    for key in ("data", "dev", "held_out"):
        try:
            fields[key] = tuple(source(entry, folder) for entry in fields.get(key, ()))
        except (KeyError, TypeError, ValueError):
            raise InputError(
                f"{path}: {key}: each is a path, or a table of path, weight and labels"
            ) from None
    fields["vectors"] = tuple(folder / entry for entry in fields.get("vectors", ()))
    fields["labels"] = tuple(fields.get("labels", ()))
    return fields


@dataclasses.dataclass
class Ready:
    """A recipe's texts, read and cleaned."""

    labels: list[str]
    train: list[Example]
    dev: list[list[Example]]


def prepare(recipe: Recipe) -> Ready:
    """Reads the files; no text of dev or held-out files stays in training, nor any repeat.

    Raises InputError at the first bad row.
    """
    labels, examples = _examples(recipe)
    dev = [read(entry.path, labels, entry.labels)[1] for entry in recipe.dev]
    kept_out = [example.text for group in dev for example in group]
    for entry in recipe.held_out:
        kept_out += [example.text for example in read(entry.path, mapping=entry.labels)[1]]
    kept = without([example.text for example in examples], kept_out)
    return Ready(labels, [examples[number] for number in kept], dev)


def _examples(recipe: Recipe) -> tuple[list[str], list[Example]]:
    if not recipe.data:
        raise InputError("training needs at least one file of labelled texts (--data)")
    labels = list(recipe.labels) or read(recipe.data[0].path, mapping=recipe.data[0].labels)[0]
    examples: list[Example] = []
    for entry in recipe.data:
        examples += read(entry.path, labels, entry.labels, entry.weight)[1]
    return labels, examples


def train(recipe: Recipe, ready: Ready, run: Path) -> tuple[nn.Module, Vocabulary, Result]:
    """A network trained on these texts. `run` keeps the log and the checkpoint, and resumes."""
    torch.manual_seed(recipe.seed)
    sources = [embeddings.read(path) for path in recipe.vectors]
    counts = Counter(
        {
            word: count
            for word, count in count_words(ready.train).items()
            if count >= recipe.minimum_count or any(word in source for source in sources)
        }
    )
    if recipe.extra_words:
        for vectors in sources:
            for rank, word in enumerate(vectors.index_to_key[: recipe.vocabulary]):
                counts.setdefault(word, -rank)
    vocabulary = Vocabulary.of_counts(counts.items(), recipe.vocabulary)
    config = {"vocabulary": len(vocabulary), "classes": len(ready.labels), **recipe.settings}
    if sources:
        start, _ = embeddings.table(vocabulary.words, sources, recipe.seed)
        config["dimensions"] = start.shape[1]
    model: Any = registry.build(recipe.arch, config)
    if sources:
        model.embedding.start_from(torch.from_numpy(start))
    result = fit(
        model,
        optimizer(model, recipe),
        TextData(ready.train, vocabulary, crop=recipe.crop, unknown=recipe.unknown),
        loss,
        recipe.training(),
        run,
        validate=(lambda module: dev_figures(module, vocabulary, ready)) if ready.dev else None,
        monitor=recipe.monitor if ready.dev else None,
    )
    return model, vocabulary, result


def run_folder(recipe: Recipe, run: Path) -> Path:
    """Where a run of this recipe keeps its log and checkpoint: a folder of its own in `run`."""
    return run / hashlib.sha256(repr(recipe).encode()).hexdigest()[:12]


def cross_validate(recipe: Recipe, run: Path, folds: int) -> dict[str, Any]:
    """Accuracy of `folds`-fold cross-validation on the recipe's texts, repeats included.

    As in Kim 2014, table 1: a tenth of each training part, drawn at random, chooses the epoch.
    """
    labels, examples = _examples(recipe)
    if not 2 <= folds <= len(examples) // 2:
        raise InputError(f"folds cannot be {folds}: from 2 to half the {len(examples)} texts")
    order = np.random.default_rng(recipe.seed).permutation(len(examples))
    accuracies = []
    for fold in range(folds):
        test = [examples[index] for index in order[fold::folds]]
        rest = [examples[index] for other in range(folds) if other != fold
                for index in order[other::folds]]  # fmt: skip
        tenth = max(len(rest) // 10, 1)
        dev, training = rest[:tenth], rest[tenth:]
        ready = Ready(labels, training, [dev])
        model, vocabulary, _ = train(recipe, ready, run_folder(recipe, run) / f"fold{fold}")
        answers = logits(model, vocabulary, test)
        accuracies.append(figures(answers, test, labels)["accuracy"])
    return {
        "accuracy": round(float(np.mean(accuracies)), 4),
        "folds": [round(accuracy, 4) for accuracy in accuracies],
        "n": len(examples),
    }


def optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW; the word vectors have a learning rate of their own and no decay."""
    tables = [p for n, p in model.named_parameters() if ".tables." in n and p.requires_grad]
    others = [p for n, p in model.named_parameters() if ".tables." not in n]
    groups: list[dict[str, Any]] = [{"params": others, "weight_decay": recipe.weight_decay}]
    if tables:
        rate = recipe.learning_rate * recipe.embedding_rate
        groups.append({"params": tables, "lr": rate, "weight_decay": 0.0})
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True)


def logits(model: nn.Module, vocabulary: Words, examples: Sequence[Example]) -> Tensor:
    """The network's answers to whole texts, in order: (N, classes); -1e4 for labels not chosen."""
    data = TextData(examples, vocabulary, crop=MAX_WORDS)
    order = np.argsort(data.lengths, kind="stable")
    device = next(model.parameters()).device
    answers: list[Tensor] = []
    model.eval()
    with torch.no_grad():
        for rows in np.array_split(order, max(1, len(order) // 128)):
            chosen = rows.tolist()
            words, _, among = data.batch(chosen, np.random.default_rng(0))
            masked = model(words.to(device)).float().cpu().masked_fill(~among, -1e4)
            answers.append(masked)
    together = torch.empty(len(examples), answers[0].shape[1])
    together[torch.from_numpy(order)] = torch.cat(answers)
    return together


def dev_figures(model: nn.Module, vocabulary: Words, ready: Ready) -> dict[str, float]:
    """accuracy and macro_recall, means over the dev files."""
    each = [figures(logits(model, vocabulary, dev), dev, ready.labels) for dev in ready.dev]
    return {name: float(np.mean([entry[name] for entry in each])) for name in MONITORS}


def figures(answers: Tensor, examples: Sequence[Example], labels: Sequence[str]) -> dict[str, Any]:
    """`core.metrics.classification` of logits (N, labels) against the examples' classes."""
    classes = torch.tensor([int(np.argmax(example.target)) for example in examples])
    return metrics.classification(answers.softmax(1), classes, labels)


def calibrate(model: nn.Module, vocabulary: Vocabulary, ready: Ready) -> float:
    """Divides the last layer by the temperature that the dev texts choose, and returns it."""
    dev = [example for examples in ready.dev for example in examples]
    answers = logits(model, vocabulary, dev)
    classes = torch.tensor([int(np.argmax(example.target)) for example in dev])
    found = metrics.temperature(answers, classes)
    head: Any = model.head
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.div_(found)
    return found


def release(recipe: Recipe, run: Path, out: Path, command: str) -> weights.Card | None:
    """Trains, calibrates and writes the model `out`: its card, weights and ONNX graph.

    Under torchrun only the first process writes; the others return None.
    """
    ready = prepare(recipe)
    model, vocabulary, result = train(recipe, ready, run_folder(recipe, run))
    if os.environ.get("RANK", "0") != "0":  # under torchrun the first process writes
        return None
    model = model.cpu().eval()
    measured: dict[str, Any] = {"epochs": result.epochs, "minutes": round(result.seconds / 60, 1)}
    if ready.dev:
        measured["temperature"] = calibrate(model, vocabulary, ready)
        for entry, dev in zip(recipe.dev, ready.dev, strict=True):
            found = figures(logits(model, vocabulary, dev), dev, ready.labels)
            measured[f"dev {entry.path.name.split('.')[0]}"] = _rounded(found)
    for name, parameter in model.named_parameters():
        if ".tables." in name:
            parameter.data = parameter.data.to(EMBEDDING_DTYPE)
    tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    tensors["vocabulary"] = np.frombuffer("\n".join(vocabulary.words).encode(), dtype=np.uint8)
    config = {"vocabulary": len(vocabulary), "classes": len(ready.labels), **recipe.settings}
    if recipe.vectors:
        config["dimensions"] = next(iter(tensors.values())).shape[1]
    card = weights.Card(
        name=out.name,
        domain="text",
        architecture=recipe.arch,
        config=_complete(recipe.arch, config),
        labels=ready.labels,
        preprocessing={"tokens": "domains.text.tokens", "max_words": MAX_WORDS},
        description=recipe.description or f"{recipe.arch} on {len(ready.train):,} texts",
        data=[_described(entry) for entry in recipe.data],
        licence=recipe.licence or "that of the training data",
        command=command,
        metrics=measured,
    )
    graph = export(model, tensors, f"{out.name}.safetensors")
    return weights.save(card, tensors, out.parent, {f"{out.name}.onnx": graph})


def export(model: nn.Module, tensors: Mapping[str, Any], weights_file: str) -> bytes:
    """The ONNX graph, words (B, T) int64 -> logits; a text-cnn gives its feature maps too."""
    traced: nn.Module = model
    outputs = ["logits"]
    if isinstance(model, TextCNN):
        outputs += [f"maps{conv.conv.weight.shape[2]}" for conv in model.convolutions]  # type: ignore[union-attr, index]
        traced = _WithMaps(model)
    words = torch.randint(len(SPECIAL), 4, (3, 20))
    return to_onnx(
        traced, [words], ["words"], outputs, {"words": {0: "B", 1: "T"}}, tensors, weights_file
    )


class _WithMaps(nn.Module):
    """A text-cnn that shows its feature maps; its weights keep their names."""

    def __init__(self, network: TextCNN) -> None:
        super().__init__()
        for name, child in network.named_children():
            self.add_module(name, child)
        self.__dict__["network"] = network

    def forward(self, words: Tensor) -> tuple[Tensor, ...]:
        network: TextCNN = self.__dict__["network"]
        maps = network.maps(words)
        return network.classify(words, maps), *maps


def evaluate(
    classifier: SentimentClassifier, file: Path, mapping: Mapping[str, str]
) -> dict[str, Any]:
    """Figures of a released model on a labelled file; labels that the file lacks aren't chosen."""
    _, examples = read(file, classifier.labels, mapping)
    among = [label for label, may in zip(classifier.labels, examples[0].among, strict=True) if may]
    texts = [example.text for example in examples]
    started = time.perf_counter()
    answers = classifier.predict(texts, among=among)
    seconds = time.perf_counter() - started
    scores = torch.tensor(
        [[answer.scores.get(label, 0.0) for label in classifier.labels] for answer in answers]
    )
    classes = torch.tensor([int(np.argmax(example.target)) for example in examples])
    found = metrics.classification(scores, classes, classifier.labels)
    return {**_rounded(found), "texts_per_second": round(len(texts) / seconds)}


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _rounded(value) if isinstance(value, dict)
        else round(value, 4) if isinstance(value, float) else value
        for name, value in figures.items()
    }  # fmt: skip


def _complete(arch: str, config: Mapping[str, Any]) -> dict[str, Any]:
    fields = dataclasses.asdict(registry.architecture(arch).config(**config))
    return {key: list(v) if isinstance(v, tuple) else v for key, v in fields.items()}


def _described(entry: Source) -> dict[str, Any]:
    described: dict[str, Any] = {"file": entry.path.name, "weight": entry.weight}
    return {**described, "labels": entry.labels} if entry.labels else described
