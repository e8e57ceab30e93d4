import json
import shlex
import shutil
import sys
from dataclasses import replace

import pytest
import typer
from stub_policy import ENGINE, StubPolicy
from typer.testing import CliRunner

from core.errors import InputError
from domains.go.gtp_client import EngineError, GtpClient
from domains.go.match import play, summary, wilson
from domains.go.match_game import Game, Match
from domains.go.sgf import board_at, parse

GNUGO = shutil.which("gnugo") or shutil.which("gnugo", path="/usr/games")
GNU_GO = "gnugo --mode gtp --level 0"
needs_gnugo = pytest.mark.skipif(not GNUGO, reason="GNU Go is not installed")

# A program that passes always, and at its second move does what its argument says.
SCRIPT = """
import sys, time
moves = 0
for line in sys.stdin:
    command, *words = line.split()
    said = {"list_commands": "final_score", "name": "Scripted", "version": "1",
            "final_score": "W+0.5"}.get(command, "")
    if command == "genmove":
        moves += 1
        said = "pass"
        if moves == 2:
            if sys.argv[1] == "crash":
                sys.exit("it hurts")
            if sys.argv[1] == "sleep":
                time.sleep(60)
            if sys.argv[1] == "garbage":
                print("hello\\n")
            said = sys.argv[1]
    failed = command == "play" and sys.argv[1] == "refuse" and moves
    print("? no" if failed else "= " + said, end="\\n\\n", flush=True)
    if command == "quit":
        break
"""


@pytest.fixture
def scripted(tmp_path):
    file = tmp_path / "scripted.py"
    file.write_text(SCRIPT)
    return lambda what: shlex.join([sys.executable, str(file), what])


def played(match, folder, likes=None, concurrency=1):
    games = list(play(match, StubPolicy(likes), folder, concurrency))
    return sorted(games, key=lambda game: game.number)


def records(folder):
    return {file.name: next(parse(file.read_bytes(), file.name)) for file in folder.glob("*.sgf")}


@pytest.mark.parametrize(
    ("wins", "games", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (0, 10, 0, 0.2775), (10, 10, 0.7225, 1), (80, 100, 0.7112, 0.8666)],
)
def test_wilson_intervals_as_published(wins, games, low, high):
    assert wilson(wins, games) == pytest.approx((low, high), abs=1e-4)


def test_a_summary_counts_draws_half_and_errors_for_nobody():
    games = [
        Game(1, "black", won=True),
        Game(2, "white", won=None),
        Game(3, "black", won=False),
        Game(4, "white", won=True),
        Game(5, "black", end="timeout", error="late"),
    ]
    found = summary(games)
    assert found["win_rate"] == 2.5 / 4
    assert (found["games"], found["wins"], found["losses"], found["draws"]) == (4, 2, 1, 1)
    assert found["as_black"] == {"games": 2, "wins": 1}
    assert found["errors"]["timeout"] == 1
    assert summary(games[4:])["win_rate"] is summary(games[4:])["interval"] is None


@needs_gnugo
def test_a_match_with_gnu_go(tmp_path):
    match = Match(GNU_GO, games=3, size=5, komi=0.5, seed=5)
    games = played(match, tmp_path / "one", concurrency=2)
    assert [game.colour for game in games] == ["black", "white", "black"]
    kept = records(tmp_path / "one")
    assert list(kept) and set(kept) == {game.sgf for game in games}
    openings = {record.moves[:6] for record in kept.values()}
    assert len(openings) == 3
    for game in games:
        record = kept[game.sgf]
        assert not game.error
        assert record.result == game.result
        assert game.won == (game.result[0] == game.colour[0].upper())
        assert (record.white if game.colour == "black" else record.black) == "GNU Go 3.8"
        assert len(board_at(record).moves) == game.moves
        assert game.referee == ("" if game.end == "resignation" else "GNU Go 3.8")
    again = replace(match, games=2)
    assert [game.result for game in played(again, tmp_path / "two")] == [
        game.result for game in games[:2]
    ]
    moves = [
        [record.moves for record in records(tmp_path / name).values()] for name in ("one", "two")
    ]
    assert all(game in moves[0] for game in moves[1])
    other = played(replace(again, seed=6), tmp_path / "three")
    assert not any(record.moves in moves[0] for record in records(tmp_path / "three").values())
    assert len(other) == 2


@needs_gnugo
def test_a_referee_of_its_own_says_the_score(tmp_path, scripted):
    match = Match(scripted("pass"), games=1, size=5, referee=f"{GNU_GO} --chinese-rules")
    (game,) = played(match, tmp_path)
    assert (game.referee, game.end) == ("GNU Go 3.8", "passes")
    (own,) = played(replace(match, referee=None), tmp_path / "own")
    assert (own.referee, own.result) == ("Scripted 1", "W+0.5")
    assert own.area == game.area == game.result


