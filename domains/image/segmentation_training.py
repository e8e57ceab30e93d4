"""From a recipe to a released segmenter: a U-Net trained on scenes drawn anew all the time."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from core import registry, weights
from core.errors import InputError
from core.optimizers import Muon
from core.runs import finish, is_first, released
from core.training import TrainingConfig, fit, training_config

from . import model as networks  # noqa: F401  registers them
from .release import export
from .scenes import Scene, Scenes, scenes
from .segmentation import FIT, Segmenter, intersections_over_unions, stretched

SIZE = 96  # pixels of a scene's side
MOST = 5  # digits in it
SIDES = (16, 64)  # of a digit's box, in pixels
MEAN, STD = 0.2, 0.25  # of the pixels of scenes, about
VALIDATION = 10  # scenes of an epoch for one to validate on
BATCH = 25


@dataclass(frozen=True)
class Recipe:
    """All that makes a segmenter. Raises InputError for a value that makes no sense."""

    settings: dict[str, Any] = dataclasses.field(default_factory=dict)  # of the U-Net
    scenes: int = 2000  # an epoch
    epochs: int = 20
    learning_rate: float = 0.05
    momentum: float = 0.95
    weight_decay: float = 0.1
    batch_size: int = 16
    schedule: str = "cosine"
    warmup: float = 0.1
    precision: str = "bf16-mixed"
    seed: int = 1

    def __post_init__(self) -> None:
        for name, valid in {
            "scenes": self.scenes >= 1,
            "learning_rate": self.learning_rate > 0,
            "momentum": 0 <= self.momentum < 1,
            "weight_decay": self.weight_decay >= 0,
        }.items():
            if not valid:
                raise InputError(f"a recipe: {name} cannot be {getattr(self, name)!r}")
        self.training()

    def training(self) -> TrainingConfig:
        return training_config(self)


@dataclass
class SceneData:
    """`core.training.TrainingData`: scenes (B, 1, size, size) float and their masks (B, size,
    size) of classes, 0 being background. No scene is seen twice."""

    source: Scenes
    number: int  # an epoch

    def plan(
        self, epoch: int, batch_size: int, rng: np.random.Generator
    ) -> Sequence[Sequence[int]]:
        return [range(start, min(start + batch_size, self.number))
                for start in range(0, self.number, batch_size)]  # fmt: skip

    def batch(self, indices: Sequence[int], rng: np.random.Generator) -> tuple[Tensor, ...]:
        drawn = [self.source.draw(rng) for _ in indices]
        pictures = stretched(np.stack([scene.picture for scene in drawn]))
        masks = np.stack([scene.mask for scene in drawn]).astype(np.int64)
        values = (torch.from_numpy(pictures)[:, None] / 255 - MEAN) / STD
        return values.contiguous(memory_format=torch.channels_last), torch.from_numpy(masks)


def loss(model: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    """Cross-entropy, the mean over all pixels."""
    pictures, masks = batch
    return F.cross_entropy(model(pictures).float(), masks)


def evaluate(segmenter: Segmenter, drawn: Sequence[Scene]) -> dict[str, Any]:
    """Figures of a segmenter on scenes of its size.

    mean_iou: of the background and all labels that occur; iou: of each of these; digits_iou: of
    what is any digit; n: scenes; scenes_per_second.
    """
    found, seconds = [], 0.0
    for start in tqdm(range(0, len(drawn), BATCH), unit=" batches", disable=None, delay=2):
        pictures = np.stack([scene.picture for scene in drawn[start : start + BATCH]])
        started = time.perf_counter()
        found += list(segmenter.masks(pictures))
        seconds += time.perf_counter() - started
    truth = [scene.mask for scene in drawn]
    names = ["background", *segmenter.labels]
    shares = intersections_over_unions(found, truth, len(names))
    there = {
        name: round(share, 4)
        for name, share in zip(names, shares.tolist(), strict=True)
        if share == share
    }
    inked = intersections_over_unions(
        [(mask > 0).astype(np.uint8) for mask in found],
        [(mask > 0).astype(np.uint8) for mask in truth],
        2,
    )
    return {
        "mean_iou": round(float(np.mean(list(there.values()))), 4),
        "iou": there,
        "digits_iou": round(float(inked[1]), 4),
        "n": len(drawn),
        "scenes_per_second": round(len(drawn) / seconds, 1),
    }


def of_size(source: Scenes, size: int) -> Scenes:
    """The same digits on scenes for a segmenter of that size."""
    return dataclasses.replace(source, size=size, most=MOST, sides=SIDES)


def release(
    recipe: Recipe, source: Scenes, labels: Sequence[str], run: Path, out: Path, command: str
) -> weights.Card | None:
    """Trains and writes the model `out`: its card, weights and ONNX graph.

    A model that stands there already, made by this recipe from these very digits, is left as it is.
    Under torchrun only the first process writes; the others return None.
    """
    key = hashlib.sha256(repr(recipe).encode())
    key.update(source.digits.tobytes() + source.classes.tobytes())
    place = run / key.hexdigest()[:12]
    if card := released(place, out):
        return card if is_first() else None
    network = registry.architecture("unet")
    shape = {"classes": len(labels) + 1, "channels": 1, "padded": True, "norm": True}
    small = {"size": SIZE, "width": 16, "depth": 3, "dropout": 0.0}
    config: Any = registry.configure(network.config, {**small, **recipe.settings, **shape}, "unet")
    train, held_out = of_size(source, config.size).parts(recipe.seed)
    torch.manual_seed(recipe.seed)
    model: Any = network.build(config)
    model.to(memory_format=torch.channels_last)
    optimizer = Muon(
        model.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
    )
    preprocessing = {
        "channels": 1, "size": config.size, "mean": [MEAN], "std": [STD], "fit": FIT,
    }  # fmt: skip
    segmenter = Segmenter(
        lambda pictures: model(torch.from_numpy(pictures)).detach().numpy(), labels, preprocessing
    )
    result = fit(model, optimizer, SceneData(train, recipe.scenes), loss, recipe.training(), place)
    if not is_first():
        return None
    model.cpu().to(memory_format=torch.contiguous_format)
    tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    number = recipe.scenes // VALIDATION + 1
    card = weights.Card(
        name=out.name,
        domain="image",
        architecture="unet",
        config=dataclasses.asdict(config),
        labels=list(labels),
        preprocessing=preprocessing,
        description=f"U-Net on {result.epochs * recipe.scenes:,} scenes of scattered digits",
        data=[
            {"label": label, "pictures": count}
            for label, count in zip(
                labels, np.bincount(train.classes, minlength=len(labels)).tolist(), strict=True
            )
        ],
        licence="that of the pictures",
        command=command,
        metrics={
            "epochs": result.epochs,
            "minutes": round(result.seconds / 60, 1),
            "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU",
            "validation": evaluate(segmenter, scenes(held_out, number, recipe.seed)),
        },
    )
    graph = export(model, (1, config.size, config.size), tensors, f"{out.name}.safetensors")
    card = weights.save(card, tensors, out.parent, {f"{out.name}.onnx": graph})
    finish(place, {"files": card.files})
    return card
