"""A small training run, for the tests that need processes of their own.

training_script.py train RUN     trains in RUN (alone or under torchrun)
training_script.py kill RUN      the same, killed (-9) time and again; prints how often
"""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from core import runs
from core.training import Result, TrainingConfig, fit

# 7 shared by 2 processes is 4 and 3, and the last batch of 50 examples has 1: a share is empty.
CONFIG = TrainingConfig(
    epochs=4,
    batch_size=7,
    schedule="cosine",
    warmup=0.1,
    gradient_clip=1.0,
    seed=3,
)


class Points:
    """50 points in the plane, of three classes; shuffled, and jittered at each visit."""

    def __init__(self, jitter: float) -> None:
        rng = np.random.default_rng(0)
        self.x = rng.normal(size=(50, 2)).astype(np.float32)
        self.y = (self.x[:, 0] > 0).astype(np.int64) + (self.x[:, 1] > 0.5)
        self.jitter = jitter

    def plan(self, epoch: int, batch_size: int, rng: np.random.Generator) -> list[np.ndarray]:
        return np.split(rng.permutation(50), range(batch_size, 50, batch_size))

    def batch(self, indices: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, ...]:
        noise = self.jitter * rng.normal(size=(len(indices), 2)).astype(np.float32)
        return torch.from_numpy(self.x[indices] + noise), torch.from_numpy(self.y[indices])


def network(dropout: float) -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Dropout(dropout), nn.Linear(16, 3))


def cross_entropy(model: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


def accuracy(model: nn.Module) -> dict[str, float]:
    points = Points(0.0)
    right = model(torch.from_numpy(points.x)).argmax(1) == torch.from_numpy(points.y)
    return {"accuracy": right.float().mean().item()}


def train(
    run: Path,
    noise: float,
    hook: Callable[[str], None] = lambda place: None,
    **settings: float,
) -> Result:
    """`noise`: dropout and jitter. `hook` is told of each place that the training comes by."""
    config = dataclasses.replace(CONFIG, **settings)
    model = network(noise)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.03)
    optimizer.register_step_post_hook(lambda *_: hook("step"))

    def loss(module: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        hook("loss")
        return cross_entropy(module, batch)

    def validate(module: nn.Module) -> dict[str, float]:
        hook("validate")
        return accuracy(module)

    result = fit(model, optimizer, Points(noise), loss, config, run, validate)
    if int(os.environ.get("RANK", "0")) == 0:
        torch.save(model.state_dict(), run / "final.pt")
    return result


def killed_at(place: str, count: int) -> Callable[[str], None]:
    """A hook that kills the process, at once, when it comes by `place` for the `count`-th time."""
    left = count

    def hook(here: str) -> None:
        nonlocal left
        left -= here == place
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    if place == "save":  # with half of the checkpoint written
        save = torch.save

        def half(content: object, file: object) -> None:
            if left == 1:
                file.write(b"PK half a checkpoint")
                file.flush()
            hook("save")
            save(content, file)

        runs.torch.save = half
    return hook


def kill(run: Path) -> int:
    """Trains in children that are killed, until one is through. Returns how many were killed."""
    chance = random.Random(5)
    killed = 0
    while True:
        place = chance.choice(["loss", "step", "save", "validate"])
        count = chance.randint(1, 2 if place == "validate" else 9)
        seconds = chance.choice([0.0, 1e9])  # a checkpoint each step, or each epoch only
        child = os.fork()
        if child == 0:
            train(run, 0.3, killed_at(place, count), checkpoint_seconds=seconds)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            return killed
        killed += 1


if __name__ == "__main__":
    torch.set_num_threads(1)
    run = Path(sys.argv[2])
    if sys.argv[1] == "kill":
        print(kill(run))
    else:
        train(run, 0.0)
