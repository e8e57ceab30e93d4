"""From a recipe to a released recogniser: train, measure on validation, export."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core import registry, weights
from core.errors import InputError
from core.export import compare, to_onnx
from core.optimizers import Muon
from core.runs import finish, is_first, released
from core.training import fit

from . import model as networks  # noqa: F401  registers them
from .audio import MELS, PICTURE, frames
from .data import SILENCE, UNKNOWN
from .evaluation import validate, validation_set
from .examples import Loss, SpeechData
from .recipe import Ready, Recipe, run_folder
from .recogniser import WEIGHTS


def release(
    recipe: Recipe, ready: Ready, run: Path, out: Path, command: str
) -> weights.Card | None:
    """Trains and writes the model `out`: its card, weights and ONNX graph.

    A model that stands there already, made by this recipe from these very clips, is left as it is.
    Under torchrun only the first process writes; the others return None.

    Raises InputError where another model stands there than the one to start from, or where that
    is of another network; RuntimeError if the graph doesn't answer as the network does.
    """
    started = weights.find(recipe.start, WEIGHTS) if recipe.start else None
    place = run_folder(recipe, ready, started.files if started else {}, run)
    labels = ready.train.labels
    if card := released(place, out, labels, started):
        return card if is_first() else None
    network = registry.architecture(recipe.arch)
    settings = {**recipe.settings, "classes": len(labels), "frames": frames(recipe.samples)}
    if started:
        if started.architecture != network.name:
            raise InputError(f"{started.path}: a {started.architecture}, not a {network.name}")
        settings = {**started.config, **settings}
    config = registry.configure(network.config, settings, network.name)
    torch.manual_seed(recipe.seed)
    model: Any = network.build(config)
    if started:
        start_from(model, started, list(labels))
    model.to(memory_format=torch.channels_last)
    data = SpeechData(
        ready.train,
        ready.noise,
        recipe.samples,
        unknown=recipe.unknown if UNKNOWN in labels else 0.0,
        made_up=recipe.made_up if recipe.keywords and UNKNOWN in labels else 0.0,
        silence=recipe.silence if SILENCE in labels else 0.0,
    )
    optimizer = Muon(
        model.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
    )
    waveforms, classes = validation_set(ready.validation, ready.noise, recipe.samples)
    result = fit(
        model,
        optimizer,
        data,
        Loss(recipe.label_smoothing),
        recipe.training(),
        place,
        validate=lambda module: validate(module, waveforms, classes, labels),
    )
    if not is_first():
        return None
    before: Mapping[str, Any] = started.metrics if started else {}
    model.cpu().to(memory_format=torch.contiguous_format)
    tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    card = weights.Card(
        name=out.name,
        domain="speech",
        architecture=recipe.arch,
        config={
            name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(config).items()
        },
        labels=list(labels),
        preprocessing={
            "samples": recipe.samples,
            **PICTURE,
        },
        description=recipe.description or f"{recipe.arch} on {len(ready.train):,} clips",
        data=[{"label": name, "clips": count} for name, count in ready.train.counts().items()],
        licence=recipe.licence or "that of the recordings",
        command=command,
        metrics={
            "epochs": before.get("epochs", 0) + result.epochs,
            "minutes": round(before.get("minutes", 0.0) + result.seconds / 60, 1),
            "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU",
            "validation": {
                **{name: round(value, 4) for name, value in result.metrics.items()},
                "n": len(classes),
            },
        },
    )
    graph = export(model, frames(recipe.samples), tensors, f"{out.name}.safetensors")
    card = weights.save(card, tensors, out.parent, {f"{out.name}.onnx": graph})
    finish(place, {"files": card.files})
    return card


def start_from(model: nn.Module, card: weights.Card, labels: Sequence[str]) -> None:
    """Gives the network a model's weights; those of the last layer only if the labels are the same.

    Raises InputError if that model has layers of other sizes.
    """
    tensors = {name: torch.from_numpy(value) for name, value in weights.load(card).items()}
    if card.labels != list(labels):
        own = model.state_dict()
        tensors |= {name: own[name] for name in list(own)[-2:]}  # its weights and biases
    try:
        model.load_state_dict(tensors)
    except RuntimeError:
        raise InputError(f"{card.path}: its settings are {card.config}") from None


def export(
    model: nn.Module, spectra: int, tensors: dict[str, np.ndarray[Any, Any]], weights_file: str
) -> bytes:
    """The ONNX graph, log_mel (B, 1, MELS, frames) float -> logits.

    Raises RuntimeError if it doesn't answer as the network does.
    """

    def pictures(batch: int) -> list[Tensor]:
        return [torch.randn(batch, 1, MELS, spectra) * 4 - 5]

    axes = {"log_mel": {0: "B"}}
    graph = to_onnx(model, pictures(2), ["log_mel"], ["logits"], axes, tensors, weights_file)
    trials = [pictures(batch) for batch in (1, 5)]
    compare(model, graph, ["log_mel"], trials, tensors, weights_file)
    return graph
