"""All that makes a recogniser of spoken words: the recipe, and its clips."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.data import split
from core.errors import InputError
from core.training import TrainingConfig, training_config

from .audio import SAMPLE_RATE, Pcm
from .data import (
    BACKGROUND_NOISE,
    SILENCE,
    UNKNOWN,
    Clips,
    read,
    sounds,
    speaker_of,
    together,
    words,
)

RECIPES = Path(__file__).parent / "recipes"


@dataclasses.dataclass(frozen=True)
class Recipe:
    """All that makes a recogniser. Raises InputError for a value that makes no sense."""

    arch: str = "speech-resnet"
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)  # of the architecture
    start: str = ""  # a model whose weights training starts from
    keywords: tuple[str, ...] = ()  # the folders to tell apart; none: all there are
    held_out: tuple[str, ...] = ()  # folders of other words that only validation hears
    unknown: float = 0.2  # share of an epoch that is other words, if there are any
    made_up: float = 0.1  # share of it that is the halves of two words, if keywords are named too
    silence: float = 0.08  # share of it that is background noise, if there is any
    seconds: float = 1.0  # of one example
    epochs: int = 40
    learning_rate: float = 0.01
    momentum: float = 0.95
    weight_decay: float = 0.1
    batch_size: int = 128
    schedule: str = "cosine"
    warmup: float = 0.05
    label_smoothing: float = 0.05
    gradient_clip: float | None = None
    precision: str = "bf16-mixed"
    workers: int = 0  # processes that vary the clips; 0: the training process does
    seed: int = 1
    description: str = ""
    licence: str = ""

    def __post_init__(self) -> None:
        shares = (self.unknown, self.made_up, self.silence)
        for name, valid in {
            "keywords": len(set(self.keywords)) == len(self.keywords) != 1,
            "held_out": not set(self.held_out) & set(self.keywords),
            "unknown": self.unknown >= 0,
            "made_up": self.made_up >= 0,
            "silence": self.silence >= 0 and sum(shares) < 1,
            "seconds": 0.2 <= self.seconds <= 10,
            "learning_rate": self.learning_rate > 0,
            "momentum": 0 <= self.momentum < 1,
            "weight_decay": self.weight_decay >= 0,
            "label_smoothing": 0 <= self.label_smoothing < 1,
        }.items():
            if not valid:
                raise InputError(f"a recipe: {name} cannot be {getattr(self, name)!r}")
        self.training()

    @property
    def samples(self) -> int:
        """Of one example."""
        return round(self.seconds * SAMPLE_RATE)

    def training(self) -> TrainingConfig:
        return training_config(self)


@dataclasses.dataclass
class Ready:
    """A recipe's clips. Validation's silence is drawn from the noise."""

    train: Clips
    validation: Clips
    noise: list[Pcm]
    refused: list[InputError]


def labels(recipe: Recipe, *folders: Path) -> tuple[str, ...]:
    """What the recogniser will tell apart: words, then unknown ones and silence if there are any.

    Raises InputError for a keyword without a folder, and where there is only one thing to tell.
    """
    there = sorted({word for folder in folders for word in words(folder)})
    for word in (*recipe.keywords, *recipe.held_out):
        if word not in there:
            raise InputError(f"{folders[0]}: no folder of sounds called {word!r}")
    special = {f"_{name}_": name for name in (UNKNOWN, SILENCE)}
    named = [special.get(word, word) for word in there]
    known = recipe.keywords or named
    found = [word for word in known if word not in (UNKNOWN, SILENCE)]
    if UNKNOWN in named or set(named) - {*known, SILENCE}:
        found.append(UNKNOWN)
    if SILENCE in named or any(any(sounds(folder / BACKGROUND_NOISE)) for folder in folders):
        found.append(SILENCE)
    if len(found) < 2:
        raise InputError(f"{folders[0]}: only {found[0]!r} to tell apart; two folders are needed")
    return tuple(found)


def prepare(recipe: Recipe, *folders: Path) -> Ready:
    """Reads the clips; those of held-out words move from training to validation.

    Where nothing would be left to validate on, a tenth of the speakers is, one at least. Raises
    InputError where a label has no clip to train on, or validation none at all.
    """
    found = labels(recipe, *folders)
    read_in = [read(folder, found, ("training", "validation")) for folder in folders]
    train = together(*(collection.splits["training"] for collection in read_in))
    heard = together(*(collection.splits["validation"] for collection in read_in))
    moved = [file.parent.name in recipe.held_out for file in train.files]
    if not len(heard) and not any(moved):
        moved = some_speakers(train, recipe.seed)
    kept = Clips(found)
    for index, is_moved in enumerate(moved):
        waveform, number, file = train.waveforms[index], train.classes[index], train.files[index]
        part = heard if is_moved else kept
        part.waveforms.append(waveform)
        part.classes.append(number)
        part.files.append(file)
    for label, count in kept.counts().items():
        if not count and label != SILENCE:
            raise InputError(f"{folders[0]}: no clip of {label!r} to train on")
    if not len(heard):
        raise InputError(f"{folders[0]}: no clip to validate on")
    return Ready(
        kept,
        heard,
        [noise for collection in read_in for noise in collection.noise],
        [error for collection in read_in for error in collection.refused],
    )


def some_speakers(clips: Clips, seed: int) -> list[bool]:
    """For each clip whether its speaker is in a random tenth, one at least."""
    speakers = [speaker_of(f"{file.parent.name}/{file.name}") for file in clips.files]
    share = max(0.1, 1 / max(len(set(speakers)), 1))
    chosen = set(split(speakers, (1 - share, share), seed)[1].tolist()) if speakers else set()
    return [index in chosen for index in range(len(clips))]


def run_folder(recipe: Recipe, ready: Ready, start: Mapping[str, str], run: Path) -> Path:
    """Where a run of this recipe on these clips keeps its log and checkpoint.

    `start`: the sha256 of each file of the model that training starts from.
    """
    result = dataclasses.replace(recipe, workers=0, start="")
    key = hashlib.sha256(f"{result!r} {sorted(start.items())}".encode())
    for clips in (ready.train, ready.validation):
        for waveform, number in zip(clips.waveforms, clips.classes, strict=True):
            key.update(waveform.tobytes() + bytes([number % 256]))
    for waveform in ready.noise:
        key.update(waveform.tobytes())
    return run / key.hexdigest()[:12]
