"""Blocks that join what others made, the way up and what images add: by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from core.blocks import (
    AveragePool,
    Branches,
    Conv,
    FullyConnected,
    MaxPool,
    PositionBias,
    Residual,
    SqueezeExcite,
    TransposedConv,
)
from core.errors import InputError


def grid(text: str) -> Tensor:
    return torch.tensor([[float(n) for n in row.split()] for row in text.split("/")])


def set_(parameter: Any, value: object) -> None:
    with torch.no_grad():
        parameter.copy_(torch.as_tensor(value, dtype=parameter.dtype).reshape(parameter.shape))


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


# Residual, squeeze-and-excite, position bias


def scaling(factor: float, channels: int = 1) -> Conv:
    """A 1x1 convolution that multiplies by `factor`."""
    conv = Conv(channels, channels, 1, bias=False, activation=None)
    set_(conv.conv.weight, factor * torch.eye(channels))
    return conv


def test_residual_adds_its_input_before_the_relu() -> None:
    x = grid("1 -2/3 -4")[None, None]
    torch.testing.assert_close(Residual(scaling(-3))(x)[0, 0], grid("0 4/0 8"))
    torch.testing.assert_close(Residual(scaling(0))(x), x.clamp(min=0))


def test_residual_with_a_shortcut() -> None:
    x = grid("1 -2/3 -4")[None, None]
    torch.testing.assert_close(Residual(scaling(-3), scaling(5))(x)[0, 0], grid("2 0/6 0"))


def test_residual_may_change_size_and_depth() -> None:
    body = nn.Sequential(
        Conv(8, 16, 3, stride=2, padding=1, norm=True),
        Conv(16, 16, 3, padding=1, norm=True, activation=None),
    )
    shortcut = Conv(8, 16, 1, stride=2, norm=True, activation=None)
    assert Residual(body, shortcut)(torch.randn(2, 8, 9, 9)).shape == (2, 16, 5, 5)


def test_squeeze_excite_by_hand() -> None:
    """Means 2 and 4; hidden relu(2 - 0.5 * 4 + 1) = 1; weights sigmoid(0) and sigmoid(ln 3)."""
    block = SqueezeExcite(2, reduction=2)
    layers: Any = block.excite
    hidden, out = (layer.linear for layer in layers)
    set_(hidden.weight, [1, -0.5])
    set_(hidden.bias, 1)
    set_(out.weight, [2, torch.log(torch.tensor(3.0))])
    set_(out.bias, [-2, 0])
    x = torch.stack([grid("1 3/0 4"), grid("4 4/8 0")])[None]
    expected = torch.stack([grid("0.5 1.5/0 2"), grid("3 3/6 0")])[None]
    torch.testing.assert_close(block(x), expected)


def test_squeeze_excite_works_on_sequences_and_counts_as_in_the_paper() -> None:
    block = SqueezeExcite(64, reduction=16)
    assert block(torch.randn(2, 64, 10)).shape == (2, 64, 10)
    assert count(block) == 2 * 64 * 64 // 16 + 64 // 16 + 64  # 2 C²/r weights, and the biases


def test_a_reduction_that_does_not_divide_is_refused() -> None:
    with pytest.raises(InputError, match="reduction 16 does not divide 24"):
        SqueezeExcite(24)


def test_position_bias_is_one_number_a_vertex_and_starts_at_nothing() -> None:
    bias = PositionBias(19, 19)
    assert count(bias) == 361
    x = torch.randn(2, 1, 19, 19)
    assert torch.equal(bias(x), x)
    set_(bias.bias, torch.arange(361))
    torch.testing.assert_close(bias(x) - x, torch.arange(361.0).reshape(1, 1, 19, 19).expand_as(x))


def test_position_bias_may_differ_by_channel() -> None:
    bias = PositionBias(2, 3)
    set_(bias.bias, grid("1 2 3/4 5 6"))
    assert bias(torch.zeros(1, 2, 3)).tolist() == [[[1, 2, 3], [4, 5, 6]]]


# Ceil-mode pooling, the way back, branches


def test_ceil_keeps_the_last_window_that_hangs_over_the_end() -> None:
    x = torch.arange(1.0, 7)[None, None]
    assert MaxPool(3, 2, dims=1)(x).tolist() == [[[3, 5]]]
    assert MaxPool(3, 2, ceil=True, dims=1)(x).tolist() == [[[3, 5, 6]]]
    assert AveragePool(3, 2, ceil=True, dims=1)(x).tolist() == [[[2, 4, 5.5]]]


def test_transposed_convolution_by_hand() -> None:
    """1 lays 1 10 100 at place 0, and 2 twice as much at place 2, where they meet at 100 + 2."""
    up = TransposedConv(1, 1, 3, stride=2, dims=1, activation=None)
    set_(up.conv.weight, [1, 10, 100])
    set_(up.conv.bias, 1000)
    x = torch.tensor([[[1.0, 2.0]]])
    assert up(x).tolist() == [[[1001, 1010, 1102, 1020, 1200]]]


@settings(deadline=None)
@given(
    dims=st.integers(1, 3),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 3),
    padding=st.integers(0, 1),
    steps=st.integers(1, 2),
)
def test_transposed_convolution_is_the_matrix_of_the_convolution_transposed(
    dims: int, kernel: int, stride: int, padding: int, steps: int
) -> None:
    """(A x) · y = x · (Aᵀ y) for any x and y."""
    torch.manual_seed(0)
    size = max(kernel - 2 * padding, 1) + steps * stride
    size -= (size - kernel + 2 * padding) % stride
    down: Any = Conv(2, 3, kernel, stride=stride, padding=padding, dims=dims, activation=None)
    up: Any = TransposedConv(
        3, 2, kernel, stride=stride, padding=padding, dims=dims, activation=None
    )
    set_(up.conv.weight, down.conv.weight.detach())
    for layer in (down, up):
        set_(layer.conv.bias, torch.zeros_like(layer.conv.bias))
    x = torch.randn(1, 2, *[size] * dims)
    y = torch.randn_like(down(x))
    assert up(y).shape == x.shape
    torch.testing.assert_close((down(x) * y).sum(), (x * up(y)).sum(), atol=1e-4, rtol=1e-4)


def test_transposed_convolution_has_the_activation_of_its_name() -> None:
    up = TransposedConv(1, 1, 2, stride=2, dims=1)
    set_(up.conv.weight, [1, -1])
    set_(up.conv.bias, 0)
    assert up(torch.tensor([[[3.0, -4.0]]])).tolist() == [[[3, 0, 0, 4]]]


def test_branches_lie_one_behind_the_other() -> None:
    x = grid("1 -2/3 -4")[None, None]
    out = Branches([scaling(2), MaxPool(3, 1, padding=1), scaling(-1)])(x)
    torch.testing.assert_close(out[0], torch.stack([2 * x[0, 0], grid("3 3/3 3"), -x[0, 0]]))


def test_what_a_residual_adds_up_goes_through_its_own_activation() -> None:
    x = grid("1 -2/3 -4")[None, None]
    linear, slope = Residual(scaling(1), activation=None), Residual(scaling(1), activation="prelu")
    torch.testing.assert_close(linear(x)[0, 0], grid("2 -4/6 -8"))
    torch.testing.assert_close(slope(x)[0, 0], grid("2 -1/6 -2"))  # torch starts at a quarter
    assert count(slope) == 2


def test_relu6_ends_at_six() -> None:
    layer = FullyConnected(1, 1, "relu6")
    set_(layer.linear.weight, 1)
    set_(layer.linear.bias, 0)
    assert layer(torch.tensor([[-1.0], [2], [9]])).flatten().tolist() == [0, 2, 6]


def test_eps_is_added_to_the_variance() -> None:
    conv = Conv(1, 1, 1, norm=True, eps=3, activation=None).eval()
    set_(conv.conv.weight, 1)
    torch.testing.assert_close(conv(torch.full((1, 1, 1, 1), 8.0)).item(), 4.0)  # 8 / sqrt(1 + 3)
