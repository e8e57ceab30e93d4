import io
from queue import SimpleQueue

import numpy as np
import pytest
from stub_policy import StubPolicy

from domains.go import features, symmetry
from domains.go.board import Board
from domains.go.gtp import Analysis, serve
from domains.go.gtp_commands import Engine
from domains.go.player import GoPlayer
from domains.go.vertices import name

LIKES = {0: 0.6, 4: 0.3, 24: 0.1}  # A5, E5 and E1 of 5x5


def last(*lines, likes=None):
    """The last answer of a session: text, and whether it is a failure."""
    out = io.StringIO()
    engine = Engine(GoPlayer(StubPolicy(likes)), "1")
    serve(engine.commands, [f"{line}\n".encode() for line in ("boardsize 5", *lines)], out)
    said = out.getvalue().removesuffix("\n\n").split("\n\n")[-1]
    return said[1:].strip(), said.startswith("?")


def moves(line):
    """The moves of a line of an analysis: a dict of the values before `pv`, and the line after."""
    found = []
    for move in line.split("info ")[1:]:
        before, _, pv = move.partition(" pv ")
        words = before.split()
        found.append(dict(zip(words[::2], words[1::2], strict=True)) | {"pv": pv.strip()})
    return found


class Heard(io.StringIO):
    """Calls `then` once it has heard `text` so many times."""

    def __init__(self, text, times, then):
        super().__init__()
        self.text, self.times, self.then = text, times, then

    def write(self, said):
        written = super().write(said)
        if self.times and self.getvalue().count(self.text) >= self.times:
            self.times = 0
            self.then()
        return written


@pytest.mark.parametrize(
    ("following", "answered"),
    [([b"2 protocol_version\n"], "=2 2\n\n"), ([b"\n"], ""), ([b"# stop\n"], ""), ([], "")],
)
def test_an_analysis_is_told_again_and_again_until_the_next_input(following, answered):
    lines = SimpleQueue()
    lines.put(b"1 analyse\n")

    def go_on():
        for line in [*following, None]:
            lines.put(line)

    out = Heard("best", 3, go_on)
    serve({"analyse": lambda: Analysis("best", 0.001)}, iter(lines.get, None), out)
    said = out.getvalue()
    assert said.startswith("=1\nbest\nbest\nbest\n")
    assert said.replace("best\n", "") == f"=1\n\n{answered}"


def test_an_analysis_without_an_interval_is_told_once():
    out = io.StringIO()
    serve({"analyse": lambda: Analysis("best", None)}, [b"analyse\n"], out)
    assert out.getvalue() == "=\nbest\n\n"


def test_lz_analyze_has_every_legal_move_in_order_with_neutral_values():
    found = moves(last("play w a5", "lz-analyze b", likes=LIKES)[0])
    assert [(move["move"], move["order"], move["prior"]) for move in found[:2]] == [
        ("E5", "0", "7500"),
        ("E1", "1", "2500"),
    ]
    assert len(found) == 24
    for move in found:
        assert (move["visits"], move["winrate"], move["lcb"]) == ("1", "5000", "5000")
        assert move["pv"] == move["move"]


@pytest.mark.parametrize("command", ["kata-analyze", "analyze"])
def test_kata_analyze_counts_from_0_to_1(command):
    found = moves(last(f"{command} w interval 10 maxmoves 2 ownership true", likes=LIKES)[0])
    assert [(move["move"], float(move["prior"])) for move in found] == [
        ("A5", pytest.approx(0.6, abs=1e-4)),
        ("E5", pytest.approx(0.3, abs=1e-4)),
    ]
    for move in found:
        assert (move["visits"], move["winrate"], move["scoreLead"]) == ("1", "0.5", "0")


def test_moves_can_be_avoided_or_allowed():
    def shown(arguments):
        found = moves(last(f"lz-analyze {arguments}", likes=LIKES)[0])
        return [move["move"] for move in found][:2]

    assert shown("b 50 avoid b a5,c3 1") == ["E5", "E1"]
    assert shown("b 50 avoid w a5,c3 1") == ["A5", "E5"]
    assert shown("allow b e1,a5 1") == ["A5", "E1"]
    assert shown("50 maxmoves 1") == ["A5"]


@pytest.mark.parametrize(
    "arguments",
    ["x", "b 5 nonsense", "b interval", "avoid b", "avoid b z9 1", "b 5 5", "maxmoves x"],
)
def test_what_is_no_analysis_is_a_syntax_error(arguments):
    assert last(f"kata-analyze {arguments}")[1]


def raw(text):
    """Values by name: numbers, and for the board's the rows."""
    found, rows = {}, None
    for line in text.split("\n"):
        word, *values = line.split()
        if word.isalpha() and word != "NAN":
            rows = found.setdefault(word, [float(value) for value in values])
        else:
            rows.append([float(value) for value in (word, *values)])
    return found


def test_kata_raw_nn_has_the_policy_on_legal_points_and_neutral_values():
    found = raw(last("play w a5", "kata-raw-nn 0", likes=LIKES)[0])
    policy = np.array(found["policy"])
    assert np.isnan(policy[0, 0])
    assert np.nansum(policy) == pytest.approx(1, abs=1e-4)
    assert policy[0, 4] == pytest.approx(0.75, abs=1e-4)
    assert (found["whiteWin"], found["whiteLoss"], found["whiteLead"]) == ([0.5], [0.5], [0])
    assert found["policyPass"] == [0]
    assert not np.any(found["whiteOwnership"])


def test_kata_raw_nn_takes_one_symmetry_or_all():
    assert last("kata-raw-nn 3")[0].startswith("symmetry 3\n")
    assert [line for line in last("kata-raw-nn all")[0].split("\n") if "symmetry" in line] == [
        f"symmetry {number}" for number in range(8)
    ]
    for bad in ("8", "-1", "x"):
        assert last(f"kata-raw-nn {bad}")[1]
    policy = np.array(raw(last("kata-raw-nn 6", likes=LIKES)[0])["policy"])
    seen = np.zeros(25)
    seen[list(LIKES)] = list(LIKES.values())
    back = symmetry.apply(seen.reshape(5, 5), symmetry.INVERSE[6])
    assert np.abs(policy - back).max() < 1e-4


def test_gogui_is_offered_what_it_can_show():
    listed = last("gogui-analyze_commands")[0].split("\n")
    kinds = {line.split("/")[0]: line.split("/")[2].split()[0] for line in listed}
    assert kinds == {"gfx": "planes", "param": "player"}
    assert {line.split("/")[2].split()[0] for line in listed} == {"policy", "planes", "player"}


def test_gogui_shows_the_policy():
    shown = last("policy", likes=LIKES)[0].split("\n")
    assert shown[:4] == ["COLOR #ff0000 A5", "LABEL A5 60", "COLOR #ff8080 E5", "LABEL E5 30"]
    assert shown[-1].startswith("TEXT stub: percent")


def test_gogui_shows_each_plane():
    board = Board(5)
    board.play(12)
    for number in range(48):
        shown = last("play b c3", f"planes {number}")[0].split("\n")
        marked = features.planes(board)[number].ravel().nonzero()[0].tolist()
        points = [shown[0].split()[2:] for _ in range(1) if len(shown) == 2]
        assert (points[0] if points else []) == [name(point, 5) for point in marked]
        assert shown[-1].startswith("TEXT ")
    assert last("planes 4")[0] == "TEXT turns since, 1 of 8: " + features.PLANES[2].meaning
    assert last("planes 48")[1]
