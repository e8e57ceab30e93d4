"""From a recipe to a released policy network: train, measure on validation, export."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from core import registry, weights
from core.errors import InputError
from core.export import compare, to_onnx
from core.optimizers import Muon
from core.runs import finish, is_first, released
from core.training import fit

from .data import PolicyData, loss
from .evaluation import validation
from .games import Games
from .model import PolicyConfig, plays_any_size
from .policy import WEIGHTS
from .recipe import Recipe, prepare, run_folder, uses


def release(
    recipe: Recipe, games: Games, run: Path, out: Path, command: str
) -> weights.Card | None:
    """Trains and writes the model `out`: its card, weights and ONNX graph.

    A model that stands there already, made by this recipe from these very games, is left as it is.
    Under torchrun only the first process writes; the others return None.

    Raises InputError where another model stands there, unless training starts from that one;
    RuntimeError if the graph doesn't answer as the network does.
    """
    network = registry.architecture(recipe.arch)
    started, config = starting_point(recipe, network, games.size)
    place = run_folder(recipe, games, started.files if started else {}, run)
    if card := released(place, out, start=started):
        return card if is_first() else None
    ready = prepare(recipe, games)
    torch.manual_seed(recipe.seed)
    model: Any = network.build(config)
    if started:
        tensors = weights.load(started)
        model.load_state_dict({name: torch.from_numpy(value) for name, value in tensors.items()})
    model.to(memory_format=torch.channels_last)
    optimizer = Muon(
        model.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
    )
    result = fit(
        model,
        optimizer,
        PolicyData(ready.train, ready.weight, recipe.between, config.planes),
        loss,
        recipe.training(),
        place,
        validate=lambda module: validation(module, ready.validation, config.planes),
        monitor="top1",
    )
    if not is_first():
        return None
    before: Mapping[str, Any] = started.metrics if started else {}
    positions = before.get("positions", 0) + result.steps * recipe.batch_size
    hours = before.get("hours", 0.0) + result.seconds / 3600
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    found = {name: round(value, 4) for name, value in result.metrics.items()}
    found["n"] = len(ready.validation)
    model.cpu().to(memory_format=torch.contiguous_format)
    tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    any_size = plays_any_size(recipe.arch)
    card = weights.Card(
        name=out.name,
        domain="go",
        architecture=recipe.arch,
        config=dataclasses.asdict(config),
        labels=[],
        preprocessing={
            "planes": config.planes,
            "size": config.size,
            "any_size": any_size,
        },
        description=recipe.description or f"{recipe.arch} on {len(games):,} games",
        data=[{"archive": name, "use": use} for name, use in uses(recipe, games).items()],
        licence=recipe.licence or "that of the games",
        command=command,
        metrics={
            "positions": positions,
            "hours": round(hours, 2),
            "device": device,
            "validation": found,
        },
    )
    graph = export(model, config, any_size, tensors, f"{out.name}.safetensors")
    card = weights.save(card, tensors, out.parent, {f"{out.name}.onnx": graph})
    finish(place, {"files": card.files})
    return card


def starting_point(
    recipe: Recipe, network: registry.Architecture, size: int
) -> tuple[weights.Card | None, Any]:
    """The model that training starts from, if any, and the config of the network to train.

    Raises InputError where they, or the board's size, don't fit one another.
    """
    settings = {"size": size, **recipe.settings}
    card = weights.find(recipe.start, WEIGHTS) if recipe.start else None
    if card:
        if card.architecture != network.name:
            raise InputError(f"{card.path}: a {card.architecture}, not a {network.name}")
        settings = {**card.config, **settings}
        if settings != card.config:
            raise InputError(f"{card.path}: its settings are {card.config}")
    if settings["size"] != size:
        raise InputError(f"size cannot be {settings['size']}: the games are on {size}x{size}")
    return card, registry.configure(network.config, settings, network.name)


def export(
    model: nn.Module,
    config: PolicyConfig,
    any_size: bool,
    tensors: Mapping[str, Any],
    weights_file: str,
) -> bytes:
    """The ONNX graph, planes (B, planes, n, n) float32 -> logits (B, n * n).

    Raises RuntimeError if it doesn't answer as the network does, on any board that it plays on.
    """

    def planes(boards: int, size: int) -> list[Tensor]:
        return [torch.randint(2, (boards, config.planes, size, size)).float()]

    axes = {"planes": {0: "B", 2: "n", 3: "n"} if any_size else {0: "B"}}
    example = planes(3, config.size)
    graph = to_onnx(model, example, ["planes"], ["logits"], axes, tensors, weights_file)
    sizes = (config.size, 9, 13) if any_size else (config.size,)
    trials = [planes(boards, size) for boards in (1, 8) for size in sizes]
    compare(model, graph, ["planes"], trials, tensors, weights_file)
    return graph
