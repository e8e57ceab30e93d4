"""The one training loop: every network of the suite is trained by `fit`.

It runs on Lightning Fabric: on the CPU, on CUDA, in mixed precision, and in several processes under
`torchrun` (DistributedDataParallel). All randomness of a step is a function of the seed, the place
of the step in the run and the rank of the process. So a resumed run needs no saved generator: it
goes straight to its step, and ends with the weights that an uninterrupted run would have.
"""

from __future__ import annotations

import copy
import json
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset

from .errors import InputError
from .runs import Checkpoint, Log, State
from .weights import atomic_write

Schedule = Literal["constant", "cosine", "one-cycle"]
Precision = Literal["32-true", "bf16-mixed"]


@dataclass(frozen=True)
class TrainingConfig:
    """How to train. Raises InputError for a value that makes no sense."""

    epochs: int  # passes over the data, at most
    batch_size: int  # examples a step, over all processes together
    schedule: Schedule = "constant"  # of the learning rate
    warmup: float = 0.0  # share of the steps in which the learning rate rises
    gradient_clip: float | None = None  # bound of the gradient's norm over all parameters
    ema: float = 0.0  # the weights kept are a moving average, of which a step leaves this share
    precision: Precision = "32-true"
    patience: int | None = None  # stop after so many epochs without a better monitored metric
    seed: int = 0
    workers: int = 0  # processes that make batches; 0: the training process makes them
    checkpoint_seconds: float = 60.0  # between checkpoints; there is one at each epoch's end too

    def __post_init__(self) -> None:
        for name, valid in {
            "epochs": self.epochs >= 1,
            "batch_size": self.batch_size >= 1,
            "schedule": self.schedule in get_args(Schedule),
            "warmup": 0 <= self.warmup < 1,
            "gradient_clip": self.gradient_clip is None or self.gradient_clip > 0,
            "ema": 0 <= self.ema < 1,
            "precision": self.precision in get_args(Precision),
            "patience": self.patience is None or self.patience >= 1,
            "seed": self.seed >= 0,
            "workers": self.workers >= 0,
        }.items():
            if not valid:
                raise InputError(f"training: {name} cannot be {getattr(self, name)!r}")


def training_config(recipe: Any, **more: Any) -> TrainingConfig:
    """The fields of a TrainingConfig that a recipe, a dataclass, has; and `more`."""
    names = {field.name for field in fields(TrainingConfig)}
    given = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
    return TrainingConfig(**{name: given[name] for name in names & set(given)}, **more)


class TrainingData(Protocol):
    """Examples by index. Both methods take all their randomness from `rng`."""

    def plan(
        self, epoch: int, batch_size: int, rng: np.random.Generator
    ) -> Sequence[Sequence[int]]:
        """The batches of this epoch (from 0), each the indices of its examples."""

    def batch(self, indices: Sequence[int], rng: np.random.Generator) -> tuple[Tensor, ...]:
        """These examples, stacked; `rng` serves augmentation."""


Loss = Callable[[nn.Module, tuple[Tensor, ...]], Tensor]  # mean over the batch, a scalar
Validate = Callable[[nn.Module], Mapping[str, float]]  # metrics by name


@dataclass(frozen=True)
class Result:
    """What a run came to."""

    metrics: dict[str, float]  # of the weights that the model now holds
    epochs: int  # done: fewer than configured after early stopping
    steps: int
    seconds: float  # over all the resumes that it took


