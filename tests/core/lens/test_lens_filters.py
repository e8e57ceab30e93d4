"""The filters nearest the input."""

import pytest
import torch
from torch import nn

from core.blocks import Conv, Flatten, FullyConnected, MaxPool
from core.errors import InputError
from core.lens.filters import first


@pytest.mark.parametrize(("dims", "kernel"), [(1, (4,)), (2, (3, 5)), (3, (2, 1, 3))])
def test_the_first_convolution_as_it_stands(dims, kernel):
    network = nn.Sequential(
        nn.Identity(), Conv(2, 6, kernel, dims=dims, norm=True), Conv(6, 3, 1, dims=dims)
    )
    filters = first(network)
    assert filters.shape == (6, 2, *kernel)
    assert torch.equal(filters, network[1].conv.weight)
    filters.zero_()
    assert network[1].conv.weight.any()


def test_neurons_that_see_all_are_filters_as_large_as_the_input():
    network = nn.Sequential(Flatten(), FullyConnected(2 * 3 * 4, 5))
    x = torch.rand(2, 3, 4)
    filters = first(network, (2, 3, 4))
    with torch.no_grad():
        answers = (filters * x).sum((1, 2, 3)) + network[1].linear.bias
        assert torch.allclose(answers, network(x[None])[0], atol=1e-6)


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (nn.Sequential(MaxPool(2)), (1, 4, 4)),
        (nn.Sequential(Flatten(), FullyConnected(16, 2)), ()),
        (nn.Sequential(MaxPool(2), Flatten(), FullyConnected(4, 2)), (1, 4, 4)),
    ],
)
def test_a_network_without_filters_on_its_input_says_so(network, shape):
    with pytest.raises(InputError, match="Sequential has no filters on its input"):
        first(network, shape)
