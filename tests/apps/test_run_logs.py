"""Logs of trainings: found, read as they grow, thinned out, told of in words."""

import json
import os
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from apps.models import logs, runs
from apps.models.charts import smoothed
from apps.models.logs import RunLog, Thinned, is_better, read_on, summary
from apps.models.runs import Run
from core.errors import InputError
from core.runs import finish
from core.training import TrainingConfig, fit


class Points:
    """Sixty numbers, which are to be doubled."""

    def plan(self, epoch, batch_size, rng):
        return np.split(rng.permutation(60), range(batch_size, 60, batch_size))

    def batch(self, indices, rng):
        x = torch.tensor(indices, dtype=torch.float32)[:, None] / 60
        return x, 2 * x


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a real training: 4 epochs of 3 steps."""
    place = tmp_path_factory.mktemp("runs") / "doubling.run" / "0123456789ab"
    torch.manual_seed(0)
    model = nn.Linear(1, 1)
    fit(
        model,
        torch.optim.SGD(model.parameters(), lr=0.1),
        Points(),
        lambda module, batch: nn.functional.mse_loss(module(batch[0]), batch[1]),
        TrainingConfig(epochs=4, batch_size=20),
        place,
        validate=lambda module: {"accuracy": 0.5, "loss": float(module(torch.ones(1, 1)) - 2) ** 2},
    )
    return place


def read(folder):
    return read_on(RunLog(Run(folder, folder.name)))


def step(number, epoch, **more):
    return {"step": number, "epoch": epoch, "loss": 1, "lr": 0.1, "examples_per_second": 50} | more


def write(folder, *lines, how="w"):
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log.jsonl").open(how) as file:
        file.writelines(
            line if isinstance(line, str) else f"{json.dumps(line)}\n" for line in lines
        )


# --- reading ----------------------------------------------------------------------------------


def test_a_real_training_is_read(trained):
    entries = [json.loads(line) for line in (trained / "log.jsonl").read_text().splitlines()]
    log = read(trained)
    assert log.steps.all() == [entry for entry in entries if "step" in entry]
    assert log.validations.all() == [entry for entry in entries if "step" not in entry]
    assert log.steps_an_epoch == 3
    assert log.epochs == 4
    assert log.state() == "running, epoch 4 of 4, about 0 s left"
    row = summary(log)
    assert (row["epochs"], row["steps"], row["batch"]) == (4, 12, 20)
    assert row["best accuracy (%)"] == 50
    assert row["in epoch (accuracy)"] == 1
    assert row["in epoch (loss)"] == 4  # the lowest is the best, and it falls all the time
    finish(trained, {"files": {}})
    assert read(trained).state() == "finished"


@settings(deadline=None, max_examples=50)
@given(cuts=st.lists(st.integers(0, 2000), max_size=5))
def test_however_a_log_grows_it_is_read_alike(trained, tmp_path_factory, cuts):
    content = (trained / "log.jsonl").read_bytes()
    folder = tmp_path_factory.mktemp("growing")
    log = RunLog(Run(folder, folder.name))
    for cut in [*sorted(cuts), len(content)]:
        path = folder / "log.jsonl"
        with path.open("ab") as file:
            file.write(content[path.stat().st_size : cut])
        log = read_on(log)
    whole = read(trained)
    assert log.steps.all() == whole.steps.all()
    assert log.validations.all() == whole.validations.all()
    assert (log.best, log.last, log.lines) == (whole.best, whole.last, whole.lines)


def test_only_what_was_added_is_read(tmp_path, monkeypatch):
    write(tmp_path, step(0, 0), step(1, 0))
    log = read(tmp_path)
    taken = []
    monkeypatch.setattr(logs, "_take", lambda _, entry: taken.append(entry["step"]))
    write(tmp_path, step(2, 0), how="a")
    read_on(log)
    assert taken == [2]


def test_a_run_begun_anew_is_read_anew(tmp_path):
    write(tmp_path, *(step(n, 0) for n in range(9)))
    log = read(tmp_path)
    write(tmp_path, step(0, 0, loss=7))  # shorter
    log = read_on(log)
    assert [point["loss"] for point in log.steps.all()] == [7]
    (tmp_path / "new").mkdir()
    write(tmp_path / "new", *(step(n, 0, loss=8) for n in range(9)))
    (tmp_path / "new" / "log.jsonl").replace(tmp_path / "log.jsonl")  # as a resumed training does
    assert [point["loss"] for point in read_on(log).steps.all()] == [8] * 9


def test_a_long_log_is_read_bit_by_bit(tmp_path, monkeypatch):
    write(tmp_path, *(step(n, 0) for n in range(900)))
    monkeypatch.setattr(logs, "MOST_BYTES", 20_000)
    log = read(tmp_path)
    assert log.is_live
    size = (tmp_path / "log.jsonl").stat().st_size
    assert log.state() == f"reading its log, {100 * log.position / size:.0f} %"
    for _ in range(5):
        log = read_on(log)
    assert len(log.steps.all()) == 900
    assert log.state().startswith("running")


@pytest.mark.parametrize(
    "line",
    [
        "no json\n",
        "[1]\n",
        "{}\n",
        '{"step": 1}\n',
        '{"step": "1", "epoch": 0}\n',
        '{"epoch": true}\n',
        '{"epoch": NaN}\n',
        f'{{"epoch": {"9" * 400}}}\n',
        "[" * 4000 + "\n",
        '{"epoch": 1' + " " * 5000 + "}\n",
        " " * 5000,
        "\xff\n",
        "\n",
    ],
)
def test_a_damaged_line_is_named(tmp_path, line):
    write(tmp_path, step(0, 0), line)
    with pytest.raises(InputError) as raised:
        read(tmp_path)
    assert str(raised.value) == f"{tmp_path / 'log.jsonl'}: line 2: not a line of a training's log"


def test_a_log_that_is_gone_is_named(tmp_path):
    with pytest.raises(InputError, match=r"log\.jsonl: No such file"):
        read(tmp_path)


def test_what_is_not_finite_is_left_out(tmp_path):
    write(tmp_path, step(0, 0, loss=float("nan")), {"epoch": 0, "f1": float("inf"), "note": "good"})
    log = read(tmp_path)
    assert "loss" not in log.steps.all()[0]
    assert log.best == {}
    assert summary(log)["loss"] is None


# --- thinning ---------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 999, 1000, 1001, 12_345])
def test_a_long_log_is_thinned_to_means(number):
    values = np.random.default_rng(0).random(number)
    thinned = Thinned()
    for index, value in enumerate(values):
        thinned.add({"step": index, "loss": value})
    points = thinned.all()
    assert len(points) <= logs.MOST_POINTS
    assert len(points) >= min(number, logs.MOST_POINTS / 2)
    chunks = [values[start : start + thinned.of] for start in range(0, number, thinned.of)]
    assert [point["loss"] for point in points] == pytest.approx([c.mean() for c in chunks])
    steps = [point["step"] for point in points]
    assert steps == sorted(steps)


def test_smoothing_keeps_a_constant_and_a_line():
    assert smoothed([]) == []
    assert smoothed([3.0] * 7) == [3.0] * 7
    means = smoothed(list(range(500)))
    assert means[10:-10] == list(range(10, 490))  # reach 10 to each side
    assert means[0] == 5  # of 0 to 10


# --- words ------------------------------------------------------------------------------------


@pytest.fixture
def half_way(tmp_path):
    """Two epochs of 100 steps of four planned, 10 examples a step, 50 a second."""
    write(tmp_path, *(step(n, n // 100) for n in range(150)))
    (tmp_path / "settings.json").write_text('{"epochs": 4, "batch_size": 10}')
    return tmp_path


def test_how_long_it_will_take(half_way):
    """250 steps of 10 examples at 50 a second."""
    assert read(half_way).state() == "running, epoch 2 of 4, about 50 s left"


def test_without_settings_only_the_epoch_is_known(half_way):
    for content in (None, "torn {", "[]", '{"epochs": "many"}'):
        (half_way / "settings.json").unlink(missing_ok=True)
        if content:
            (half_way / "settings.json").write_text(content)
        assert read(half_way).state() == "running, epoch 2"


def test_silence_is_told_of(half_way):
    before = time.time() - 3000
    os.utime(half_way / "log.jsonl", (before, before))
    log = read(half_way)
    assert log.state() == "no new line for 50 min, epoch 2 of 4"
    assert log.is_live
    os.utime(half_way / "log.jsonl", (before - 3000, before - 3000))
    assert not read(half_way).is_live


def test_an_outcome_of_an_earlier_training_ends_nothing(half_way):
    outcome = half_way / "outcome.json"
    outcome.write_text("{}")
    assert not read(half_way).is_live
    before = time.time() - 100
    os.utime(outcome, (before, before))
    assert read(half_way).state().startswith("running")


@pytest.mark.parametrize(
    ("metric", "lower"), [("accuracy", False), ("loss", True), ("nll", True), ("ece", True)]
)
def test_which_is_better(metric, lower):
    assert is_better(metric, 0.1, 0.2) == lower


# --- finding ----------------------------------------------------------------------------------


def test_runs_are_found_newest_first(tmp_path):
    for age, name in enumerate(["models/b.run/2222bbbb", "a.run/1111aaaa", "plain"]):
        write(tmp_path / name, step(0, 0))
        os.utime(tmp_path / name / "log.jsonl", (1000 - age, 1000 - age))
    write(tmp_path / ".hidden", step(0, 0))
    write(tmp_path / "site-packages", step(0, 0))
    write(tmp_path / "1/2/3/4/5", step(0, 0))
    (tmp_path / "link").symlink_to(tmp_path / "plain")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "log.jsonl").symlink_to(tmp_path / "plain" / "log.jsonl")
    names = [run.name for run in runs.find_runs(tmp_path)]
    assert names == ["models/b 2222", "a 1111", "plain"]
    assert [run.name for run in runs.find_runs(tmp_path / "plain")] == ["plain"]
    assert runs.find_runs(tmp_path / "missing") == []


def test_the_search_is_bounded(tmp_path, monkeypatch):
    for number in range(10):
        write(tmp_path / f"{number}", step(0, 0))
    monkeypatch.setattr(runs, "MOST_FOLDERS", 4)
    assert len(runs.find_runs(tmp_path)) == 3  # and the folder where it begins


def test_cards_stand_beside_their_runs(tmp_path):
    write(tmp_path / "models" / "a.run" / "1111", step(0, 0))
    write(tmp_path / "models" / "b.run" / "2222", step(0, 0))
    (tmp_path / "models" / "a.toml").touch()
    (tmp_path / "models" / "other.toml").touch()
    found = runs.cards_of(runs.find_runs(tmp_path), tmp_path)
    assert found == {"models/a.toml": tmp_path / "models" / "a.toml"}
    inside = tmp_path / "models" / "a.run"
    assert runs.cards_of(runs.find_runs(inside), inside) == {}


def test_the_examples_are_whole_and_found_once():
    assert runs.find_runs(runs.EXAMPLES.parent) == []
    for run in runs.example_runs():
        log = read_on(RunLog(run))
        assert log.state() == "finished"
        assert summary(log)["best accuracy (%)"] > 90
