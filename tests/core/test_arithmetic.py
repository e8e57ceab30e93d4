"""The lecture's worked numbers, figures from the papers, and torch itself as the oracle."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from core.arithmetic import (
    LayerRow,
    conv_multiply_adds,
    conv_parameters,
    fully_connected_parameters,
    output_size,
    receptive_field,
    table,
    total,
)
from core.blocks import (
    AveragePool,
    Conv,
    Flatten,
    FullyConnected,
    GlobalAveragePool,
    GlobalMaxPool,
    KMaxPool,
    MaxPool,
    PositionBias,
    Residual,
    SqueezeExcite,
)
from core.errors import InputError

VGG16: list[Any] = [64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool"]
VGG16 += [512, 512, 512, "pool", 512, 512, 512, "pool"]


def vgg16() -> nn.Module:
    """Simonyan and Zisserman 2015, configuration D; on the meta device, so it costs no memory."""
    with torch.device("meta"):
        layers: list[nn.Module] = []
        depth = 3
        for entry in VGG16:
            if entry == "pool":
                layers.append(MaxPool(2))
            else:
                layers.append(Conv(depth, entry, 3, padding=1))
                depth = entry
        sizes = [512 * 7 * 7, 4096, 4096, 1000]
        layers.append(Flatten())
        layers += [FullyConnected(n, m) for n, m in pairwise(sizes)]
        return nn.Sequential(*layers)


def column(rows: list[LayerRow], name: str) -> list[object]:
    return [getattr(row, name) for row in rows]


# Output size


@pytest.mark.parametrize(
    ("n", "f", "p", "s", "expected"),
    [
        (7, 3, 0, 1, 5),
        (7, 3, 0, 2, 3),
        (6, 3, 0, 1, 4),
        (28, 3, 0, 1, 26),
        (26, 2, 0, 2, 13),
        (32, 5, 0, 1, 28),
        (32, 5, 2, 1, 32),
        (227, 11, 0, 4, 55),  # AlexNet, first layer
        (19, 5, 2, 1, 19),  # AlphaGo, first layer
        (3, 5, 1, 1, 1),
    ],
)
def test_output_size(n: int, f: int, p: int, s: int, expected: int) -> None:
    assert output_size(n, f, p, s) == expected


def test_a_filter_of_three_on_seven_with_stride_three_does_not_fit() -> None:
    with pytest.raises(InputError) as error:
        output_size(7, 3, s=3)
    assert str(error.value) == (
        "a filter of 3 doesn't fit on 7 with padding 0 and stride 3: (7 - 3 + 0)/3 + 1 = 2.333"
    )


def test_a_filter_larger_than_the_padded_input_does_not_fit() -> None:
    with pytest.raises(InputError, match="a filter of 6 doesn't fit on 3 with padding 1"):
        output_size(3, 6, p=1)


@pytest.mark.parametrize("sizes", [(0, 3, 0, 1), (7, 0, 0, 1), (7, 3, -1, 1), (7, 3, 0, 0)])
def test_sizes_that_no_layer_has_are_refused_in_one_line(sizes: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"^no layer has .*$"):
        output_size(*sizes)


@given(n=st.integers(1, 12), f=st.integers(1, 8), p=st.integers(0, 3), s=st.integers(1, 5))
def test_output_size_is_what_torch_makes_unless_something_is_left_over(
    n: int, f: int, p: int, s: int
) -> None:
    conv = nn.Conv1d(1, 1, f, s, p)
    try:
        size = output_size(n, f, p, s)
    except InputError:
        if f <= n + 2 * p:  # torch drops what is left over: the last window stops short of the end
            made = conv(torch.zeros(1, 1, n)).shape[2]
            assert (made - 1) * s + f < n + 2 * p
        else:
            with pytest.raises(RuntimeError):
                conv(torch.zeros(1, 1, n))
    else:
        assert conv(torch.zeros(1, 1, n)).shape == (1, 1, size)


# Parameters, multiply-adds


def test_six_filters_of_5x5x3_against_a_fully_connected_layer() -> None:
    assert conv_parameters(5, 3, 6) == 456
    fully_connected = fully_connected_parameters(32 * 32 * 3, 28 * 28 * 6)
    assert fully_connected == 14_455_392
    assert round(fully_connected / 1e6, 1) == 14.5


def test_multiply_adds_of_the_lectures_first_layer_and_vggs() -> None:
    assert conv_multiply_adds(26, 3, 1, 25) == 26 * 26 * 9 * 25
    assert conv_multiply_adds(224, 3, 64, 64) == 1_849_688_064


@given(f=st.integers(1, 5), d=st.integers(1, 6), k=st.integers(1, 6), n=st.integers(5, 9))
def test_the_formulas_agree_with_the_table(f: int, d: int, k: int, n: int) -> None:
    (row,) = table(Conv(d, k, f), torch.zeros(1, d, n, n))
    assert row.parameters == conv_parameters(f, d, k)
    assert row.multiply_adds == conv_multiply_adds(output_size(n, f), f, d, k)
    assert row.receptive_field == (f, f)


# Receptive field


def test_three_3x3_layers_see_as_much_as_one_7x7() -> None:
    assert receptive_field([(3, 1)] * 3) == receptive_field([(7, 1)]) == 7


def test_receptive_fields_of_vgg16() -> None:
    layers = [(2, 2) if entry == "pool" else (3, 1) for entry in VGG16]
    assert receptive_field(layers[:-1]) == 196  # conv5_3
    assert receptive_field(layers) == 212  # pool5


def test_receptive_field_of_alexnets_last_pool() -> None:
    """Araujo and others, Computing Receptive Fields of Convolutional Networks, Distill 2019."""
    pool, conv = (3, 2), (3, 1)
    assert receptive_field([(11, 4), pool, (5, 1), pool, conv, conv, conv, pool]) == 195


@given(layers=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=4))
def test_receptive_field_is_what_reaches_an_output(layers: list[tuple[int, int]]) -> None:
    """Count the inputs that one output has a gradient to, all weights being one."""
    size = receptive_field(layers)
    chain = nn.Sequential(
        *(Conv(1, 1, f, stride=s, dims=1, bias=False, activation=None) for f, s in layers)
    )
    for weight in chain.parameters():
        nn.init.ones_(weight)
    x = torch.zeros(1, 1, size + 100, requires_grad=True)
    chain(x)[0, 0, 0].backward()
    assert x.grad is not None
    reached = x.grad[0, 0].nonzero()
    assert reached.max() + 1 == size
    assert [row.receptive_field for row in table(chain, x)][-1] == (size,)


# The table


def test_the_lectures_28x28_network() -> None:
    network = nn.Sequential(
        Conv(1, 25, 3), MaxPool(2), Conv(25, 50, 3), MaxPool(2), Flatten(), FullyConnected(1250, 10)
    )
    rows = table(network, torch.zeros(1, 1, 28, 28))
    assert column(rows, "kind") == ["Conv2d", "MaxPool", "Conv2d", "MaxPool", "Flatten", "Linear"]
    assert column(rows, "output_shape") == [
        (25, 26, 26),
        (25, 13, 13),
        (50, 11, 11),
        (50, 5, 5),
        (1250,),
        (10,),
    ]
    assert column(rows, "parameters") == [25 * (9 + 1), 0, 50 * (225 + 1), 0, 0, 12_510]
    assert column(rows, "multiply_adds") == [152_100, 0, 1_361_250, 0, 0, 12_500]
    # The second pooling leaves out row and column 11, so two of the 28 are never looked at.
    sizes = [3, 4, 8, 10, 10, 26]
    assert column(rows, "receptive_field") == [(n, n) for n in sizes]


def test_cats_and_dogs() -> None:
    depths = [3, 32, 64, 128, 128]
    blocks: list[nn.Module] = []
    for d, k in pairwise(depths):
        blocks += [Conv(d, k, 3), MaxPool(2)]
    network = nn.Sequential(
        *blocks, Flatten(), FullyConnected(6272, 512, "relu"), FullyConnected(512, 1, "sigmoid")
    )
    rows = table(network, torch.zeros(1, 3, 150, 150))
    counts = [n for n in column(rows, "parameters") if n]
    assert counts == [896, 18_496, 73_856, 147_584, 3_211_776, 513]
    assert total(rows).parameters == 3_453_121
    assert rows[7].output_shape == (128, 7, 7)


def test_vgg16() -> None:
    rows = table(vgg16(), torch.zeros(1, 3, 224, 224, device="meta"))
    assert total(rows).parameters == 138_357_544
    assert total(rows).multiply_adds == 15_470_264_320
    assert rows[16].receptive_field == (196, 196)
    assert rows[17].output_shape == (512, 7, 7)
    assert rows[17].receptive_field == (212, 212)
    assert rows[-1].receptive_field == (224, 224)  # fully connected: the whole image


def test_alphagos_policy_network_sees_the_whole_board_after_nine_layers() -> None:
    network = nn.Sequential(
        Conv(48, 192, 5, padding=2),
        *(Conv(192, 192, 3, padding=1) for _ in range(11)),
        Conv(192, 1, 1, bias=False, activation=None),
        PositionBias(19, 19),
        Flatten(),
    )
    rows = table(network, torch.zeros(1, 48, 19, 19))
    assert [row.receptive_field[0] for row in rows[:9]] == [5, 7, 9, 11, 13, 15, 17, 19, 19]
    assert rows[-2].parameters == 361
    assert rows[-1].output_shape == (361,)


def test_sizes_are_named_by_axis() -> None:
    conv = Conv(1, 2, (3, 5), stride=(1, 2), padding=(1, 0))
    rows = table(nn.Sequential(conv, AveragePool(2, 1)), torch.zeros(4, 1, 10, 11))
    assert [(row.kernel, row.stride, row.padding) for row in rows] == [
        ((3, 5), (1, 2), (1, 0)),
        ((2, 2), (1, 1), (0, 0)),
    ]
    assert column(rows, "receptive_field") == [(3, 5), (4, 7)]


def test_the_batch_does_not_count() -> None:
    network = nn.Sequential(Conv(3, 4, 3), GlobalAveragePool(), FullyConnected(4, 2))
    assert table(network, torch.zeros(1, 3, 8, 8)) == table(network, torch.zeros(5, 3, 8, 8))


def test_dilated_and_same_padded_torch_layers() -> None:
    conv = nn.Conv1d(2, 2, 3, padding="same", dilation=4)
    rows = table(nn.Sequential(conv, nn.MaxPool1d(3, 1, dilation=2)), torch.zeros(1, 2, 40))
    assert rows[0].padding == (4,)
    assert column(rows, "receptive_field") == [(9,), (13,)]


def test_the_larger_branch_counts() -> None:
    class Branches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.narrow, self.wide = Conv(1, 1, 1, dims=1), Conv(1, 1, 5, padding=2, dims=1)
            self.last = Conv(2, 1, 3, dims=1)

        def forward(self, x: Tensor) -> Tensor:
            merged: Tensor = self.last(torch.cat([self.wide(x), self.narrow(x)], 1).relu())
            return merged

    rows = table(Branches(), torch.zeros(1, 1, 20))
    assert column(rows, "name") == ["wide.conv", "narrow.conv", "last.conv"]
    assert column(rows, "receptive_field") == [(5,), (1,), (7,)]


def test_a_residual_block_sees_what_its_body_sees() -> None:
    body = nn.Sequential(Conv(4, 4, 3, padding=1), Conv(4, 4, 3, padding=1, activation=None))
    network = nn.Sequential(Residual(body), Conv(4, 4, 3))
    assert table(network, torch.zeros(1, 4, 16, 16))[-1].receptive_field == (7, 7)


class Sentence(nn.Module):
    """Token ids to two logits through what `middle` makes of the embedded words."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.embedding = nn.Embedding(50, 8)
        self.kind = kind
        self.conv = Conv(8, 6, 3, padding=1, dims=1) if kind == "cnn" else None
        self.pool = GlobalMaxPool()
        recurrent = {"lstm": nn.LSTM, "rnn": nn.RNN}
        self.recurrent = recurrent[kind](8, 6, batch_first=True) if kind in recurrent else None
        self.head = FullyConnected(6, 2)

    def forward(self, words: Tensor) -> Tensor:
        vectors = self.embedding(words)
        if self.conv is not None:
            features = self.pool(self.conv(vectors.transpose(1, 2)), mask=words != 0)
        else:
            assert self.recurrent is not None
            features = self.recurrent(vectors)[0][:, -1]
        logits: Tensor = self.head(features)
        return logits


