"""Ladders on diagrams: `*` marks the moves that work, and every other empty point must not."""

import numpy as np
import pytest

from domains.go import features
from domains.go.board import Board
from domains.go.rules import BLACK, WHITE


def check(plane, colour, diagram):
    board = Board.diagram(diagram.replace("*", "."))
    marked = features.planes(board, colour)[plane].ravel()
    assert np.flatnonzero(marked).tolist() == [
        point for point, mark in enumerate("".join(diagram.split())) if mark == "*"
    ]


def captures(diagram, colour=BLACK):
    check(features.LADDER_CAPTURE, colour, diagram)


def escapes(diagram, colour=WHITE):
    check(features.LADDER_ESCAPE, colour, diagram)


def test_a_ladder_is_driven_to_the_far_corner():
    captures("""
        . . . . . . .
        . . X . . . .
        . X O * . . .
        . X . . . . .
        . . . . . . .
        . . . . . . .
        . . . . . . .
    """)


def test_a_breaker_on_the_way_saves_the_prey():
    captures("""
        . . . . . . .
        . . X . . . .
        . X O . . . .
        . X . . . . .
        . . . . . . .
        . . . . O . .
        . . . . . . .
    """)


def test_a_stone_off_the_way_breaks_nothing():
    captures("""
        . . . . . . .
        . . X . . . .
        . X O * . . .
        . X . . . . .
        . . . . . . .
        . . . . . . .
        . O . . . . .
    """)


def test_an_escape_into_a_ladder_is_none():
    escapes("""
        . . . . . . .
        . . X . . . .
        . X O X . . .
        . X . . . . .
        . . . . . . .
        . . . . . . .
        . . . . . . .
    """)


def test_an_extension_towards_the_breaker_is_an_escape():
    escapes("""
        . . . . . . .
        . . X . . . .
        . X O X . . .
        . X * . . . .
        . . . . . . .
        . . . . O . .
        . . . . . . .
    """)


def test_an_extension_to_three_liberties_is_an_escape():
    escapes("""
        . . . . .
        . . X . .
        . X O X .
        . . * . .
        . . . . .
    """)


def test_capturing_a_chaser_is_an_escape():
    escapes("""
        . . . * . . .
        . . O X O . .
        . X X O X . .
        . . X . X . .
        . . . X . . .
        . . . . . . .
        . . . . . . .
    """)


def test_a_chaser_left_in_atari_spoils_the_ladder():
    captures("""
        . . . . . . .
        . . O . . . .
        . O X . . . .
        . X O . . . .
        . X . . . . .
        . . . . . . .
        . . . . . . .
    """)


def test_the_edge_catches_a_stone_on_the_first_line():
    captures("""
        . * O * .
        . . X . .
        . . . . .
        . . . . .
        . . . . .
    """)


def test_a_net_is_no_ladder():
    captures("""
        . . . . . . .
        . . X X . . .
        . X O O . . .
        . X O . . X .
        . . . . . . .
        . . . X . . .
        . . . . . . .
    """)


def test_a_throw_in_catches_by_snapback():
    captures("""
        . X X X . .
        X O O O X .
        X O * * X .
        X O O X . .
        . X X . . .
        . . . . . .
    """)


def test_chains_with_other_numbers_of_liberties_are_no_prey():
    captures("""
        . X . . .
        X O . . .
        . X . . .
        . . . O .
        . . . . .
    """)


@pytest.mark.parametrize("size", [7, 9, 19, 25])
@pytest.mark.parametrize("breaker", [False, True])
def test_a_ladder_is_read_across_the_whole_board(size, breaker):
    board = Board(size)
    black, white = [(0, 1), (1, 0), (2, 0)], [(1, 1)] + [(size - 3, size - 3)] * breaker
    board.place(*([row * size + column for row, column in points] for points in (black, white)))
    marked = features.planes(board, BLACK)[features.LADDER_CAPTURE]
    assert np.argwhere(marked).tolist() == ([] if breaker else [[1, 2]])
