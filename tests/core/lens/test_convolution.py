"""The sandbox: by hand on small numbers, and torch's own convolution and pooling beside it."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from core.errors import InputError
from core.lens.convolution import KERNELS, as_matrix, convolve, donutty, max_pool, terms

PICTURE = torch.tensor([[3.0, 0, 1, 2], [1, 5, 8, -9], [2, 7, 2, 5], [0, 1, 3, 1]])
EDGE = torch.tensor([[1.0, 0, -1], [1, 0, -1], [1, 0, -1]])


def test_a_convolution_by_hand():
    # (3 + 1 + 2) - (1 + 8 + 2), (0 + 5 + 7) - (2 - 9 + 5), and so on
    assert convolve(PICTURE, EDGE).tolist() == [[-5, 14], [-10, 16]]


def test_stride_and_padding_by_hand():
    rows = torch.tensor([[1.0, 2.0, 3.0]])
    assert convolve(rows, torch.tensor([[1.0]]), stride=2).tolist() == [[1, 3]]
    assert convolve(torch.tensor([[4.0]]), torch.arange(9.0).reshape(3, 3), padding=1) == 16


def test_a_filter_is_not_flipped():
    assert convolve(torch.tensor([[0.0, 1, 0]]), torch.tensor([[1.0, 2]])).tolist() == [[2, 1]]


def test_one_output_written_out():
    written = terms(PICTURE[1:, 1:], torch.tensor([[1.0, -1], [0.5, 2]]), 0, 1)
    assert str(written) == "8·1 + (-9)·(-1) + 2·0.5 + 5·2 = 28"
    assert written.terms == [(8, 1), (-9, -1), (2, 0.5), (5, 2)]
    assert written.value == 28


def test_padding_is_written_out_as_pixels_of_0():
    written = terms(torch.tensor([[3.0]]), EDGE, 0, 0, padding=1)
    assert written.terms[0] == (0, 1)
    assert str(written).startswith("0·1 + 0·0 + 0·(-1) + 0·1 + 3·0 + ")
    assert str(written).endswith(" = 0")


@pytest.mark.parametrize("place", [(2, 0), (0, 2), (-1, 0)])
def test_a_place_outside_the_output(place):
    with pytest.raises(InputError, match="the output is 2x2: no row"):
        terms(PICTURE, EDGE, *place)


def test_sizes_that_do_not_come_out_even():
    for answer in (
        lambda: convolve(PICTURE, EDGE, stride=2),
        lambda: terms(PICTURE, EDGE, 0, 0, stride=2),
        lambda: as_matrix(EDGE, 4, 4, stride=2),
        lambda: max_pool(PICTURE, 3, 2),
    ):
        with pytest.raises(InputError, match="a filter of 3 doesn't fit on 4"):
            answer()
    with pytest.raises(InputError, match="a filter of 3 doesn't fit on 2"):
        convolve(torch.zeros(5, 2), EDGE)


def test_a_filter_as_a_fully_connected_layer_by_hand():
    layer = as_matrix(torch.tensor([[5.0, 0.0]]), 1, 4)
    assert layer.weights.tolist() == [[5, 0, 0, 0], [0, 5, 0, 0], [0, 0, 5, 0]]
    assert layer.which.tolist() == [[0, 1, -1, -1], [-1, 0, 1, -1], [-1, -1, 0, 1]]


@st.composite
def convolutions(draw):
    """A picture, a filter, stride and padding that go together, of whole numbers."""
    side = st.integers(1, 9)
    height, width, stride = draw(side), draw(side), draw(st.integers(1, 3))
    rows, columns, padding = (
        draw(st.integers(1, 4)),
        draw(st.integers(1, 4)),
        draw(st.integers(0, 2)),
    )
    for n, f in ((height, rows), (width, columns)):
        assume(n + 2 * padding >= f and (n + 2 * padding - f) % stride == 0)
    torch.manual_seed(draw(st.integers(0, 99)))
    picture = torch.randint(-9, 10, (height, width)).float()
    return picture, torch.randint(-9, 10, (rows, columns)).float(), stride, padding


@settings(max_examples=60, deadline=None)
@given(convolutions())
def test_it_is_the_convolution_of_torch_in_all_three_forms(one):
    picture, kernel, stride, padding = one
    expected = F.conv2d(picture[None, None], kernel[None, None], None, stride, padding)[0, 0]
    assert torch.equal(convolve(picture, kernel, stride, padding), expected)
    for row, column in ((0, 0), (expected.shape[0] - 1, expected.shape[1] - 1)):
        assert terms(picture, kernel, row, column, stride, padding).value == expected[row, column]
    layer = as_matrix(kernel, *picture.shape, stride, padding)
    assert torch.equal(layer.weights @ picture.flatten(), expected.flatten())


@settings(max_examples=40, deadline=None)
@given(convolutions())
def test_a_weight_is_shared_by_all_outputs_and_stands_nowhere_else(one):
    picture, kernel, stride, padding = one
    layer = as_matrix(kernel, *picture.shape, stride, padding)
    assert (layer.weights[layer.which < 0] == 0).all()
    for number, weight in enumerate(kernel.flatten()):
        at = layer.which == number
        assert (layer.weights[at] == weight).all()
        assert (at.sum(1) <= 1).all()
    if padding == 0:
        assert ((layer.which >= 0).sum(1) == kernel.numel()).all()


def test_max_pooling_by_hand():
    assert max_pool(PICTURE, 2).tolist() == [[5, 8], [7, 5]]
    assert max_pool(PICTURE, 2, 1).tolist() == [[5, 8, 8], [7, 8, 8], [7, 7, 5]]
    below = -torch.ones(2, 2)
    assert max_pool(below, 2, 2, 1).tolist() == [[-1, -1], [-1, -1]]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.data())
def test_max_pooling_is_that_of_torch(size, stride, data):
    padding = data.draw(st.integers(0, size // 2))
    steps = [data.draw(st.integers(0, 3)) for _ in range(2)]
    height, width = (size - 2 * padding + stride * n for n in steps)
    assume(height > 0 and width > 0)
    picture = torch.randn(height, width)
    expected = F.max_pool2d(picture[None], size, stride, padding)[0]
    assert torch.equal(max_pool(picture, size, stride, padding), expected)


def test_a_window_that_is_mostly_padding():
    with pytest.raises(InputError, match="padding 2 is more than half of a window of 3"):
        max_pool(PICTURE, 3, 1, 2)


@pytest.mark.parametrize("name", KERNELS)
def test_what_a_filter_makes_of_a_plain_picture(name):
    """Edges and donuts: nothing. The others: the same picture."""
    plain = convolve(torch.full((6, 6), 0.5), KERNELS[name])
    expected = 0.0 if name in ("edge", "donut") else 0.5
    assert torch.allclose(plain, torch.full_like(plain, expected), atol=1e-6)


def test_the_donut_is_round():
    donut = KERNELS["donut"]
    for turned in (donut.rot90(), donut.flip(0), donut.T):
        assert torch.equal(turned, donut)


def test_how_donutty_each_pixel_is():
    picture = torch.zeros(11, 12)
    picture[3:8, 3:8] = (KERNELS["donut"] > 0).float()
    found = donutty(picture)
    assert found.shape == picture.shape
    assert found[5, 5] == found.max() == 1.0
    assert (found == 1.0).sum() == 1
    filled = picture.clone()
    filled[3:8, 3:8] = 1.0
    assert donutty(filled)[5, 5] == 0.0
    assert donutty(1 - picture)[5, 5] == pytest.approx(-1.0)
    assert donutty(filled - picture)[5, 5] < 0
