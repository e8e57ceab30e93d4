"""The Go page's game without a page, against a network that is a stand-in."""

from types import SimpleNamespace

import numpy as np
import pytest
from sgfmill import sgf as sgfmill

from apps.go.session import MOST_GAMES, MOST_INSTINCTS, Game, You, games
from core.errors import InputError
from domains.go import sgf
from domains.go.rules import BLACK, EMPTY, PASS
from domains.go.vertices import name, parse


class Network:
    """Plays what it is told to, else the first legal point; likes legal points the less the later
    they come. Counts how often it is asked for an opinion."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.asked = 0

    def moves(self, board, colour=None):
        self.asked += 1
        legal = np.flatnonzero(board.legal(colour)).tolist()
        weights = [1 / (1 + n) for n in range(len(legal))]
        return [(p, w / sum(weights)) for p, w in zip(legal, weights, strict=True)]

    def genmove(self, board, colour, komi, moves):
        self.komi = komi
        reply = self.replies.pop(0) if self.replies else moves[0][0]
        if reply == "resign":
            return SimpleNamespace(point=PASS, resign=True)
        point = parse(reply, board.size) if isinstance(reply, str) else reply
        return SimpleNamespace(point=point, resign=False)


def click(game, *vertices):
    for vertex in vertices:
        game.click(parse(vertex, game.record.size), game.turn)


def played(game):
    return [name(point, game.record.size) for _, point in game.record.moves]


def both(size=9, **more):
    return Game(size, you=You.both, **more)


def test_a_click_plays_and_the_network_answers():
    game = Game(9)
    click(game, "E5")
    assert game.network_to_move
    game.reply(Network("C3"))
    assert played(game) == ["E5", "C3"]
    assert not game.network_to_move
    assert game.yours_to_move


@pytest.mark.parametrize(
    ("you", "first", "second"),
    [("Black", False, True), ("White", True, False), ("Both", False, False),
     ("Neither", True, True)],
)  # fmt: skip
def test_the_network_moves_only_when_told_so(you, first, second):
    game = both()
    game.you = You(you)
    assert game.network_to_move is first
    game.you = You.both
    click(game, "E5")
    game.you = You(you)
    assert game.network_to_move is second


def test_the_network_does_not_move_out_of_turn():
    game = Game(9)
    game.reply(Network())
    assert not played(game)


def test_no_click_for_the_network():
    game = Game(9, you=You.white)
    click(game, "E5")
    assert not played(game)
    assert game.message == "It is Black's turn, whom the network plays."


def test_a_click_on_an_older_picture_does_nothing():
    game = both()
    turn = game.turn
    game.click(0, turn)
    game.click(1, turn)
    assert len(game.record.moves) == 1


@pytest.mark.parametrize("point", [-2, -1, 81, 10**9])
def test_a_click_off_the_board_does_nothing(point):
    game = both()
    game.click(point, game.turn)
    assert not game.record.moves


def test_a_taken_point_is_explained():
    game = both(5)
    click(game, "C3", "C3")
    assert played(game) == ["C3"]
    assert "C3 is occupied" in game.message


def test_suicide_is_explained():
    game = both(5)
    click(game, "A4", "E1", "B5")
    click(game, "A5")
    assert played(game) == ["A4", "E1", "B5"]
    assert "A5 is suicide" in game.message


def test_ko_is_explained_and_over_after_a_move_elsewhere():
    game = both(5)
    click(game, "B5", "C5", "A4", "D4", "B3", "C3", "E1", "B4", "C4")
    assert game.message == "Black captures a stone."
    click(game, "B4")
    assert "B4 is ko" in game.message
    click(game, "E5", "D1", "B4")
    assert played(game)[-1] == "B4"
    assert game.message == "White captures a stone."


def test_undo_takes_back_your_move_and_the_networks():
    game = Game(9)
    click(game, "E5")
    game.reply(Network("C3"))
    click(game, "G7")
    game.reply(Network("C7"))
    game.undo()
    assert played(game) == ["E5", "C3"]
    assert game.yours_to_move
    game.undo()
    assert not played(game)
    assert not game.can_undo


def test_undo_before_the_network_has_answered():
    game = Game(9)
    click(game, "E5")
    game.undo()
    assert not played(game)


def test_undo_leaves_the_networks_first_move():
    game = Game(9, you=You.white)
    game.reply(Network("E5"))
    assert not game.can_undo
    game.undo()
    assert played(game) == ["E5"]


def test_undo_brings_captured_stones_back():
    game = both(5)
    click(game, "A5", "A4", "E1", "B5")
    assert game.board.captured(BLACK) == 1
    game.undo()
    assert game.board.captured(BLACK) == 0
    assert game.board.stones[0, 0] == BLACK


def test_resigning_is_in_the_record_and_can_be_undone():
    game = Game(9)
    click(game, "E5")
    game.reply(Network("C3"))
    game.resign()
    assert game.over
    assert not game.network_to_move
    assert sgfmill.Sgf_game.from_bytes(sgf.write(game.saved("net"))).get_winner() == "w"
    click(game, "G7")
    assert played(game) == ["E5", "C3"]
    assert game.message.startswith("The game is over.")
    game.undo()
    assert played(game) == ["E5", "C3"]
    assert game.yours_to_move


def test_you_resign_even_on_the_networks_turn():
    game = Game(9)
    click(game, "E5")
    game.resign()
    assert game.result == "W+R"


def test_a_resignation_before_the_first_move_can_be_undone():
    game = Game(9)
    game.resign()
    assert game.over
    game.undo()
    assert game.yours_to_move


def test_the_network_may_resign():
    game = Game(9)
    click(game, "E5")
    game.reply(Network("resign"))
    assert game.result == "B+R"


def test_two_passes_end_the_game_and_count_it():
    game = both(5, komi=0.5)
    for column in "ABCDE":
        click(game, f"{column}2", f"{column}4")
    click(game, "E1", "B1")
    game.pass_()
    game.pass_()
    assert game.over
    assert not game.yours_to_move
    game.dead = set()
    assert game.result == "W+5.5"  # B1 lives: 5 + 1 black stones, 10 + 1 white ones
    click(game, "B1")
    assert game.result == "W+0.5"
    assert game.saved("net").result == "W+0.5"
    click(game, "B1", "C3")
    assert game.result == "W+5.5"
    game.territory = True
    click(game, "B1")
    assert game.score == (4 + 1) - 5 - 0.5  # four points and a prisoner; five points


def test_a_whole_chain_is_marked_dead():
    game = both(5)
    click(game, "A1", "E5", "B1", "D5")
    game.count()
    game.dead = set()
    click(game, "A1")
    assert {name(point, 5) for point in game.dead} == {"A1", "B1"}
    click(game, "B1")
    assert not game.dead


def test_undo_after_the_passes_goes_on():
    game = both()
    click(game, "E5")
    game.pass_()
    game.pass_()
    game.undo()
    assert game.dead is None
    assert game.result == ""
    click(game, "C3")
    assert played(game) == ["E5", "pass", "C3"]


def test_handicap_stones_lie_there_and_white_begins():
    game = Game(9, handicap=2, you=You.black)
    assert (game.board.stones == BLACK).sum() == 2
    assert game.network_to_move
    game.reply(Network("E5"))
    written = sgfmill.Sgf_game.from_bytes(sgf.write(game.saved("net")))
    assert written.get_handicap() == 2
    assert len(written.get_root().get_setup_stones()[0]) == 2


def test_handicap_stones_are_paid_for_by_area_and_not_by_territory():
    network = Network("E5")
    game = Game(9, handicap=4, komi=0.5, you=You.black)
    game.reply(network)
    assert network.komi == 4.5
    game.count()
    game.dead = {parse("E5", 9)}
    assert game.result == "B+76.5"  # 81 points, komi 0.5, 4 stones
    game.territory = True
    assert game.score == (81 - 4 + 1) - 0.5  # 77 empty points and a prisoner


def test_stepping_shows_earlier_positions_and_plays_nothing():
    game = Game(9)
    click(game, "E5")
    game.reply(Network("C3"))
    game.go_to(1)
    assert (game.board.stones != EMPTY).sum() == 1
    assert not game.network_to_move
    click(game, "G7")
    assert game.message.startswith("This is move 1 of 2.")
    game.go_to(-5)
    assert game.cursor == 0
    game.go_to(99)
    assert game.at_end


def test_play_from_here_drops_what_came_later():
    game = both()
    click(game, "E5", "C3", "G7")
    game.resign()
    game.go_to(1)
    game.take_up()
    click(game, "C7")
    assert played(game) == ["E5", "C7"]
    assert game.result == ""


def test_an_opened_record_is_left_to_you():
    record = games(b"(;SZ[9]PB[Ann]PW[Bob]KM[6.5]RU[Japanese]RE[B+3];B[ee];W[cc];B[])", "a.sgf")[0]
    game = Game()
    game.open(record[0])
    assert game.you is You.both
    assert not game.network_to_move
    assert game.territory
    saved = game.saved("net")
    assert (saved.black, saved.white, saved.result) == ("Ann", "Bob", "B+3")


def test_a_record_with_an_illegal_move_is_cut_there():
    game = Game()
    game.open(games(b"(;SZ[9];B[ee];W[ee];B[aa])", "a.sgf")[0][0])
    assert played(game) == ["E5"]
    assert "read up to move 1" in game.message


def test_saved_and_opened_again():
    game = Game(13, komi=0.5, handicap=3, you=You.white)
    click(game, "G7")
    game.reply(Network("C3"))
    game.pass_()
    again = Game()
    again.open(games(sgf.write(game.saved("net")), "a.sgf")[0][0])
    assert again.record.moves == game.record.moves
    assert str(again.board) == str(game.board)
    assert again.komi == 0.5
    assert (again.record.black, again.record.white) == ("net", "You")


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"(;", b"(;SZ[99])", b"(;GM[2])", b"\xff\xfe\x00", b"(;B[" * 5000]
)
def test_a_broken_record_is_one_sentence(data):
    with pytest.raises(InputError) as caught:
        games(data, "a.sgf")
    assert str(caught.value).startswith("a.sgf")
    assert "\n" not in str(caught.value)


def test_only_so_many_games_are_read():
    good, bad = games(b"(;SZ[9];B[ee])" * (MOST_GAMES + 5), "a.sgf")
    assert len(good) == MOST_GAMES
    assert not bad


def test_setup_that_cannot_be():
    record = games(b"(;SZ[9]AB[aa]AW[ab][ba])", "a.sgf")[0][0]
    with pytest.raises(InputError):
        Game().open(record)


def test_the_network_is_asked_once_a_position():
    game, network = both(), Network()
    first = game.instinct(network)
    assert game.instinct(network) is first
    click(game, "E5")
    assert game.instinct(network, 0) is first
    assert network.asked == 1
    assert parse("E5", 9) not in dict(game.instinct(network))
    game.undo()
    click(game, "A9")
    assert parse("E5", 9) in dict(game.instinct(network))


def test_the_network_is_not_asked_again_for_what_it_plays():
    game, network = Game(9), Network()
    click(game, "E5")
    game.reply(network)
    assert played(game) == ["E5", "A9"]
    game.instinct(network, 1)
    assert network.asked == 1


def test_the_network_plays_its_own_colour_where_the_record_went_on_with_the_other():
    game, network = both(), Network()
    game.open(games(b"(;SZ[9]AB[ba][ab];B[ee];B[gg])", "a.sgf")[0][0])
    game.instinct(network, 1)  # for Black: A9, which would be suicide for White
    game.undo()
    game.you = You.black
    game.reply(network)
    assert played(game)[1:] == ["C9"]


def test_a_long_game_is_no_heavier():
    game, network = both(), Network()
    for number in range(50):
        game.instinct(network)
        game.click(number, game.turn)
    assert len(game.instincts) == MOST_INSTINCTS


def test_which_moves_are_judged():
    game = Game(9)
    assert game.to_judge() == []
    click(game, "E5")
    assert game.to_judge() == [1]
    game.reply(Network("C3"))
    assert game.to_judge() == [1, 2]
    game.go_to(1)
    assert game.to_judge() == [1]
