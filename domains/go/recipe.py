"""All that makes a policy network: the recipe, and its positions."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from core.data import split
from core.errors import InputError
from core.training import TrainingConfig, training_config

from .data import Positions
from .games import Games

RECIPES = Path(__file__).parent / "recipes"
VALIDATION_SHARE = 0.02  # of the games, one at least, where no archive is named for validation


@dataclasses.dataclass(frozen=True)
class Recipe:
    """All that makes a policy network. Raises InputError for a value that makes no sense.

    Archives are named as `Games.names` has them, in any case, with * and ? as in a shell.
    """

    arch: str = "policy-resnet"
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)  # of the architecture
    start: str = ""  # a model whose weights training starts from
    validation: tuple[str, ...] = ()  # archives whose games choose the weights
    left_out: tuple[str, ...] = ()  # archives that are never looked at
    weights: dict[str, float] = dataclasses.field(default_factory=dict)
    # archives whose positions are drawn so many times as often as others'
    positions: int = 1_000_000  # to train on, in all
    epoch: int = 250_000  # positions between two validations, at most
    validated: int = 16_384  # positions of a validation, drawn once
    learning_rate: float = 0.02
    momentum: float = 0.95
    weight_decay: float = 0.01
    batch_size: int = 256
    schedule: str = "cosine"
    warmup: float = 0.02
    gradient_clip: float | None = None
    precision: str = "bf16-mixed"
    workers: int = 0  # processes that make the planes; 0: the training process makes them
    seed: int = 1
    description: str = ""
    licence: str = ""

    def __post_init__(self) -> None:
        for name, valid in {
            "learning_rate": self.learning_rate > 0,
            "momentum": 0 <= self.momentum < 1,
            "weight_decay": self.weight_decay >= 0,
            "batch_size": 1 <= self.batch_size <= min(self.epoch, self.positions),
            "validated": self.validated >= 1,
            "weights": all(_is_weight(value) for value in self.weights.values()),
        }.items():
            if not valid:
                raise InputError(f"a recipe: {name} cannot be {getattr(self, name)!r}")
        self.training()

    @property
    def between(self) -> int:
        """Positions between two validations."""
        return min(self.epoch, self.positions)

    def training(self) -> TrainingConfig:
        return training_config(self, epochs=ceil(self.positions / self.between))


@dataclasses.dataclass
class Ready:
    """A recipe's positions."""

    train: Positions
    validation: Positions
    weight: np.ndarray[Any, np.dtype[np.float64]]  # (games,) how often a game is drawn from


def is_named(archive: str, pattern: str) -> bool:
    """Whether a recipe's pattern means this archive."""
    return fnmatchcase(archive.lower(), pattern.lower())


def uses(recipe: Recipe, games: Games) -> dict[str, str]:
    """From each archive's name to what the recipe does with its games, in words."""
    found = {}
    held_out = "" if recipe.validation else f", {VALIDATION_SHARE:.0%} of all games for validation"
    for name in games.names:
        times = [value for pattern, value in recipe.weights.items() if is_named(name, pattern)]
        found[name] = (
            "left out" if any(is_named(name, pattern) for pattern in recipe.left_out)
            else "validation" if any(is_named(name, pattern) for pattern in recipe.validation)
            else f"training, weight {times[-1] if times else 1}{held_out}"
        )  # fmt: skip
    return found


def prepare(recipe: Recipe, games: Games) -> Ready:
    """Splits the games, whole ones, into those to train on, to choose by, and to leave out.

    Raises InputError for an archive that isn't there, and where a part has no position.
    """
    named = [*recipe.validation, *recipe.left_out, *recipe.weights]
    if absent := [p for p in named if not any(is_named(name, p) for name in games.names)]:
        raise InputError(f"no archive {absent[0]!r} among: {', '.join(games.names)}")

    def among(patterns: tuple[str, ...]) -> np.ndarray[Any, np.dtype[np.bool_]]:
        chosen = [any(is_named(name, pattern) for pattern in patterns) for name in games.names]
        return np.array(chosen, bool)[games.group]

    left_out = among(recipe.left_out)
    if recipe.validation:
        validation = among(recipe.validation) & ~left_out
    else:
        validation = np.zeros(len(games), bool)
        share = max(VALIDATION_SHARE, 1 / len(games))
        validation[split(len(games), (1 - share, share), recipe.seed)[1]] = True
    weight = np.ones(len(games))
    for pattern, value in recipe.weights.items():
        weight[among((pattern,))] = value
    train = Positions.of(games, ~validation & ~left_out & (weight > 0))
    chosen = Positions.of(games, validation & ~left_out)
    for part, found in {"train": train, "validate": chosen}.items():
        if not len(found):
            raise InputError(f"{games.path}: no position is left to {part} on")
    rng = np.random.default_rng(recipe.seed)
    some = np.sort(rng.permutation(len(chosen))[: recipe.validated])
    return Ready(train, Positions(games, chosen.moves[some]), weight)


def run_folder(recipe: Recipe, games: Games, start: Mapping[str, str], run: Path) -> Path:
    """Where a run of this recipe on these games keeps its log and checkpoint.

    `start`: the sha256 of each file of the model that training starts from.
    """
    result = dataclasses.replace(recipe, workers=0)  # workers have no part in it
    key = hashlib.sha256(
        f"{result!r} {games.names} {games.sha256} {sorted(start.items())}".encode()
    )
    return run / key.hexdigest()[:12]


def _is_weight(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
