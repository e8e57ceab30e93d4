"""What an answer rests on: worked examples, what each method promises, and captum beside it."""

import itertools
import warnings

import captum.attr
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr
from torch import nn
from torch.nn import functional as F

from core.blocks import Conv, Flatten, FullyConnected, GlobalAveragePool, GlobalMaxPool, MaxPool
from core.errors import InputError
from core.lens.attribution import (
    METHODS,
    deconvolution,
    grad_cam,
    guided_backpropagation,
    integrated_gradients,
    occlusion,
    randomised,
    rank_correlation,
    saliency,
)
from core.lens.subject import Subject


def subject(network, shape, neutral=0.0):
    return Subject(
        name="small",
        network=network.eval().requires_grad_(False),
        shape=shape,
        labels=("a", "b"),
        neutral=torch.full(shape, neutral),
        lowest=torch.tensor(-1.0),
        highest=torch.tensor(1.0),
    )


def linear(shape, seed=0):
    torch.manual_seed(seed)
    network = nn.Sequential(Flatten(), FullyConnected(int(np.prod(shape)), 2))
    weights = network[1].linear.weight.detach().reshape(2, *shape)
    return subject(network, shape, neutral=0.25), weights


def convolutional(activation="relu", dims=2):
    torch.manual_seed(1)
    network = nn.Sequential(
        Conv(2, 6, 3, padding=1, dims=dims, activation=activation),
        MaxPool(2, dims=dims),
        Conv(6, 5, 3, padding=1, dims=dims, activation=activation),
        GlobalAveragePool(),
        FullyConnected(5, 2),
    )
    return subject(network, (2, *[8] * dims))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_every_method_gives_a_relevance_for_each_place(method, dims):
    one = convolutional(dims=dims)
    x = torch.rand(one.shape)
    before = x.clone()
    relevance = METHODS[method](one, x, 1)
    assert relevance.shape == one.shape[1:]
    assert relevance.dtype == x.dtype
    assert relevance.isfinite().all()
    assert not relevance.requires_grad
    assert torch.equal(x, before)
    assert not x.requires_grad


@pytest.mark.parametrize("method", ["saliency", "deconvolution", "guided-backpropagation"])
def test_the_sensitivity_of_a_linear_network_is_its_weights(method):
    one, weights = linear((2, 3, 4))
    for output in range(2):
        relevance = METHODS[method](one, torch.rand(2, 3, 4), output)
        assert torch.allclose(relevance, weights[output].abs().sum(0))


@pytest.mark.parametrize("method", ["integrated-gradients", "occlusion"])
def test_the_contributions_in_a_linear_network_are_weight_times_change(method):
    one, weights = linear((2, 3, 4))
    x = torch.rand(2, 3, 4)
    expected = (weights[1] * (x - 0.25)).sum(0)
    assert torch.allclose(METHODS[method](one, x, 1), expected, atol=1e-5)


@pytest.mark.parametrize("activation", ["relu", "silu", "tanh"])
def test_integrated_gradients_add_up_to_the_change_of_the_logit(activation):
    one = convolutional(activation)
    x = 3 * torch.randn(one.shape)
    with torch.no_grad():
        change = one.network(x[None])[0, 1] - one.network(one.neutral[None])[0, 1]
    assert integrated_gradients(one, x, 1).sum() == pytest.approx(float(change), rel=1e-3)


def test_integrated_gradients_are_the_mean_of_many_gradients():
    one = convolutional("silu")
    x = torch.randn(one.shape)
    steps = 2000
    ways = ((torch.arange(steps) + 0.5) / steps).reshape(-1, 1, 1, 1) * x
    ways.requires_grad_()
    (gradients,) = torch.autograd.grad(one.network(ways)[:, 0].sum(), ways)
    slow = (gradients.mean(0) * x).sum(0)
    assert torch.allclose(integrated_gradients(one, x, 0), slow, atol=1e-4)


class OnePixel(nn.Module):
    """Looks at one pixel and nothing else."""

    def forward(self, x):
        return torch.stack([x[:, 0, 2, 1], -3 * x[:, 0, 2, 1]], 1)


