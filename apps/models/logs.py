"""The logs of training runs, read as they grow and thinned out."""

from __future__ import annotations

import json
import os
import re
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import InputError

from .metrics import duration, is_number, named, shown
from .runs import Run

MOST_POINTS = 1_000  # kept of a log: then two neighbours become one
MOST_BYTES = 16_000_000  # read at one look; what is left, at the next
LONGEST_LINE = 4_096  # bytes
QUIET, GIVEN_UP = 120, 3_600  # seconds without a new line until it is told, and no longer awaited
CLOSE = 5  # seconds by which an outcome may seem older than the log that it ends
SPEED = "examples_per_second"
NO_LINE, NEWLINE = "not a line of a training's log", b"\n"

Point = dict[str, float]


class Thinned:
    """Points in their order, never more than MOST_POINTS: each is the mean of `of` that came."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.of = 1
        self.sums: Point = {}
        self.counts: dict[str, int] = {}
        self.waiting = 0

    def add(self, point: Point) -> None:
        for key, value in point.items():
            self.sums[key] = self.sums.get(key, 0.0) + value
            self.counts[key] = self.counts.get(key, 0) + 1
        self.waiting += 1
        if self.waiting == self.of:
            self.points.append(self._mean())
            self.sums, self.counts, self.waiting = {}, {}, 0
            if len(self.points) == MOST_POINTS:
                self._halve()

    def all(self) -> list[Point]:
        """With a last one that is the mean of fewer, so that the newest is seen at once."""
        return [*self.points, self._mean()] if self.waiting else self.points

    def _mean(self) -> Point:
        return {key: total / self.counts[key] for key, total in self.sums.items()}

    def _halve(self) -> None:
        pairs = zip(self.points[::2], self.points[1::2], strict=True)
        self.points = [
            {key: statistics.fmean(p[key] for p in pair if key in p) for key in pair[0] | pair[1]}
            for pair in pairs
        ]
        self.of *= 2


@dataclass
class RunLog:
    """What a run's log has said so far."""

    run: Run
    inode: int = 0
    steps: Thinned = field(default_factory=Thinned)  # step, epoch, loss, lr, examples_per_second
    validations: Thinned = field(default_factory=Thinned)  # epoch, and the metrics
    best: dict[str, tuple[float, int]] = field(default_factory=dict)  # a metric's value and epoch
    last: Point = field(default_factory=dict)  # the last step
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the training
    steps_an_epoch: float = 0.0  # 0: no epoch has ended yet
    finished: bool = False
    written: float = 0.0  # when: seconds since 1970
    lines: int = 0
    position: int = 0  # bytes read
    size: int = 0  # bytes there

    @property
    def epochs(self) -> int:
        """How many are planned at most; 0 where it isn't known."""
        planned = self.settings.get("epochs")
        return planned if isinstance(planned, int) else 0

    @property
    def is_live(self) -> bool:
        """Whether there may be more to come, or is more to read."""
        return self.is_behind or not (self.finished or time.time() - self.written > GIVEN_UP)

    @property
    def is_behind(self) -> bool:
        """Whether more is written than the beginning of a line."""
        return self.size - self.position > LONGEST_LINE

    def state(self) -> str:
        """'running, epoch 12 of 40, about 9 min left', and the like."""
        if self.is_behind:
            return f"reading its log, {100 * self.position / self.size:.0f} %"
        if self.finished:
            return "finished"
        age = time.time() - self.written
        parts = [f"no new line for {duration(age)}" if age > QUIET else "running"]
        if self.last:
            of = f" of {self.epochs}" if self.epochs else ""
            parts.append(f"epoch {self.last['epoch'] + 1:.0f}{of}")
        left = self._seconds_left()
        if left is not None and age <= QUIET:
            parts.append(f"about {duration(left)} left")
        return ", ".join(parts)

    def _seconds_left(self) -> float | None:
        batch = self.settings.get("batch_size")
        speeds = [point[SPEED] for point in self.steps.all()[-20:] if SPEED in point]
        speed = statistics.median(speeds) if speeds else 0
        if not (self.epochs and self.steps_an_epoch and speed > 0 and is_number(batch)):
            return None
        return max(self.epochs * self.steps_an_epoch - self.last["step"] - 1, 0) * batch / speed