def fit(
    model: nn.Module,
    optimizer: Optimizer,
    data: TrainingData,
    loss: Loss,
    config: TrainingConfig,
    run: Path,
    validate: Validate | None = None,
    monitor: str | None = None,
) -> Result:
    """Trains `model` in place, resuming from the folder `run` if it was there before.

    On return the model is in eval mode, on the device that it was trained on, with the weights of
    the epoch whose `validate(model)[monitor]` was highest, or the last ones without `monitor`; with
    `config.ema` these are averages over the steps.
    `loss` calls the module that it is given on a batch that is on its device. `validate` is called
    after each epoch, in eval mode and without gradients, and moves what it needs to the model's
    device itself.
    A run belongs to one set of data: to train on another, name another folder.

    `run/settings.json` gets the config and `monitor`. `run/log.jsonl` gets {step, epoch, loss, lr,
    examples_per_second} for each step, lr being that of the first parameter group, and {epoch, and
    the metrics} for each validation; both count from 0. SIGINT and SIGTERM take effect after the
    current step, once a checkpoint is saved.

    Raises InputError for a checkpoint that is damaged or of another model, optimizer or config, for
    an epoch without batches, and for a loss that is not finite.
    """
    if (monitor is not None and validate is None) or (config.patience and monitor is None):
        raise ValueError("patience needs a monitor, and a monitor needs validate")
    fabric = launch(config)
    module, stepper = fabric.setup(model, optimizer)
    rates = [group.setdefault("initial_lr", group["lr"]) for group in optimizer.param_groups]
    settings = asdict(config) | {"monitor": monitor}
    del settings["workers"], settings["checkpoint_seconds"]  # no part in the result
    writes = fabric.is_global_zero
    kept = copy.deepcopy(model) if config.ema else model
    checkpoint = Checkpoint(run / "checkpoint.pt", model, optimizer, settings, writes, kept)
    state = checkpoint.load()
    log = Log(run / "log.jsonl", state, writes)
    if writes:
        with atomic_write(run / "settings.json") as file:
            json.dump(settings, file)
    started = time.monotonic() - state.seconds

    def save() -> None:
        log.flush()
        state.seconds = time.monotonic() - started
        checkpoint.save(state)

    with log.bar, deferred_signals() as signals:
        while not finished(state, config):
            plan = data.plan(state.epoch, config.batch_size, generator(config, state.epoch))
            if not len(plan):
                raise InputError(f"{run}: no training data: epoch {state.epoch} has no batch")
            log.bar.total = config.epochs * sum(len(indices) for indices in plan)
            log.restart()
            module.train()
            for weight, batch in local_batches(data, plan, state, config, fabric):
                progress = (state.epoch + (state.batch + 0.5) / len(plan)) / config.epochs
                factor = learning_rate_factor(config.schedule, progress, config.warmup)
                for group, rate in zip(optimizer.param_groups, rates, strict=True):
                    group["lr"] = rate * factor

                rng = generator(config, state.epoch, state.batch, fabric.global_rank, 1)
                torch.manual_seed(int(rng.integers(2**63)))  # for dropout
                value = loss(module, fabric.to_device(batch)) * weight
                fabric.backward(value)
                if config.gradient_clip is not None:
                    fabric.clip_gradients(
                        module, stepper, max_norm=config.gradient_clip, error_if_nonfinite=False
                    )
                stepper.step()
                stepper.zero_grad()
                if kept is not model:
                    average(kept, model, config.ema, state.step)
                value, stop = agree(fabric, value.detach(), bool(signals))

                examples = len(plan[state.batch])
                log.step(state, value, optimizer.param_groups[0]["lr"], examples)
                state.step, state.batch = state.step + 1, state.batch + 1
                state.examples += examples
                if stop or time.monotonic() - checkpoint.saved_at > config.checkpoint_seconds:
                    save()
                if stop:
                    raise KeyboardInterrupt

            log.flush()
            if validate is not None:
                metrics = evaluate(kept, validate, fabric)
                log.validation(state.epoch, metrics)
                keep_best(state, kept, metrics, monitor)
            state.epoch, state.batch = state.epoch + 1, 0
            save()

    model.eval()
    if kept is not model or state.best_weights is not None:
        model.load_state_dict(state.best_weights or kept.state_dict())
    return Result(state.metrics, state.epoch, state.step, state.seconds)


