import subprocess
import sys

import numpy as np
import pytest
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


def test_moves_that_are_known_are_not_asked_for_again():
    moves = [(parse("D4", 5), 0.9), (parse("B2", 5), 0.1)]
    assert player(5, {"A1": 1}).genmove(Board(5), moves=moves) == at("D4", 5)


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


def is_eye(stones, row, column, colour):
    """Own stones on all sides, and the corners mostly not the opponent's; said slowly."""
    size = len(stones)

    def at(r, c):
        return stones[r][c] if 0 <= r < size and 0 <= c < size else None

    if any(at(row + r, column + c) not in (colour, None) for r, c in SIDES):
        return False
    corners = [at(row + r, column + c) for r, c in CORNERS]
    return corners.count(-colour) < (2 if None not in corners else 1)


SIDES = ((0, 1), (1, 0), (0, -1), (-1, 0))
CORNERS = ((1, 1), (1, -1), (-1, -1), (-1, 1))


def test_whole_games_have_no_illegal_move_no_repetition_and_no_filled_eye():
    repetitions = 0
    for game in range(40):
        board, engine = Board(3), GoPlayer(StubPolicy(), "careless", seed=game)
        seen = {board.stones.tobytes()}
        while board.passes < 2:
            point, colour, stones = engine.genmove(board).point, board.to_play, board.stones
            repetitions += any(board.why_illegal(p) == "superko" for p in range(9))
            if point != PASS:
                assert not is_eye(stones.tolist(), *divmod(point, 3), colour)
            board.play(point)
            assert point == PASS or board.stones.tobytes() not in seen
            seen.add(board.stones.tobytes())
            assert len(board.moves) < 400
    assert repetitions > 0


# Black has 28 points, White 21.
SETTLED = """
    . X . X O . .
    X X X X O . .
    . X . X O O O
    X X X X O . O
    . X X X O O O
    X . X X O . O
    X X X X O O O
"""


def after_a_pass(diagram, colour):
    board = Board.diagram(diagram)
    board.play(PASS, -colour)
    return board


def test_after_a_pass_who_is_ahead_passes():
    board = after_a_pass(SETTLED, BLACK)
    liked = {"F6": 1}
    assert player(7, liked).genmove(board, BLACK, komi=6.5) == Move(PASS)
    board = after_a_pass(SETTLED, WHITE)
    assert player(7, liked).genmove(board, WHITE, komi=7.5) == Move(PASS)


def test_after_a_pass_who_is_behind_plays_what_belongs_to_nobody():
    # D4 is the only such point. A1 is in the opponent's territory, F6 in White's own.
    board = after_a_pass(DAME, WHITE)
    assert player(7, {"F6": 9, "A1": 8, "D4": 1}).genmove(board, WHITE, komi=0.5) == at("D4", 7)


DAME = """
    . X . X O . .
    X X X X O . .
    . X . X O O O
    X X X . O . O
    . X . X O O O
    X X X X O . O
    . X X X O O O
"""


def test_after_a_pass_who_is_behind_passes_if_nothing_is_left_to_gain():
    board = after_a_pass(SETTLED, WHITE)
    assert player(7, {"F6": 1}).genmove(board, WHITE, komi=0.5) == Move(PASS)


def test_without_a_pass_the_game_goes_on():
    board = Board.diagram(SETTLED)
    assert player(7, {"F6": 1}).genmove(board, WHITE, komi=7.5) == at("F6", 7)


SEVEN = """
    X X X X X X . . O
    O O O O O O O . .
    . . . . . . . O .
    . . . . . . . . .
    . . . . X . . . .
    . . . . . . . . .
    . . . . . . . . .
    . . . . . . . . .
    . . . . . . . . .
"""


def test_seven_stones_are_not_put_into_atari_but_six_may_be():
    board = Board.diagram(SEVEN)
    assert player(9, {"G9": 9, "A1": 1}).genmove(board, BLACK) == at("A1", 9)
    six = Board.diagram(SEVEN.replace("X X X X X X .", ". X X X X X .", 1))
    six.play(parse("H9", 9), WHITE)
    assert player(9, {"A9": 9, "A1": 1}).genmove(six, BLACK) == at("A9", 9)


def lost():
    return Board.diagram("""
        . O O O O
        O O . O O
        O O O O .
        O O O O O
        O X . . .
    """)


def test_resigns_only_if_asked():
    board = lost()
    assert not player(5, {"C1": 1}).genmove(board, BLACK).resign
    assert player(5, {"C1": 1}, resigns=True).genmove(board, BLACK).resign
    assert not player(5, {"C1": 1}, resigns=True).genmove(board, WHITE).resign
    assert not player(5, {"C1": 1}, resigns=True).genmove(Board(5), BLACK).resign


def drawn(strength, draws=300):
    engine = player(5, {"A1": 0.6, "B1": 0.3, "C1": 0.1}, strength=strength, seed=1)
    return [engine.genmove(Board(5)).point for _ in range(draws)]


def test_strengths_draw_from_more_and_more_moves():
    best, second, third = (parse(vertex, 5) for vertex in ("A1", "B1", "C1"))
    assert set(drawn("full")) == set(drawn("relaxed")) == {best}  # 0.6 is more than 0.5
    casual, careless = drawn("casual"), drawn("careless")
    assert {best, second} <= set(casual) <= {best, second, third}
    assert 0.55 < casual.count(best) / len(casual) < 0.78
    assert third in careless
    assert careless.count(best) < casual.count(best)


def test_the_same_seed_draws_the_same_moves():
    assert drawn("careless") == drawn("careless")
    engine = player(5, {}, strength="careless", seed=1)
    first = [engine.genmove(Board(5)) for _ in range(9)]
    engine.reseed(1)
    assert first == [engine.genmove(Board(5)) for _ in range(9)]
    engine.reseed(2)
    assert first != [engine.genmove(Board(5)) for _ in range(9)]


def test_an_unknown_strength_is_refused():
    with pytest.raises(InputError, match=r"'9 dan' is not one of: full, relaxed"):
        GoPlayer(StubPolicy(), "9 dan")
    assert all(name == strength.name for name, strength in STRENGTHS.items())


def test_a_network_sees_the_board_under_a_symmetry():
    class Corner(StubPolicy):
        """Likes the point to the right of the stone that was set up, and of the one played."""

        def answer(self, planes, symmetries=8):
            self.likes = {p + 1: 1 for p in np.flatnonzero(planes[0, :2].any(0)).tolist()}
            return super().answer(planes, symmetries)

    board = Board(5)
    board.place(black=[parse("B4", 5)])
    board.play(parse("B2", 5), WHITE)
    engine = GoPlayer(Corner())
    liked = [{point for point, _ in engine.moves_under(board, s)[:2]} for s in range(8)]
    assert liked[0] == {parse("C4", 5), parse("C2", 5)}
    assert liked[1] == {parse("A4", 5), parse("A2", 5)}  # mirrored left to right
    beside = {frozenset({p + step, q + step}) for p, q in [(6, 16)] for step in (1, -1, 5, -5)}
    assert {frozenset(points) for points in liked} == beside


def test_nothing_here_imports_torch():
    modules = "gtp, gtp_commands, match, player, policy"
    program = f"import sys; from domains.go import {modules}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
