"""Every block against the lecture's worked numbers, a sum by hand, or a slow reference."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from core.blocks import (
    AveragePool,
    Conv,
    Flatten,
    FullyConnected,
    GlobalAveragePool,
    GlobalMaxPool,
    KMaxPool,
    MaxPool,
)
from core.errors import InputError


def grid(text: str) -> Tensor:
    return torch.tensor([[float(n) for n in row.split()] for row in text.split("/")])


IMAGE = grid("1 0 0 0 0 1/0 1 0 0 1 0/0 0 1 1 0 0/1 0 0 0 1 0/0 1 0 0 1 0/0 0 1 0 1 0")
FILTERS = [grid("1 -1 -1/-1 1 -1/-1 -1 1"), grid("-1 1 -1/-1 1 -1/-1 1 -1")]
MAPS = [
    grid("3 -1 -3 -1/-3 1 0 -3/-3 -3 0 1/3 -2 -2 -1"),
    grid("-1 -1 -1 -1/-1 -1 -2 1/-1 -1 -2 1/-1 0 -4 3"),
]


def lecture_conv(stride: int = 1) -> Conv:
    """Both filters of the lecture, without bias."""
    conv = Conv(1, 2, 3, stride=stride, bias=False, activation=None)
    set_(conv.conv.weight, torch.stack(FILTERS)[:, None])
    return conv


def set_(parameter: Any, value: object) -> None:
    with torch.no_grad():
        parameter.copy_(torch.as_tensor(value, dtype=parameter.dtype).reshape(parameter.shape))


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


# The lecture's 6x6 image


def test_the_lectures_two_filters_give_its_two_feature_maps() -> None:
    torch.testing.assert_close(lecture_conv()(IMAGE[None, None])[0], torch.stack(MAPS))


def test_stride_two_keeps_every_other_value() -> None:
    torch.testing.assert_close(
        lecture_conv(stride=2)(IMAGE[None, None])[0], torch.stack(MAPS)[:, ::2, ::2]
    )


def test_two_by_two_max_pooling_of_the_feature_maps() -> None:
    pooled = MaxPool(2)(torch.stack(MAPS)[None])[0]
    torch.testing.assert_close(pooled, torch.stack([grid("3 0/3 1"), grid("-1 1/0 3")]))


def test_relu_is_the_default_activation() -> None:
    conv = Conv(1, 2, 3, bias=False)
    conv.load_state_dict(lecture_conv().state_dict())
    torch.testing.assert_close(conv(IMAGE[None, None])[0], torch.stack(MAPS).clamp(min=0))


@pytest.mark.parametrize("filter_number", [0, 1])
def test_convolution_is_a_sparse_weight_shared_fully_connected_layer(filter_number: int) -> None:
    """36 pixels to 16 outputs: 9 connections an output, and all outputs share the 9 weights."""
    weights = FILTERS[filter_number]
    matrix = torch.zeros(36, 16)
    for output in range(16):
        top, left = divmod(output, 4)
        for row in range(3):
            for column in range(3):
                matrix[6 * (top + row) + left + column, output] = weights[row, column]
    assert (matrix != 0).sum(0).tolist() == [9] * 16

    layer = FullyConnected(36, 16)
    set_(layer.linear.weight, matrix.T)
    set_(layer.linear.bias, torch.zeros(16))
    torch.testing.assert_close(layer(IMAGE.flatten()).reshape(4, 4), MAPS[filter_number])


# Convolution in general


@settings(deadline=None)
@given(
    dims=st.integers(1, 2),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    seed=st.integers(0, 9),
)
def test_conv_equals_sums_over_windows(
    dims: int, kernel: int, stride: int, padding: int, seed: int
) -> None:
    torch.manual_seed(seed)
    x = torch.randn(2, 3, *[5] * dims)
    conv = Conv(3, 4, kernel, stride=stride, padding=padding, dims=dims, activation=None)
    padded = torch.nn.functional.pad(x, [padding] * 2 * dims)
    windows = padded
    for axis in range(2, 2 + dims):
        windows = windows.unfold(axis, kernel, stride)
    weight = conv.conv.weight
    letters = "yx"[:dims]
    windows_letters = letters.upper()
    expected = torch.einsum(
        f"bc{windows_letters}{letters},kc{letters}->bk{windows_letters}", windows, weight
    )
    assert conv.conv.bias is not None
    expected = expected + conv.conv.bias.reshape(-1, *[1] * dims)
    torch.testing.assert_close(conv(x), expected, atol=1e-5, rtol=1e-5)


def test_kernel_stride_and_padding_may_differ_by_axis() -> None:
    conv = Conv(1, 8, (3, 5), stride=(1, 2), padding=(1, 0))
    assert conv(torch.zeros(2, 1, 10, 11)).shape == (2, 8, 10, 4)


@settings(deadline=None)
@given(dims=st.integers(1, 2), dilation=st.integers(1, 3), seed=st.integers(0, 9))
def test_dilation_is_a_wider_filter_with_holes(dims: int, dilation: int, seed: int) -> None:
    torch.manual_seed(seed)
    x = torch.randn(2, 3, *[9] * dims)
    dilated = Conv(3, 4, 3, dilation=dilation, padding=dilation, dims=dims, activation=None)
    wide = Conv(3, 4, 2 * dilation + 1, padding=dilation, dims=dims, activation=None)
    holes = torch.zeros_like(wide.conv.weight)
    holes[(..., *[slice(None, None, dilation)] * dims)] = dilated.conv.weight.detach()
    set_(wide.conv.weight, holes)
    set_(wide.conv.bias, dilated.conv.bias)
    torch.testing.assert_close(dilated(x), wide(x), atol=1e-5, rtol=1e-5)
    assert dilated(x).shape[2:] == x.shape[2:]


def test_dilation_may_differ_by_axis() -> None:
    conv = Conv(1, 2, (3, 3), dilation=(1, 4), padding=(0, 4))
    assert conv(torch.zeros(1, 1, 10, 11)).shape == (1, 2, 8, 11)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_groups_are_convolutions_side_by_side(groups: int) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 4, 6, 6)
    conv = Conv(4, 8, 3, groups=groups, activation=None)
    assert conv.conv.bias is not None
    assert conv.conv.weight.shape == (8, 4 // groups, 3, 3)
    parts = []
    for part, weight, bias in zip(
        x.chunk(groups, 1),
        conv.conv.weight.chunk(groups),
        conv.conv.bias.chunk(groups),
        strict=True,
    ):
        alone = Conv(4 // groups, 8 // groups, 3, activation=None)
        set_(alone.conv.weight, weight.detach())
        set_(alone.conv.bias, bias.detach())
        parts.append(alone(part))
    torch.testing.assert_close(conv(x), torch.cat(parts, 1), atol=1e-5, rtol=1e-5)


def test_a_volume_is_convolved_with_three_axes() -> None:
    layers = nn.Sequential(Conv(1, 2, 3, dims=3, norm=True), MaxPool(2, dims=3))
    assert layers(torch.zeros(2, 1, 8, 8, 8)).shape == (2, 2, 3, 3, 3)


def test_norm_replaces_the_bias_and_normalises_before_the_activation() -> None:
    torch.manual_seed(0)
    conv = Conv(3, 4, 3, norm=True, activation=None)
    assert count(conv) == 3 * 3 * 3 * 4 + 2 * 4
    y = conv(5 + 3 * torch.randn(16, 3, 8, 8))
    torch.testing.assert_close(y.mean((0, 2, 3)), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(y.var((0, 2, 3), correction=0), torch.ones(4), atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid"])
def test_activation_by_name(name: Any) -> None:
    layer = FullyConnected(3, 2, name)
    x = torch.tensor([[1.0, -2.0, 3.0]])
    torch.testing.assert_close(layer(x), getattr(torch, name)(layer.linear(x)))


def test_silu_is_the_input_times_its_sigmoid() -> None:
    layer = Conv(1, 2, 1, activation="silu")
    plain = Conv(1, 2, 1, activation=None)
    plain.load_state_dict(layer.state_dict())
    x = torch.randn(1, 1, 4, 4)
    y = plain(x)
    torch.testing.assert_close(layer(x), y / (1 + torch.exp(-y)))


def test_an_unknown_activation_is_refused() -> None:
    name: Any = "rleu"
    with pytest.raises(InputError, match=r"no activation called 'rleu'; known: relu, .*oid$"):
        Conv(1, 1, 3, activation=name)


def test_the_lectures_28x28_network_shapes_and_weights_a_filter() -> None:
    x = torch.zeros(1, 1, 28, 28)
    first, second = Conv(1, 25, 3), Conv(25, 50, 3)
    assert first.conv.weight[0].numel() == 9
    assert second.conv.weight[0].numel() == 225
    shapes = []
    for layer in nn.Sequential(first, MaxPool(2), second, MaxPool(2), Flatten()):
        x = layer(x)
        shapes.append(tuple(x.shape[1:]))
    assert shapes == [(25, 26, 26), (25, 13, 13), (50, 11, 11), (50, 5, 5), (1250,)]


# Pooling


def test_average_pool_by_hand() -> None:
    x = grid("1 2 3 4/5 6 7 8/9 10 11 12/13 14 15 16")[None, None]
    torch.testing.assert_close(AveragePool(2)(x)[0, 0], grid("3.5 5.5/11.5 13.5"))
    torch.testing.assert_close(AveragePool(2, 1)(x)[0, 0, 0], torch.tensor([3.5, 4.5, 5.5]))


def test_overlapping_and_padded_max_pool_by_hand() -> None:
    x = torch.tensor([[[1.0, 5.0, 2.0, 4.0, 3.0]]])
    assert MaxPool(3, 1, dims=1)(x).tolist() == [[[5, 5, 4]]]
    assert MaxPool(3, 2, 1, dims=1)(-x).tolist() == [[[-1, -2, -3]]]


@pytest.mark.parametrize("spatial", [(7,), (5, 6), (3, 4, 5)])
def test_global_pools_reduce_every_axis(spatial: tuple[int, ...]) -> None:
    x = torch.randn(2, 3, *spatial)
    axes = tuple(range(2, x.ndim))
    torch.testing.assert_close(GlobalMaxPool()(x), x.amax(axes))
    torch.testing.assert_close(GlobalAveragePool()(x), x.mean(axes))


def test_masked_pools_by_hand() -> None:
    x = torch.tensor([[[-5.0, -3.0, 9.0], [2.0, 4.0, 100.0]]])
    mask = torch.tensor([[True, True, False]])
    assert GlobalMaxPool()(x, mask).tolist() == [[-3, 4]]
    assert GlobalAveragePool()(x, mask).tolist() == [[-4, 3]]


@pytest.mark.parametrize("pool", [GlobalMaxPool(), GlobalAveragePool()])
def test_an_empty_text_pools_to_zero_beside_its_neighbours(pool: nn.Module) -> None:
    mask = torch.tensor([[False, False], [True, False]])
    assert pool(torch.full((2, 3, 2), 7.0), mask).tolist() == [[0, 0, 0], [7, 7, 7]]


@pytest.mark.parametrize("pool", [GlobalMaxPool(), GlobalAveragePool()])
@given(length=st.integers(1, 40), extra=st.integers(1, 300), seed=st.integers(0, 10**6))
def test_padding_a_text_changes_nothing_in_what_it_pools_to(
    pool: nn.Module, length: int, extra: int, seed: int
) -> None:
    """Whole numbers, so that sums are exact in any order."""
    generator = torch.Generator().manual_seed(seed)
    padded = torch.randint(-1000, 1001, (1, 5, length + extra), generator=generator).float()
    mask = torch.arange(length + extra)[None] < length
    alone = pool(padded[:, :, :length], mask[:, :length])
    assert torch.equal(pool(padded, mask), alone)


@given(length=st.integers(1, 40), extra=st.integers(1, 300), seed=st.integers(0, 10**6))
def test_padding_a_text_changes_its_pooled_fractions_by_rounding_at_most(
    length: int, extra: int, seed: int
) -> None:
    padded = torch.randn(1, 5, length + extra, generator=torch.Generator().manual_seed(seed))
    mask = torch.arange(length + extra)[None] < length
    alone = padded[:, :, :length]
    assert torch.equal(GlobalMaxPool()(padded, mask), GlobalMaxPool()(alone))
    torch.testing.assert_close(
        GlobalAveragePool()(padded, mask), GlobalAveragePool()(alone), atol=1e-6, rtol=1e-6
    )


@pytest.mark.parametrize("pool", [GlobalMaxPool(), GlobalAveragePool()])
def test_a_full_mask_is_no_mask(pool: nn.Module) -> None:
    x = torch.randn(3, 4, 9)
    torch.testing.assert_close(pool(x, torch.ones(3, 9, dtype=torch.bool)), pool(x))


@pytest.mark.parametrize("pool", [GlobalMaxPool(), GlobalAveragePool()])
def test_padding_receives_no_gradient(pool: nn.Module) -> None:
    x = torch.randn(1, 2, 6, requires_grad=True)
    pool(x, torch.tensor([[True] * 4 + [False] * 2])).sum().backward()
    assert x.grad is not None
    assert x.grad[..., 4:].abs().sum() == 0
    assert x.grad.sum() == pytest.approx(2)


@given(
    values=st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=12),
    data=st.data(),
)
def test_k_max_pool_against_a_slow_reference(values: list[float], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(values)))
    kept = list(enumerate(values))
    while len(kept) > k:  # drop the smallest, of equals the last
        kept.remove(min(kept, key=lambda pair: (pair[1], -pair[0])))
    pooled = KMaxPool(k)(torch.tensor([[values, values[::-1]]]))
    assert pooled.shape == (1, 2, k)
    assert pooled[0, 0].tolist() == [value for _, value in kept]


def test_k_max_pool_of_a_long_text_keeps_the_first_of_equals() -> None:
    x = torch.zeros(1, 1, 200)
    x[0, 0, 100] = 1
    assert KMaxPool(3)(x).tolist() == [[[0, 0, 1]]]


def test_k_max_pool_treats_channels_apart() -> None:
    x = torch.tensor([[[1.0, 9, 3, 7], [8, 2, 6, 4]]])
    assert KMaxPool(2)(x).tolist() == [[[9, 7], [8, 6]]]
