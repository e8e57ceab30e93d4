"""What each plane says, on diagrams small enough to count by hand."""

import numpy as np
import pytest

from domains.go import features, symmetry
from domains.go.board import Board
from domains.go.rules import BLACK, PASS, WHITE, copy_state, new_state
from domains.go.vertices import parse

FAMILIES = {family.name: family for family in features.PLANES}


def told(board, name, vertex, colour=None):
    """Which plane of a family is set at a vertex, from 0; None if none is."""
    family = FAMILIES[name]
    planes = features.planes(board, colour)[family.first : family.first + family.count]
    row, column = divmod(parse(vertex, board.size), board.size)
    set_here = np.flatnonzero(planes[:, row, column]).tolist()
    assert len(set_here) <= 1
    return set_here[0] if set_here else None


def number(board, name, vertex, colour=None):
    """What eight planes say of a vertex whose first plane is for 1."""
    plane = told(board, name, vertex, colour)
    return plane if plane is None else plane + 1


def marked(board, name, colour=None):
    """The points of a single plane."""
    return np.flatnonzero(features.planes(board, colour)[FAMILIES[name].first]).tolist()


def points(board, *vertices):
    return sorted(parse(vertex, board.size) for vertex in vertices)


def test_the_families_are_the_papers_and_make_48_planes():
    assert [(family.name, family.count) for family in features.PLANES] == [
        ("stone colour", 3),
        ("ones", 1),
        ("turns since", 8),
        ("liberties", 8),
        ("capture size", 8),
        ("self-atari size", 8),
        ("liberties after move", 8),
        ("ladder capture", 1),
        ("ladder escape", 1),
        ("sensibleness", 1),
        ("zeros", 1),
    ]
    ends = [family.first + family.count for family in features.PLANES]
    assert [family.first for family in features.PLANES] == [0, *ends[:-1]] and ends[-1] == 48
    assert all(family.meaning for family in features.PLANES)


def test_stones_are_own_or_the_opponents():
    board = Board.diagram("""
        X . .
        . O .
        . . .
    """)
    seen = {vertex: told(board, "stone colour", vertex, BLACK) for vertex in ("A3", "B2", "C1")}
    assert seen == {"A3": 0, "B2": 1, "C1": 2}
    seen = {vertex: told(board, "stone colour", vertex, WHITE) for vertex in ("A3", "B2", "C1")}
    assert seen == {"A3": 1, "B2": 0, "C1": 2}


def test_planes_are_for_the_colour_to_play_unless_told():
    board = Board(5)
    board.play(7)
    assert np.array_equal(features.planes(board), features.planes(board, WHITE))
    assert not np.array_equal(features.planes(board), features.planes(board, BLACK))


def test_ones_and_zeros_are_constant():
    planes = features.planes(Board(9))
    assert planes.shape == (48, 9, 9) and planes.dtype == np.uint8
    assert (planes[FAMILIES["ones"].first] == 1).all()
    assert (planes[FAMILIES["zeros"].first] == 0).all()


def test_turns_are_counted_back_from_the_last_move():
    board = Board(5)
    board.place(black=points(board, "E1"))
    for move in ["A5", "B5", "C5", "pass", "D5", "E5", "A4", "B4", "C4", "D4"]:
        board.play(parse(move, 5))
    ages = {
        "D4": 1, "C4": 2, "B4": 3, "A4": 4, "E5": 5, "D5": 6, "C5": 8, "B5": 8, "A5": 8,
        "E1": 8, "E4": None,
    }  # fmt: skip
    assert {vertex: number(board, "turns since", vertex) for vertex in ages} == ages


def test_liberties_are_the_chains():
    board = Board.diagram("""
        X X . . . .
        O X . . . .
        . O . . O .
        . . . . . .
        . X X X X .
        . . . . . .
    """)
    vertices = {"A6": 2, "B5": 2, "A5": 1, "B4": 3, "E4": 4, "B2": 8, "E2": 8, "F6": None}
    assert {vertex: number(board, "liberties", vertex) for vertex in vertices} == vertices


def test_capture_size_counts_stones_of_all_chains_once():
    board = Board.diagram("""
        . O X . . .
        O O X . . .
        X X . X O .
        . . X O O X
        . . . X X .
        O . . . . .
    """)
    captured = {vertex: told(board, "capture size", vertex, BLACK) for vertex in ("A6", "B1", "F4")}
    assert captured == {"A6": 3, "B1": 0, "F4": 0}
    assert told(board, "capture size", "A5", BLACK) is None


def test_capture_size_stops_at_seven():
    rows = ["." + "O" * 8, "X" * 9, *["." * 9] * 7]
    assert told(Board.diagram("\n".join(rows)), "capture size", "A9", BLACK) == 7


def test_two_chains_at_a_move_are_captured_together():
    board = Board.diagram("""
        X O . O X
        . X O X .
        . . X . .
        . . . . .
        . . . . .
    """)
    assert told(board, "capture size", "C5", BLACK) == 3


