"""The Go page without a browser, on a stand-in for the network."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit
from sgfmill import sgf as sgfmill
from streamlit.testing.v1 import AppTest

import apps
from core.errors import InputError
from domains.go.policy import Policy
from domains.go.vertices import name, parse

HOME = f"{apps.__path__[0]}/home.py"
HOSTILE = "<script>alert(1)</script> <b>bold</b> $x^2$ :smile: **x**"
RECORD = f"(;SZ[9]KM[6.5]PB[{HOSTILE}]PW[Bob]RE[W+R];B[ee]C[{HOSTILE}];W[cc];B[gg])".encode()


class StandIn:
    """Likes each point half as much as the one before it, from A1 on."""

    def __init__(self, card):
        self.card = card

    def size_ok(self, size):
        return size in (9, 13, 19)

    def probabilities(self, board, colour=None, symmetries=8):
        row_by_row = np.arange(board.size**2).reshape(board.size, -1)[::-1].ravel()
        weights = 0.5**row_by_row
        return (weights / weights.sum()).astype(np.float32)


@pytest.fixture(autouse=True)
def loaded(monkeypatch, tmp_path):
    """Puts a stand-in in the network's place; gives the names it was loaded by."""
    streamlit.cache_resource.clear()
    card = SimpleNamespace(
        name="go-policy", path=tmp_path / "go-policy.toml", metrics={"test": {"top1": 0.51}}
    )
    card.path.write_text("first")
    names = []

    def load(name):
        names.append(name)
        return StandIn(card)

    monkeypatch.setattr("core.weights.find", lambda name, *folders: card)
    monkeypatch.setattr(Policy, "load", load)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    return names


@pytest.fixture
def downloads(monkeypatch):
    """What each download button hands out, by its label."""
    found = {}
    monkeypatch.setattr(
        streamlit, "download_button", lambda label, data, **_: found.update({label: data()})
    )
    return found


@pytest.fixture
def page():
    page = AppTest.from_file(HOME, default_timeout=60).run()
    page.switch_page("pages/go.py").run()
    page.session_state["game"].start(9)
    return page.run()


def play(page, *vertices):
    for vertex in vertices:
        game = page.session_state["game"]
        game.click(parse(vertex, game.record.size), game.turn)
        page.run()


def press(page, label):
    return next(button for button in page.button if button.label == label).click().run()


def choose(page, label, option):
    control = next(c for c in page.get("button_group") if c.label == label)
    return control.set_value(option).run()


def uploaded(page, data, name="game.sgf"):
    return page.file_uploader[0].set_value((name, data, "application/x-go-sgf")).run()


def played(page):
    record = page.session_state["game"].record
    return [name(point, record.size) for _, point in record.moves]


def board(page):
    return json.loads(page.get("bidi_component")[0].proto.json)


def html(page):
    bodies = (element.proto.body for element in page.get("html"))
    return "".join(body for body in bodies if not body.startswith("<style>"))


def texts(page):
    return [text.value for text in page.text]


def marked_up(page):
    """Whatever on the page is read as Markdown or HTML."""
    kinds = (*page.markdown, *page.caption, *page.info, *page.warning, *page.error)
    return " ".join([html(page), *(element.value for element in kinds)])


def test_opens_on_an_empty_board(page):
    assert not page.exception
    picture = board(page)
    assert picture["stones"] == "." * 81
    assert all(picture["playable"])
    assert picture["labels"][0] == "A9, empty"
    assert "first instinct, no reading; sums to 100 % over legal moves" in html(page)
    assert "Black to play: you." in html(page)
    assert "Answered by <b>go-policy</b>: test top-1 51.0" in html(page)
    assert "No move yet" in page.caption[0].value


def test_the_network_answers(page):
    play(page, "E5")
    assert not page.exception
    assert played(page) == ["E5", "A1"]
    assert "A1, white stone, last move" in board(page)["labels"]
    assert "Move 1, Black E5: choice 41 of 81" in html(page)
    assert "Move 2, White A1: choice 1 of 80, 50.0" in html(page)


