"""Compact game records: what is kept of SGF, what is dropped or cut and why, and the file."""

import json
import tarfile
import zipfile

import numpy as np
import pytest
from made_up_games import random_record, write_records

from core.errors import InputError
from domains.go import games, sgf
from domains.go.games import Games, prepare, read
from domains.go.rules import BLACK, PASS, WHITE

RECORDS = [random_record(1), random_record(2, handicap=4), random_record(3, moves=1)]


def records(found):
    """The games as records: setup, colours and moves."""
    made = []
    for i in range(len(found)):
        moves = slice(found.start[i], found.start[i + 1])
        setup = slice(found.setup_start[i], found.setup_start[i + 1])
        stones = list(zip(found.setup_colours[setup], found.setup[setup], strict=True))
        made.append(
            sgf.GameRecord(
                size=found.size,
                setup_black=tuple(sorted(int(p) for colour, p in stones if colour == BLACK)),
                setup_white=tuple(sorted(int(p) for colour, p in stones if colour == WHITE)),
                moves=tuple(
                    (int(colour), int(p))
                    for colour, p in zip(found.colours[moves], found.moves[moves], strict=True)
                ),
            )
        )
    return made


def plain(record):
    return sgf.GameRecord(
        size=record.size,
        setup_black=tuple(sorted(record.setup_black)),
        setup_white=tuple(sorted(record.setup_white)),
        moves=record.moves,
    )


def one_file(folder, *texts, name="all.sgf"):
    path = folder / name
    path.write_text("\n".join(texts))
    return path


def test_games_come_back_as_they_were(tmp_path):
    write_records(RECORDS, tmp_path / "some")
    report = prepare([tmp_path / "some"], tmp_path / "games")
    found = Games.load(tmp_path / "games")
    assert records(found) == [plain(record) for record in RECORDS]
    assert (report.read, report.kept, report.moves) == (3, 3, 61)
    assert (report.dropped, report.cut, report.refused) == ({}, {}, [])
    assert found.names == ("some",)
    assert len(found) == 3


def test_archives_are_named_and_told_apart(tmp_path):
    contents = [sgf.write(record) for record in RECORDS]
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as packed:
        packed.writestr("month.sgf", contents[0] + contents[1])
    write_records(RECORDS[2:], tmp_path / "x")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as packed:
        packed.add(tmp_path / "x", "x")
    (tmp_path / "x/0.sgf").write_bytes(sgf.write(random_record(4)))
    found, _ = read([tmp_path])
    assert found.names == ("a.tar.gz", "b.zip", "x")
    assert found.group.tolist() == [0, 1, 1, 2]
    again, _ = read([tmp_path / "x", tmp_path / "b.zip"])
    assert (again.names, again.group.tolist()) == (("x", "b.zip"), [0, 1, 1])


def test_what_is_dropped_is_counted_by_reason_with_three_examples(tmp_path):
    path = one_file(
        tmp_path,
        "(;GM[1];B[pd];W[dd])",
        "(;GM[1]SZ[9];B[ee])",
        "(;GM[1])",
        "(;GM[1]PB[no moves either]AB[pd])",
        "(;GM[1]C[none, for the first is illegal]AB[pd];W[pd];B[dd])",
        "(;GM[1];B[zz])",
        "(;GM[1]PB[the first again];B[pd];W[dd])",
        "(;GM[1]HA[1]AB[aa]AW[ab][ba];B[pd];W[dd])",
        "(;GM[1];B[pd];W[dd]",
        "(;GM[2];B[pd])",
        "(;GM[1]SZ[40];B[pd])",
        "(;GM[1]AB[zz];B[pd])",
    )
    found, report = read([path])
    assert len(found) == report.kept == 1
    assert report.read == 12
    assert {reason: tally.count for reason, tally in report.dropped.items()} == {
        "another size of board": 1, "no moves": 4, "same as another": 1,
        "setup without liberty": 1, "broken brackets": 1, "not Go": 1, "board size": 1,
        "setup stones": 1,
    }  # fmt: skip
    assert report.dropped["no moves"].examples == [f"{path}#{number}" for number in (3, 4, 5)]
    assert report.dropped["same as another"].examples == [f"{path}#7"]
    assert report.dropped["broken brackets"].examples == [
        f"{path}#9: not all brackets that open also close, line 9"
    ]


def test_games_are_cut_before_the_first_move_that_is_against_the_rules(tmp_path):
    ko = "B[ba];W[ca];B[ab];W[db];B[bc];W[cc];B[cb];W[bb]"  # which takes c7
    path = one_file(
        tmp_path,
        f"(;GM[1];{ko};B[cb];W[dd])",
        f"(;GM[1];{ko};B[pp];W[dd];B[cb])",
        "(;GM[1];W[ab];B[pp];W[ba];B[aa];W[cc])",
        "(;GM[1];B[pp];W[pp])",
        "(;GM[1];B[dd];W[pq];B[zz];W[aa])",
        "(;GM[1];B[dd];W[qp];AB[aa];W[bb])",
    )
    found, report = read([path])
    assert np.diff(found.start).tolist() == [8, 11, 3, 1, 2, 2]
    assert {reason: tally.count for reason, tally in report.cut.items()} == {
        "illegal move": 3, "off the board": 1, "setup stones after the first move": 1
    }  # fmt: skip
    assert report.cut["illegal move"].examples == [
        f"{path}#1: move 9", f"{path}#3: move 4", f"{path}#4: move 2"
    ]  # fmt: skip
    assert report.cut["off the board"].examples == [f"{path}#5: move 3 B[zz]"]
    assert report.dropped == {}