def launch(config: TrainingConfig) -> Fabric:
    """One device, or the one that is this process's share under `torchrun`."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    fabric = Fabric(
        devices=local,
        num_nodes=world // local,
        strategy="ddp" if world > 1 else "auto",
        precision=config.precision,
    )
    fabric.launch()
    return fabric


def generator(config: TrainingConfig, *place: int) -> np.random.Generator:
    """The randomness of one place in the run: independent of that of any other."""
    return np.random.default_rng(np.random.SeedSequence(config.seed, spawn_key=place))


def learning_rate_factor(schedule: Schedule, progress: float, warmup: float) -> float:
    """What multiplies the learning rate at `progress` (0 to 1) through the run.

    Over the share `warmup` it rises to 1, linearly, or in one-cycle from 1/25 along half a cosine.
    Then it stays (constant) or falls along half a cosine to 0 (cosine: Loshchilov & Hutter 2017,
    equation 5, one period) or to 1/250,000 (one-cycle: Smith & Topin 2018, in fast.ai's form).
    """
    low, end = (1 / 25, 1 / 250_000) if schedule == "one-cycle" else (0.0, 0.0)
    if progress < warmup:
        rise = progress / warmup
        return half_cosine(low, 1.0, rise) if schedule == "one-cycle" else rise
    if schedule == "constant":
        return 1.0
    return half_cosine(1.0, end, (progress - warmup) / (1 - warmup))


def half_cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


class LocalBatches(Dataset[tuple[float, tuple[Tensor, ...]]]):
    """This process's share of each batch of an epoch, and what weighs its mean loss.

    The weight makes the mean over processes the mean over the batch, however uneven the shares. A
    process that is left without an example takes the first one at weight 0.
    """

    def __init__(
        self,
        data: TrainingData,
        plan: Sequence[Sequence[int]],
        epoch: int,
        config: TrainingConfig,
        rank: int,
        world: int,
    ) -> None:
        self.data, self.plan, self.epoch = data, plan, epoch
        self.config, self.rank, self.world = config, rank, world

    def __getitem__(self, i: int) -> tuple[float, tuple[Tensor, ...]]:
        indices = self.plan[i]
        share = indices[self.rank :: self.world]
        weight = len(share) * self.world / len(indices)
        rng = generator(self.config, self.epoch, i, self.rank, 0)
        return weight, self.data.batch(share if weight else indices[:1], rng)


def local_batches(
    data: TrainingData,
    plan: Sequence[Sequence[int]],
    state: State,
    config: TrainingConfig,
    fabric: Fabric,
) -> DataLoader[Any]:
    """What is still to come of the epoch."""
    return DataLoader(
        LocalBatches(data, plan, state.epoch, config, fabric.global_rank, fabric.world_size),
        sampler=range(state.batch, len(plan)),
        batch_size=None,
        collate_fn=as_is,
        num_workers=config.workers,
        pin_memory=fabric.device.type == "cuda",
    )


def as_is(batch: Any) -> Any:
    return batch


@torch.no_grad()
def average(kept: nn.Module, model: nn.Module, share: float, step: int) -> None:
    """Moves the weights of `kept` towards the model's; further in the first steps, as the average
    would else hold the untrained weights for long."""
    share = min(share, (1 + step) / (10 + step))
    for old, new in zip(kept.state_dict().values(), model.state_dict().values(), strict=True):
        if old.is_floating_point():
            old.lerp_(new, 1 - share)
        else:
            old.copy_(new)


def agree(fabric: Fabric, loss: Tensor, stop: bool) -> tuple[Tensor, bool]:
    """The loss over all processes, and whether one of them is to stop: then all do."""
    if fabric.world_size == 1:
        return loss, stop
    mean = fabric.all_reduce(torch.stack([loss, loss.new_tensor(stop)]), reduce_op="mean")
    return mean[0], bool(mean[1] > 0)


def evaluate(model: nn.Module, validate: Validate, fabric: Fabric) -> dict[str, float]:
    """The metrics, on which all processes agree."""
    model.eval()
    with torch.no_grad(), fabric.autocast():
        metrics = {name: float(value) for name, value in validate(model).items()}
    return dict(fabric.broadcast(metrics))


def keep_best(
    state: State, model: nn.Module, metrics: dict[str, float], monitor: str | None
) -> None:
    """Notes the metrics; by `monitor`, only those of the best epoch so far, with its weights."""
    if monitor is None:
        state.metrics = metrics
    elif metrics[monitor] > state.best:
        state.metrics, state.best, state.best_epoch = metrics, metrics[monitor], state.epoch
        weights = model.state_dict().items()
        state.best_weights = {name: w.detach().to("cpu", copy=True) for name, w in weights}


def finished(state: State, config: TrainingConfig) -> bool:
    """Whether all epochs are done, or the last `patience` of them brought nothing better."""
    patient = config.patience is None or state.epoch - 1 - state.best_epoch < config.patience
    return state.epoch >= config.epochs or not patient


@contextmanager
def deferred_signals() -> Iterator[list[int]]:
    """The SIGINT and SIGTERM that came; they take effect at the end. A second Ctrl-C, at once."""
    received: list[int] = []

    def note(number: int, _: Any) -> None:
        if number == signal.SIGINT and number in received:
            raise KeyboardInterrupt
        received.append(number)

    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if signal.SIGTERM in received:
            signal.raise_signal(signal.SIGTERM)
    if received:
        raise KeyboardInterrupt
