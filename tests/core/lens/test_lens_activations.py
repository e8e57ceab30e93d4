"""Which layers a network has, what comes out of them, and what part of the input they see."""

from functools import partial

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from core.arithmetic import receptive_field
from core.blocks import (
    AveragePool,
    Conv,
    Flatten,
    FullyConnected,
    GlobalMaxPool,
    MaxPool,
    Residual,
    SqueezeExcite,
    TransposedConv,
)
from core.errors import InputError
from core.lens.activations import activations, degree, every, label, layer, layers, top, window


class Small(nn.Module):
    """Blocks, containers, an addition of its own, and layers that only pass on."""

    def __init__(self):
        super().__init__()
        self.stem = Conv(3, 4, 3, padding=1, norm=True)
        self.body = nn.Sequential(
            MaxPool(2), Residual(Conv(4, 4, 3, padding=1, activation=None)), nn.Dropout2d()
        )
        self.up = TransposedConv(4, 2, 2, stride=2)
        self.head = nn.Sequential(Flatten(), FullyConnected(2 * 8 * 8, 5, "relu"))

    def forward(self, x):
        return self.head(self.up(self.body(self.stem(x)))) * 2


class SideBySide(nn.Module):
    """As the text network: convolutions in a list, one pool that runs after each of them."""

    def __init__(self):
        super().__init__()
        self.convolutions = nn.ModuleList(Conv(2, 3, width, dims=1) for width in (1, 2, 3))
        self.pool = GlobalMaxPool()
        self.head = FullyConnected(9, 2)

    def forward(self, x):
        return self.head(torch.cat([self.pool(conv(x)) for conv in self.convolutions], 1))


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(3)


def test_layers_are_named_by_place_in_the_order_in_which_they_run():
    network = Small()
    assert [label(network, name) for name in layers(network, torch.zeros(1, 3, 8, 8))] == [
        "stem Conv",
        "body.0 MaxPool",
        "body.1.body Conv",
        "body.1 Residual",
        "up TransposedConv",
        "head.1 FullyConnected",
        "output",
    ]


def test_convolutions_in_a_list_are_layers_and_one_that_runs_again_is_named_once():
    names = [*(f"convolutions.{n}" for n in range(3)), "pool", "head", "output"]
    assert sorted(layers(SideBySide(), torch.zeros(1, 2, 5))) == sorted(names)
    ran = [name for name, _ in every(SideBySide(), torch.zeros(2, 5))]
    assert ran.count("pool") == 3


def test_the_maps_are_those_that_the_network_works_with():
    network, x = Small().eval(), torch.rand(2, 3, 8, 8)
    found = {name: activations(network, x, name) for name in layers(network, x)}
    with torch.no_grad():
        assert torch.equal(found["stem"], network.stem(x))
        assert torch.equal(found["body.0"], nn.functional.max_pool2d(network.stem(x), 2))
        assert torch.equal(found["output"], network(x))
    assert torch.equal(found["output"], 2 * found["head.1"])
    for name, maps in every(network, x[1]):
        assert torch.allclose(maps, found[name][1], atol=1e-6)


def test_of_a_layer_that_runs_again_the_first_maps_count():
    network, x = SideBySide(), torch.rand(2, 2, 5)
    with torch.no_grad():
        first = network.pool(network.convolutions[0](x))
    assert torch.equal(activations(network, x, "pool"), first)


def test_a_layer_that_writes_over_its_input_does_not_change_what_was_kept():
    network = nn.Sequential(Conv(3, 2, 1, activation=None), nn.ReLU(inplace=True))
    (_, before), (_, after) = every(network, torch.randn(3, 8, 8))
    assert (before < 0).any()
    assert torch.equal(after, before.relu())


def test_looking_changes_nothing_and_keeps_no_hook():
    network, x = Small(), torch.rand(4, 3, 8, 8)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    every(network, x[0])
    top(network, [x], "stem", 0)
    window(network, (3, 8, 8), "stem", (0, 0))
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize("name", ["", "stem.conv", "body", "body.2", "nowhere"])
def test_a_wrong_name_lists_the_right_ones(name):
    with pytest.raises(InputError, match=r"known: stem, body\.0, .*, head\.1, output$"):
        layer(Small(), torch.zeros(1, 3, 8, 8), name)


def test_the_degree_of_activation_is_the_sum_over_places():
    maps = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]], [[0.0, -1.0], [0.5, 0.0]]]])
    assert degree(maps).tolist() == [[10.0, -0.5]]
    assert degree(torch.tensor([[3.0, -2.0]])).tolist() == [[3.0, -2.0]]


SLIDING = st.tuples(st.integers(1, 3), st.integers(1, 2), st.booleans())  # F, S, pads


