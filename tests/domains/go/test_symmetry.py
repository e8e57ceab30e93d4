import numpy as np
import pytest

from domains.go import symmetry

CORNER = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
SEEN = {
    0: [[1, 2, 3], [4, 5, 6], [7, 8, 9]],
    1: [[3, 2, 1], [6, 5, 4], [9, 8, 7]],
    2: [[7, 8, 9], [4, 5, 6], [1, 2, 3]],
    3: [[9, 8, 7], [6, 5, 4], [3, 2, 1]],
    4: [[1, 4, 7], [2, 5, 8], [3, 6, 9]],
    5: [[7, 4, 1], [8, 5, 2], [9, 6, 3]],
    6: [[3, 6, 9], [2, 5, 8], [1, 4, 7]],
    7: [[9, 6, 3], [8, 5, 2], [7, 4, 1]],
}


@pytest.mark.parametrize("number", symmetry.SYMMETRIES)
def test_a_plane_is_mirrored_turned_upside_down_and_transposed(number):
    assert symmetry.apply(CORNER, number).tolist() == SEEN[number]


@pytest.mark.parametrize("number", symmetry.SYMMETRIES)
def test_the_inverse_brings_planes_back(number):
    planes = np.arange(2 * 3 * 5 * 5).reshape(2, 3, 5, 5)
    turned = symmetry.apply(planes, number)
    assert turned.shape == planes.shape and turned.flags.c_contiguous
    assert (symmetry.apply(turned, symmetry.INVERSE[number]) == planes).all()


@pytest.mark.parametrize("size", [2, 9, 19, 25])
def test_points_go_where_planes_go(size):
    table, plane = symmetry.table(size), np.arange(size * size).reshape(size, size)
    assert table.shape == (8, size * size) and table.dtype == np.int16
    for number in symmetry.SYMMETRIES:
        assert (symmetry.apply(plane, number).ravel()[table[number]] == plane.ravel()).all()
