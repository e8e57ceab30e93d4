import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest
import sgfmill.sgf
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from domains.go import sgf
from domains.go.board import BLACK, WHITE, Board
from domains.go.review import MoveReview, Review, commented, review, rows, text
from domains.go.vertices import name, parse


class Likes:
    """A network that gives some points a weight, all others 1, whatever the position."""

    card = SimpleNamespace(name="likes")

    def __init__(self, size=5, **weights):
        self.size = size
        self.weights = np.ones(size * size)
        for vertex, weight in weights.items():
            self.weights[parse(vertex, size)] = weight
        self.asked = []

    def size_ok(self, size):
        return size == self.size

    def probabilities(self, board, colour=None, symmetries=8):
        self.asked.append((board.stones.copy(), colour, symmetries))
        return (self.weights / self.weights.sum()).astype(np.float32)


def game(*moves, size=5, **facts):
    """A record of moves such as "b C3"."""
    colours = {"b": BLACK, "w": WHITE}
    played = tuple((colours[move[0]], parse(move[2:], size)) for move in moves)
    return sgf.GameRecord(size=size, moves=played, source="a.sgf", **facts)


def named(top, size=5):
    return [name(point, size) for point, _ in top]


def test_rank_and_probability_are_among_the_legal_moves():
    # 25 points: C3 weighs 60, D4 20, B2 10, E5 8, A1 6, the other twenty 1 each: 124 in all.
    policy = Likes(c3=60, d4=20, b2=10, e5=8, a1=6)
    first, second, third = review(game("b C3", "w B2", "b A2"), policy).moves
    assert (first.number, first.colour, first.rank) == (1, BLACK, 1)
    assert first.probability == pytest.approx(60 / 124)
    assert named(first.top) == ["C3", "D4", "B2", "E5", "A1"]
    # C3 is taken: 64 are left to the legal moves, and B2 is second to D4.
    assert (second.colour, second.rank) == (WHITE, 2)
    assert second.probability == pytest.approx(10 / 64)
    assert second.surprise == pytest.approx(math.log2(6.4))
    assert named(second.top)[:4] == ["D4", "B2", "E5", "A1"]
    # B2 is taken too: 54 are left; D4, E5, A1, then twenty of equal weight, the upper left first.
    assert third.probability == pytest.approx(1 / 54)
    assert named(third.top) == ["D4", "E5", "A1", "A5", "B5"]
    assert third.rank > 5


def test_the_network_sees_the_position_before_the_move_and_whose_turn_it_is():
    policy = Likes()
    review(game("b C3", "b D4", "w pass"), policy, symmetries=1)
    counts = [((stones == BLACK).sum(), colour, times) for stones, colour, times in policy.asked]
    assert counts == [(0, BLACK, 1), (1, BLACK, 1), (2, WHITE, 1)]


def test_a_pass_has_neither_rank_nor_probability_and_counts_in_no_rate():
    found = review(game("b C3", "w pass", "b A1", "w C4"), Likes(c3=60, d4=20, c4=30))
    passed = found.moves[1]
    assert (passed.rank, passed.probability, passed.surprise) == (None, None, None)
    assert named(passed.top)[:2] == ["C4", "D4"]
    assert [found.count(colour) for colour in (BLACK, WHITE)] == [2, 1]
    assert [found.match_rate(colour) for colour in (BLACK, WHITE)] == [0.5, 1.0]


def made(*ranks_and_probabilities):
    """A review of Black's moves alone."""
    moves = [
        MoveReview(number, BLACK, number, rank, probability, [])
        for number, (rank, probability) in enumerate(ranks_and_probabilities, 1)
    ]
    return Review(sgf.GameRecord(), "made", moves)


def test_rates_and_surprise_worked_by_hand():
    found = made((1, 1 / 2), (5, 1 / 8), (6, 1 / 16), (1, 1 / 4))
    assert found.match_rate(BLACK) == 1 / 2
    assert found.top5_rate(BLACK) == 3 / 4
    assert found.mean_surprise(BLACK) == (1 + 3 + 4 + 2) / 4
    assert math.isnan(found.match_rate(WHITE)) and math.isnan(found.mean_surprise(WHITE))


def test_a_probability_of_nothing_is_no_infinite_surprise():
    assert made((300, 0.0)).mean_surprise(BLACK) == 64


def test_a_handicap_game_starts_from_its_stones():
    stones = (parse("B2", 5), parse("D4", 5))
    policy = Likes(b2=50, d4=50, c3=10)
    found = review(game("w C3", "b A1", setup_black=stones, handicap=2, first=WHITE), policy)
    assert (found.moves[0].colour, found.moves[0].rank) == (WHITE, 1)
    assert found.moves[0].probability == pytest.approx(10 / 32)
    assert (policy.asked[0][0] == BLACK).sum() == 2


def test_a_size_that_the_network_does_not_take_is_named():
    with pytest.raises(InputError, match=r"^a\.sgf: likes takes no board of 9x9$"):
        review(game("b C3", size=9), Likes(size=5))