def test_a_text_cnn_from_token_ids() -> None:
    rows = table(Sentence("cnn"), torch.ones(1, 12, dtype=torch.long))
    assert column(rows, "kind") == ["Embedding", "Conv1d", "GlobalMaxPool", "Linear"]
    assert column(rows, "output_shape") == [(12, 8), (6, 12), (6,), (2,)]
    assert column(rows, "receptive_field") == [(1,), (3,), (12,), (12,)]
    assert column(rows, "parameters") == [400, 3 * 8 * 6 + 6, 0, 14]


@pytest.mark.parametrize(("kind", "gates"), [("rnn", 1), ("lstm", 4)])
def test_a_recurrent_network_from_token_ids(kind: str, gates: int) -> None:
    _, recurrent, head = table(Sentence(kind), torch.ones(1, 12, dtype=torch.long))
    assert recurrent.parameters == gates * (6 * 8 + 6 * 6 + 2 * 6)
    assert recurrent.multiply_adds == 12 * gates * (6 * 8 + 6 * 6)
    assert recurrent.receptive_field == head.receptive_field == (12,)


def test_shared_weights_count_once_and_work_twice() -> None:
    layer = Conv(4, 4, 3, padding=1)
    rows = table(nn.Sequential(layer, layer), torch.zeros(1, 4, 8, 8))
    assert column(rows, "parameters") == [148, 0]
    assert column(rows, "multiply_adds") == [64 * 144] * 2