@pytest.mark.parametrize("method", ["saliency", "integrated-gradients", "occlusion"])
def test_only_the_pixel_that_the_network_looks_at_counts(method):
    one = subject(OnePixel(), (1, 5, 4))
    relevance = METHODS[method](one, torch.full((1, 5, 4), 2.0), 1)
    expected = torch.zeros(5, 4)
    expected[2, 1] = 3.0 if method == "saliency" else -6.0
    assert torch.allclose(relevance, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "step", "size"),
    [
        ((2, 50), (1,), (1,)),
        ((1, 19, 19), (1, 1), (1, 1)),
        ((1, 26, 41), (2, 3), (6, 9)),
        ((1, 20, 21), (1, 2), (1, 6)),
    ],
)
def test_occlusion_is_the_mean_fall_of_the_logit_over_the_windows_on_a_place(shape, step, size):
    torch.manual_seed(5)
    curved = FullyConnected(int(np.prod(shape)), 8, "tanh")
    one = subject(nn.Sequential(Flatten(), curved, FullyConnected(8, 2)), shape, neutral=0.5)
    x = torch.rand(shape)
    falls, windows = torch.zeros(shape[1:]), torch.zeros(shape[1:])
    corners = [
        range(0, n - s + step, step) for n, s, step in zip(shape[1:], size, step, strict=True)
    ]
    with torch.no_grad():
        whole = one.network(x[None])[0, 1]
        for corner in itertools.product(*corners):
            part = tuple(slice(at, at + s) for at, s in zip(corner, size, strict=True))
            covered = x.clone()
            covered[(slice(None), *part)] = 0.5
            falls[part] += whole - one.network(covered[None])[0, 1]
            windows[part] += 1
    assert torch.allclose(occlusion(one, x, 1), falls / windows, atol=1e-5)


def test_grad_cam_of_two_filters_by_hand():
    """The first filter copies, the second negates; outputs are 3 and -1 times their means."""
    network = nn.Sequential(
        Conv(1, 2, 1, activation=None), GlobalAveragePool(), FullyConnected(2, 2)
    )
    network[0].conv.weight.data = torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1)
    network[2].linear.weight.data = torch.tensor([[3.0, 0.0], [0.0, -1.0]])
    for bias in (network[0].conv.bias, network[2].linear.bias):
        bias.data.zero_()
    x = torch.tensor([[[4.0, -8.0], [0.0, 2.0]]])
    one = subject(network, (1, 2, 2))
    # Each weight is a quarter of the head's: 0.75 for output 0, and -0.25 of -x for output 1.
    assert grad_cam(one, x, 0).tolist() == [[3.0, 0.0], [0.0, 1.5]]
    assert grad_cam(one, x, 1).tolist() == [[1.0, 0.0], [0.0, 0.5]]


