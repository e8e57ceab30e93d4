import io

import pytest
from stub_policy import StubPolicy

from domains.go.gtp import answer, parse, serve
from domains.go.gtp_commands import Engine
from domains.go.player import GoPlayer
from domains.go.sgf import board_at
from domains.go.sgf import parse as parse_sgf


def session(*lines, likes=None):
    """What a session says to these lines, in one string."""
    out = io.StringIO()
    engine = Engine(GoPlayer(StubPolicy(likes)), "1.2")
    serve(engine.commands, [f"{line}\n".encode() for line in lines], out)
    return out.getvalue()


def last(*lines, likes=None):
    """The last answer of a session: text, and whether it is a failure."""
    said = session(*lines, likes=likes).removesuffix("\n\n").split("\n\n")[-1]
    return said[1:].strip(), said.startswith("?")


def test_answers_are_framed_with_the_id_and_end_in_an_empty_line():
    assert session("protocol_version") == "= 2\n\n"
    assert session("17 protocol_version") == "=17 2\n\n"
    assert session("clear_board", "3 clear_board") == "=\n\n=3\n\n"
    assert session("4 nonsense") == "?4 unknown command\n\n"
    assert session("nonsense") == "? unknown command\n\n"
    assert session("5") == "?5 unknown command\n\n"


def test_comments_blanks_tabs_and_control_characters():
    said = session("# a comment", "", "  \t ", "7\tname # whose", "\x01na\x02me\r", "8 version#")
    assert said == "=7 receptive\n\n= receptive\n\n=8 1.2\n\n"


def test_no_answer_has_an_empty_line_or_a_control_character_in_it():
    assert answer("", "a\n\n\nb\n\x1b[31m\u2028c\n") == "= a\nb\n?[31m?c\n\n"


def test_quit_answers_and_ends_the_session():
    assert session("1 quit", "2 name") == "=1\n\n"
    assert session("1 quit now", "2 name") == "?1 syntax error: quit\n\n=2 receptive\n\n"


def test_a_line_without_an_end_is_the_last_one():
    out = io.StringIO()
    serve({}, [b"1 protocol_ver"], out)
    assert out.getvalue() == "?1 unknown command\n\n"


def test_a_line_of_a_megabyte_is_answered_in_short():
    for line in ("x" * 10**6, "1 play b " + "q" * 10**6, "1 boardsize " + "9" * 10**6):
        text, failed = last(line)
        assert failed
        assert len(text) < 100
    assert last("gogui-play_sequence" + " b" * 500_000)[1]


def test_parse_takes_the_id_only_if_it_is_a_number_of_its_own():
    assert parse("12 play b q4") == ("12", "play", ["b", "q4"])
    assert parse("12x play") == ("", "12x", ["play"])
    assert parse("12345678901 name").id == ""
    assert parse("   # nothing") is None


def test_every_listed_command_is_known_and_answers():
    listed = last("list_commands")[0].split("\n")
    required = """
        protocol_version name version known_command list_commands quit boardsize clear_board komi
        play genmove undo gg-undo showboard fixed_handicap place_free_handicap set_free_handicap
        final_score final_status_list loadsgf printsgf reg_genmove time_settings time_left
        gogui-analyze_commands gogui-play_sequence kata-raw-nn lz-analyze kata-analyze analyze
        policy planes player
    """
    assert set(required.split()) <= set(listed)
    for command in listed:
        assert last(f"known_command {command}") == ("true", False)
        assert last(command)[0] != "unknown command"
    assert last("known_command nonsense") == ("false", False)
    assert last("known_command") == ("false", False)


def test_a_wrong_number_of_arguments_is_a_syntax_error():
    assert last("play b") == ("syntax error: play COLOUR VERTEX", True)
    assert last("komi 1 2") == ("syntax error: komi KOMI", True)
    assert last("undo 1 2") == ("syntax error: undo [MOVES]", True)


def test_board_sizes():
    for size, fails in {"2": 0, "9": 0, "25": 0, "1": 1, "26": 1, "20": 1, "-9": 1, "x": 1}.items():
        assert last(f"boardsize {size}")[1] == fails
    assert last("boardsize 26") == ("unacceptable size", True)
    assert last("play b q4", "boardsize 9", "undo") == ("cannot undo", True)


@pytest.mark.parametrize("komi", ["nan", "inf", "-inf", "x", "", "1e999"])
def test_a_komi_is_a_number(komi):
    assert last(f"komi {komi}")[1]


def test_illegal_moves_are_refused_and_change_nothing():
    before = last("boardsize 9", "play b e5", "showboard")
    for move in ("b e5", "w e5", "b k1", "b i5", "b a10", "b a0", "x a1", "b", "b resign"):
        assert last("boardsize 9", "play b e5", f"play {move}")[1]
        assert last("boardsize 9", "play b e5", f"play {move}", "showboard") == before
    assert last("boardsize 9", "play b e5", "play w e5") == ("illegal move", True)
    assert last("play BLACK pass") == last("play w PASS") == ("", False)


def test_showboard_draws_the_board():
    assert last("boardsize 3", "play b a3", "play w b3", "play b c1", "showboard")[0] == (
        "A B C\n 3 X O . 3\n 2 . . . 2\n 1 . . X 1\n   A B C\n"
        "white to play; captured black stones 0, white stones 0"
    )
    taken = last("boardsize 3", "play w a3", "play b b3", "play b a2", "showboard")[0]
    assert " 3 . X . 3\n 2 X . . 2\n" in taken
    assert taken.endswith("captured black stones 0, white stones 1")


