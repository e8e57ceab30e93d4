"""What a table says of the way up, of branches and of norms; gradients are the oracle."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from core.arithmetic import LayerRow, table, total
from core.blocks import Branches, Conv, FullyConnected, MaxPool, SqueezeExcite, TransposedConv


def down(kernel: int, stride: int) -> Conv:
    return Conv(1, 1, kernel, stride=stride, bias=False, dims=1, activation=None)


def up(kernel: int, stride: int) -> TransposedConv:
    return TransposedConv(1, 1, kernel, stride=stride, dims=1, activation=None)


def fields(network: nn.Module, size: int) -> list[int]:
    return [row.receptive_field[0] for row in table(network, torch.zeros(1, 1, size))]


def most_reached(network: nn.Module, size: int) -> int:
    """From the first to the last input that any one output has a gradient to, weights being one."""
    for weight in network.parameters():
        nn.init.ones_(weight)
    x = torch.zeros(1, 1, size, requires_grad=True)
    widths = []
    for output in network(x).flatten():
        (gradient,) = torch.autograd.grad(output, x, retain_graph=True)
        reached = gradient.flatten().nonzero().flatten()
        widths.append(int(reached[-1] - reached[0] + 1) if len(reached) else 0)
    return max(widths)


def test_a_transposed_convolution_in_the_table() -> None:
    (row,) = table(TransposedConv(8, 4, (2, 4), stride=2, padding=(0, 1)), torch.zeros(1, 8, 5, 10))
    assert row == LayerRow(
        name="conv",
        kind="ConvTranspose2d",
        input_shape=(8, 5, 10),
        output_shape=(4, 10, 20),
        kernel=(2, 4),
        stride=(2, 2),
        padding=(0, 1),
        parameters=8 * 4 * 8 + 4,
        multiply_adds=5 * 10 * 8 * 4 * 8,  # each weight at each position that comes in
        receptive_field=(1, 2),
    )


def test_down_and_up_again() -> None:
    """Halved, a position sees 2, after the filter of 3 of these 6. Doubled, two see the same.

    Three neighbours then come from two positions, which see 8 together; five from three: 10.
    """
    halved = [down(2, 2), down(3, 1), up(2, 2), down(3, 1), down(3, 1)]
    assert fields(nn.Sequential(*halved), 40) == [2, 6, 6, 8, 10]
    for layers, expected in ((4, 8), (5, 10)):
        assert most_reached(nn.Sequential(*halved[:layers]), 40) == expected


@settings(deadline=None, max_examples=40)
@given(
    layers=st.lists(
        st.tuples(st.booleans(), st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=4
    )
)
def test_no_output_sees_more_than_the_table_says(layers: list[tuple[bool, int, int]]) -> None:
    network = nn.Sequential(*(up(f, s) if rises else down(f, s) for rises, f, s in layers))
    size, most = 30, 150
    try:
        positions = network(torch.zeros(1, 1, size)).shape[2]
    except RuntimeError:  # nothing left for a layer to see
        return
    if positions <= most:
        assert most_reached(network, size) <= fields(network, size)[-1] <= size


def test_a_channel_that_is_weighed_by_all_of_the_picture_sees_all_of_it() -> None:
    network = nn.Sequential(Conv(1, 4, 3, padding=1), SqueezeExcite(4, 2), Conv(4, 4, 1))
    assert table(network, torch.zeros(1, 1, 9, 9))[-1].receptive_field == (9, 9)


def test_a_map_cropped_and_joined_to_a_smaller_one() -> None:
    class Joined(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.long, self.short = down(3, 1), down(7, 1)
            self.last = Conv(2, 1, 3, dims=1)

        def forward(self, x: Tensor) -> Tensor:
            joined: Tensor = self.last(torch.cat([self.long(x)[..., 2:-2], self.short(x)], 1))
            return joined

    assert fields(Joined(), 20) == [3, 7, 9]


def test_branches_follow_their_parts_with_the_joined_volume() -> None:
    network = nn.Sequential(
        Branches([Conv(3, 4, 1), Conv(3, 8, 5, padding=2), MaxPool(3, 1, 1)]), Conv(15, 2, 3)
    )
    rows = table(network, torch.zeros(1, 3, 10, 10))
    assert [row.kind for row in rows] == ["Conv2d", "Conv2d", "MaxPool", "Branches", "Conv2d"]
    assert (rows[3].name, rows[3].output_shape, rows[3].parameters) == ("0", (15, 10, 10), 0)
    assert [row.receptive_field[0] for row in rows] == [1, 5, 3, 5, 7]
    assert total(rows).parameters == sum(p.numel() for p in network.parameters())


def test_a_norm_over_channels_has_its_line() -> None:
    network = nn.Sequential(Conv(3, 6, 3), nn.LocalResponseNorm(5), nn.Dropout(), MaxPool(2))
    rows = table(network, torch.zeros(1, 3, 8, 8))
    assert [row.kind for row in rows] == ["Conv2d", "LocalResponseNorm", "MaxPool"]
    assert rows[1].output_shape == (6, 6, 6)
    assert rows[1].receptive_field == (3, 3)
    assert (rows[1].kernel, rows[1].parameters) == ((), 0)


def test_pooling_that_rounds_up_in_the_table() -> None:
    rows = table(nn.Sequential(MaxPool(3, 2, ceil=True)), torch.zeros(1, 1, 112, 112))
    assert rows[0].output_shape == (1, 56, 56)


def test_what_is_fully_connected_to_a_raised_map_sees_all() -> None:
    network = nn.Sequential(down(2, 2), up(2, 2), nn.Flatten(), FullyConnected(10, 2))
    assert fields(network, 10) == [2, 2, 2, 10]
