"""Handicaps, against the figures of GTP's specification."""

import pytest

from core.errors import InputError
from domains.go.board import Board, fixed_handicap, free_handicap, maximum_handicap
from domains.go.vertices import name


def vertices(size, stones):
    return [name(point, size) for point in fixed_handicap(size, stones)]


@pytest.mark.parametrize(
    ("size", "stones", "expected"),
    [
        (19, 2, "D4 Q16"),
        (19, 3, "D4 Q16 D16"),
        (19, 4, "D4 Q16 D16 Q4"),
        (19, 5, "D4 Q16 D16 Q4 K10"),
        (19, 6, "D4 Q16 D16 Q4 D10 Q10"),
        (19, 7, "D4 Q16 D16 Q4 D10 Q10 K10"),
        (19, 8, "D4 Q16 D16 Q4 D10 Q10 K4 K16"),
        (19, 9, "D4 Q16 D16 Q4 D10 Q10 K4 K16 K10"),
        (9, 9, "C3 G7 C7 G3 C5 G5 E3 E7 E5"),
        (13, 5, "D4 K10 D10 K4 G7"),
        (12, 4, "C3 K10 C10 K3"),
        (7, 4, "C3 E5 C5 E3"),
    ],
)
def test_fixed_points(size, stones, expected):
    assert vertices(size, stones) == expected.split()


def test_how_many_stones_a_size_takes():
    most = {size: maximum_handicap(size) for size in range(2, 26)}
    assert [size for size in most if most[size] == 0] == [2, 3, 4, 5, 6]
    assert [size for size in most if most[size] == 4] == [7, 8, 10, 12, 14, 16, 18, 20, 22, 24]
    assert [size for size in most if most[size] == 9] == [9, 11, 13, 15, 17, 19, 21, 23, 25]


@pytest.mark.parametrize(("size", "stones"), [(19, 1), (19, 10), (8, 5), (6, 2), (19, -3)])
def test_other_numbers_are_refused(size, stones):
    with pytest.raises(InputError, match=f"{stones} handicap stones on a {size}x{size} board"):
        fixed_handicap(size, stones)


@pytest.mark.parametrize("size", range(2, 26))
def test_free_stones_are_distinct_start_with_the_fixed_and_stand(size):
    most = size**2 - 1
    for stones in {2, min(4, most), min(9, most), min(30, most), most}:
        points = free_handicap(size, stones)
        assert len(set(points)) == stones
        if stones <= maximum_handicap(size):
            assert points == fixed_handicap(size, stones)
        Board(size).place(black=points)


def test_free_stones_beyond_the_fixed_keep_their_distance():
    points = free_handicap(19, 13)
    assert points[:9] == fixed_handicap(19, 9)
    assert {name(point, 19) for point in points[9:]} == {"G7", "G13", "N7", "N13"}


@pytest.mark.parametrize(("size", "stones"), [(19, 1), (19, 361), (2, 4)])
def test_other_free_numbers_are_refused(size, stones):
    with pytest.raises(InputError, match=f"{stones} handicap stones"):
        free_handicap(size, stones)