def test_genmove_plays_and_reg_genmove_does_not():
    likes = {0: 1}
    assert last("boardsize 9", "reg_genmove b", "genmove w", likes=likes) == ("A9", False)
    assert last("boardsize 9", "genmove b", "play w a9", likes=likes)[1]
    assert not last("boardsize 9", "reg_genmove b", "play w a9", likes=likes)[1]


def test_undo():
    assert last("undo") == ("cannot undo", True)
    assert last("play b a1", "gg-undo 2") == ("cannot undo", True)
    empty = last("boardsize 9", "showboard")
    assert last("boardsize 9", "play b a1", "play w a2", "gg-undo 2", "showboard") == empty
    assert last("boardsize 9", "play b a1", "undo", "showboard") == empty


def test_white_is_compensated_for_handicap_stones_as_by_gnu_gos_chinese_rules():
    given = ["boardsize 9", "komi 0.5", "fixed_handicap 5"]
    assert last(*given, "final_score") == ("B+75.5", False)  # 81 points, komi, five stones
    assert last("boardsize 9", "komi 0.5", "play b e5", "final_score") == ("B+80.5", False)


def test_handicaps():
    assert last("fixed_handicap 2") == ("D4 Q16", False)
    assert last("boardsize 9", "fixed_handicap 5") == ("C3 G7 C7 G3 E5", False)
    assert last("fixed_handicap 10")[1]
    assert last("play b a1", "fixed_handicap 2") == ("board not empty", True)
    assert len(last("place_free_handicap 11")[0].split()) == 11
    assert last("set_free_handicap a1 b2", "showboard")[0].endswith(
        "white to play; captured black stones 0, white stones 0"
    )
    for bad in ("a1", "a1 a1", "a1 pass", "a1 z9", ""):
        assert last(f"set_free_handicap {bad}")[1]


CORNERS = ["boardsize 5", "komi 0.5", "gogui-play_sequence b c1 b c2 b c3 b c4 b c5 w d1 w d2 w d3"]


def test_scores_and_who_is_alive():
    whole = [*CORNERS, "gogui-play_sequence w d4 w d5 b b3 w e3"]
    assert last(*whole, "final_score") == ("B+4.5", False)
    assert last(*whole, "komi 7", "final_score") == ("W+2", False)
    assert last(*whole, "final_status_list dead") == ("", False)
    alive = last(*whole, "final_status_list alive")[0].split("\n")
    assert sorted(len(chain.split()) for chain in alive) == [6, 6]
    invaded = [*whole, "play w a1"]
    assert last(*invaded, "final_status_list dead") == ("A1", False)
    assert last(*invaded, "final_score") == ("B+4.5", False)
    assert last(*invaded, "final_status_list seki") == ("", False)
    assert last("final_status_list sick")[1]


def test_a_sequence_is_played_whole_or_not_at_all():
    start = last("boardsize 5", "showboard")
    bad = "gogui-play_sequence b a1 w a1"
    assert last("boardsize 5", bad) == ("illegal move", True)
    assert last("boardsize 5", bad, "showboard") == start
    assert last("boardsize 5", "gogui-play_sequence b")[1]


def test_games_are_saved_and_loaded(tmp_path):
    file = tmp_path / "game.sgf"
    moves = ["boardsize 9", "komi 6.5", "set_free_handicap c3 g7", "play w e5", "play b pass"]
    printed = last(*moves, "printsgf")[0]
    record = next(parse_sgf(printed.encode()))
    assert (record.size, record.komi, record.handicap) == (9, 6.5, 2)
    assert board_at(record).moves == [(-1, 40), (1, -1)]
    board = last(*moves, f"printsgf {file}", "showboard")[0]
    assert file.read_text().strip() == printed
    assert last(f"loadsgf {file}", "showboard")[0] == board
    assert last(f"loadsgf {file}", "printsgf")[0] == printed
    before = last(*moves[:3], "showboard")[0]
    assert last(f"loadsgf {file} 1", "showboard")[0] == before
    assert last(f"loadsgf {file} 99", "showboard")[0] == board


def test_a_file_that_is_no_game_changes_nothing(tmp_path):
    broken, odd = tmp_path / "broken.sgf", tmp_path / "odd.sgf"
    broken.write_text("(;SZ[9];B[aa]")
    odd.write_text("(;SZ[20];B[aa])")
    played = last("play b q4", "printsgf")
    for file in (tmp_path, tmp_path / "none.sgf", broken, odd):
        text, failed = last("play b q4", f"loadsgf {file}")
        assert failed
        assert text.startswith("cannot load file")
        assert last("play b q4", f"loadsgf {file}", "printsgf") == played
    assert last(f"printsgf {tmp_path}/no/such/folder/x.sgf") == ("cannot write file", True)


def test_time_commands_take_numbers():
    assert last("time_settings 600 30 5") == last("time_left b 590 0") == ("", False)
    for bad in (
        "time_settings 600 30",
        "time_settings a b c",
        "time_left b x 0",
        "time_left z 1 0",
    ):
        assert last(bad)[1]


def test_the_player_has_parameters():
    assert last("player")[0].split("\n") == [
        "[list/full/relaxed/casual/careless] strength full",
        "[bool] resign 0",
    ]
    changed = last("player strength casual", "player resign 1", "player")[0]
    assert changed.split("\n")[0].endswith("strength casual")
    assert changed.endswith("resign 1")
    for bad in ("strength 9d", "resign 2", "resign", "nonsense 1"):
        assert last(f"player {bad}")[1]