def averaging(dims, sizes):
    """Layers whose every weight counts: nothing that a gradient's support would miss."""
    plain = partial(Conv, 1, 1, dims=dims, activation=None)
    network = nn.Sequential(*(plain(f, stride=s, padding=f // 2 * p) for f, s, p in sizes))
    for weights in network.parameters():
        nn.init.ones_(weights)
    return network.eval()


def support(network, shape, place):
    """Where the gradient of one value is not 0, between its first and last place on each axis."""
    x = torch.zeros(1, *shape, requires_grad=True)
    network(x)[(0, 0, *place)].backward()
    touched = x.grad[0].sum(0).nonzero()
    return tuple(
        slice(int(low), int(high) + 1)
        for low, high in zip(touched.amin(0), touched.amax(0), strict=True)
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.lists(SLIDING, min_size=1, max_size=3), st.data())
def test_the_window_is_where_the_gradient_is(dims, sizes, data):
    shape = (1, *[data.draw(st.integers(3, 9)) for _ in range(dims)])
    network = averaging(dims, sizes)
    try:
        places = network(torch.zeros(1, *shape)).shape[2:]
    except RuntimeError:
        assume(False)
    place = tuple(data.draw(st.integers(0, n - 1)) for n in places)
    last = str(len(sizes) - 1)
    assert window(network, shape, last, place) == support(network, shape, place)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=3))
def test_far_from_the_edge_the_window_is_the_receptive_field(sizes):
    """Whatever the weights: here they are random, many units are at rest, some slots are pooled."""
    network = nn.Sequential(
        *(
            Conv(1, 1, f, stride=s, dims=1) if number % 2 else MaxPool(f, s, dims=1)
            for number, (f, s) in enumerate(sizes)
        ),
        Conv(1, 1, 1, dims=1),
    )
    part = window(network, (1, 200), str(len(sizes)), (3,))[0]
    assert part.stop - part.start == receptive_field(sizes)


def test_the_window_ends_where_the_input_ends():
    network = nn.Sequential(Conv(1, 2, 5, padding=2), AveragePool(3, 1, 1), Conv(2, 2, 1))
    assert window(network, (1, 9, 20), "1", (0, 19)) == (slice(0, 4), slice(16, 20))
    assert window(network, (1, 9, 20), "1", (4, 10)) == (slice(1, 8), slice(7, 14))


def test_a_dilated_filter_spans_its_gaps():
    network = nn.Sequential(Conv(1, 1, 3, dilation=4, dims=1))
    assert window(network, (1, 20), "0", (5,)) == (slice(5, 14),)


def test_what_has_seen_all_has_the_whole_input_as_its_window():
    network = nn.Sequential(
        Conv(4, 4, 3), SqueezeExcite(4, 2), GlobalMaxPool(), FullyConnected(4, 2)
    )
    whole = (slice(0, 7), slice(0, 5))
    assert window(network, (4, 7, 5), "0", (1, 1)) == (slice(1, 4), slice(1, 4))
    assert window(network, (4, 7, 5), "1", (1, 1)) == whole
    assert window(network, (4, 7, 5), "2", ()) == window(network, (4, 7, 5), "3", ()) == whole


@pytest.mark.parametrize("place", [(0,), (0, 0, 0), (6, 0), (-1, 0)])
def test_a_place_that_the_map_does_not_have(place):
    with pytest.raises(InputError, match=r"map of 6x6: no place"):
        window(nn.Sequential(Conv(1, 1, 3)), (1, 8, 8), "0", place)


def differences():
    """One filter that answers to a step up between two neighbours."""
    network = nn.Sequential(Conv(1, 1, 2, dims=1, activation=None))
    network[0].conv.weight.data = torch.tensor([[[-1.0, 1.0]]])
    network[0].conv.bias.data.zero_()
    return network


def test_top_by_hand():
    rows = torch.tensor([[0, 1, 0, 0], [0, 0, 0, 5], [7, 1, 1, 1], [0, 2, 5, 5]]).float()[:, None]
    found = top(differences(), rows.split(3), "0", 0, k=3)
    assert [(one.index, one.place, one.value) for one in found] == [
        (1, (2,), 5.0),
        (3, (1,), 3.0),
        (0, (0,), 1.0),
    ]
    assert [one.window for one in found] == [(slice(2, 4),), (slice(1, 3),), (slice(0, 2),)]
    assert [one.patch.tolist() for one in found] == [[[0, 5]], [[2, 5]], [[0, 1]]]


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 20), st.integers(1, 6), st.integers(1, 8), st.integers(0, 99))
def test_top_is_what_sorting_everything_gives(count, size, k, seed):
    network = nn.Sequential(Conv(1, 2, 3), GlobalMaxPool(), FullyConnected(2, 3))
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randint(0, 2, (count, 1, 4, 4), generator=generator).float()  # with equals
    for name, unit in (("0", 1), ("2", 2)):
        values = torch.cat([activations(network, one[None], name) for one in inputs])[:, unit]
        strongest = values.reshape(count, -1).amax(1)
        found = top(network, inputs.split(size), name, unit, k)
        assert len(found) == min(k, count)
        best = sorted(strongest.tolist(), reverse=True)[:k]
        assert [one.value for one in found] == pytest.approx(best, abs=1e-6)
        for one in found:
            assert float(values[(one.index, *one.place)]) == pytest.approx(one.value, abs=1e-6)
            assert torch.equal(one.input, inputs[one.index])


def test_top_of_no_inputs_is_nothing():
    assert top(differences(), [], "0", 0) == []


def test_top_of_a_unit_that_is_none():
    with pytest.raises(InputError, match="units 0 to 0: no 1"):
        top(differences(), [torch.zeros(1, 1, 4)], "0", 1)
