"""`receptive go prepare`, `train` and `eval`, as a user runs them one after the other."""

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from made_up_games import random_record, write_records

from core import weights

ROOT = Path(__file__).parents[3]
SMALL = ("positions=64", "epoch=32", "batch_size=16", "filters=8", "blocks=1")
SETTINGS = [part for setting in SMALL for part in ("--set", setting)]


@pytest.fixture(scope="module")
def folder(command, tmp_path_factory):
    """A folder with archives, prepared games and a trained model, all made by the command."""
    place = tmp_path_factory.mktemp("go")
    write_records([random_record(seed) for seed in range(4)], place / "old")
    with tarfile.open(place / "new.tar.gz", "w:gz") as archive:
        archive.add(write_records([random_record(9, moves=160)], place / "new"), "games")
    done = command(
        "go", "prepare", place / "old", place / "new.tar.gz", "--out", place / "all.games"
    )
    assert done.code == 0, done.err
    train = ("go", "train", "--data", place / "all.games", "--out", place / "mine", *SETTINGS)
    done = command(*train, "--set", 'validation=["new.tar.gz"]')
    assert (done.code, done.out) == (0, f"{place / 'mine.toml'}\n"), done.err
    return place


def evaluated(command, folder, *options):
    done = command("go", "eval", "--model", folder / "mine", *options, "--format", "json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_archives_and_folders_give_the_same_figures(command, folder):
    archive = evaluated(command, folder, "--data", folder / "new.tar.gz")
    assert archive == evaluated(command, folder, "--data", folder / "new")
    assert archive["n"] == 160
    assert archive["games"] == 1
    assert archive["symmetries"] == 1
    assert set(archive["phases"]) == {"opening", "middle game", "endgame"}


def test_the_figures_are_those_of_the_training_run(command, folder):
    found = evaluated(command, folder, "--data", folder / "new")
    card = weights.read_card(folder / "mine.toml")
    noted = card.metrics["validation"]
    assert noted["n"] == found["n"]
    assert noted["loss"] == pytest.approx(found["loss"], abs=0.05)  # bf16 there
    assert card.command.startswith("receptive go train --data ")


def test_eight_symmetries_and_recording(command, folder):
    one = evaluated(command, folder, "--data", folder / "old")
    eight = evaluated(
        command, folder, "--data", folder / "old", "--symmetries", 8, "--record", "old games"
    )
    assert eight["symmetries"] == 8
    assert eight["loss"] != one["loss"]
    kept = weights.read_card(folder / "mine.toml").metrics["old games"]
    assert kept["data"] == "old"
    assert {name: kept[name] for name in ("top1", "top5", "loss", "n")} == {
        name: eight[name] for name in ("top1", "top5", "loss", "n")
    }


def test_the_table_has_a_line_a_phase(command, folder):
    done = command("go", "eval", "--model", folder / "mine", "--data", folder / "new")
    head, *rows = done.out.splitlines()
    assert head.split() == ["top1", "top5", "loss", "n"]
    assert [row[:20].strip() for row in rows] == [
        "all positions", "opening", "middle game", "endgame",
    ]  # fmt: skip


def test_a_refused_archive_is_named_and_the_rest_measured(command, folder, tmp_path):
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        archive.add(folder / "old" / "0.sgf", "../0.sgf")
    done = command(
        "go", "eval", "--model", folder / "mine", "--data", folder / "old",
        "--data", tmp_path / "evil.tar", "--format", "json",
    )  # fmt: skip
    assert done.code == 1
    assert json.loads(done.out)["games"] == 4
    assert "evil.tar" in done.err


def test_a_broken_game_is_named_and_the_rest_measured(command, folder, tmp_path):
    place = write_records([random_record(31)], tmp_path / "some")
    (place / "bad.sgf").write_text("(;SZ[19];B[pd")
    done = command("go", "eval", "--model", folder / "mine", "--data", place, "--format", "json")
    assert done.code == 1
    assert json.loads(done.out)["games"] == 1
    assert "bad.sgf" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--data", "absent.games"), "absent.games"),
        (("--data", "text.games"), "text.games: not a whole file of games"),
        (("--data", "all.games", "--arch", "resnet-9000"), "no architecture called 'resnet-9000'"),
        (("--data", "all.games", "--set", "filters=9"), "does not divide 9"),
        (("--data", "all.games", "--set", "nonsense"), "NAME=VALUE expected"),
        (("--data", "all.games", "--recipe", "absent"), "known: "),
        (("--data", "all.games", "--start", "absent"), "absent"),
    ],
)
def test_bad_training_input_is_one_line_and_writes_nothing(command, folder, arguments, message):
    (folder / "text.games").write_text("not games")
    given = [folder / part if str(part).endswith(".games") else part for part in arguments]
    done = command("go", "train", "--out", folder / "bad", *given)
    assert done.code == 1
    [line] = done.err.splitlines()
    assert line.startswith("receptive: error: ")
    assert message in line
    assert not (folder / "bad.toml").exists()


def test_a_truncated_file_of_games_and_checkpoint_are_refused(command, folder):
    content = (folder / "all.games").read_bytes()
    (folder / "cut.games").write_bytes(content[:-20])
    done = command(
        "go", "train", "--data", folder / "cut.games", "--out", folder / "cut", *SETTINGS
    )
    assert done.code == 1
    assert "cut.games: not a whole file of games" in done.err

    arguments = ("go", "train", "--data", folder / "all.games", "--out", folder / "torn", *SETTINGS)
    assert command(*arguments).code == 0
    [run] = (folder / "torn.run").iterdir()
    before = (folder / "torn.safetensors").read_bytes()
    (run / "outcome.json").unlink()
    (folder / "torn.toml").unlink()
    (run / "checkpoint.pt").write_bytes(b"PK\3\4 torn")
    done = command(*arguments)
    assert done.code == 1
    assert "checkpoint.pt" in done.err
    assert (folder / "torn.safetensors").read_bytes() == before


def test_two_processes_train_as_one_does(folder):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    receptive = Path(sys.executable).with_name("receptive")
    torchrun = Path(sys.executable).with_name("torchrun")
    done = subprocess.run(
        [
            torchrun, "--no-python", "--nproc-per-node", "2", receptive, "go", "train",
            "--data", folder / "all.games", "--out", folder / "twice", *SETTINGS,
            "--set", 'validation=["new.tar.gz"]',
        ],
        capture_output=True, text=True, env=environment, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == str(folder / "twice.toml")
    card = weights.read_card(folder / "twice.toml")
    assert card.metrics["positions"] == 64
