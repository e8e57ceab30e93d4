"""From a recipe to a released classifier: train, calibrate, measure on validation, export."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core import metrics, registry, weights
from core.calibration import calibrate, last_layer
from core.data import split
from core.errors import InputError
from core.export import compare, to_onnx
from core.optimizers import Muon
from core.runs import finish, is_first, released
from core.training import fit

from . import model as networks
from .data import Images
from .evaluation import logits, validate
from .examples import ImageData, Loss, Normaliser
from .recipe import Recipe, run_folder

WHITENED = 5000, 8_000_000  # pictures and pixels, about, that first filters are taken from


def release(
    recipe: Recipe, images: Images, run: Path, out: Path, command: str
) -> weights.Card | None:
    """Trains, calibrates and writes the model `out`: its card, weights and ONNX graph.

    A model that stands there already, made by this recipe from these very pictures, is left as it
    is. Under torchrun only the first process writes; the others return None.

    Raises InputError where another model stands there, where there is nothing to tell apart or to
    train on, or where the network does not take the pictures' size; RuntimeError if the graph
    doesn't answer as the network does.
    """
    place = run_folder(recipe, images, run)
    if card := released(place, out, images.labels):
        return card if is_first() else None
    train, held_out = parts(images, recipe)
    network = registry.architecture(recipe.arch)
    _, channels, size, _ = images.pictures.shape
    shape = {"classes": len(images.labels), "channels": channels, "size": size}
    for name, value in shape.items():
        if recipe.settings.get(name, value) != value:
            raise InputError(f"{name} cannot be {recipe.settings[name]}: the pictures' is {value}")
    config = registry.configure(network.config, {**recipe.settings, **shape}, network.name)
    torch.manual_seed(recipe.seed)
    model: Any = network.build(config)
    with torch.no_grad():
        answer = model.eval()(*networks.example_inputs(dataclasses.asdict(config)))
    if answer.shape != (1, len(images.labels)):
        raise InputError(f"{network.name} is no classifier: it answers {tuple(answer.shape[1:])}")
    model.to(memory_format=torch.channels_last)
    mean, std = Normaliser.of(images.pictures[train])
    normalised = Normaliser(mean, std)
    pictures, classes = torch.from_numpy(images.pictures), torch.from_numpy(images.classes)
    if hasattr(model, "prepare"):
        most, pixels = WHITENED
        sample = train[:: max(len(train) // min(most, pixels // size**2 + 1), 1)]
        model.prepare(normalised(pictures[sample]))
    optimizer = Muon(
        [parameter for parameter in model.parameters() if parameter.requires_grad],
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
    )
    seen, known = pictures[held_out], classes[held_out]
    result = fit(
        model,
        optimizer,
        ImageData(pictures[train], classes[train], normalised, recipe.augmentation()),
        Loss(recipe.label_smoothing),
        recipe.training(),
        place,
        validate=(lambda module: validate(logits(module, seen, normalised, recipe.flip), known))
        if len(known)
        else None,
    )
    if not is_first():
        return None
    measured = calibrated(model, seen, known, normalised, recipe.flip) if len(known) else {}
    model.cpu().to(memory_format=torch.contiguous_format)
    tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    counts = np.bincount(images.classes[train], minlength=len(images.labels)).tolist()
    card = weights.Card(
        name=out.name,
        domain="image",
        architecture=recipe.arch,
        config={
            name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(config).items()
        },
        labels=list(images.labels),
        preprocessing={
            "channels": channels,
            "size": size,
            "mean": mean,
            "std": std,
            "fit": recipe.fit,
            "mirrored": recipe.flip,
        },
        description=recipe.description or f"{recipe.arch} on {len(train):,} pictures",
        data=[
            {"label": label, "pictures": count}
            for label, count in zip(images.labels, counts, strict=True)
        ],
        licence=recipe.licence or "that of the pictures",
        command=command,
        metrics={
            "epochs": result.epochs,
            "minutes": round(result.seconds / 60, 1),
            "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU",
            **metrics.rounded(measured),
        },
    )
    graph = export(model, (channels, size, size), tensors, f"{out.name}.safetensors")
    card = weights.save(card, tensors, out.parent, {f"{out.name}.onnx": graph})
    finish(place, {"files": card.files})
    return card


def parts(images: Images, recipe: Recipe) -> tuple[Any, Any]:
    """Indices of the pictures to train on and of those held out, seeded.

    Raises InputError where there is nothing to tell apart or to train on.
    """
    if len(images.labels) < 2:
        raise InputError("the pictures have only one class; two are needed")
    shares = (1 - recipe.validation, recipe.validation)
    train, held_out = split(len(images.classes), shares, recipe.seed)
    missing = set(range(len(images.labels))) - set(images.classes[train].tolist())
    if missing:
        raise InputError(f"of {images.labels[min(missing)]!r} there is no picture to train on")
    return train, held_out


@torch.no_grad()
def calibrated(
    model: nn.Module, pictures: Tensor, classes: Tensor, normalised: Normaliser, mirrored: bool
) -> dict[str, Any]:
    """Divides the last layer by the temperature that the validation pictures choose; returns that
    and what the network then does on them."""
    example = normalised(pictures[:1]).to(next(model.parameters()).device)
    answers = logits(model, pictures, normalised, mirrored)
    temperature = calibrate(last_layer(model, [example]), answers, classes)
    found = validate(logits(model, pictures, normalised, mirrored), classes)
    return {"temperature": temperature, "validation": {**found, "n": len(classes)}}


def export(
    model: nn.Module,
    shape: tuple[int, ...],
    tensors: dict[str, np.ndarray[Any, Any]],
    weights_file: str,
) -> bytes:
    """The ONNX graph, pictures (B, C, H, W) float -> logits.

    Raises RuntimeError if it doesn't answer as the network does.
    """

    def pictures(batch: int) -> list[Tensor]:
        return [torch.randn(batch, *shape)]

    axes = {"pictures": {0: "B"}}
    graph = to_onnx(model, pictures(2), ["pictures"], ["logits"], axes, tensors, weights_file)
    trials = [pictures(batch) for batch in (1, 5)]
    compare(model, graph, ["pictures"], trials, tensors, weights_file)
    return graph
