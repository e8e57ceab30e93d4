"""core.training: the loop against a plain one, resuming, two processes, and bad checkpoints."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import os
import pickle
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent))

import training_script as script
from training_script import CONFIG, Points, accuracy, cross_entropy, network, train

from core.errors import InputError
from core.training import TrainingConfig, fit, learning_rate_factor

Weights = dict[str, Tensor]


def start(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )


def final(run: Path) -> Weights:
    return torch.load(run / "final.pt", weights_only=True)


def same(a: Weights, b: Weights) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def log(run: Path) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """The lines of the steps and those of the validations."""
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [x for x in lines if "step" in x], [x for x in lines if "step" not in x]


@pytest.fixture(autouse=True)
def one_thread():
    """As in the processes that are compared with: sums depend on how they are split."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("uninterrupted")
    torch.set_num_threads(1)
    train(run, 0.3)
    return run


# --- the loop ---------------------------------------------------------------------------------


class InOrder(Points):
    """The same batches each epoch, so that a plain loop can follow."""

    def plan(self, epoch: int, batch_size: int, rng: np.random.Generator) -> list[range]:
        return [range(i, min(i + batch_size, 50)) for i in range(0, 50, batch_size)]

    def batch(self, indices: range, rng: np.random.Generator) -> tuple[Tensor, ...]:
        return super().batch(np.array(indices), rng)


def test_it_does_what_a_plain_loop_does(tmp_path: Path) -> None:
    model, data = network(0.0), InOrder(0.0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.03)
    result = fit(model, optimizer, data, cross_entropy, TrainingConfig(3, 7), tmp_path)

    plain = network(0.0)
    optimizer = torch.optim.AdamW(plain.parameters(), lr=0.03)
    losses = []
    for _ in range(3):
        for i in range(0, 50, 7):
            loss = cross_entropy(
                plain, data.batch(range(i, min(i + 7, 50)), np.random.default_rng())
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())

    assert same(model.state_dict(), plain.state_dict())
    assert (result.epochs, result.steps) == (3, 24)
    steps, validations = log(tmp_path)
    assert [line["loss"] for line in steps] == losses
    assert [line["epoch"] for line in steps] == [0] * 8 + [1] * 8 + [2] * 8
    assert validations == []


@pytest.mark.parametrize(
    ("schedule", "warmup", "progress", "factor"),
    [
        ("constant", 0.0, 0.7, 1.0),
        ("constant", 0.2, 0.1, 0.5),
        ("constant", 0.2, 0.2, 1.0),
        ("cosine", 0.0, 0.0, 1.0),
        ("cosine", 0.0, 1 / 3, 0.75),
        ("cosine", 0.0, 1.0, 0.0),
        ("cosine", 0.2, 0.05, 0.25),
        ("cosine", 0.2, 0.6, 0.5),
        ("one-cycle", 0.3, 0.0, 0.04),
        ("one-cycle", 0.3, 0.15, 0.52),
        ("one-cycle", 0.3, 0.3, 1.0),
        ("one-cycle", 0.3, 0.65, 0.500002),
        ("one-cycle", 0.3, 1.0, 0.000004),
    ],
)
def test_schedules(schedule: str, warmup: float, progress: float, factor: float) -> None:
    assert learning_rate_factor(schedule, progress, warmup) == pytest.approx(factor, abs=1e-12)


def test_each_parameter_group_follows_the_schedule_from_its_own_rate(tmp_path: Path) -> None:
    model = network(0.0)
    groups = [
        {"params": model[0].parameters(), "lr": 0.1},
        {"params": model[3].parameters(), "lr": 0.02},
    ]
    optimizer = torch.optim.SGD(groups)
    seen = []
    optimizer.register_step_pre_hook(
        lambda *_: seen.append([group["lr"] for group in optimizer.param_groups])
    )
    config = TrainingConfig(epochs=2, batch_size=25, schedule="cosine")
    fit(model, optimizer, Points(0.0), cross_entropy, config, tmp_path)

    factors = [(1 + math.cos(math.pi * middle / 8)) / 2 for middle in (1, 3, 5, 7)]
    assert seen == [[pytest.approx(0.1 * f), pytest.approx(0.02 * f)] for f in factors]
    assert [line["lr"] for line in log(tmp_path)[0]] == pytest.approx([0.1 * f for f in factors])