def test_our_own_count_where_nobody_else_says_the_score(tmp_path):
    silent = SCRIPT.replace('final_score", "name', 'play", "name')
    file = tmp_path / "silent.py"
    file.write_text(silent)
    (game,) = played(Match(shlex.join([sys.executable, str(file), "pass"]), 1, size=5), tmp_path)
    assert game.referee == "receptive"
    assert game.result == game.area


@pytest.mark.parametrize(
    ("what", "kind", "says"),
    [
        ("crash", "crash", "ended without an answer: it hurts"),
        ("sleep", "timeout", "no answer in 2 seconds"),
        ("garbage", "no GTP", "no GTP: 'hello'"),
        ("z99", "illegal move", "no vertex"),
        ("refuse", "refused", "no"),
    ],
)
def test_a_program_that_errs_voids_its_game_and_no_other(tmp_path, scripted, what, kind, says):
    # It passes at its first move; we, liking a point that stays free, go on.
    match = Match(scripted(what), games=2, size=9, komi=60.5, timeout=2)
    games = played(match, tmp_path)
    assert len(games) == 2
    (first, *_) = [game for game in games if game.colour == "black"]
    assert (first.end, first.result, first.won) == (kind, "Void", None)
    assert says in first.error
    assert records(tmp_path)[first.sgf].result == "Void"
    assert summary(games)["errors"][kind] >= 1


def test_a_resignation_ends_the_game(tmp_path, scripted):
    (game,) = played(Match(scripted("resign"), games=1, size=9, komi=60.5), tmp_path)
    assert (game.result, game.won, game.end, game.referee) == ("B+R", True, "resignation", "")


@pytest.mark.parametrize("command", ["no-such-program --gtp", "'unclosed", "", "false"])
def test_an_opponent_that_does_not_start_is_an_error_at_once(tmp_path, command):
    with pytest.raises(InputError) as failure:
        played(Match(command, games=2, size=5), tmp_path)
    assert str(failure.value).startswith(command)
    assert "\n" not in str(failure.value)
    assert not any(tmp_path.iterdir())


def test_more_games_than_openings_are_refused(tmp_path, scripted):
    with pytest.raises(InputError, match="not so many openings on 2x2"):
        played(Match(scripted("pass"), games=50, size=2), tmp_path)


def test_a_client_tells_a_refusal_from_an_answer():
    with GtpClient(shlex.join(ENGINE), 60) as engine:
        assert engine.name == "receptive 1"
        assert engine.ask("boardsize 5") == ""
        assert engine.ask("showboard").startswith("A B C D E")
        with pytest.raises(EngineError, match="unknown command") as failure:
            engine.ask("nonsense")
        assert failure.value.kind == "refused"


@pytest.fixture
def command(monkeypatch):
    """`receptive go match` with the stub for a network."""
    from apps.commands.go.engine import match

    app = typer.Typer()
    app.command()(match)
    monkeypatch.setattr("domains.go.policy.Policy.load", lambda name: StubPolicy())
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def test_the_command_prints_json_and_writes_games_and_rows(tmp_path, command, scripted):
    folder = tmp_path / "games"
    words = ["--games", 2, "--sgf", folder, "--size", 5, "--opponent", scripted("resign")]
    done = command(*words, "--komi", 30.5, "--format", "json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert {"win_rate", "interval", "games", "errors", "opponent", "model"} <= set(found)
    assert found["games"] == 2
    rows = [json.loads(line) for line in (folder / "games.jsonl").read_text().splitlines()]
    assert [row["number"] for row in rows] == [1, 2]
    assert {row["sgf"] for row in rows} == set(records(folder))


def test_the_command_exits_1_when_a_game_went_wrong(tmp_path, command, scripted):
    words = ["--games", 1, "--sgf", tmp_path, "--opponent", scripted("crash")]
    done = command(*words, "--size", 9, "--komi", 60.5)
    assert done.exit_code == 1
    assert "game 1" in done.stderr and "it hurts" in done.stderr
    assert "win_rate" in done.stdout


def test_an_interrupted_match_goes_on_and_another_is_refused(tmp_path, scripted):
    match = Match(scripted("pass"), games=3, size=5)
    whole = played(match, tmp_path / "whole")
    first = played(replace(match, games=1), tmp_path / "parts")
    before = (tmp_path / "parts" / "games.jsonl").read_bytes()
    with pytest.raises(InputError, match="parts: another match has been played here"):
        played(replace(match, seed=2), tmp_path / "parts")
    assert (tmp_path / "parts" / "games.jsonl").read_bytes() == before
    rest = played(match, tmp_path / "parts")
    assert rest[0] == first[0]
    assert [(game.number, game.result, game.moves) for game in rest] == [
        (game.number, game.result, game.moves) for game in whole
    ]
    (tmp_path / "parts" / "games.jsonl").write_text("torn")
    with pytest.raises(InputError, match="is not what a match wrote"):
        played(match, tmp_path / "parts")
