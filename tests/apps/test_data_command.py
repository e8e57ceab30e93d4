import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from apps.commands.data import app
from core import data
from core.errors import InputError
from domains.text import datasets  # noqa: F401  registers the sets of text


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RECEPTIVE_DATA", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("arguments", [[], ["list"]])
def test_list_tells_what_where_licence_and_address(root: Path, arguments: list[str]) -> None:
    (root / "text").mkdir()
    (root / "text/mr.tsv.xz").touch()
    printed = CliRunner().invoke(app, arguments)
    assert printed.exit_code == 0
    blocks = dict(block.split(": ", 1) for block in printed.stdout.split("\n\n")[1:])
    assert {"sst", "mr", "imdb", "tweeteval", "goemotions"} <= blocks.keys()
    assert f"at       {root / 'text/mr.tsv.xz'}\n" in blocks["mr"]
    assert f"at       {root / 'text/imdb'} (not there)" in blocks["imdb"]
    assert "licence  PDDL 1.0" in blocks["glove-6b"]
    assert "https://nlp.stanford.edu/sentiment/trainDevTestTrees_PTB.zip" in blocks["sst"]


def test_path_prints_where_a_set_lies(root: Path) -> None:
    for split in ("train", "test"):
        path = root / f"text/imdb_{split}.tsv.xz"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    printed = CliRunner().invoke(app, ["path", "imdb"])
    assert printed.stdout.split() == [
        str(root / "text/imdb_test.tsv.xz"),
        str(root / "text/imdb_train.tsv.xz"),
    ]


def test_get_prints_where_a_set_lies(root: Path) -> None:
    (root / "text/sst").mkdir(parents=True)
    printed = CliRunner().invoke(app, ["get", "sst"])
    assert printed.exit_code == 0
    assert printed.stdout == f"{root / 'text/sst'}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["path", "imdb"], "receptive data get imdb"),
        (["path", "nothing"], "no data set called 'nothing'; known: fdu-mtl, "),
        (["get", "nothing"], "no data set called 'nothing'"),
    ],
)
def test_a_set_that_is_not_there(arguments: list[str], message: str) -> None:
    ended = CliRunner().invoke(app, arguments)
    assert isinstance(ended.exception, InputError)
    assert message in str(ended.exception)


def test_every_set_of_text_is_described_and_has_a_public_address() -> None:
    sets = [known for known in data.DATASETS.values() if known.path.startswith("text/")]
    assert len(sets) > 8
    for known in sets:
        assert known.description
        assert known.licence
        for source in known.sources:
            assert source.url.startswith("https://")
            assert re.fullmatch(r"[\w.+ -]+\.(zip|tar\.gz|tsv|txt|csv|jsonl)", source.file_name)
            assert source.sha256 is None or re.fullmatch("[0-9a-f]{64}", source.sha256)
