import json
from pathlib import Path

import fake_go
import pytest
import sgfmill.sgf

FAKE = Path(__file__).parent / "fake_go.py"
GAME = "(;GM[1]FF[4]SZ[5]PB[Ann]PW[Bob]RE[W+R];B[aa];W[ba];B[cc];W[])"


@pytest.fixture
def review(command, monkeypatch, tmp_path):
    """`receptive go review` in the folder `tmp_path`, where a.sgf is GAME."""
    monkeypatch.setattr("domains.go.policy.Policy", fake_go.Rows)
    monkeypatch.setattr(fake_go.Rows, "asked", [])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.sgf").write_text(GAME)
    return lambda *arguments: command("go", "review", *arguments)


def one_error(done, message):
    return done.err.count("\n") == 1 and done.err.startswith(f"receptive: error: {message}")


def test_the_report_has_both_players_and_a_line_a_move(review):
    done = review("a.sgf")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "a.sgf: Ann (black) – Bob (white), 5x5 W+R"
    assert lines[1].startswith("Black: 50.0 % of 2 moves were the network's first choice")
    assert lines[2].startswith("White: 100.0 % of 1 move was the network's first choice")
    table = [line.split() for line in lines[5:] if line]
    # Of the weights 25, 24, ... 1, whose sum is 325, A5 has 25; then B5 has 24 of 300.
    assert table[0][:8] == ["1", "black", "A5", "1", "7.69", "3.7", "A5", "7.7"]
    assert table[1][:6] == ["2", "white", "B5", "1", "8.00", "3.6"]
    assert table[2][:4] == ["3", "black", "C3", "11"]
    assert table[3][:4] == ["4", "white", "pass", "C5"]


def test_jsonl_has_a_row_a_move_and_a_row_a_player(review):
    rows = [json.loads(line) for line in review("a.sgf", "--format", "jsonl").out.splitlines()]
    moves, players = rows[:4], rows[4:]
    assert [(row["vertex"], row["rank"]) for row in moves] == [
        *(("A5", 1), ("B5", 1), ("C3", 11), ("pass", None)),
    ]
    assert moves[1]["probability"] == pytest.approx(24 / 300, abs=1e-6)
    assert [choice["vertex"] for choice in moves[2]["top"]] == ["C5", "D5", "E5", "A4", "B4"]
    assert [(row["player"], row["name"], row["match_rate"]) for row in players] == [
        *(("black", "Ann", 0.5), ("white", "Bob", 1.0)),
    ]


def test_the_sgf_has_a_comment_on_each_move(review, tmp_path):
    assert review("a.sgf", "--sgf", "out.sgf").code == 0
    root, *moves = sgfmill.sgf.Sgf_game.from_bytes(
        (tmp_path / "out.sgf").read_bytes()
    ).get_main_sequence()
    assert "Black: 50.0 % of 2 moves" in root.get("C")
    assert [node.get("C").split(",")[0] for node in moves] == [
        *("A5: choice 1", "B5: choice 1", "C3: choice 11", "First choices: C5 8.7 %"),
    ]


def test_all_games_of_all_files_are_reviewed(review, tmp_path):
    (tmp_path / "two.sgf").write_text(f"{GAME}\n{GAME.replace('Ann', 'Cay')}")
    done = review("two.sgf", "a.sgf", "--sgf", "out.sgf")
    titles = [line for line in done.out.splitlines() if "(black)" in line]
    assert [title.split(" (")[0] for title in titles] == [
        *("two.sgf#1: Ann", "two.sgf#2: Cay", "a.sgf: Ann"),
    ]
    assert (tmp_path / "out.sgf").read_text().count("PB[") == 3
    assert review("out.sgf").out.count("(black)") == 3


def test_a_bad_game_is_named_and_the_good_ones_are_answered(review, tmp_path):
    (tmp_path / "two.sgf").write_text(f"(;SZ[5];B[aa]\n{GAME}")
    done = review("two.sgf", "missing.sgf", "a.sgf")
    assert done.code == 1
    assert done.out.count("Ann (black)") == 2
    first, second = done.err.splitlines()
    assert first.startswith("receptive: error: two.sgf#1: broken brackets")
    assert second.startswith("receptive: error: missing.sgf: no such file")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("nonsense", "bad.sgf: no game"),
        ("(;SZ[3];B[aa])", "bad.sgf: rows takes no board of 3x3"),
        ("(;GM[2]SZ[8];B[aa])", "bad.sgf: not Go"),
        ("(;SZ[5]AB[aa]AW[ab][ba];B[cc])", "bad.sgf: setup leaves A5 without a liberty"),
    ],
)
def test_a_game_that_cannot_be_reviewed(review, tmp_path, content, message):
    (tmp_path / "bad.sgf").write_text(content)
    done = review("bad.sgf", "--sgf", "out.sgf")
    assert (done.code, done.out) == (1, "")
    assert one_error(done, message)
    assert not (tmp_path / "out.sgf").exists()


@pytest.mark.parametrize(
    ("move", "message"),
    [("W[aa]", "bad.sgf: move 2: A5 is occupied"), ("W[zz]", "bad.sgf: off the board: W[zz]")],
)
def test_a_game_is_read_up_to_its_first_bad_move(review, tmp_path, move, message):
    (tmp_path / "bad.sgf").write_text(f"(;SZ[5];B[aa];{move};B[bb])")
    done = review("bad.sgf", "--format", "jsonl")
    assert done.code == 1 and one_error(done, message)
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [row["vertex"] for row in rows if "vertex" in row] == ["A5"]


def test_names_in_a_game_do_not_steer_the_terminal(review, tmp_path):
    (tmp_path / "bad.sgf").write_text("(;SZ[5]PB[a\x1b[2J\\]];B[aa])")
    assert "\x1b" not in review("bad.sgf").out


def test_symmetries_are_one_or_eight(review):
    from domains.go.policy import Policy

    review("a.sgf", "--symmetries", "1")
    assert Policy.asked == [1, 1, 1, 1]
    assert review("a.sgf", "--symmetries", "3").code == 2


def test_the_named_network_is_asked(review):
    assert "mine's first choices" in review("a.sgf", "--model", "mine").out


def test_no_progress_is_shown_where_stderr_is_no_terminal(review, tmp_path):
    long = "".join(f";B[{x}{y}];W[]" for x in "abcdef" for y in "abcdef")
    (tmp_path / "long.sgf").write_text(f"(;SZ[19]{long})")
    assert review("long.sgf").err == ""


def test_a_file_that_cannot_be_written_is_one_error_before_the_work(review):
    done = review("a.sgf", "--sgf", "no/such/out.sgf")
    assert (done.code, done.out) == (1, "") and one_error(done, "no/such/out.sgf: ")


def test_the_sgf_may_be_the_game_itself(review, tmp_path):
    assert review("a.sgf", "--sgf", "a.sgf").code == 0
    assert "choice 11" in (tmp_path / "a.sgf").read_text()