def test_hints_are_the_first_choices(page):
    hints = board(page)["hints"]
    assert [name(hint["point"], 9) for hint in hints] == ["A1", "B1", "C1", "D1", "E1"]
    assert [hint["text"] for hint in hints] == ["50", "25", "12", "6.2", "3.1"]
    page.slider[0].set_value(10).run()
    assert len(board(page)["hints"]) == 10
    assert (page.slider[0].min, page.slider[0].max) == (3, 10)


def test_no_hints_tell_nothing(page):
    choose(page, "On the board", "No hints")
    play(page, "E5")
    assert not board(page)["hints"]
    assert "choice" not in html(page) + " ".join(board(page)["labels"])
    assert "instinct" not in html(page)


def test_planes_are_shown_one_at_a_time(page):
    play(page, "E5")
    choose(page, "On the board", "Input planes")
    own = board(page)["plane"]
    assert [name(point, 9) for point, value in enumerate(own) if value] == ["E5"]
    assert "<b>stone colour 1 of 3</b>" in html(page)
    page.slider[0].set_value(4).run()
    assert all(board(page)["plane"])
    assert "<b>ones</b>" in html(page)
    page.slider[0].set_value(48).run()
    assert not any(board(page)["plane"])


def test_the_side_you_play(page):
    choose(page, "You play", "White")
    assert played(page) == ["A1"]
    choose(page, "You play", "Both")
    play(page, "E5", "C3")
    assert played(page) == ["A1", "E5", "C3"]


def test_the_network_plays_both_sides_to_the_end(page, monkeypatch):
    from domains.go.player import GoPlayer, Move

    moves = iter([40, 41, -1, -1])
    monkeypatch.setattr(GoPlayer, "genmove", lambda *_, **__: Move(next(moves)))
    choose(page, "You play", "Neither")
    assert not page.exception
    assert played(page) == ["E5", "F5", "pass", "pass"]
    assert "Counted by area" in html(page)


def test_illegal_moves_are_explained(page):
    play(page, "E5", "E5")
    assert "E5 is occupied" in html(page)


def test_undo_and_resign(page, downloads):
    play(page, "E5")
    press(page, "Undo")
    assert played(page) == []
    play(page, "C3")
    press(page, "Resign")
    assert "The game is over: W+R." in html(page)
    assert sgfmill.Sgf_game.from_bytes(downloads["Save SGF"]).get_winner() == "w"


def test_passes_and_counting_with_dead_stones(page, downloads):
    choose(page, "You play", "Both")
    play(page, "E5", "A1")
    press(page, "Pass")
    press(page, "Pass")
    assert not page.exception
    game = page.session_state["game"]
    if parse("A1", 9) not in game.dead:
        play(page, "A1")
    assert "A1, white stone, dead" in board(page)["labels"]
    assert "Counted by area, komi 7.5: B+73.5." in html(page)
    choose(page, "Count by", True)
    assert "Counted by territory and prisoners, komi 7.5: B+73.5." in html(page)
    assert b"RE[B+73.5]" in downloads["Save SGF"]


def test_a_new_game_with_handicap(page):
    choose(page, "Board", 13)
    handicap = next(box for box in page.selectbox if box.label == "Handicap")
    handicap.select(4).run()
    assert page.number_input[0].value == 0.5
    choose(page, "You play", "White")
    press(page, "Start")
    assert board(page)["stones"].count("X") == 4
    assert board(page)["ghost"] == "white"


def test_a_record_is_opened_and_stepped_through(page):
    uploaded(page, RECORD)
    assert not page.exception
    assert played(page) == ["E5", "C7", "G3"]
    press(page, "First")
    assert board(page)["stones"].count(".") == 81
    press(page, "Next")
    assert HOSTILE in texts(page)
    assert any(text.startswith(HOSTILE) for text in texts(page))
    for piece in ("script", "bold", "$x", ":smile:", "**x**"):
        assert piece not in marked_up(page)
    press(page, "Play from here")
    assert played(page) == ["E5"]


def test_first_and_last_reach_the_ends_of_any_record(page):
    uploaded(page, b"(;SZ[9]" + b";B[];W[]" * 700 + b";B[ee])")
    press(page, "First")
    assert page.session_state["game"].cursor == 0
    press(page, "Last")
    assert page.session_state["game"].cursor == 1401
    assert "E5, black stone, last move" in board(page)["labels"]


