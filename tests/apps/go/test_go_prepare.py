import zipfile

import pytest

from domains.go.games import Games


@pytest.fixture
def folder(tmp_path):
    records = tmp_path / "records"
    records.mkdir()
    (records / "one.sgf").write_text("(;GM[1]SZ[19];B[pd];W[dd];B[dd])")
    (records / "small.sgf").write_text("(;GM[1]SZ[9];B[ee])")
    (records / "\x1b[31mred.sgf").write_text("(;GM[1]SZ[9];B[ee])")
    with zipfile.ZipFile(records / "month.zip", "w") as packed:
        packed.writestr("month.sgf", "(;GM[1]SZ[19];B[aa])\n(;GM[1]SZ[19];B[bb]\n(;GM[1];B[cc])")
    return records


def test_prepare_reports_and_writes(command, folder, tmp_path):
    done = command("go", "prepare", folder, "--out", tmp_path / "new/games")
    assert (done.code, done.err) == (0, "")
    assert "games read               6\ngames kept               3\n" in done.out
    assert (
        f"{folder}/month.zip!month.sgf#2: not all brackets that open also close, line 2" in done.out
    )
    assert f"illegal move                   1\n    {folder}/one.sgf: move 3\n" in done.out
    assert "\\x1b[31mred.sgf" in done.out
    assert "\x1b" not in done.out
    games = Games.load(tmp_path / "new/games")
    assert games.names == ("month.zip", "records")
    assert games.moves.tolist() == [0, 40, 72, 60]


def test_prepare_another_size(command, folder, tmp_path):
    done = command("go", "prepare", folder / "small.sgf", "--size", 9, "--out", tmp_path / "games")
    assert done.code == 0
    assert Games.load(tmp_path / "games").size == 9


def test_a_refused_archive_is_named_and_the_rest_is_written(command, folder, tmp_path):
    with zipfile.ZipFile(folder / "evil.zip", "w") as packed:
        packed.writestr("/etc/evil.sgf", "(;GM[1];B[dd])")
    done = command("go", "prepare", folder, "--out", tmp_path / "games")
    assert done.code == 1
    assert done.err == (
        f"receptive: error: {folder}/evil.zip: refused: member '/etc/evil.sgf' leads out of the "
        "archive\n"
    )
    assert len(Games.load(tmp_path / "games")) == 3


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["{folder}/nothing", "--out", "{folder}/games"], 1, "nothing: no such file or folder"),
        (["{folder}/small.sgf", "--out", "{folder}/games"], 1, "no game of 1 can be used"),
        (["{folder}/one.sgf", "--out", "{folder}"], 1, "is a folder"),
        (["{folder}/one.sgf", "--out", "{folder}/one.sgf/games"], 1, "--out"),
        (["{folder}/one.sgf"], 2, "--out"),
        (["--out", "{folder}/games"], 2, "prepare [OPTIONS]"),
        (["{folder}/one.sgf", "--out", "{folder}/games", "--size", "26"], 2, "--size"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_written(command, folder, arguments, code, message):
    before = sorted(folder.iterdir())
    done = command("go", "prepare", *(part.format(folder=folder) for part in arguments))
    assert done.code == code
    assert message in done.err
    assert "Traceback" not in done.err
    assert done.out == ""
    assert sorted(folder.iterdir()) == before