def test_parameters_of_layers_that_did_not_run_are_listed_last() -> None:
    network = Sentence("cnn")
    network.unused = nn.Linear(3, 3)
    rows = table(network, torch.ones(1, 12, dtype=torch.long))
    assert (rows[-1].name, rows[-1].parameters, rows[-1].output_shape) == ("unused", 12, ())


def test_looking_changes_nothing() -> None:
    network = nn.Sequential(Conv(3, 4, 3, norm=True), nn.Dropout())
    network[1].eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    table(network, torch.randn(2, 3, 8, 8))
    assert [module.training for module in network] == [True, False]
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


blocks = st.sampled_from(["conv", "norm", "max", "average", "residual", "excite", "bias"])


@settings(deadline=None)
@given(names=st.lists(blocks, max_size=6), end=st.sampled_from(["average", "k-max", "flatten"]))
def test_the_parameters_add_up_for_any_stack_of_blocks(names: list[str], end: str) -> None:
    def block(name: str) -> nn.Module:
        body = Conv(4, 4, 3, padding=1, dims=1, activation=None)
        made: dict[str, nn.Module] = {
            "conv": Conv(4, 4, 3, stride=2, padding=1, dims=1),
            "norm": Conv(4, 4, 2, padding=1, dims=1, norm=True),
            "max": MaxPool(2, 1, dims=1),
            "average": AveragePool(2, 1, dims=1),
            "residual": Residual(body),
            "excite": SqueezeExcite(4, 2),
            "bias": PositionBias(4, 1),
        }
        return made[name]

    ends = {"average": GlobalAveragePool(), "k-max": KMaxPool(1), "flatten": Flatten()}
    network = nn.Sequential(*map(block, names), ends[end])
    rows = table(network, torch.zeros(1, 4, 500))
    assert total(rows).parameters == sum(p.numel() for p in network.parameters())
    assert rows[-1].output_shape == tuple(network.eval()(torch.zeros(1, 4, 500)).shape[1:])


def test_the_formulas_need_no_torch() -> None:
    code = "import sys, core.arithmetic; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
