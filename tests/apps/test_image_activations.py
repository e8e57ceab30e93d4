"""What comes out of each layer, and how it is drawn."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn

from apps.image.activations import GAP, MOST, activations, coloured, tiles
from core.blocks import Conv, Flatten, FullyConnected, MaxPool, Residual

STRENGTHS = st.floats(-100, 100, width=32)


class Small(nn.Module):
    """Blocks, containers, an addition of its own, and layers that only pass on."""

    def __init__(self):
        super().__init__()
        self.stem = Conv(3, 4, 3, padding=1, norm=True)
        self.body = nn.Sequential(
            MaxPool(2), Residual(Conv(4, 4, 3, padding=1, activation=None)), nn.Dropout()
        )
        self.head = nn.Sequential(Flatten(), FullyConnected(4 * 4 * 4, 5, "relu"))

    def forward(self, x):
        return self.head(self.body(self.stem(x))) * 2


@pytest.fixture
def network():
    torch.manual_seed(3)
    return Small()


def picture(seed=0):
    return np.random.default_rng(seed).standard_normal((3, 8, 8), np.float32)


def test_each_layer_is_named_in_the_order_in_which_it_ran(network):
    found = [(name, maps.shape) for name, maps in activations(network, picture())]
    assert found == [
        ("stem Conv", (4, 8, 8)),
        ("body.0 MaxPool", (4, 4, 4)),
        ("body.1.body Conv", (4, 4, 4)),
        ("body.1 Residual", (4, 4, 4)),
        ("head.1 FullyConnected", (5, 1, 1)),
        ("output", (5, 1, 1)),
    ]


def test_the_maps_are_those_that_the_network_works_with(network):
    x = torch.from_numpy(picture())[None]
    found = dict(activations(network, picture()))
    with torch.no_grad():
        stem = network.eval().stem(x)
        assert found["stem Conv"] == pytest.approx(stem[0].numpy())
        assert found["body.0 MaxPool"] == pytest.approx(nn.functional.max_pool2d(stem, 2)[0])
        assert found["output"].ravel() == pytest.approx(network(x)[0].numpy())
    assert found["output"] == pytest.approx(2 * found["head.1 FullyConnected"])


def test_looking_changes_nothing(network):
    before = {key: value.clone() for key, value in network.state_dict().items()}
    first, again = (activations(network, picture()) for _ in range(2))
    assert [name for name, _ in first] == [name for name, _ in again]
    assert all(map(np.array_equal, dict(first).values(), dict(again).values()))
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_layers_that_write_over_their_input_do_not_write_over_what_was_kept():
    network = nn.Sequential(Conv(3, 2, 1, activation=None), nn.ReLU(inplace=True))
    before, after = (maps for _, maps in activations(network, picture()))
    assert (before < 0).any()
    assert after == pytest.approx(np.maximum(before, 0))


def test_another_visitor_who_runs_the_network_meanwhile_is_not_heard():
    meanwhile = [torch.ones(1, 3, 8, 8)]

    class Slow(nn.Module):
        def forward(self, x):
            if meanwhile:
                network(meanwhile.pop())
            return x

    network = nn.Sequential(Conv(3, 4, 3), Slow())
    alone = nn.Sequential(network[0])
    found = activations(network, picture())
    assert not meanwhile
    assert [name for name, _ in found] == ["0 Conv", "1 Slow"]
    assert found[0][1] == pytest.approx(activations(alone, picture())[0][1])


@settings(deadline=None)
@given(st.integers(1, 2 * MOST), st.integers(1, 12), st.integers(6, 12))
def test_every_map_has_a_tile_up_to_the_most_that_are_shown(count, height, width):
    """Maps of white pixels between clear gaps: the white area is that of the tiles."""
    pixels = np.asarray(tiles(np.ones((count, height, width), np.float32)))
    white = (pixels == 255).all(2)
    scale = int(np.argmin([*white[0], False])) // width
    assert scale >= 1
    assert white.sum() == min(count, MOST) * height * width * scale**2
    assert not pixels[~white].any()
    assert pixels.shape[1] <= 800


def test_a_tile_is_where_its_map_stands_in_the_row():
    maps = np.zeros((5, 2, 2), np.float32)
    maps[3, 0, 1] = 1  # the first tile of the second row of three, its upper right corner
    pixels = np.asarray(tiles(maps)).astype(int)
    tile = (pixels.shape[1] + GAP) // 3
    rows, columns = np.nonzero((pixels == 255).all(2))
    assert (rows.min(), columns.max()) == (tile, tile - GAP - 1)
    assert (rows.max() + 1 - tile, columns.min()) == ((tile - GAP) // 2, (tile - GAP) // 2)


@settings(deadline=None)
@given(arrays(np.float32, (2, 3, 3), elements=STRENGTHS))
def test_stronger_is_brighter_and_the_sign_is_a_colour(maps):
    pixels = coloured(maps).astype(int)
    red, blue = pixels[..., 0], pixels[..., 2]
    assert (red >= blue)[maps > 0].all()
    assert (blue >= red)[maps < 0].all()
    assert (pixels[maps == 0] == 0).all()
    for side in (maps > 0, maps < 0):
        order = np.argsort(np.abs(maps[side]))
        assert (np.diff(pixels[side].sum(1)[order]) >= 0).all()


def test_nothing_is_black_even_everywhere():
    assert not coloured(np.zeros((1, 4, 4), np.float32)).any()
