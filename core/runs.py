"""The folder of a training run: `checkpoint.pt`, from which it resumes, `settings.json` and
`log.jsonl`, and at the end `outcome.json`.
"""

from __future__ import annotations

import json
import math
import os
import time
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from tqdm import tqdm

from .errors import InputError
from .weights import Card, atomic_write, read_card, verify


@dataclass
class State:
    """How far a run has come, besides its model and optimizer."""

    epoch: int = 0  # epochs done
    batch: int = 0  # batches done of the epoch that follows
    step: int = 0  # steps done
    examples: int = 0  # examples seen
    seconds: float = 0.0  # spent, over all resumes
    metrics: dict[str, float] = field(default_factory=dict)  # of the best epoch, or else the last
    best: float = -math.inf  # the highest value of the monitored metric
    best_epoch: int = -1
    best_weights: dict[str, Tensor] | None = None  # on the CPU


class Checkpoint:
    """One file with a run's model, optimizer and state, replaced as a whole at each save.

    `settings` are what a resumed run must have in common with the one that was saved; `kept` is the
    model itself, or another with the moving average of its weights.
    """

    def __init__(
        self,
        path: Path,
        model: nn.Module,
        optimizer: Optimizer,
        settings: dict[str, Any],
        active: bool,
        kept: nn.Module,
    ) -> None:
        self.path, self.model, self.optimizer, self.active = path, model, optimizer, active
        self.kept = kept
        self.settings = settings | {"optimizer": type(optimizer).__name__}
        for i, group in enumerate(optimizer.param_groups):
            fixed = {key: value for key, value in group.items() if key not in ("params", "lr")}
            fixed["parameters"] = len(group["params"])
            self.settings |= {f"{key} of parameter group {i}": v for key, v in fixed.items()}
        self.saved_at = time.monotonic()

    def save(self, state: State) -> None:
        self.saved_at = time.monotonic()
        if not self.active:
            return
        content = {
            "settings": self.settings,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "state": vars(state),
        }
        if self.kept is not self.model:
            content["average"] = self.kept.state_dict()
        with atomic_write(self.path, "wb") as file:
            torch.save(content, file)

    def load(self) -> State:
        """Sets model and optimizer to what was saved; without a file, leaves them as they are.

        Raises InputError for a file that is damaged, or of another run.
        """
        if self.active:
            for unfinished in self.path.parent.glob(".*.tmp"):  # left by a kill while saving
                unfinished.unlink()
        if not self.path.exists():
            return State()
        try:
            with zipfile.ZipFile(self.path) as archive:  # torch.load passes over its checksums
                if archive.testzip():
                    raise zipfile.BadZipFile
            content = torch.load(self.path, map_location="cpu", weights_only=True)
            settings, weights = content["settings"], content["model"]
            moments, state = content["optimizer"], State(**content["state"])
        except Exception as error:  # torch.load fails in a dozen ways
            raise InputError(
                f"{self.path}: damaged, or not a checkpoint of a training run"
            ) from error
        self._compare(settings, self.settings)
        self._compare(_shapes(weights), _shapes(self.model.state_dict()))
        self.model.load_state_dict(weights)
        self.optimizer.load_state_dict(moments)
        if self.kept is not self.model:
            self.kept.load_state_dict(content["average"])
        return state

    def _compare(self, saved: dict[str, Any], now: dict[str, Any]) -> None:
        for name in saved | now:
            if saved.get(name) != now.get(name):
                raise InputError(
                    f"{self.path}: is of another run: "
                    f"{name} was {saved.get(name)}, is {now.get(name)}"
                )


def _shapes(weights: dict[str, Tensor]) -> dict[str, Any]:
    return {name: tuple(tensor.shape) for name, tensor in weights.items()}


