import random

import numpy as np
import pytest
import sgfmill.boards

from domains.go import scoring
from domains.go.board import Board
from domains.go.rules import BLACK, PASS, WHITE
from domains.go.vertices import name, parse

# D9 and D8 are neutral; A8 is dead in White's corner, C1 and C2 in Black's
FINISHED = """
    . O O . X . . . .
    X O O . X . . . .
    O O O X X . . . .
    . O X X . . . . .
    O O X . . . X X X
    O X X . . X X O O
    X X . . . X O O .
    X . O X . X O . O
    . . O . . X O O .
"""
DEAD = {"A8", "C1", "C2"}


def points(board, vertices):
    return [parse(vertex, board.size) for vertex in vertices]


def vertices(board, found):
    return {name(point, board.size) for point in found}


def rows(whose):
    return [" ".join(".XO"[owner] for owner in row) for row in whose.tolist()]


def test_whose_a_finished_board_is():
    board = Board.diagram(FINISHED)
    assert rows(scoring.ownership(board, points(board, DEAD))) == [
        "O O O . X X X X X",
        "O O O . X X X X X",
        "O O O X X X X X X",
        "O O X X X X X X X",
        "O O X X X X X X X",
        "O X X X X X X O O",
        "X X X X X X O O O",
        "X X X X X X O O O",
        "X X X X X X O O O",
    ]


def test_counts_of_a_finished_board():
    board = Board.diagram(FINISHED)
    dead = points(board, DEAD)
    assert scoring.area(board, dead) == 54 - 25
    # 21 of Black's 54 points are stones, 19 of White's 25; two white stones are dead, a black one
    assert scoring.territory(board, dead) == (54 - 21 + 2) - (25 - 19 + 1)


@pytest.mark.parametrize(("handicap", "given"), [(0, 0), (1, 0), (2, 2), (9, 9)])
def test_white_gets_a_point_for_each_handicap_stone(handicap, given):
    board = Board.diagram(FINISHED)
    score = scoring.area_score(board, points(board, DEAD), 6.5, handicap)
    assert score == 54 - 25 - 6.5 - given


def test_a_dead_stone_stands_for_its_chain():
    board = Board.diagram(FINISHED)
    one = points(board, {"A8", "C1"})
    assert scoring.area(board, one) == 29
    assert scoring.territory(board, iter(one)) == 28


def test_without_dead_stones_the_board_counts_as_it_stands():
    board = Board(5)
    assert scoring.area(board) == scoring.territory(board) == 0
    board.play(12)
    assert (scoring.area(board), scoring.territory(board)) == (25, 24)
    board.play(0)
    assert (scoring.area(board), scoring.territory(board)) == (0, 0)
    assert np.count_nonzero(scoring.ownership(board)) == 2


def test_prisoners_count_in_territory_but_not_in_area():
    board = Board.diagram("""
        . O X .
        X X X O
        . X O O
        X X O .
    """)
    area, territory = scoring.area(board), scoring.territory(board)
    board.play(0)  # Black's stone, B4 no longer White's but Black's
    assert scoring.area(board) == area + 1 + 2
    assert scoring.territory(board) == territory + 1 + 1  # B4, and the prisoner


def test_area_agrees_with_sgfmill_after_random_games():
    rng = random.Random(1)
    for size in (3, 5, 9, 13, 19):
        for length in (size, size * size // 2, 3 * size * size // 2):
            board, oracle = Board(size), sgfmill.boards.Board(size)
            for _ in range(length):
                legal = np.flatnonzero(board.legal()).tolist()
                point = rng.choice(legal) if legal else PASS
                if point != PASS:
                    oracle.play(*divmod(point, size), "b" if board.to_play == BLACK else "w")
                board.play(point)
            assert scoring.area(board) == oracle.area_score()


def test_dead_stones_are_found():
    board = Board.diagram(FINISHED)
    assert vertices(board, scoring.dead_stones(board)) == DEAD
    assert scoring.dead_stones(board, seed=7) == scoring.dead_stones(board)


def test_two_eyes_live_and_one_dies():
    board = Board.diagram("""
        . O . O X . .
        O O O O X . .
        X X X X X X X
        . . . . . . .
        X X X X X X X
        . X O O O O O
        . X O . O O O
    """)
    assert vertices(board, scoring.dead_stones(board)) == {
        f"{column}{row}" for column in "CDEFG" for row in (1, 2)
    } - {"D1"}


def test_on_an_empty_board_nothing_is_dead():
    board = Board(9)
    before = board.copy()
    assert scoring.dead_stones(board) == []
    assert str(board) == str(before)


@pytest.mark.parametrize(
    ("diagram", "vertex", "eye"),
    [
        (". X\nX X", "A2", True),
        (". X .\nX O .\n. . .", "A3", False),  # in the corner one diagonal breaks it
        (". X\nX .", "A2", True),
        ("X . X\nX X X\n. . .", "B3", True),
        ("X . X\nX X O\n. . .", "B3", False),
        # inside, one may be the opponent's
        (". . . . .\n. O X X .\n. X . X .\n. X X X .\n. . . . .", "C3", True),
        (". . . . .\n. O X X .\n. X . X .\n. X X O .\n. . . . .", "C3", False),
        (". X .\nX . .\n. X .", "B2", False),
    ],
)
def test_eyes(diagram, vertex, eye):
    board = Board.diagram(diagram)
    assert scoring.is_eye(board.state, parse(vertex, board.size), BLACK) == eye
    assert not scoring.is_eye(board.state, parse(vertex, board.size), WHITE)
    other = Board.diagram(diagram.translate(str.maketrans("XO", "OX")))
    assert scoring.is_eye(other.state, parse(vertex, board.size), WHITE) == eye


@pytest.mark.parametrize(
    ("score", "text"),
    [(3.5, "B+3.5"), (-0.5, "W+0.5"), (12.0, "B+12"), (0.0, "0"), (-100.0, "W+100")],
)
def test_results_are_written_as_in_sgf(score, text):
    assert scoring.format_result(score) == text