def test_grad_cam_is_that_of_captum_where_there_is_one_last_layer():
    one = convolutional()
    x = torch.rand(one.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        maps = captum.attr.LayerGradCam(one.network, one.network[2]).attribute(
            x[None].requires_grad_(), 1
        )
    large = F.interpolate(maps, one.shape[1:], mode="bilinear")[0, 0].relu()
    assert large.any()
    assert torch.allclose(grad_cam(one, x, 1), large, atol=1e-6)


class SideBySide(nn.Module):
    """As the text network: filters of several widths, none made from another's maps."""

    def __init__(self, widths):
        super().__init__()
        self.convolutions = nn.ModuleList(
            Conv(2, 3, width, padding=width // 2, dims=1) for width in widths
        )
        self.pool = GlobalMaxPool()
        self.heads = nn.ModuleList(FullyConnected(3, 2) for _ in widths)

    def forward(self, x):
        pairs = zip(self.convolutions, self.heads, strict=True)
        return sum(head(self.pool(conv(x))) for conv, head in pairs)


def test_grad_cam_counts_all_layers_that_end_side_by_side():
    torch.manual_seed(2)
    both = SideBySide((1, 3))
    x = torch.rand(2, 9)
    total = torch.zeros(9)
    for keep, drop in ((0, 1), (1, 0)):
        alone = SideBySide((1, 3))
        alone.load_state_dict(both.state_dict())
        alone.heads[drop].linear.weight.data.zero_()
        conv, head = alone.convolutions[keep], alone.heads[keep].linear.weight[1]
        maps = conv(x[None])[0].detach()
        strongest = (maps == maps.amax(1, keepdim=True)).float() * (maps.amax(1) > 0)[:, None]
        weights = (head[:, None] * strongest).mean(1).detach()
        total += (weights[:, None] * maps).sum(0)
    assert torch.allclose(grad_cam(subject(both, (2, 9)), x, 1), total.relu(), atol=1e-6)


def test_grad_cam_needs_maps():
    one, _ = linear((1, 3, 3))
    with pytest.raises(InputError, match="small has no maps for Grad-CAM"):
        grad_cam(one, torch.rand(1, 3, 3), 0)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("method", "oracle"),
    [
        (saliency, captum.attr.Saliency),
        (deconvolution, captum.attr.Deconvolution),
        (guided_backpropagation, captum.attr.GuidedBackprop),
    ],
)
def test_captum_agrees_on_networks_of_relu(method, oracle):
    one = convolutional()
    x = torch.randn(one.shape)
    expected = oracle(one.network).attribute(x[None].requires_grad_(), 1)[0].abs().sum(0)
    assert expected.any()
    assert torch.allclose(method(one, x, 1), expected.detach(), atol=1e-6)


@pytest.mark.parametrize("activation", ["relu6", "prelu", "silu"])
def test_every_rectifier_counts_as_relu_on_the_way_back(activation):
    """One neuron: w = 2 on the way in; the head's weights are 1 and -1."""
    network = nn.Sequential(Flatten(), FullyConnected(1, 1, activation), FullyConnected(1, 2))
    network[1].linear.weight.data.fill_(2.0)
    network[1].linear.bias.data.zero_()
    network[2].linear.weight.data = torch.tensor([[1.0], [-1.0]])
    one = subject(network, (1, 1))
    above, below = torch.full((1, 1), 1.0), torch.full((1, 1), -1.0)
    assert [float(deconvolution(one, x, 0)) for x in (above, below)] == [2.0, 2.0]
    assert [float(guided_backpropagation(one, x, 0)) for x in (above, below)] == [2.0, 0.0]
    assert [float(deconvolution(one, x, 1)) for x in (above, below)] == [0.0, 0.0]


def test_rectifying_ends_with_the_method():
    one = convolutional("silu")
    x = torch.randn(one.shape)
    before = saliency(one, x, 0)
    assert not torch.allclose(guided_backpropagation(one, x, 0), before)
    assert torch.equal(saliency(one, x, 0), before)


def test_a_saliency_map_forgets_what_the_network_forgets():
    shape = (1, 12, 12)
    torch.manual_seed(0)
    network = nn.Sequential(
        Flatten(), FullyConnected(144, 64, "relu"), FullyConnected(64, 64, "relu"),
        FullyConnected(64, 2),
    )  # fmt: skip
    network[1].linear.weight.data[:, 72:] *= 0.1  # what it learned: to look at the upper half
    one = subject(network, shape)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    found = randomised(one, torch.rand(shape), 0, saliency)
    assert [name for name, _ in found] == ["3.linear", "2.linear", "1.linear"]
    assert found[1][1] > 0.5  # the first layer still knows
    assert abs(found[2][1]) < 0.3  # nothing does
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_a_method_that_shows_the_input_passes_for_no_explanation():
    one = convolutional()
    x = torch.rand(one.shape)
    found = randomised(one, x, 0, lambda _subject, x, _output: x.sum(0))
    assert [value for _, value in found] == pytest.approx([1.0] * 3)


VALUES = st.integers(-3, 3).map(float)


@settings(max_examples=30, deadline=None)
@given(arrays(np.float32, 9, elements=VALUES), arrays(np.float32, 9, elements=VALUES))
def test_the_rank_correlation_is_that_of_scipy(a, b):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = np.nan_to_num(spearmanr(a, b).statistic)
    assert rank_correlation(torch.from_numpy(a), torch.from_numpy(b)) == pytest.approx(
        float(expected), abs=1e-9
    )
