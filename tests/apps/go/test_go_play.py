import errno
import io
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import fake_go
import pytest
import sgfmill.sgf
from fake_go import saved

GAME = "(;GM[1]FF[4]SZ[5];B[cc];W[db])"


class Done(SimpleNamespace):
    def shown(self, *parts):
        """All parts are on stdout, one after the other."""
        place = 0
        for part in parts:
            found = self.out.find(part, place)
            assert found >= 0, f"{part!r} is not there, or not in its order:\n{self.out}"
            place = found + len(part)
        return True


@pytest.fixture
def play(monkeypatch, capsys, tmp_path):
    """`receptive go play` in the folder `tmp_path`, with lines on stdin."""
    from apps import cli

    monkeypatch.setattr("domains.go.player.Policy", fake_go.Rows)
    monkeypatch.chdir(tmp_path)

    def run(*arguments, lines=(), size=5):
        sized = [] if "--load" in arguments else ["--size", str(size)]
        monkeypatch.setattr(sys, "argv", ["receptive", "go", "play", *sized, *map(str, arguments)])
        stdin = io.TextIOWrapper(io.BytesIO("".join(f"{line}\n" for line in lines).encode()))
        monkeypatch.setattr(sys, "stdin", stdin)
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        out, err = capsys.readouterr()
        return Done(code=code, out=out, err=err)

    return run


def test_a_move_is_answered_on_a_board_with_coordinates(play):
    done = play(lines=["c3"])
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith(
        """\
Black to play> c3
White (rows) plays A5.
    A B C D E
 5 (O). . . .  5
 4  . . . . .  4
 3  . . X . .  3
 2  . . . . .  2
 1  . . . . .  1
    A B C D E
Move 2; captured by Black 0, by White 0; komi 7.5

"""
    )


def test_a_newcomer_is_told_what_to_type(play):
    done = play(lines=["help"])
    assert done.shown("help for all commands", "Black to play> help", "pass", "undo", "quit")


def test_the_usual_board_is_19x19_with_star_points(play):
    done = play(size=19)
    row = "16  . . . + . . . . . + . . . . . + . . .  16"
    assert row in done.out.splitlines()
    assert "    A B C D E F G H J K L M N O P Q R S T" in done.out.splitlines()


def test_captures_are_counted(play):
    # White (the network) plays A5, B5, C5, D5 from the left; Black takes A5 and B5.
    done = play(lines=["a4", "b4", "c5"])
    assert done.shown("Move 6; captured by Black 2, by White 0")


@pytest.mark.parametrize(
    ("colour", "lines", "sentence"),
    [
        ("black", ["c3", "c3"], "C3 is occupied"),
        ("black", ["a5", "a5"], "A5 is occupied"),
        ("both", ["a4", "e1", "b5", "a5"], "A5 is suicide"),
        ("black", ["z9"], "'z9' is neither a point from A1 to E5 nor a command"),
        ("black", ["castle"], "'castle' is neither a point"),
        ("black", ["undo"], "there is no move of yours to take back"),
        ("black", ["save"], "save needs the name of a file"),
        ("black", ["save no/such/folder.sgf"], "no/such/folder.sgf: "),
        ("black", ["save a\0b"], r"no file can be called 'a\x00b'"),
        ("black", [f"save {'a' * 300}"], "aaa: "),
        ("black", ["save ~nobody-of-this-name/a"], "no file can be called"),
    ],
)
def test_what_cannot_be_is_explained_and_the_game_goes_on(play, colour, lines, sentence):
    done = play("--colour", colour, lines=[*lines, "pass"])
    assert (done.code, done.err) == (0, "")
    assert done.shown(sentence, "> pass")


def test_a_ko_is_explained(play):
    #   . X O .      Black C4 B3 C2, White D4 E3 D2; White C3, Black takes it by D3, and White
    #   X . . O      may not retake at once
    #   . X O .
    moves = ["c4", "d4", "b3", "e3", "c2", "d2", "a1", "c3", "d3", "c3"]
    done = play("--colour", "both", lines=moves)
    assert done.shown("captured by Black 1", "White to play> c3", "C3 is ko")


