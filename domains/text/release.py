"""From a recipe to a released text network: train, calibrate, measure on dev, export."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from core import metrics, registry, weights
from core.calibration import calibrate
from core.errors import InputError
from core.export import compare, to_onnx
from core.runs import finish, is_first, outcome_of, released
from core.training import Result, fit

from . import embeddings
from .data import TextData, count_words, loss
from .evaluation import MAX_WORDS, classes, dev_figures, figures, logits
from .model import TextCNN
from .recipe import LabelledFile, Ready, Recipe, prepare, run_folder, training_texts
from .tokens import PADDING, UNKNOWN, Vocabulary

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

EMBEDDING_DTYPE = torch.float16  # of released word vectors; all other weights are float32


@dataclasses.dataclass
class Trained:
    """A network with all that it takes to build and to use it."""

    model: nn.Module
    vocabulary: Vocabulary
    config: dict[str, Any]  # of its architecture, complete
    result: Result


def train(recipe: Recipe, ready: Ready, vectors: Sequence[KeyedVectors], run: Path) -> Trained:
    """A network trained on these texts, starting from the recipe's `vectors`.

    `run` keeps the log and the checkpoint, and resumes.
    """
    torch.manual_seed(recipe.seed)
    counts = Counter(
        {
            word: count
            for word, count in count_words(ready.train).items()
            if count >= recipe.minimum_count
            or any(word in source.key_to_index for source in vectors)
        }
    )
    if recipe.extra_words:
        for source in vectors:
            for rank, word in enumerate(source.index_to_key[: recipe.vocabulary]):
                counts.setdefault(word, -rank)
    vocabulary = Vocabulary.of_counts(counts.items(), recipe.vocabulary)
    sizes = {"vocabulary": len(vocabulary), "classes": len(ready.labels)}
    if vectors:
        start, _ = embeddings.table(vocabulary.words, vectors, recipe.seed)
        sizes["dimensions"] = start.shape[1]
    network = registry.architecture(recipe.arch)
    config = registry.configure(network.config, {**recipe.settings, **sizes}, network.name)
    model: Any = network.build(config)
    if vectors:
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
    complete = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in dataclasses.asdict(config).items()
    }
    return Trained(model, vocabulary, complete, result)


def optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW; the word vectors have a learning rate of their own and no decay."""
    tables = [p for n, p in model.named_parameters() if ".tables." in n and p.requires_grad]
    others = [p for n, p in model.named_parameters() if ".tables." not in n]
    groups: list[dict[str, Any]] = [{"params": others, "weight_decay": recipe.weight_decay}]
    if tables:
        rate = recipe.learning_rate * recipe.embedding_rate
        groups.append({"params": tables, "lr": rate, "weight_decay": 0.0})
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True)


