import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stub_policy import StubPolicy

from core.errors import InputError
from domains.go.board import Board
from domains.go.player import STRENGTHS, GoPlayer, Move
from domains.go.rules import BLACK, PASS, WHITE
from domains.go.vertices import parse


def player(size, likes, **settings):
    """One whose network likes these vertices, by how much."""
    return GoPlayer(StubPolicy({parse(vertex, size): p for vertex, p in likes.items()}), **settings)


def at(vertex, size):
    return Move(parse(vertex, size))


SETTLED = """
    . X . X O . .
    X X X X O . .
    . X . X O O O
    X X X X O . O
    . X X X O O O
    X . X X O . O
    X X X X O O .
"""
# Black 28 points, White 21: Black is ahead without komi, White with 7.5.

LADDER_OF_SEVEN = """
    X X X X X X . O .
    O O O O O O O . O
    . . . . . . . . .
    . . . . . . . . .
    . . . . X . . . .
    . . . . . . . . .
    . . . . . . . . .
    . . . . . . . . .
    . . . . . . . . .
"""


def test_moves_are_the_legal_points_best_first_and_sum_to_one():
    board = Board.diagram("""
        . O . . .
        O . . . .
        . . X . .
        . . . . .
        . . . . .
    """)
    moves = player(5, {"A5": 8, "C2": 3, "E1": 1, "C3": 5}).moves(board, BLACK)
    assert [point for point, _ in moves[:2]] == [parse("C2", 5), parse("E1", 5)]
    assert {point for point, _ in moves} == set(range(25)) - {0, 1, 5, 12}
    assert sum(probability for _, probability in moves) == pytest.approx(1)
    assert moves[0][1] == pytest.approx(3 / 4, abs=1e-4)


def test_the_likeliest_move_is_played():
    assert player(5, {"B2": 1, "D4": 2}).genmove(Board(5)) == at("D4", 5)


def test_an_own_eye_is_never_filled():
    board = Board.diagram("""
        . X . . .
        X X . . .
        X X X X X
        . X X X X
        X X X X .
    """)
    likes = {"A5": 9, "A2": 8, "E1": 7, "D4": 1}
    assert player(5, likes).genmove(board, BLACK) == at("D4", 5)


def test_a_false_eye_may_be_filled():
    board = Board.diagram("""
        . X O . .
        X O . . .
        O . . . .
        . . . . .
        . . . . .
    """)
    # A5 is in atari's way: with O on B4 the corner is no eye, and X has nothing else to save it.
    assert player(5, {"A5": 1}).genmove(board, BLACK) != at("A5", 5)  # suicide: no liberty is left
    board = Board.diagram("""
        . X . . .
        X O . . .
        . . . . .
        . . . . .
        . . . . .
    """)
    assert player(5, {"A5": 1}).genmove(board, BLACK) == at("A5", 5)


def test_nothing_but_eyes_left_is_a_pass():
    board = Board.diagram("""
        . X .
        X X X
        . X .
    """)
    assert GoPlayer(StubPolicy()).genmove(board, BLACK) == Move(PASS)


def test_a_ko_is_not_retaken_at_once():
    board = Board.diagram("""
        . X O . .
        X O . O .
        . X O . .
        . . . . .
        . . . . .
    """)
    board.play(parse("C4", 5), BLACK)
    assert board.ko == parse("B4", 5)
    assert player(5, {"B4": 9, "A1": 1}).genmove(board, WHITE) == at("A1", 5)


def test_a_position_is_not_repeated():
    board = Board.diagram("""
        . O X .
        O . O X
        X O X X
        . X . .
    """, superko=False)  # fmt: skip
    # White sends two stones in the corner, Black takes them, White may not bring the old board back.
    first = board.stones
    board.play(parse("A4", 4), WHITE) if board.is_legal(parse("A4", 4), WHITE) else None
    rng = np.random.default_rng(3)
    stub = GoPlayer(StubPolicy())
    seen = {first.tobytes(), board.stones.tobytes()}
    board.superko = True
    for _ in range(60):
        point = stub.genmove(board).point
        if point == PASS and board.passes:
            break
        board.play(point)
        assert point == PASS or board.stones.tobytes() not in seen
        seen.add(board.stones.tobytes())
    assert rng is not None
