import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from apps.go import view
from apps.go.session import Game, You
from domains.go.review import MoveReview, Review
from domains.go.rules import BLACK, PASS, WHITE
from domains.go.sgf import GameRecord
from domains.go.vertices import parse

NBSP = "\N{NO-BREAK SPACE}"


def game(*vertices, size=5, you=You.both):
    made = Game(size, you=You.both)
    for vertex in vertices:
        made.click(parse(vertex, size), made.turn)
    made.you = you
    return made


def label(picture, vertex):
    return picture.labels[parse(vertex, picture.size)]


def test_a_picture_says_what_is_seen():
    picture = view.picture(game("C3", "A5"), [(parse("B2", 5), 0.342), (0, 0.0001)])
    assert picture.title == "Go board, 5 by 5, move 2, black to play"
    assert picture.stones == "O...........X............"
    assert label(picture, "C3") == "C3, black stone"
    assert label(picture, "B2") == f"B2, empty, choice 1, 34.2{NBSP}%"
    assert label(picture, "E1") == "E1, empty"
    assert label(picture, "A5") == f"A5, white stone, choice 2, <{NBSP}0.1{NBSP}%, last move"
    assert picture.ghost == "black"
    assert [hint.text for hint in picture.hints] == ["34", "0.0"]
    assert picture.hints[0].shade == 1
    assert picture.announcement == "White plays A5. Black to play."


def test_what_may_not_be_played_is_named():
    ko = view.picture(game("B5", "C5", "A4", "D4", "B3", "C3", "E1", "B4", "C4"), [])
    assert label(ko, "B4") == "B4, empty, ko, not legal now"
    assert ko.ko == parse("B4", 5)
    assert not ko.playable[parse("B4", 5)]
    suicide = view.picture(game("A4", "E1", "B5"), [])
    assert label(suicide, "A5") == "A5, empty, suicide, not legal now"


def test_nothing_can_be_placed_on_the_networks_turn():
    picture = view.picture(game("C3", you=You.black), [])
    assert not any(picture.playable)
    assert picture.ghost == ""


def test_counting_shows_whose_points_are_whose():
    counted = game(*(f"{column}{row}" for column in "ABCDE" for row in (2, 4)))
    counted.count()
    counted.dead = {parse("A4", 5)}
    picture = view.picture(counted, [])
    assert picture.owner == "X" * 25
    assert "dead" in label(picture, "A4")
    assert sum(picture.playable) == 10


def test_a_plane_is_drawn_and_said():
    plane = np.zeros((5, 5), np.uint8)
    plane[0, 1] = 1
    picture = view.picture(game(), [], plane)
    assert picture.plane.index(True) == 1
    assert label(picture, "B5") == "B5, empty, set in the plane"


@given(st.text())
def test_lines_are_text(text):
    assert "<" not in view.lines(text).replace('<div class="line">', "").replace("</div>", "")


def test_a_records_result_is_escaped_and_kept_apart_from_the_count():
    opened = Game(5)
    opened.open(GameRecord(size=5, result="<b>?</b>", moves=((BLACK, PASS), (WHITE, PASS))))
    assert view.status(opened) == "Counted by area, komi 0: 0. The record says <b>?</b>."
    assert "<b>" not in view.lines(view.status(opened))


def test_what_white_is_given_for_handicap_stones_is_said():
    counted = Game(9, handicap=4, komi=0.5)
    counted.count()
    counted.dead = set()
    guess = "The game is not over: a guess."
    assert (
        view.status(counted) == f"Counted by area, komi 0.5, 4 for handicap stones: B+76.5. {guess}"
    )
    counted.territory = True
    assert view.status(counted) == f"Counted by territory and prisoners, komi 0.5: B+76.5. {guess}"


def test_the_board_is_described_without_streamlit():
    code = "import sys, apps.go.view; sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=300).returncode == 0


def test_every_plane_has_a_name_and_a_meaning():
    texts = [view.plane(number) for number in range(48)]
    assert len(set(texts)) == 48
    assert "<b>stone colour 2 of 3</b>" in texts[1]
    assert "<b>ladder escape</b>" in texts[45]


def test_judgements():
    before = [(7, 0.5), (8, 0.3), (9, 0.2)]
    assert view.judgement((BLACK, 8), 3, before, 5) == (
        f"Move 3, Black D4: choice 2 of 3, 30.0{NBSP}%."
    )
    assert "no opinion of passes" in view.judgement((WHITE, PASS), 4, before, 5)
    assert "not legal" in view.judgement((BLACK, 1), 5, before, 5)


def test_a_reviews_tables():
    moves = [
        MoveReview(1, BLACK, 0, 1, 0.5, [(0, 0.5)]),
        MoveReview(2, WHITE, 1, 9, 0.125, [(2, 0.25)]),
        MoveReview(3, BLACK, PASS, None, None, [(3, 0.5)]),
    ]
    done = Review(GameRecord(size=5), "net", moves)
    black, white = view.rates(done)
    assert (black["moves"], black["match rate"]) == (1, f"100.0{NBSP}%")
    assert (white["moves"], white["match rate"]) == (1, f"0.0{NBSP}%")
    assert [row["surprise (bits)"] for row in view.surprises(done)] == [1, 3]
    worst, best = view.most_surprising(done)
    assert (worst["move"], worst["played"], worst["rank"]) == (2, "B5", 9)
    assert worst["first choice"] == f"C5, 25.0{NBSP}%"
    assert best["move"] == 1


def test_a_game_without_moves_has_no_rates():
    assert view.rates(Review(GameRecord(size=5), "net", [])) == []


def test_who_plays_and_what_was_captured():
    shown = view.players(game("A5", "A4", "E1", "B5", you=You.white))
    assert "<b>Black</b> · the network<small>captured 0</small>" in shown
    assert "<b>White</b> · you<small>captured 1 · komi 7.5</small>" in shown
    assert '<div class="black turn">' in shown


def test_about_a_record():
    record = GameRecord(size=9, black="A <b>", black_rank="9d", result="B+R", handicap=2)
    assert view.about(record) == "A <b> 9d – White, B+R, 0 moves, 2 handicap stones"
    assert view.about(GameRecord()) == "Black – White, 0 moves"