def test_a_sample_and_its_review_are_a_click_each(page):
    press(page, "Open a sample game")
    assert len(played(page)) == 325
    assert texts(page)[-1].startswith("Honinbo Shusaku 4d – Inoue Gennan Inseki 8d, 1846")
    press(page, "Review this game")
    assert not page.exception
    assert [table.value.shape[0] for table in page.dataframe] == [2, 10]


def test_the_samples_result_is_what_is_counted(page):
    press(page, "Open a sample game")
    press(page, "Count")
    counted = "Counted by territory and prisoners, komi 0: B+2. The record says B+2."
    assert counted in html(page)


def test_a_file_with_several_games(page):
    uploaded(page, RECORD + b"(;SZ[13];B[aa])(;SZ[9];B[")
    chooser = next(box for box in page.selectbox if box.label == "The file has 2 games")
    assert played(page) == ["E5", "C7", "G3"]
    chooser.select_index(1).run()
    assert played(page) == ["A13"]
    assert page.warning[0].value == "Games that can't be read: 1"


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"(;B[", b"\x00" * 1000, b"(;SZ[9]AB[aa]AW[ab][ba])"]
)
def test_a_broken_record_is_a_sentence(page, data):
    play(page, "E5")
    uploaded(page, data)
    assert not page.exception
    assert page.error[0].value == "This file can't be read as a game record."
    assert played(page) == ["E5", "A1"]


def test_a_record_on_a_board_that_the_network_does_not_know(page):
    uploaded(page, b"(;SZ[7];B[cc])")
    assert not page.exception
    assert "doesn't play on 7 × 7" in page.info[0].value
    play(page, "A1")
    assert played(page) == ["C5", "A1"]


def test_a_review(page, downloads):
    uploaded(page, b"(;SZ[9];B[ai];W[ee];B[bi])")
    press(page, "Review this game")
    assert not page.exception
    rates, surprising = (table.value for table in page.dataframe)
    assert [rate.split("\N{NO-BREAK SPACE}")[0] for rate in rates["match rate"]] == ["100.0", "0.0"]
    assert surprising["played"][0] == "E5"
    assert page.get("vega_lite_chart")
    comment = sgfmill.Sgf_game.from_bytes(downloads["Save SGF with comments"])
    assert "choice 1" in comment.get_main_sequence()[1].get("C")
    press(page, "Undo")
    assert not page.get("vega_lite_chart")


def test_the_game_outlives_a_visit_elsewhere(page):
    play(page, "E5")
    choose(page, "On the board", "No hints")
    page.switch_page("pages/text.py").run()
    page.switch_page("pages/go.py").run()
    assert played(page) == ["E5", "A1"]
    assert not board(page)["hints"]


def test_two_sessions_share_no_game(page):
    play(page, "E5")
    other = AppTest.from_file(HOME, default_timeout=60).run()
    other.switch_page("pages/go.py").run()
    assert played(other) == []


def test_one_visitors_strength_is_not_anothers(page, monkeypatch):
    from domains.go.player import GoPlayer, Move

    strengths = []

    def genmove(player, game, *_, **__):
        strengths.append(player.strength.name)
        return Move(int(game.legal().nonzero()[0][0]))

    monkeypatch.setattr(GoPlayer, "genmove", genmove)
    next(box for box in page.selectbox if box.label == "Network's strength").select("careless")
    play(page, "E5")
    other = AppTest.from_file(HOME, default_timeout=60).run()
    other.switch_page("pages/go.py").run()
    play(other, "E5")
    play(page, "C3")
    assert strengths == ["careless", "full", "careless"]


def test_the_network_is_loaded_once(page, loaded):
    play(page, "E5", "C3")
    assert loaded == ["go-policy"]


def test_without_a_network_people_play_each_other(monkeypatch):
    def missing(name, *folders):
        raise InputError(f"no model called {name!r}")

    monkeypatch.setattr("core.weights.find", missing)
    page = AppTest.from_file(HOME, default_timeout=60).run()
    page.switch_page("pages/go.py").run()
    assert not page.exception
    assert "can't be loaded" in page.error[0].value
    assert texts(page)[0] == "no model called 'go-policy'"
    play(page, "Q16", "D4")
    assert played(page) == ["Q16", "D4"]
