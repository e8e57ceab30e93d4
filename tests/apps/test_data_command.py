import re
import zipfile
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
    assert "at       (not there; receptive data get imdb)" in blocks["imdb"]
    assert "licence  PDDL 1.0" in blocks["glove-6b"]
    assert blocks["sst"].endswith("https://nlp.stanford.edu/sentiment/trainDevTestTrees_PTB.zip")
    assert blocks["newsmtsc"].endswith("train.jsonl (no published checksum)")


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
    (root / "text/glove-6b").mkdir(parents=True)
    printed = CliRunner().invoke(app, ["get", "glove-6b"])
    assert printed.exit_code == 0
    assert printed.stdout == f"{root / 'text/glove-6b'}\n"


def test_get_prints_the_tables_that_it_wrote(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trees = {f"trees/{split}.txt": "(3 (2 so) (3 good))\n" for split in ("train", "dev", "test")}

    def download(source: data.Source, scratch: Path, progress: bool) -> Path:
        path = scratch / source.file_name
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in trees.items():
                archive.writestr(name, content)
        return path

    monkeypatch.setattr(data, "_download", download)
    printed = CliRunner().invoke(app, ["get", "sst"])
    names = ("sst5_dev", "sst5_test", "sst5_train", "sst5_train_phrases")
    assert printed.stdout.split() == [str(root / f"text/{name}.tsv.xz") for name in names]
    assert "sst5_train_phrases.tsv.xz: 2 rows" in printed.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["path", "imdb"], "receptive data get imdb"),
        (["path", "nothing"], "no data set called 'nothing'; known: cats-and-dogs, "),
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