def summary(log: RunLog) -> dict[str, Any]:
    """A row of the table that compares runs, by column."""
    points = log.steps.all()
    losses = [point["loss"] for point in points[-1 - len(points) // 50 :] if "loss" in point]
    speeds = [point[SPEED] for point in points if SPEED in point]
    row: dict[str, Any] = {
        "run": log.run.name,
        "epochs": int(log.last["epoch"]) + 1 if log.last else None,
        "steps": int(log.last["step"]) + 1 if log.last else None,
        "loss": statistics.fmean(losses) if losses else None,
    }
    for metric, (value, epoch) in log.best.items():
        row[f"best {named(metric).heading}"] = round(shown(metric, value), 4)
        row[f"in epoch{'' if len(log.best) == 1 else f' ({named(metric).title})'}"] = epoch + 1
    batch = log.settings.get("batch_size")
    return row | {
        "peak learning rate": max((p["lr"] for p in points if "lr" in p), default=None),
        **({"batch": batch} if is_number(batch) else {}),
        "examples/s": round(statistics.median(speeds)) if speeds else None,
    }


def read_on(log: RunLog) -> RunLog:
    """The log with what was added to it since; a new one where the run was begun anew.

    A last line that is cut short waits until it is whole, and what is beyond MOST_BYTES for the
    next time. Raises InputError, naming the file and the line, for one that is no line of a log.
    """
    path = log.run.folder / "log.jsonl"
    try:
        with path.open("rb") as file:
            stat = os.fstat(file.fileno())
            if stat.st_ino != log.inode or stat.st_size < log.position:
                log = RunLog(log.run, stat.st_ino)
            file.seek(log.position)
            content = file.read(MOST_BYTES)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    end = content.rfind(b"\n") + 1
    if len(content) - end > LONGEST_LINE:
        raise InputError(f"{path}: line {log.lines + content.count(NEWLINE) + 1}: {NO_LINE}")
    for line in content[:end].splitlines():
        log.lines += 1
        _take(log, _entry(line, f"{path}: line {log.lines}"))
    log.position += end
    log.written, log.size = stat.st_mtime, stat.st_size
    log.settings = log.settings or _settings(log.run.folder / "settings.json")
    outcome = log.run.folder / "outcome.json"
    log.finished = outcome.is_file() and outcome.stat().st_mtime > log.written - CLOSE
    return log


def _take(log: RunLog, entry: Point) -> None:
    if "step" in entry:
        if entry["epoch"] > log.last.get("epoch", 0):
            log.steps_an_epoch = entry["step"] / entry["epoch"]
        log.last = entry
        log.steps.add(entry)
        return
    log.validations.add(entry)
    for key, value in entry.items():
        before = log.best.get(key)
        if key != "epoch" and (before is None or is_better(key, value, before[0])):
            log.best[key] = (value, int(entry["epoch"]))


def is_better(metric: str, value: float, other: float) -> bool:
    """Losses and errors are the better the lower they are, all else the higher."""
    return value < other if re.search("loss|nll|error|ece", metric) else value > other


def _entry(line: bytes, place: str) -> Point:
    """A line's numbers; what is not finite is left out."""
    try:
        entry = json.loads(line) if len(line) <= LONGEST_LINE else None
    except (ValueError, RecursionError):
        entry = None
    if isinstance(entry, dict):
        numbers = {key: float(value) for key, value in entry.items() if is_number(value)}
        if "epoch" in numbers and ("step" in entry) == ("step" in numbers):
            return numbers
    raise InputError(f"{place}: {NO_LINE}")


def _settings(path: Path) -> Mapping[str, Any]:
    """What a training kept of its config; nothing where it did not."""
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(LONGEST_LINE))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
