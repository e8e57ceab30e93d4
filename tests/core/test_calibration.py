"""The temperature that makes logits honest, and the layer that it is put into."""

import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import cross_entropy, nll_loss

from core.blocks import Conv, FullyConnected, GlobalMaxPool
from core.calibration import calibrate, last_layer, temperature


def drawn(honest, generator):
    """Classes drawn with the probabilities that logits claim."""
    return torch.multinomial(honest.softmax(-1), 1, generator=generator).squeeze(1)


@pytest.mark.parametrize("wanted", [0.4, 1.0, 2.5])
def test_temperature_recovers_what_logits_were_multiplied_by(wanted):
    generator = torch.Generator().manual_seed(1)
    honest = 2 * torch.randn(20_000, 3, generator=generator)
    classes = torch.multinomial(honest.softmax(1), 1, generator=generator).squeeze(1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a user would see them
        found = temperature(wanted * honest, classes)
    assert found == pytest.approx(wanted, rel=0.05)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.2, 5))
def test_temperature_never_raises_the_negative_log_likelihood(seed, factor):
    generator = torch.Generator().manual_seed(seed)
    logits = factor * torch.randn(200, 3, generator=generator)
    classes = torch.randint(3, (200,), generator=generator)
    classes[:120] = logits[:120].argmax(1)  # better than chance
    found = temperature(logits, classes)
    assert found > 0
    assert cross_entropy(logits / found, classes) <= cross_entropy(logits, classes) + 1e-6


@pytest.mark.parametrize("knows", [torch.argmax, torch.argmin])
@pytest.mark.parametrize("factor", [0.1, 1, 10])
def test_temperature_stays_within_reason(knows, factor):
    """A set that is separated, or gainsaid, asks for 0 or for infinity; neither is an answer."""
    logits = factor * torch.randn(60, 3, generator=torch.Generator().manual_seed(1))
    assert 0.01 < temperature(logits, knows(logits, 1)) < 100


def test_temperature_of_masked_labels():
    """A label left out of the choice has a logit of -1e4 and no part in the answer."""
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(500, 3, generator=generator)
    classes = torch.multinomial((logits[:, [0, 2]]).softmax(1), 1, generator=generator).squeeze(1)
    without = temperature(logits[:, [0, 2]], classes)
    logits[:, 1] = -1e4
    assert temperature(logits, 2 * classes) == pytest.approx(without, rel=1e-3)


@pytest.mark.parametrize("factor", [0.1, 1, 10])
def test_where_all_answers_are_right_nothing_is_known_of_doubts(factor):
    logits = factor * torch.randn(60, 3, generator=torch.Generator().manual_seed(1))
    assert temperature(logits, logits.argmax(1)) == 1.0


def test_views_of_the_same_logits_are_one():
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(500, 3, generator=generator)
    classes = drawn(2 * logits, generator)
    views = torch.stack([logits, logits])
    assert temperature(views, classes) == pytest.approx(temperature(logits, classes), rel=1e-6)


def test_several_views_are_judged_by_the_mean_of_their_probabilities():
    """No other temperature makes the mean likelier; that of one view alone is another."""
    generator = torch.Generator().manual_seed(1)
    honest = 2 * torch.randn(2000, 3, generator=generator)
    views = honest + 1.5 * torch.randn(2, 2000, 3, generator=generator)
    classes = drawn(honest, generator)
    found = temperature(views, classes)

    def loss(temperature):
        return nll_loss((views / temperature).softmax(-1).mean(0).log(), classes).item()

    assert loss(found) < min(loss(0.97 * found), loss(1.03 * found))
    assert temperature(views[0], classes) > 1.1 * found


def test_a_layer_is_divided_by_its_temperature():
    torch.manual_seed(1)
    layer = FullyConnected(4, 3)
    inputs = 5 * torch.randn(300, 4)
    logits = layer(inputs).detach()
    classes = drawn(logits / 2.5, None)
    found = calibrate(layer, logits, classes)
    assert found == pytest.approx(temperature(logits, classes)) != 1.0
    torch.testing.assert_close(layer(inputs), logits / found)
    assert temperature(layer(inputs).detach(), classes) == pytest.approx(1, abs=1e-3)


class Network(nn.Module):
    """Its layers run in another order than they are declared; in training one more."""

    def __init__(self):
        super().__init__()
        self.last = Conv(1, 2, 3, activation=None)
        self.first = Conv(1, 1, 3, padding=1, norm=True)
        self.pool = GlobalMaxPool()
        self.head = FullyConnected(2, 2)

    def forward(self, x):
        x = self.pool(self.last(self.first(x)))
        return self.head(x) if self.training else x


def test_the_last_layer_is_the_one_that_runs_last():
    network = Network()
    inputs = [torch.zeros(1, 1, 5, 5)]
    assert last_layer(network.eval(), inputs) is network.last.conv
    assert last_layer(network.head, [torch.zeros(1, 2)]) is network.head.linear
    assert not network.last.conv._forward_hooks
