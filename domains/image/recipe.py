"""All that makes an image classifier."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.training import TrainingConfig, training_config

from .augmentation import Augmentation
from .data import Images

RECIPES = Path(__file__).parent / "recipes"
FITS = ("crop", "digit")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """All that makes a classifier. Raises InputError for a value that makes no sense."""

    arch: str = "airbench"
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)  # of the architecture
    size: int | None = None  # pixels that the pictures are brought to; those of a file stay
    fit: str = "crop"  # how a user's picture is brought to size: crop or digit
    validation: float = 0.1  # share of the training pictures that only validation sees
    flip: bool = False  # and then answers are the mean over a picture and its mirror image
    shift: int = 0
    rotation: float = 0.0
    zoom: float = 0.0
    shear: float = 0.0
    elastic: float = 0.0
    cutout: int = 0
    epochs: int = 20
    learning_rate: float = 0.02
    momentum: float = 0.95
    weight_decay: float = 0.1
    batch_size: int = 256
    schedule: str = "cosine"
    warmup: float = 0.1
    label_smoothing: float = 0.1
    gradient_clip: float | None = None
    ema: float = 0.0
    precision: str = "bf16-mixed"
    workers: int = 0  # processes that vary the pictures; 0: the training process does
    seed: int = 1
    description: str = ""
    licence: str = ""

    def __post_init__(self) -> None:
        for name, valid in {
            "size": self.size is None or self.size >= 1,
            "fit": self.fit in FITS,
            "validation": 0 <= self.validation < 1,
            "learning_rate": self.learning_rate > 0,
            "momentum": 0 <= self.momentum < 1,
            "weight_decay": self.weight_decay >= 0,
            "label_smoothing": 0 <= self.label_smoothing < 1,
        }.items():
            if not valid:
                raise InputError(f"a recipe: {name} cannot be {getattr(self, name)!r}")
        self.training()
        self.augmentation()

    def training(self) -> TrainingConfig:
        return training_config(self)

    def augmentation(self) -> Augmentation:
        names = [field.name for field in dataclasses.fields(Augmentation)]
        return Augmentation(**{name: getattr(self, name) for name in names})


def run_folder(recipe: Recipe, images: Images, run: Path) -> Path:
    """Where a run of this recipe on these pictures keeps its log and checkpoint."""
    key = hashlib.sha256(repr(dataclasses.replace(recipe, workers=0)).encode())
    key.update(images.pictures.tobytes())
    key.update(images.classes.tobytes())
    return run / key.hexdigest()[:12]