def test_gradient_clipping_bounds_the_norm_over_all_parameters(tmp_path: Path) -> None:
    model = network(0.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    norms = []
    optimizer.register_step_pre_hook(
        lambda *_: norms.append(
            torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()
        )
    )

    def loss(module: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        return (0.001 if len(norms) == 3 else 1000) * cross_entropy(module, batch)

    config = TrainingConfig(epochs=1, batch_size=7, gradient_clip=0.5)
    fit(model, optimizer, Points(0.0), loss, config, tmp_path)
    assert norms[0] == pytest.approx(0.5, rel=1e-4)
    assert max(norms) <= 0.5 + 1e-6
    assert norms[3] < 0.1  # a small gradient stays as it is


def test_early_stopping_restores_the_best_weights(tmp_path: Path) -> None:
    model = network(0.3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.03)
    scores, seen = [0.5, 0.9, 0.7, 0.9, 1.0], []

    def validate(module: nn.Module) -> dict[str, float]:
        assert not module.training
        assert not torch.is_grad_enabled()
        seen.append({name: w.clone() for name, w in module.state_dict().items()})
        return {"f1": scores[len(seen) - 1], "epoch_seen": len(seen) - 1}

    config = dataclasses.replace(CONFIG, epochs=5, patience=2)
    result = fit(model, optimizer, Points(0.3), cross_entropy, config, tmp_path, validate, "f1")
    assert len(seen) == result.epochs == 4  # the fourth is no better, only as good
    assert result.metrics == {"f1": 0.9, "epoch_seen": 1}
    assert same(model.state_dict(), seen[1])
    assert not same(seen[1], seen[3])
    assert [line["f1"] for line in log(tmp_path)[1]] == scores[:4]

    again = network(0.3)
    optimizer = torch.optim.AdamW(again.parameters(), lr=0.03)
    repeated = fit(again, optimizer, Points(0.3), cross_entropy, config, tmp_path, validate, "f1")
    assert repeated == result
    assert same(again.state_dict(), seen[1])


def test_batches_made_by_other_processes_are_the_same(uninterrupted: Path, tmp_path: Path) -> None:
    train(tmp_path, 0.3, workers=1)
    assert same(final(tmp_path), final(uninterrupted))


def test_the_seed_decides(uninterrupted: Path, tmp_path: Path) -> None:
    torch.manual_seed(123)  # as if something else had drawn numbers before
    train(tmp_path / "same", 0.3)
    assert same(final(tmp_path / "same"), final(uninterrupted))
    train(tmp_path / "other", 0.3, seed=4)
    assert not same(final(tmp_path / "other"), final(uninterrupted))


def test_mixed_precision_learns_and_keeps_full_precision_weights(tmp_path: Path) -> None:
    model = network(0.0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.03)
    types = set()

    def loss(module: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        model[0].register_forward_hook(lambda *call: types.add(call[2].dtype))
        return cross_entropy(module, batch)

    config = TrainingConfig(epochs=4, batch_size=10, precision="bf16-mixed")
    result = fit(model, optimizer, Points(0.0), loss, config, tmp_path, accuracy, "accuracy")
    assert types == {torch.bfloat16}
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert result.metrics["accuracy"] > 0.7


# --- resuming ---------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_killed_and_resumed_it_ends_with_the_same_weights(
    uninterrupted: Path, tmp_path: Path
) -> None:
    killed = int(start(script.__file__, "kill", tmp_path).stdout)
    assert killed >= 5
    assert same(final(tmp_path), final(uninterrupted))
    steps, validations = log(tmp_path)
    assert Counter(line["step"] for line in steps) == Counter(range(32))
    assert [line["epoch"] for line in validations] == [0, 1, 2, 3]
    whole, _ = log(uninterrupted)
    assert [line["loss"] for line in steps] == [line["loss"] for line in whole]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "checkpoint.pt",
        "final.pt",
        "log.jsonl",
        "settings.json",
    ]


def at_fifth_loss(number: signal.Signals) -> Callable[[str], None]:
    calls = []

    def hook(place: str) -> None:
        calls.append(place)
        if calls.count("loss") == 5 and place == "loss":
            signal.raise_signal(number)

    return hook


def test_ctrl_c_saves_first(uninterrupted: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, 0.3, at_fifth_loss(signal.SIGINT))
    assert [line["step"] for line in log(tmp_path)[0]] == [0, 1, 2, 3, 4]
    taken = []
    train(tmp_path, 0.3, taken.append)
    assert taken.count("step") == 32 - 5
    assert same(final(tmp_path), final(uninterrupted))


def test_termination_saves_first(uninterrupted: Path, tmp_path: Path) -> None:
    saved = []

    def handler(*_: object) -> None:
        saved.append((tmp_path / "checkpoint.pt").exists())

    before = signal.signal(signal.SIGTERM, handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path, 0.3, at_fifth_loss(signal.SIGTERM))
        assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, before)
    assert saved == [True]
    train(tmp_path, 0.3)
    assert same(final(tmp_path), final(uninterrupted))


