"""The sizes at which a picture is looked at, and the tiles that cover it."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.image.tiles import pyramid, resized, tiles

LENGTHS = st.integers(1, 700)


def test_lengths_by_hand():
    assert pyramid(100, 100) == [100]
    assert pyramid(40, 100) == [100]
    assert pyramid(200, 100) == [200, 100]
    assert pyramid(400, 100) == [400, 200, 100]
    assert pyramid(225, 100) == [225, 150, 100]


@given(st.integers(1, 5000), st.integers(8, 500))
def test_lengths_go_down_from_the_picture_by_half_at_most(longest, side):
    lengths = pyramid(longest, side)
    assert (lengths[0], lengths[-1]) == (max(longest, side), side)
    assert all(b < a <= 2 * b + 1 for a, b in pairwise(lengths))


def test_tiles_by_hand():
    starts = [(rows.start, columns.start) for rows, columns in tiles((100, 150), 100, 40)]
    assert starts == [(0, 0), (0, 50)]
    assert list(tiles((30, 20), 100, 40)) == [np.s_[0:100, 0:100]]


@given(LENGTHS, LENGTHS, st.integers(0, 40), st.data())
def test_whatever_is_no_longer_than_what_tiles_share_is_whole_in_one(height, width, shared, data):
    squares = list(tiles((height, width), 96, shared))
    seen = np.zeros((height, width), bool)
    for square in squares:
        seen[square] = True
    assert seen.all()
    top, left = (data.draw(st.integers(0, max(side - shared, 0))) for side in (height, width))
    bottom, right = min(top + shared, height), min(left + shared, width)
    assert any(
        rows.start <= top
        and bottom <= rows.stop
        and columns.start <= left
        and right <= columns.stop
        for rows, columns in squares
    )


@pytest.mark.parametrize(
    ("shape", "longest", "after"),
    [((40, 20), 20, (20, 10)), ((3, 900), 90, (1, 90)), ((10, 30), 90, (30, 90))],
)
def test_resized(shape, longest, after):
    picture = np.full(shape, 77, np.uint8)
    assert resized(picture, longest).shape == after
    assert (resized(picture, longest) == 77).all()