def test_self_atari_size_counts_the_own_chain_with_the_new_stone():
    board = Board.diagram("""
        . X X O .
        . O O . .
        . . . . .
        . O . . .
        . . . . .
    """)
    sizes = {"A5": 3, "E5": 1, "A4": None, "D4": None, "A1": None}
    assert {v: number(board, "self-atari size", v, BLACK) for v in sizes} == sizes


def test_self_atari_size_stops_at_eight():
    rows = ["." + "X" * 8, "." + "O" * 8, *["." * 9] * 7]
    assert number(Board.diagram("\n".join(rows)), "self-atari size", "A9", BLACK) == 8


def test_liberties_after_a_move_are_those_of_the_joined_chain():
    board = Board.diagram("""
        . . . . .
        . X . X .
        . . . . .
        O X . . .
        . O . . .
    """)
    after = {"C4": 8, "C3": 4, "E1": 2, "B3": 6, "A1": None}
    assert {v: number(board, "liberties after move", v, BLACK) for v in after} == after


def test_captured_stones_become_liberties_of_all_that_the_move_joins():
    board = Board.diagram("""
        . O X . .
        X X . . .
        . . . . .
        . . . . .
        . . . . .
    """)
    assert number(board, "liberties after move", "A5", BLACK) == 4


def ko():
    return Board.diagram("""
        . . . . .
        . X O . .
        X O . O .
        . X O . .
        . . . . .
    """)


def test_taking_a_ko_captures_one_and_leaves_one_in_atari():
    assert told(ko(), "capture size", "C3", BLACK) == 1
    assert number(ko(), "self-atari size", "C3", BLACK) == 1
    assert number(ko(), "liberties after move", "C3", BLACK) == 1


def test_illegal_moves_have_no_planes():
    board = ko()
    board.play(parse("C3", 5), BLACK)
    families = "capture size", "self-atari size", "liberties after move", "sensibleness"
    assert [told(board, name, "B3", WHITE) for name in families] == [None] * 4  # ko
    board.play(PASS, WHITE)
    board.play(parse("E1", 5), BLACK)
    assert told(board, "capture size", "B3", WHITE) == 1
    suicide = Board.diagram("""
        . O .
        O O .
        . . .
    """)
    assert [told(suicide, name, "A3", BLACK) for name in families] == [None] * 4


CENTRE = """
    . . . . .
    . O X . .
    . X * X .
    . . X . .
    . . . . .
"""
EDGE = """
    . . . . .
    . . . . .
    . . . . .
    . . X . .
    . X * X .
"""
CORNER = """
    * X . . .
    X . . . .
    . . . . .
    . . . . .
    . . . . .
"""


@pytest.mark.parametrize(
    ("diagram", "eye"),
    [
        (CENTRE, True),
        (CENTRE.replace("O X .", "O X O"), False),
        (CENTRE.replace("O X .", "O . ."), False),
        (CENTRE.replace("X * X", "X * O"), False),
        (EDGE, True),
        (EDGE.replace(". X .", "O X ."), False),
        (CORNER, True),
        (CORNER.replace("X . . . .", "X O . . ."), False),
        (CORNER.replace("X . . . .", "X X . . ."), True),
    ],
)
def test_it_is_not_sensible_to_fill_an_own_eye(diagram, eye):
    board = Board.diagram(diagram.replace("*", "."))
    point = "".join(diagram.split()).index("*")
    legal = np.flatnonzero(board.legal(BLACK)).tolist()
    assert point in legal
    assert marked(board, "sensibleness", BLACK) == [p for p in legal if p != point or not eye]


def test_the_position_is_left_as_it_was():
    board = ko()
    before = new_state(5)
    copy_state(board.state, before)
    features.planes(board)
    assert all(map(np.array_equal, board.state, before))


def test_the_single_plane_has_black_1_and_white_minus_1():
    plane = features.single_plane(Board.diagram("X . \n . O"))
    assert plane.tolist() == [[[1, 0], [0, -1]]]


@pytest.mark.parametrize("turned", range(8))
def test_a_batch_has_the_position_before_each_move(turned):
    handicap, moves = [80, 12], [(WHITE, 40), (BLACK, PASS), (WHITE, 41), (BLACK, 32)]
    board, expected = Board(9), []
    board.place(black=handicap)
    for colour, point in moves:
        if point != PASS:
            expected.append((symmetry.apply(features.planes(board, colour), turned), point))
        board.play(point, colour)
    planes, targets = np.full((3, 48, 81), 9, np.uint8), np.zeros(3, np.int64)
    features.fill_batch(
        np.array([30, *(point for _, point in moves)], np.int16),  # game 0 is a single move
        np.array([BLACK, *(colour for colour, _ in moves)], np.int8),
        np.array([0, 1, 5]),
        np.array(handicap, np.int16),
        np.array([BLACK, BLACK], np.int8),
        np.array([0, 0, 2]),
        np.array([1, 1, 1]),
        np.array([0, 2, 3]),
        np.full(3, turned),
        planes,
        targets,
    )
    for i, (wanted, point) in enumerate(expected):
        assert np.array_equal(planes[i].reshape(48, 9, 9), wanted)
        assert targets[i] == symmetry.table(9)[turned][point]