class Log:
    """`log.jsonl` and the progress bar on stderr, which shows only where stderr is a terminal.

    A loss is read about once a second, with those before it: an accelerator would have to wait
    each time. Beginning from `state`, what an earlier run logged beyond it is cut off.
    """

    def __init__(self, path: Path, state: State, active: bool) -> None:
        self.path, self.active = path, active
        self.losses: list[Tensor] = []
        self.lines: list[dict[str, float]] = []
        self.metrics: dict[str, float] = {}
        if active:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise InputError(f"{path.parent}: {error.strerror}") from error
            self._cut(state)
        self.bar = tqdm(
            initial=state.examples,
            unit=" examples",
            unit_scale=True,
            dynamic_ncols=True,
            disable=None if active else True,
        )
        self.restart()

    def restart(self) -> None:
        """Measures the speed from here on."""
        self.examples, self.since = 0, time.monotonic()

    def step(self, state: State, loss: Tensor, lr: float, examples: int) -> None:
        self.losses.append(loss)
        self.lines.append({"step": state.step, "epoch": state.epoch, "loss": math.nan, "lr": lr})
        self.examples += examples
        if time.monotonic() - self.since > 1:
            self.flush()

    def flush(self) -> None:
        """Writes the steps since the last time. Raises InputError if a loss is not finite."""
        if not self.lines:
            return
        losses = torch.stack(self.losses).tolist()
        speed = self.examples / (time.monotonic() - self.since)
        for line, loss in zip(self.lines, losses, strict=True):
            line |= {"loss": loss, "examples_per_second": round(speed, 1)}
            if not math.isfinite(loss):
                raise InputError(
                    f"{self.path}: the loss of step {line['step']} is {loss}: "
                    "a lower learning rate, a warmup or gradient clipping may help"
                )
        self._write(self.lines)
        self.bar.set_postfix({"loss": losses[-1], **self.metrics}, refresh=False)
        self.bar.update(self.examples)
        self.lines, self.losses = [], []
        self.restart()

    def validation(self, epoch: int, metrics: dict[str, float]) -> None:
        self.metrics = metrics
        self._write([{"epoch": epoch, **metrics}])

    def _write(self, lines: list[dict[str, float]]) -> None:
        if self.active:
            with self.path.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(line) + "\n" for line in lines)

    def _cut(self, state: State) -> None:
        kept = []
        if state.step and self.path.exists():
            with self.path.open(encoding="utf-8") as file:
                kept = [line for line in file if _done(line, state)]
        with atomic_write(self.path, "w") as file:
            file.writelines(kept)


def _done(line: str, state: State) -> bool:
    try:
        entry = json.loads(line)
    except json.JSONDecodeError:  # cut short when the process was killed
        return False
    return bool(entry["step"] < state.step if "step" in entry else entry["epoch"] < state.epoch)


def finish(place: Path, outcome: Mapping[str, Any]) -> None:
    """Keeps what a run came to in the place of its checkpoint."""
    if is_first():
        with atomic_write(place / "outcome.json") as file:
            json.dump(outcome, file)
        (place / "checkpoint.pt").unlink(missing_ok=True)


def outcome_of(place: Path) -> dict[str, Any] | None:
    """What `finish` kept of a run; None for one that isn't finished."""
    path = place / "outcome.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def released(
    place: Path, out: Path, labels: Sequence[str] | None = None, start: Card | None = None
) -> Card | None:
    """The model `out` if it stands there as the run in `place` released it, with such `labels`.

    None where it may be written: where nothing stands there, or a model of this run with a file
    lost or altered, or the model that training starts from. Raises InputError where the card would
    take the place of another file.
    """
    path = out.with_name(f"{out.name}.toml")
    if not path.exists():
        return None
    card = None
    with suppress(InputError):
        card = read_card(path)
    outcome = outcome_of(place) or {}
    is_own = card and card.files == outcome.get("files")
    if card and is_own and (labels is None or card.labels == list(labels)):
        with suppress(InputError):
            verify(card)
            return card
        return None
    if card and start and card.files == start.files:
        return None
    raise InputError(
        f"{path}: there already, and not known to come of this recipe and these data: "
        "delete it, or name another --out"
    )


def is_first() -> bool:
    """Whether this process is the one that writes and speaks: under torchrun, the first."""
    return os.environ.get("RANK", "0") == "0"