def test_a_game_without_a_source_is_not_named():
    played_here = dataclasses.replace(game("b C3", size=9), source="")
    with pytest.raises(InputError, match=r"^likes takes no board of 9x9$"):
        review(played_here, Likes(size=5))
    impossible = dataclasses.replace(played_here, setup_black=(0,), setup_white=(1, 9))
    with pytest.raises(InputError, match=r"^setup "):
        review(impossible, Likes(size=9))


def test_progress_is_told_of_the_legal_moves():
    def counted(moves):
        for move in moves:
            yield move
            seen.append(len(moves))

    seen = []
    review(game("b C3", "w D4", "b C3", "w A1"), Likes(), progress=counted)
    assert seen == [2, 2]


def test_an_illegal_move_ends_the_game_and_is_named():
    found = review(game("b C3", "w C3", "b A1"), Likes())
    assert len(found.moves) == 1
    assert found.record.cut.startswith("move 2: C3 is occupied")


def test_bad_setup_stones_are_an_error_that_names_the_game():
    with pytest.raises(InputError, match=r"^a\.sgf: "):
        review(game("b C3", setup_black=(0,), setup_white=(1, 5)), Likes())


def test_a_repeated_position_is_no_error():
    start = Board.diagram(
        """
        . . . . .
        . . X O .
        . X O . O
        . . X O .
        . . . . .
        """
    )
    stones = start.stones.ravel()
    setup = {"setup_black": np.flatnonzero(stones == BLACK).tolist(),
             "setup_white": np.flatnonzero(stones == WHITE).tolist()}  # fmt: skip
    found = review(game("b D3", "w pass", "b pass", "w C3", **setup), Likes())
    assert len(found.moves) == 4 and found.record.cut == ""


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_against_a_slow_reference(seed):
    rng = np.random.default_rng(seed)
    policy = Likes()
    policy.weights = rng.random(25)
    board, moves, expected = sgf.board_at(game()), [], []
    for _ in range(20):
        legal = [p for p in range(25) if board.is_legal(p)]
        if not legal:
            break
        point = int(rng.choice(legal))
        better = [p for p in legal if policy.weights[p] > policy.weights[point]]
        share = policy.weights[point] / sum(policy.weights[p] for p in legal)
        expected.append((len(better) + 1, pytest.approx(share, rel=1e-4)))
        moves.append((board.to_play, point))
        board.play(point)
    found = review(dataclasses.replace(game(), moves=tuple(moves)), policy)
    assert [(move.rank, move.probability) for move in found.moves] == expected
    for move in found.moves:
        assert [p for _, p in move.top] == sorted((p for _, p in move.top), reverse=True)
        assert (move.rank <= 5) == (move.point in [point for point, _ in move.top])


def test_comments_are_read_by_others_and_keep_what_was_there():
    record = game("b C3", "w pass", comments={0: "A friendly game.", 1: "Tengen!"}, black="Ann")
    policy = Likes(c3=75, d4=10)
    written = sgf.write(commented(review(record, policy)))
    tree = sgfmill.sgf.Sgf_game.from_bytes(written)
    root, first, passed = tree.get_main_sequence()
    assert root.get("PB") == "Ann"
    assert root.get("C").startswith("A friendly game.\n\nlikes\nBlack: 100.0 % of 1 move")
    assert first.get("C").startswith("Tengen!\n\nC3: choice 1, 69.4 %, 0.5 bits")
    assert "First choices: D4 30.3 %" in passed.get("C")


def test_the_report_names_game_and_players_and_has_a_line_a_move():
    record = game("b C3", "w B2", "b pass", black="Ann", black_rank="3d", white="Bob", result="W+R")
    lines = list(text(review(record, Likes(c3=60, d4=20, b2=10, e5=8, a1=6))))
    assert lines[0] == "a.sgf: Ann 3d (black) – Bob (white), 5x5 W+R"
    assert "Black: 100.0 % of 1 move was" in lines[1]
    assert "White: 0.0 % of 1 move" in lines[2]
    table = [line.split() for line in lines if line[:4].strip().isdigit()]
    assert table[0][:6] == ["1", "black", "C3", "1", "48.39", "1.0"]
    assert table[1][:6] == ["2", "white", "B2", "2", "15.62", "2.7"]
    assert table[2][:5] == ["3", "black", "pass", "D4", "37.0"]


def test_rows_are_the_moves_and_then_the_players():
    record = game("b C3", "w pass", black="Ann")
    move, passed, black, white = rows(review(record, Likes(c3=60, d4=20, b2=10, e5=8, a1=6)))
    assert (move["game"], move["move"], move["colour"]) == ("a.sgf", 1, "black")
    assert (move["vertex"], move["rank"]) == ("C3", 1)
    assert move["probability"] == pytest.approx(60 / 124, abs=1e-6)
    assert move["top"][1] == {"vertex": "D4", "probability": pytest.approx(20 / 124, abs=1e-6)}
    assert (passed["vertex"], passed["rank"], passed["probability"]) == ("pass", None, None)
    assert (black["player"], black["name"], black["moves"], black["match_rate"]) == (
        *("black", "Ann", 1, 1.0),
    )
    assert (white["player"], white["moves"], white["match_rate"]) == ("white", 0, None)