def test_superko_and_passes_and_colours_are_no_reason(tmp_path):
    three = "(;SZ[3];B[cb];W[ab];B[bb];W[bc];B[ba];W[cc];B[ac];W[bc];B[];W[tt];W[aa])"
    found, report = read([one_file(tmp_path, three)], size=3)
    assert report.cut == {}
    assert found.size == 3
    assert found.moves[-3:].tolist() == [PASS, PASS, 0]
    assert found.colours[-3:].tolist() == [BLACK, WHITE, WHITE]


def test_a_refused_archive_costs_no_other(tmp_path):
    write_records(RECORDS, tmp_path / "some")
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as packed:
        packed.writestr("fine.sgf", sgf.write(random_record(5)))
        packed.writestr("../evil.sgf", sgf.write(random_record(6)))
    (tmp_path / "short.tar.gz").write_bytes(b"\x1f\x8b\x08")
    found, report = read([tmp_path])
    assert len(found) == 3
    first, second = map(str, report.refused)
    assert first == f"{tmp_path}/evil.zip: refused: member '../evil.sgf' leads out of the archive"
    assert second.startswith(f"{tmp_path}/short.tar.gz: cannot be read: ")


def test_several_processes_find_the_same(tmp_path, monkeypatch):
    folders = [write_records(RECORDS, tmp_path / name) for name in "cab"]
    write_records([random_record(7)], tmp_path / "a")
    alone, report = read(folders)
    monkeypatch.setattr(games, "SMALL", 0)
    shared, same = read(folders)
    assert shared.sha256 == alone.sha256
    assert shared.names == alone.names == ("c", "a")
    assert (same.read, same.dropped) == (report.read, report.dropped)
    assert report.dropped["same as another"].count == 5


def test_nothing_is_overwritten_where_no_game_is_left(tmp_path):
    (tmp_path / "games").write_text("precious")
    with pytest.raises(InputError, match="no game of 1 can be used: another size of board"):
        prepare([one_file(tmp_path, "(;SZ[9];B[aa])")], tmp_path / "games")
    (tmp_path / "some.zip").write_bytes(b"")
    with pytest.raises(InputError, match=r"some\.zip: cannot be read"):
        prepare([tmp_path / "some.zip"], tmp_path / "games")
    assert (tmp_path / "games").read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.sgf", "games", "some.zip"]


@pytest.fixture(scope="module")
def prepared_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("games")
    prepare([write_records(RECORDS, folder / "some")], folder / "games")
    return folder / "games"


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_short_is_told(tmp_path, prepared_file, share):
    content = prepared_file.read_bytes()
    path = tmp_path / "games"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError, match="not a whole file of games") as caught:
        Games.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_file_altered_is_told(tmp_path, prepared_file):
    content = bytearray(prepared_file.read_bytes())
    content[-30] ^= 1
    (tmp_path / "games").write_bytes(content)
    with pytest.raises(InputError, match="was altered since it was written"):
        Games.load(tmp_path / "games")


def test_other_files_are_told(tmp_path, prepared_file):
    from safetensors.numpy import save_file

    with pytest.raises(InputError, match="No such file"):
        Games.load(tmp_path / "nothing")
    with pytest.raises(InputError, match="a folder; `receptive go prepare`"):
        Games.load(tmp_path)
    (tmp_path / "text").write_text("some text that is no safetensors file")
    with pytest.raises(InputError, match="not a whole file of games"):
        Games.load(tmp_path / "text")
    save_file({"moves": np.zeros(3)}, tmp_path / "weights.safetensors")
    with pytest.raises(InputError, match="not a file of games that `receptive go prepare` wrote"):
        Games.load(tmp_path / "weights.safetensors")
    content = prepared_file.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    assert header["__metadata__"]["games"] == games.VERSION
    older = content.replace(b'"games":"1"', b'"games":"0"')
    assert older != content
    (tmp_path / "older").write_bytes(older)
    with pytest.raises(InputError, match="not a file of games that"):
        Games.load(tmp_path / "older")


def test_the_report_in_words(tmp_path):
    path = one_file(tmp_path, "(;GM[1];B[pd];W[pd])", "(;GM[1]SZ[9])")
    report = prepare([path], tmp_path / "games")
    lines = str(report).split("\n")
    assert lines[:5] == [
        "games read               2",
        "games kept               1",
        "games dropped            1",
        "  another size of board          1",
        f"    {path}#2",
    ]
    assert lines[6:8] == ["  illegal move                   1", f"    {path}#1: move 2"]
    assert lines[8].split() == ["moves", "1"]