def cross_validate(recipe: Recipe, run: Path, folds: int) -> dict[str, Any] | None:
    """Accuracy of `folds`-fold cross-validation on the recipe's texts, repeats included.

    As in Kim 2014, table 1: a tenth of each training part, drawn at random, chooses the epoch.
    Under torchrun only the first process has an answer; the others return None.
    """
    labels, examples = training_texts(recipe)
    if not 2 <= folds <= len(examples) // 2:
        raise InputError(f"folds cannot be {folds}: from 2 to half the {len(examples)} texts")
    vectors = [embeddings.read(path) for path in recipe.vectors]
    order = np.random.default_rng(recipe.seed).permutation(len(examples))
    accuracies: list[float] = []
    for fold in range(folds):
        place = run_folder(recipe, run) / f"fold{fold}of{folds}"
        if (outcome := outcome_of(place)) is None:
            test = [examples[index] for index in order[fold::folds]]
            rest = [examples[index] for other in range(folds) if other != fold
                    for index in order[other::folds]]  # fmt: skip
            tenth = max(len(rest) // 10, 1)
            ready = Ready(labels, rest[tenth:], [rest[:tenth]])
            made = train(recipe, ready, vectors, place)
            answers = logits(made.model, made.vocabulary, test)
            outcome = {"accuracy": figures(answers, test, labels)["accuracy"]}
            finish(place, outcome)
        accuracies.append(outcome["accuracy"])
    if not is_first():
        return None
    return {
        "accuracy": round(float(np.mean(accuracies)), 4),
        "folds": [round(accuracy, 4) for accuracy in accuracies],
        "n": len(examples),
    }


def release(recipe: Recipe, run: Path, out: Path, command: str) -> weights.Card | None:
    """Trains, calibrates and writes the model `out`: its card, weights and ONNX graph.

    All that the card says is measured on the weights that are written. A model that stands there
    already, made by this recipe from these very files, is left as it is. Under torchrun only the
    first process writes; the others return None.

    Raises InputError where another model stands there; RuntimeError if the graph doesn't answer as
    the network does.
    """
    place = run_folder(recipe, run)
    if card := released(place, out):
        return card if is_first() else None
    ready = prepare(recipe)
    vectors = [embeddings.read(path) for path in recipe.vectors]
    made = train(recipe, ready, vectors, place)
    if not is_first():
        return None
    model, result = made.model.cpu().eval(), made.result
    for name, parameter in model.named_parameters():
        if ".tables." in name:
            parameter.data = parameter.data.to(EMBEDDING_DTYPE)
    measured: dict[str, Any] = {"epochs": result.epochs, "minutes": round(result.seconds / 60, 1)}
    if ready.dev:
        dev = [example for examples in ready.dev for example in examples]
        head: Any = model.head
        answers = logits(model, made.vocabulary, dev)
        measured["temperature"] = calibrate(head, answers, classes(dev))
        for entry, texts in zip(recipe.dev, ready.dev, strict=True):
            found = figures(logits(model, made.vocabulary, texts), texts, ready.labels)
            measured[f"dev {entry.path.name.split('.')[0]}"] = metrics.rounded(found)
    tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    tensors["vocabulary"] = np.frombuffer("\n".join(made.vocabulary.words).encode(), dtype=np.uint8)
    card = weights.Card(
        name=out.name,
        domain="text",
        architecture=recipe.arch,
        config=made.config,
        labels=ready.labels,
        preprocessing={"tokens": "domains.text.tokens", "max_words": MAX_WORDS},
        description=recipe.description or f"{recipe.arch} on {len(ready.train):,} texts",
        data=[_described(entry) for entry in recipe.data],
        licence=recipe.licence or "that of the training data",
        command=command,
        metrics=measured,
    )
    graph = export(model, tensors, f"{out.name}.safetensors")
    card = weights.save(card, tensors, out.parent, {f"{out.name}.onnx": graph})
    finish(place, {"files": card.files})
    return card


def export(model: nn.Module, tensors: Mapping[str, Any], weights_file: str) -> bytes:
    """The ONNX graph, words (B, T) int64 -> logits; a text-cnn gives its feature maps too.

    Raises RuntimeError if it doesn't answer as the network does, on texts of any length.
    """
    traced: nn.Module = model
    outputs = ["logits"]
    if isinstance(model, TextCNN):
        outputs += [f"maps{conv.conv.weight.shape[2]}" for conv in model.convolutions]  # type: ignore[union-attr, index]
        traced = _WithMaps(model)
    embedding: Any = model.embedding

    def words(length: int) -> list[Tensor]:
        numbers = torch.randint(UNKNOWN, embedding.tables[0].num_embeddings, (3, length))
        numbers[1, (length + 1) // 2 :] = PADDING
        return [numbers]

    axes = {"words": {0: "B", 1: "T"}}
    graph = to_onnx(traced, words(20), ["words"], outputs, axes, tensors, weights_file)
    trials = [words(length) for length in (1, 2, 20, 333)]
    compare(traced, graph, ["words"], trials, tensors, weights_file)
    return graph


def _described(entry: LabelledFile) -> dict[str, Any]:
    described: dict[str, Any] = {"file": entry.path.name, "weight": entry.weight}
    return {**described, "labels": entry.labels} if entry.labels else described


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
