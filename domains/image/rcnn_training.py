"""From a network that tells digits apart to one that finds them: R-CNN's training.

Girshick and others, CVPR 2014, section 2.3: a CNN that was trained to classify whole pictures is
fine-tuned to classify warped regions, among them background; then its last layer gives way to one
linear classifier a class, trained with hard negatives.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core import registry, weights
from core.blocks import FullyConnected
from core.errors import InputError
from core.optimizers import Muon
from core.runs import finish, is_first, released
from core.training import TrainingConfig, fit, training_config

from . import model as networks
from .detection import evaluate
from .rcnn import FIT, Detector
from .regions import RegionData, collect, loss
from .release import export
from .scenes import Scenes, scenes

NOT_THE_CLASS = 0.3  # overlap with the nearest digit of a class below which a region is none
FIRST_NEGATIVES = 0.1  # share of the negatives that the first classifiers are trained on
ROUNDS = 2  # of adding the negatives taken for digits
HARD = 0.1  # probability from which a negative is hard
DECAY = 1e-5  # of the classifiers' squared weights
BATCH = 1024
VALIDATION = 10  # scenes to train on for one to validate on


@dataclass(frozen=True)
class Recipe:
    """All that makes a detector. Raises InputError for a value that makes no sense."""

    scenes: int = 1500
    epochs: int = 6
    learning_rate: float = 0.005
    momentum: float = 0.95
    weight_decay: float = 0.1
    batch_size: int = 128
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
            "batch_size": self.batch_size >= 4,
        }.items():
            if not valid:
                raise InputError(f"a recipe: {name} cannot be {getattr(self, name)!r}")
        self.training()

    def training(self) -> TrainingConfig:
        return training_config(self)


def linear_classifiers(features: Tensor, overlaps: Tensor, seed: int) -> FullyConnected:
    """One logistic regression a class, `(B, F) -> (B, classes)` logits.

    Positive is a digit's own box, negative what is far from every digit of the class; what lies
    between teaches nothing. Negatives are first drawn at random; then those that the classifiers
    take for a digit are added (hard negative mining: Felzenszwalb and others, PAMI 2010).
    """
    positive, negative = overlaps == 1, overlaps < NOT_THE_CLASS
    random = torch.Generator().manual_seed(seed)
    used = positive | negative & (torch.rand(negative.shape, generator=random) < FIRST_NEGATIVES)
    classifiers = FullyConnected(features.shape[1], overlaps.shape[1])
    nn.init.zeros_(classifiers.linear.weight)
    nn.init.zeros_(classifiers.linear.bias)
    for mining in range(ROUNDS + 1):
        if mining:
            with torch.no_grad():
                used |= negative & (classifiers(features).sigmoid() > HARD)
        rows = used.any(1)
        _regress(classifiers, features[rows], positive[rows].float(), used[rows].float())
    return classifiers


def _regress(classifiers: FullyConnected, features: Tensor, targets: Tensor, used: Tensor) -> None:
    optimizer = torch.optim.LBFGS(
        classifiers.parameters(), max_iter=200, line_search_fn="strong_wolfe"
    )

    def objective() -> Tensor:
        optimizer.zero_grad()
        wrong = F.binary_cross_entropy_with_logits(
            classifiers(features), targets, used, reduction="sum"
        )
        value = wrong / used.sum() + DECAY * classifiers.linear.weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(objective)  # type: ignore[no-untyped-call]


def last_layer(card: weights.Card, model: nn.Module) -> tuple[str, int]:
    """Name of the fully connected layer that the network ends with, and its inputs.

    Raises InputError where it does not end with one, or does something to what that puts out.
    """
    layers = [(n, m) for n, m in model.named_modules() if isinstance(m, FullyConnected)]
    answers: list[Tensor] = []
    if layers:
        name, layer = layers[-1]
        hook = layer.register_forward_hook(lambda _, __, answer: answers.append(answer))
        with torch.no_grad():
            answer = model.eval()(*networks.example_inputs(card.config))
        hook.remove()
        if answer.equal(answers[0]):
            return name, layer.linear.in_features
    raise InputError(
        f"{card.path}: {card.architecture} does not end with a fully connected layer whose outputs "
        "are its answer, as a detector's features must; keras-mnist does"
    )


def release(
    recipe: Recipe,
    features: weights.Card,
    source: Scenes,
    labels: Sequence[str],
    run: Path,
    out: Path,
    command: str,
) -> weights.Card | None:
    """Trains and writes the model `out`: its card, weights and ONNX graph.

    `features` is the card of a classifier of grey pictures, whose weights are where training
    begins. A model that stands there already, made by this recipe from these very digits, is left
    as it is. Under torchrun only the first process writes; the others return None.

    Raises InputError where the network has no features for a linear classifier.
    """
    if features.config.get("channels") != 1:
        raise InputError(f"{features.path}: not a classifier of grey pictures")
    key = hashlib.sha256(repr((recipe, features.files, source.size, source.sides)).encode())
    key.update(source.digits.tobytes() + source.classes.tobytes())
    place = run / key.hexdigest()[:12]
    if card := released(place, out):
        return card if is_first() else None
    torch.manual_seed(recipe.seed)
    model: Any = registry.build(features.architecture, features.config)
    tensors = weights.load(features)
    model.load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()})
    last, width = last_layer(features, model)
    size = features.config["size"]
    mean, std = (features.preprocessing[key] for key in ("mean", "std"))

    train, held_out = source.parts(recipe.seed)
    regions = collect(scenes(train, recipe.scenes, recipe.seed), size, len(labels))
    classes = regions.classes()
    data = RegionData(
        torch.from_numpy(regions.pictures), torch.from_numpy(classes), mean[0], std[0]
    )
    model.set_submodule(last, FullyConnected(width, len(labels) + 1))
    model.to(memory_format=torch.channels_last)
    optimizer = Muon(
        [parameter for parameter in model.parameters() if parameter.requires_grad],
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
    )
    result = fit(model, optimizer, data, loss, recipe.training(), place)
    if not is_first():
        return None
    model.cpu().to(memory_format=torch.contiguous_format)
    model.set_submodule(last, nn.Identity())
    with torch.no_grad():
        batches = torch.split(data.pictures, BATCH)
        found = torch.cat([model(data.normalised(batch)) for batch in batches])
    overlaps = torch.from_numpy(regions.overlaps)
    model.set_submodule(last, linear_classifiers(found, overlaps, recipe.seed))
    model.eval()

    preprocessing = {"channels": 1, "size": size, "mean": mean, "std": std, "fit": FIT}
    detector = Detector(
        lambda pictures: model(torch.from_numpy(pictures)).detach().numpy(), labels, preprocessing
    )
    tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    number = recipe.scenes // VALIDATION + 1
    counts = np.bincount(classes, minlength=len(labels) + 1).tolist()
    card = weights.Card(
        name=out.name,
        domain="image",
        architecture=features.architecture,
        config={**features.config, "classes": len(labels)},
        labels=list(labels),
        preprocessing=preprocessing,
        description=f"R-CNN: {features.architecture} on regions of {recipe.scenes:,} scenes of "
        "scattered digits, from selective search",
        data=[
            {"label": label, "regions": count}
            for label, count in zip([*labels, "background"], counts, strict=True)
        ],
        licence=features.licence,
        command=command,
        metrics={
            "epochs": result.epochs,
            "minutes": round(result.seconds / 60, 1),
            "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU",
            "validation": evaluate(detector, scenes(held_out, number, recipe.seed)),
        },
    )
    graph = export(model, (1, size, size), tensors, f"{out.name}.safetensors")
    card = weights.save(card, tensors, out.parent, {f"{out.name}.onnx": graph})
    finish(place, {"files": card.files})
    return card
