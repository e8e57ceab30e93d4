"""Programs that others wrote drive the engine over real pipes: gomill, Sabaki's controller, GNU Go.

Each test is skipped where its program is not installed: `pip install gomill` (whose Python 2 is
turned into Python 3 by lib2to3, up to Python 3.12), `npm install @sabaki/gtp` with NODE_PATH set.
"""

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from stub_policy import ENGINE

from domains.go.gtp_client import GtpClient

GNUGO = shutil.which("gnugo") or shutil.which("gnugo", path="/usr/games")
NODE = shutil.which("node")
TWOGTP = """
import sys
from gomill import gtp_controller, gtp_games

engine, opponent = eval(sys.argv[1])
players = gtp_controller.Game_controller("receptive", "opponent")
players.set_player_subprocess("b", engine)
players.set_player_subprocess("w", opponent)
game = gtp_games.Gtp_game(players, board_size=7, komi=5.5, move_limit=150)
game.allow_scorer("b")
game.prepare()
game.run()
players.close_players()
print(players.engine_descriptions["b"].get_short_description())
print(game.result.describe())
print(len(game.get_moves()))
print(players.describe_late_errors())
"""


def said(text):
    """A session's whole output and exit."""
    done = subprocess.run(ENGINE, input=text.encode(), capture_output=True, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize(
    "end", ["1 quit\n", "1 quit", "1 quit\nname\n", "1 qu", "1 lz-analyze\n", ""]
)
def test_a_process_ends_cleanly_on_quit_and_at_the_end_of_input(end):
    code, out, err = said(f"5 boardsize 5\n{end}")
    assert (code, err) == (0, "")
    assert re.fullmatch(r"=5\n\n([=?]1( unknown command)?\n(info.*\n)?\n)?", out)


def test_quit_ends_the_process_though_its_input_stays_open():
    with subprocess.Popen(ENGINE, stdin=-1, stdout=-1, stderr=-1) as process:
        process.stdin.write(b"quit\n")
        process.stdin.flush()
        assert process.wait(60) == 0
        assert (process.stdout.read(), process.stderr.read()) == (b"=\n\n", b"")


@pytest.fixture(scope="module")
def gomill(tmp_path_factory):
    """A folder with gomill in Python 3."""
    found = importlib.util.find_spec("gomill")
    if not (found and found.submodule_search_locations and importlib.util.find_spec("lib2to3")):
        pytest.skip("gomill or lib2to3 is not installed")
    folder = tmp_path_factory.mktemp("gomill")
    package = Path(shutil.copytree(found.submodule_search_locations[0], folder / "gomill"))
    convert = [sys.executable, "-W", "ignore", "-m", "lib2to3", "-w", "-n", str(package)]
    subprocess.run(convert, check=True, capture_output=True)
    for name, old, new in (  # what lib2to3 can't know: text in pipes, str's own maketrans
        ("gtp_controller.py", "stdout=subprocess.PIPE,", "stdout=subprocess.PIPE, text=True,"),
        ("gtp_controller.py", 'argument.encode("utf-8")', "argument"),
        ("utils.py", 's.decode("utf-8")', "s.encode()"),
        ("sgf_grammar.py", "string.maketrans", "str.maketrans"),
    ):
        file = package / name
        file.write_text(file.read_text().replace(old, new))
    return folder


@pytest.mark.parametrize("opponent", ["receptive", "gnugo"])
def test_gomill_plays_a_whole_game(gomill, tmp_path, opponent):
    if opponent == "gnugo" and not GNUGO:
        pytest.skip("GNU Go is not installed")
    other = ENGINE if opponent == "receptive" else [GNUGO, "--mode", "gtp", "--level", "0"]
    script = tmp_path / "play.py"
    script.write_text(TWOGTP)
    done = subprocess.run(
        [sys.executable, str(script), repr((ENGINE, other))],
        env=os.environ | {"PYTHONPATH": str(gomill)}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    name, result, moves, errors = done.stdout.splitlines()
    assert name == "receptive:1"
    assert re.match(r"(receptive|opponent) beat (receptive|opponent) [BW]\+", result), result
    assert "forfeit" not in result
    assert int(moves) > 4
    assert errors == "None"


def test_the_controller_of_sabaki_drives_it():
    script = Path(__file__).with_name("sabaki_client.js")
    if not NODE or subprocess.run([NODE, "-e", "require('@sabaki/gtp')"]).returncode:
        pytest.skip("node or @sabaki/gtp is not installed")
    done = subprocess.run([NODE, str(script), *ENGINE], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["name"] == "receptive"
    assert "analyze" in found["commands"]
    assert (found["boardsize"], found["komi"]) == ([9, 9], 6.5)
    assert [command["name"] for command in found["history"]] == [
        "set_free_handicap",
        "play",
        "play",
    ]
    assert found["history"][-1]["args"] == ["B", found["move"]]
    assert len(found["info"]) >= 3
    for line in found["info"]:
        move = line.removeprefix("info ").split(" info ")[0].split()
        assert {"move", "visits", "winrate"} <= set(move[::2])
    assert (found["ended"], found["stopped"]) == (False, True)
    assert found["wrong"] == {"id": 7, "content": "illegal move", "error": True}


@pytest.mark.skipif(not GNUGO, reason="GNU Go is not installed")
def test_gnu_go_and_the_engine_see_the_same_board():
    """The engine's moves on GNU Go's board, where each must be legal, and the other way round."""
    gnu_go = shlex.join([GNUGO, "--mode", "gtp", "--level", "0", "--positional-superko"])
    with GtpClient(shlex.join(ENGINE), 60) as engine, GtpClient(gnu_go, 60) as other:
        for program in (engine, other):
            for command in ("boardsize 6", "clear_board", "komi 0.5"):
                program.ask(command)
        passes, colours = 0, ["b", "w"]
        for turn in range(90):
            mover, watcher = (engine, other) if turn % 2 else (other, engine)
            move = mover.ask(f"genmove {colours[turn % 2]}").lower()
            if move == "resign":
                break
            watcher.ask(f"play {colours[turn % 2]} {move}")
            passes = passes + 1 if move == "pass" else 0
            if passes == 2:
                break
        assert turn > 6
        for colour in ("black", "white"):
            stones = set(other.ask(f"list_stones {colour}").split())
            alive = " ".join(
                engine.ask(f"final_status_list {status}") for status in ("alive", "dead")
            )
            assert stones <= set(alive.split())
        assert other.ask("captures black").isdigit()
