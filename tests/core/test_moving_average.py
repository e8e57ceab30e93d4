"""core.training with `ema`: a run that ends with the moving average of its weights."""

import dataclasses
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from training_script import CONFIG, Points, cross_entropy, network

from core.errors import InputError
from core.training import TrainingConfig, fit

SHARE = 0.8


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def trained(run, config, loss=cross_entropy, validate=None):
    model, data = network(0.0), Points(0.0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.03)
    fit(model, optimizer, data, loss, config, run, validate)
    return model.state_dict()


def test_the_weights_kept_are_the_average_over_the_steps(tmp_path):
    config = dataclasses.replace(CONFIG, epochs=3)
    trajectory = []

    def watched(model, batch):
        if model.training:
            weights = {name: w.clone() for name, w in model.state_dict().items()}
            trajectory.append(weights)
        return cross_entropy(model, batch)

    last = trained(tmp_path / "last", config, watched)
    steps = [*trajectory[1:], last]  # a loss sees what the step before left
    expected = trajectory[0]
    for step, weights in enumerate(steps):
        share = min(SHARE, (1 + step) / (10 + step))
        expected = {name: share * expected[name] + (1 - share) * weights[name] for name in weights}

    kept = trained(tmp_path / "kept", dataclasses.replace(config, ema=SHARE))
    for name, weights in kept.items():
        torch.testing.assert_close(weights, expected[name], atol=1e-5, rtol=1e-4)
        assert not torch.allclose(weights, last[name], atol=1e-4)


def test_validation_sees_the_average(tmp_path):
    seen = []

    def validate(model):
        seen.append({name: w.clone() for name, w in model.state_dict().items()})
        return {"none": 0.0}

    config = dataclasses.replace(CONFIG, epochs=2, ema=SHARE)
    kept = trained(tmp_path, config, validate=validate)
    assert all(torch.equal(seen[-1][name], weights) for name, weights in kept.items())


def test_interrupted_and_resumed_it_ends_with_the_same_average(tmp_path):
    config = dataclasses.replace(CONFIG, epochs=3, ema=SHARE)
    whole = trained(tmp_path / "whole", config)
    calls = []

    def interrupted(model, batch):
        calls.append(None)
        if len(calls) == 6:
            signal.raise_signal(signal.SIGINT)
        return cross_entropy(model, batch)

    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "cut", config, interrupted)
    resumed = trained(tmp_path / "cut", config)
    assert all(torch.equal(resumed[name], weights) for name, weights in whole.items())


def test_a_checkpoint_with_another_average_is_of_another_run(tmp_path):
    trained(tmp_path, dataclasses.replace(CONFIG, epochs=1, ema=SHARE))
    with pytest.raises(InputError, match=r"ema was 0\.8, is 0\.0"):
        trained(tmp_path, dataclasses.replace(CONFIG, epochs=1))


@pytest.mark.parametrize("share", [-0.1, 1.0, np.inf])
def test_a_share_that_makes_no_sense_is_refused(share):
    with pytest.raises(InputError, match="ema cannot be"):
        TrainingConfig(epochs=1, batch_size=1, ema=share)