def test_a_finished_run_returns_at_once_with_its_weights(tmp_path: Path) -> None:
    first = train(tmp_path, 0.3)
    written = (tmp_path / "log.jsonl").read_bytes()
    (tmp_path / "final.pt").rename(tmp_path / "first.pt")
    places = []
    assert train(tmp_path, 0.3, places.append) == first
    assert places == []
    assert same(final(tmp_path), torch.load(tmp_path / "first.pt", weights_only=True))
    assert (tmp_path / "log.jsonl").read_bytes() == written


def test_a_log_line_cut_short_is_written_again(tmp_path: Path, uninterrupted: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, 0.3, at_fifth_loss(signal.SIGINT))
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 5, "epoch": 0, "loss": 1.0}\n{"step": 6, "ep')
    train(tmp_path, 0.3)
    assert [line["step"] for line in log(tmp_path)[0]] == list(range(32))


# --- several processes ------------------------------------------------------------------------


def test_two_processes_take_the_steps_of_one(tmp_path: Path) -> None:
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2")
    start(*torchrun, script.__file__, "train", tmp_path / "two")
    train(tmp_path / "one", 0.0)
    (one, one_validations), (two, two_validations) = log(tmp_path / "one"), log(tmp_path / "two")
    assert [line["step"] for line in two] == list(range(32))
    assert [x["loss"] for x in two] == pytest.approx([x["loss"] for x in one], abs=1e-4)
    assert two_validations == one_validations
    weights = final(tmp_path / "one")
    for name, value in final(tmp_path / "two").items():
        torch.testing.assert_close(value, weights[name], atol=1e-4, rtol=0)


# --- bad input --------------------------------------------------------------------------------


class Payload:
    """What a pickle from a stranger might do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return Path.touch, (self.path,)


def damage(kind: str, content: bytes, tmp_path: Path) -> bytes:
    if kind == "flipped":  # a bit of a weight
        weights = torch.load(io.BytesIO(content), weights_only=True)["model"]
        place = content.index(weights["0.weight"].numpy().tobytes()) + 40
        return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
    if kind == "pickle":
        return pickle.dumps(Payload(tmp_path / "touched"))
    return {
        "empty": b"",
        "truncated": content[: len(content) // 2],
        "one byte short": content[:-1],
        "text": b"weights: 1 2 3\n",
    }[kind]


@pytest.mark.parametrize(
    "kind", ["empty", "truncated", "one byte short", "flipped", "text", "pickle"]
)
def test_a_damaged_checkpoint_is_refused(kind: str, uninterrupted: Path, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    content = (uninterrupted / "checkpoint.pt").read_bytes()
    path.write_bytes(damage(kind, content, tmp_path))
    with pytest.raises(InputError) as error:
        train(tmp_path, 0.3)
    assert str(error.value) == f"{path}: damaged, or not a checkpoint of a training run"
    assert not (tmp_path / "touched").exists()


def test_a_file_of_weights_is_not_a_checkpoint(uninterrupted: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes((uninterrupted / "final.pt").read_bytes())
    with pytest.raises(InputError, match="not a checkpoint of a training run"):
        train(tmp_path, 0.3)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"epochs": 9}, "epochs was 4, is 9"),
        ({"batch_size": 8}, "batch_size was 7, is 8"),
        ({"seed": 1}, "seed was 3, is 1"),
    ],
)
def test_another_config_is_refused(
    settings: dict[str, int], named: str, uninterrupted: Path
) -> None:
    with pytest.raises(InputError) as error:
        train(uninterrupted, 0.3, **settings)
    assert str(error.value) == f"{uninterrupted / 'checkpoint.pt'}: is of another run: {named}"


def wider() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 17), nn.Tanh(), nn.Dropout(0.3), nn.Linear(17, 3))


def deeper() -> nn.Module:
    return nn.Sequential(*network(0.3), nn.Tanh(), nn.PReLU())


def half_frozen() -> nn.Module:
    model = network(0.3)
    model[0].requires_grad_(False)
    return model


@pytest.mark.parametrize(
    ("model", "optimizer", "lr", "named"),
    [
        (wider, torch.optim.AdamW, 0.03, "0.weight was (16, 2), is (17, 2)"),
        (deeper, torch.optim.AdamW, 0.03, "parameter group 0 was 4, is 5"),
        (half_frozen, torch.optim.AdamW, 0.03, "parameter group 0 was 4, is 2"),
        (lambda: network(0.3), torch.optim.SGD, 0.03, "optimizer was AdamW, is SGD"),
        (lambda: network(0.3), torch.optim.AdamW, 0.1, "initial_lr of parameter group 0 was 0.03"),
    ],
)
def test_another_model_or_optimizer_is_refused(
    model, optimizer, lr: float, named: str, uninterrupted: Path
) -> None:
    fresh = model()
    trained = [p for p in fresh.parameters() if p.requires_grad]
    before = {name: w.clone() for name, w in fresh.state_dict().items()}
    with pytest.raises(InputError) as error:
        fit(fresh, optimizer(trained, lr=lr), Points(0.3), cross_entropy, CONFIG, uninterrupted)
    message = str(error.value)
    assert message.startswith(f"{uninterrupted / 'checkpoint.pt'}: is of another run: ")
    assert named in message
    assert "\n" not in message
    assert same(fresh.state_dict(), before)


def test_a_loss_that_diverges_is_named(tmp_path: Path) -> None:
    model = network(0.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e30)

    def squared_error(module: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        return module(batch[0]).square().mean()

    with pytest.raises(InputError, match=r"log\.jsonl: the loss of step \d is inf: .*") as error:
        fit(model, optimizer, Points(0.0), squared_error, TrainingConfig(2, 7), tmp_path)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "checkpoint.pt").exists()


def test_data_without_a_batch_is_refused(tmp_path: Path) -> None:
    class Nothing(Points):
        def plan(self, epoch: int, batch_size: int, rng: np.random.Generator) -> list[np.ndarray]:
            return []

    model = network(0.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(InputError, match="no training data"):
        fit(model, optimizer, Nothing(0.0), cross_entropy, TrainingConfig(2, 7), tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file/run: Not a directory$"):
        train(tmp_path / "file" / "run", 0.3)


@pytest.mark.parametrize(
    "setting",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"schedule": "linear"},
        {"warmup": 1.0},
        {"gradient_clip": 0.0},
        {"precision": "fp8"},
        {"patience": 0},
    ],
)
def test_a_config_that_makes_no_sense_is_refused(setting: dict[str, object]) -> None:
    (name, value), *_ = setting.items()
    with pytest.raises(InputError, match=f"training: {name} cannot be {value!r}"):
        TrainingConfig(**({"epochs": 1, "batch_size": 1} | setting))
