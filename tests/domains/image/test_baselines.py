"""Softmax regression, fully connected, one filter: by hand, and what each can and cannot see."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from core import registry
from core.arithmetic import table
from core.errors import InputError
from domains.image.zoo import baselines  # noqa: F401


def built(name, **config):
    torch.manual_seed(0)
    return registry.build(name, config)


def test_softmax_regression_weighs_every_pixel():
    network = built("softmax-regression")
    weights, bias = network.output.linear.weight, network.output.linear.bias
    assert (weights.numel(), bias.numel()) == (7840, 10)
    picture = torch.rand(1, 1, 28, 28)
    expected = (weights.reshape(10, 28, 28) * picture[0]).sum((1, 2)) + bias
    torch.testing.assert_close(network(picture)[0], expected)


def test_three_fully_connected_layers():
    rows = table(built("fully-connected"), torch.zeros(1, 1, 28, 28))
    assert [row.output_shape for row in rows] == [(784,), (500,), (500,), (10,)]
    assert [row.parameters for row in rows] == [0, 392_500, 250_500, 5_010]
    assert [row.receptive_field for row in rows[1:]] == [(28, 28)] * 3


def test_hidden_layers_have_an_activation():
    network = built("fully-connected")
    a, b = torch.rand(2, 1, 28, 28)
    at_once, apart = network((a + b)[None]), network(a[None]) + network(b[None])
    nothing = network(torch.zeros(1, 1, 28, 28))
    assert not torch.allclose(at_once, apart - nothing, atol=1e-3)


def test_a_template_is_compared_at_every_place():
    network = built("one-filter", classes=3, size=12, template=5)
    picture = torch.rand(12, 12)
    filters, bias = network.templates.conv.weight, network.templates.conv.bias
    for k, logit in enumerate(network(picture[None, None])[0]):
        matches = [
            (filters[k, 0] * picture[y : y + 5, x : x + 5]).sum() + bias[k]
            for y in range(8)
            for x in range(8)
        ]
        torch.testing.assert_close(logit, torch.stack(matches).max())


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 8), st.integers(0, 8))
def test_a_digit_may_lie_anywhere_for_one_filter_only(down, right):
    digit = torch.rand(1, 1, 20, 20, generator=torch.Generator().manual_seed(1))
    moved = F.pad(digit, (right, 8 - right, down, 8 - down))
    centred = F.pad(digit, (4, 4, 4, 4))
    one, softmax = built("one-filter"), built("softmax-regression")
    with torch.no_grad():
        for filters in (one.templates.conv.weight, one.templates.conv.bias):
            filters.abs_()
        one.templates.conv.weight[:, 0] = digit[0, 0] - digit.mean() + 1
        assert one(moved)[0].argmax() == one(centred)[0].argmax()
        if (down, right) != (4, 4):
            assert not torch.allclose(softmax(moved), softmax(centred), atol=1e-3)


def test_sizes_of_one_filter():
    rows = table(built("one-filter"), torch.zeros(1, 1, 28, 28))
    assert [row.output_shape for row in rows] == [(10, 9, 9), (10,)]
    assert [row.parameters for row in rows] == [4010, 0]


def test_a_template_larger_than_the_picture():
    with pytest.raises(InputError, match="a filter of 20 doesn't fit on 16"):
        built("one-filter", size=16)


@pytest.mark.parametrize("name", ["softmax-regression", "fully-connected", "one-filter"])
def test_pictures_in_colour_to_logits_and_back(name):
    network = built(name, classes=7, channels=3, size=32)
    logits = network(torch.rand(4, 3, 32, 32))
    assert logits.shape == (4, 7)
    F.cross_entropy(logits, torch.tensor([0, 2, 4, 6])).backward()
    assert all(weight.grad.isfinite().all() for weight in network.parameters())
    assert all(weight.grad.any() for weight in network.parameters())