def test_garbage_is_answered_in_words(play):
    done = play(lines=["\x1b[2J", "x" * 1_000_000, "", "é", "quit"])
    assert done.code == 0 and "\x1b" not in done.out
    assert done.out.count("is neither a point") == 3


def test_bytes_that_are_no_text_are_answered_in_words():
    done = subprocess.run(
        [sys.executable, fake_go.__file__, "go", "play", "--size", "5"],
        env={**fake_go.ENVIRONMENT, "PYTHONIOENCODING": "utf-8:strict"},
        input=b"\xff\xfe\n\x00\nc3\n", capture_output=True, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"White (rows) plays A5" in done.stdout


def test_hints_are_the_first_five_and_sum_over_legal_moves(play):
    done = play("--colour", "both", lines=["a5", "hint"])
    # A5 is taken: 24 points of weights 24, 23, ... 1 are left, which sum to 300.
    assert done.shown(
        "White to play> hint", "(X)1 2 3 4",
        "1  B5     8.0 %", "2  C5     7.7 %", "3  D5     7.3 %", "4  E5     7.0 %",
        "5  A4     6.7 %", "first instinct, no reading; sums to 100 % over legal moves",
    )  # fmt: skip


def test_hints_before_each_move_on_request(play):
    assert play(lines=["c3"]).out.count("first instinct") == 0
    assert play("--hints", lines=["c3"]).out.count("first instinct") == 2


def test_undo_takes_the_networks_answer_back_too(play, tmp_path):
    play("--save", "a.sgf", lines=["c3", "d3", "undo", "e1"])
    assert saved(tmp_path / "a.sgf").moves == ["b C3", "w A5", "b E1", "w B5"]


def test_undo_takes_back_one_move_where_people_play_both(play, tmp_path):
    play("--colour", "both", "--save", "a.sgf", lines=["c3", "d3", "undo", "e1"])
    assert saved(tmp_path / "a.sgf").moves == ["b C3", "w E1"]


def test_two_passes_end_the_game_and_it_is_scored(play, tmp_path):
    # Black owns the left three columns and White the rest: 15 points to 10, komi 3.5: B+1.5.
    black, white = ("c1", "c2", "c3", "c4", "c5"), ("d1", "d2", "d3", "d4", "d5")
    walls = [move for pair in zip(black, white, strict=True) for move in pair]
    done = play(
        *("--colour", "both", "--komi", "3.5", "--save", "a.sgf"),
        lines=[*walls, "pass", "pass", "c1"],
    )
    assert done.shown("The game is over. B+1.5 by area, komi 3.5: an estimate", "dead stones")
    assert done.shown("game over> c1", "the game is over: undo, save FILE or quit")
    game = saved(tmp_path / "a.sgf")
    assert game.root.get("RE") == "B+1.5" and game.komi == 3.5
    assert game.moves[-2:] == ["b pass", "w pass"]


def test_dead_stones_are_named_in_the_score(play):
    black, white = ("c1", "c2", "c3", "c4", "c5"), ("d1", "d2", "d3", "d4", "d5")
    walls = [move for pair in zip(black, white, strict=True) for move in pair]
    done = play("--colour", "both", "--komi", "0", lines=[*walls, "e3", "a1", "score"])
    assert "B+5 by area, komi 0" in done.out.replace(".0", "")
    assert "A1" in done.out.splitlines()[-2] and "E3" in done.out.splitlines()[-2]


def test_an_ended_game_goes_on_after_undo(play, tmp_path):
    play("--colour", "both", "--save", "a.sgf", lines=["pass", "pass", "undo", "c3"])
    game = saved(tmp_path / "a.sgf")
    assert game.moves == ["b pass", "w C3"] and not game.root.has_property("RE")


def test_resigning_is_written_to_the_record(play, tmp_path):
    done = play("--save", "a.sgf", lines=["c3", "resign", "quit"])
    assert done.shown("White wins by resignation.")
    game = saved(tmp_path / "a.sgf")
    assert game.root.get("RE") == "W+R"
    assert (game.root.get("PB"), game.root.get("PW")) == ("human", "rows")


def test_a_resignation_can_be_taken_back(play, tmp_path):
    play("--save", "a.sgf", lines=["c3", "resign", "undo", "e1"])
    game = saved(tmp_path / "a.sgf")
    assert game.moves == ["b C3", "w A5", "b E1", "w B5"] and not game.root.has_property("RE")


def test_the_network_begins_where_you_are_white(play):
    done = play("--colour", "white", lines=["c3"])
    assert done.shown("Black (rows) plays A5.", "White to play> c3", "Black (rows) plays B5.")


def test_the_network_plays_alone_to_the_end(play, tmp_path):
    done = play("--colour", "none", "--save", "a.sgf")
    assert done.shown("Black (rows) plays A5.", "White (rows) plays B5.", "The game is over.")
    assert saved(tmp_path / "a.sgf").moves[-2:] == ["b pass", "w pass"] or saved(
        tmp_path / "a.sgf"
    ).moves[-2:] == ["w pass", "b pass"]


def test_a_handicap_is_on_the_board_and_white_begins(play, tmp_path):
    done = play("--handicap", "2", "--save", "a.sgf", size=9, lines=["e5"])
    assert done.shown("komi 0.5", "White (rows) plays A9.", "Black to play> e5")
    game = saved(tmp_path / "a.sgf")
    assert game.root.get("HA") == 2 and len(game.root.get("AB")) == 2
    assert game.moves[0] == "w A9"


def test_handicap_stones_are_paid_for(play):
    done = play("--handicap", "2", "--colour", "both", size=9, lines=["score"])
    assert done.shown("B+78.5 by area, komi 0.5, 2 for handicap stones: an estimate")


def test_no_file_is_written_over(play, tmp_path):
    old = tmp_path / "a.sgf"
    old.write_text(GAME)
    done = play("--save", "a.sgf", lines=["quit"])
    assert (done.code, done.out) == (1, "")
    assert "a.sgf: is there already and not this game's alone" in done.err
    done = play(lines=["c3", "save a.sgf", "save b.sgf", "e1", "save b.sgf"])
    assert done.shown("a.sgf: is there already", "Saved in b.sgf.", "Saved in b.sgf.")
    assert old.read_text() == GAME
    assert saved(tmp_path / "b.sgf").moves == ["b C3", "w A5", "b E1", "w B5"]


def test_a_loaded_game_is_kept_in_its_file_from_the_first_move_on(play, tmp_path):
    file = tmp_path / "a.sgf"
    file.write_text(GAME)
    assert play("--load", "a.sgf", "--save", "a.sgf", lines=["hint", "quit"]).code == 0
    assert file.read_text() == GAME
    play("--load", "a.sgf", "--save", f"{tmp_path}/../{tmp_path.name}/a.sgf", lines=["e1"])
    assert saved(file).moves == ["b C3", "w D4", "b E1", "w A5"]


def test_undone_moves_are_undone_in_the_file_too(play, tmp_path):
    (tmp_path / "a.sgf").write_text(GAME)
    play("--load", "a.sgf", "--save", "a.sgf", lines=["e1", "undo", "quit"])
    assert saved(tmp_path / "a.sgf").moves == ["b C3", "w D4"]


def test_folders_and_archives_are_not_played_on(play, tmp_path):
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("a.sgf", GAME)
    for name in ("one.zip", "."):
        done = play("--load", name, lines=["e1"])
        assert (done.code, done.out) == (1, "") and f"{name}: not an SGF file" in done.err


def test_a_file_of_more_than_the_game_is_not_written_over(play, tmp_path):
    file = tmp_path / "many.sgf"
    file.write_text(GAME * 2)
    before = file.read_bytes()
    done = play("--load", "many.sgf", "--save", "many.sgf", lines=["e1"])
    assert (done.code, done.out) == (1, "") and "not this game's alone" in done.err
    assert file.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_told_before_the_first_move(play, tmp_path, monkeypatch):
    def read_only(**_):
        raise OSError(errno.EROFS, "Read-only file system")

    (tmp_path / "a.sgf").write_text(GAME)
    monkeypatch.setattr("tempfile.TemporaryFile", read_only)
    done = play("--load", "a.sgf", "--save", "a.sgf", lines=["e1"])
    assert (done.code, done.out) == (1, "")
    assert done.err == "receptive: error: a.sgf: Read-only file system\n"


def test_a_saved_game_goes_on(play, tmp_path):
    play("--colour", "both", "--komi", "0.5", lines=["c3", "d3", "save a game.sgf"])
    done = play("--load", "a game.sgf", "--save", "b.sgf", lines=["e3"])
    assert done.shown("komi 0.5", "Move 2", "Black to play> e3")
    assert saved(tmp_path / "b.sgf").moves == ["b C3", "w D3", "b E3", "w A5"]


def test_facts_and_comments_of_a_loaded_game_are_kept(play, tmp_path):
    (tmp_path / "a.sgf").write_text(
        "(;GM[1]FF[4]SZ[5]PB[Ann]PW[Bob]RE[B+R]C[root];B[cc]C[one];W[dd]C[two])"
    )
    play("--load", "a.sgf", "--save", "same.sgf")
    same = sgfmill.sgf.Sgf_game.from_bytes((tmp_path / "same.sgf").read_bytes())
    assert same.get_root().get("RE") == "B+R"
    assert [node.get("C") for node in same.get_main_sequence()] == ["root", "one", "two"]
    play("--load", "a.sgf", "--colour", "both", "--save", "other.sgf", lines=["undo", "b2"])
    other = sgfmill.sgf.Sgf_game.from_bytes((tmp_path / "other.sgf").read_bytes())
    assert other.get_root().get("PB") == "Ann" and not other.get_root().has_property("RE")
    nodes = other.get_main_sequence()
    assert nodes[1].get("C") == "one" and not nodes[2].has_property("C")


def test_the_end_of_input_keeps_the_game(play, tmp_path):
    done = play("--save", "a.sgf", lines=["c3"])
    assert done.code == 0
    assert saved(tmp_path / "a.sgf").moves == ["b C3", "w A5"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.sgf"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--handicap", "1"], 1, "1 handicap stones on a 5x5 board"),
        (["--save", "no/such/a.sgf"], 1, "no/such/a.sgf: No such file or directory"),
        (["--save", "."], 1, "Is a directory"),
        (["--strength", "divine"], 1, "divine"),
        (["--load", "missing.sgf"], 1, "missing.sgf: no such file"),
        (["--load", "bad.sgf"], 1, "bad.sgf: no game"),
        (["--load", "illegal.sgf"], 1, "illegal.sgf: move 2: C3 is occupied"),
        (["--load", "huge.sgf"], 1, "rows takes no board of 3x3"),
        (["--load", "bad.sgf", "--handicap", "2"], 2, ""),
        (["--colour", "green"], 2, ""),
        (["--komi", "nan"], 2, ""),
    ],
)
def test_what_cannot_be_played_is_one_error(play, tmp_path, arguments, code, message):
    (tmp_path / "bad.sgf").write_text("nonsense")
    (tmp_path / "illegal.sgf").write_text("(;SZ[5];B[cc];W[cc])")
    (tmp_path / "huge.sgf").write_text("(;SZ[3];B[cc])")
    done = play(*arguments)
    assert (done.code, done.out) == (code, "")
    if code == 1:
        assert done.err.startswith("receptive: error: ") and done.err.count("\n") == 1
        assert message in done.err
