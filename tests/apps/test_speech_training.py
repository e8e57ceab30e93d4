"""`receptive speech train` and `receptive speech eval`, as a user runs them."""

import json
import shutil

import numpy as np
import pytest
import soundfile
from outcomes import one_error
from tiny_model import clip, noise, save
from tone_words import write

from core import weights

RATE = 16_000
SMALL = ("seconds=0.5", "epochs=2", "batch_size=8", "filters=3", "hidden=4", "direction=time")
SETTINGS = [part for setting in SMALL for part in ("--set", setting)]
SMALL_TRAINING = ("speech", "train", "--arch", "speech-direction", *SETTINGS)
KEYWORDS = ("--set", 'keywords=["yes", "no"]')
FIGURES = {"model", "accuracy", "words", "recall", "confusions", "ece", "n", "clips_per_second"}


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    return write(tmp_path_factory.mktemp("words"), ["yes", "no", "bird"], speakers=5)


@pytest.fixture(scope="module")
def trained(command, words, tmp_path_factory):
    """The folder of a model that the command trained, and what it said."""
    place = tmp_path_factory.mktemp("trained")
    done = command(*SMALL_TRAINING, *KEYWORDS, "--data", words, "--out", place / "mine")
    assert done.code == 0, done.err
    return place, done


@pytest.fixture(scope="module")
def tones(tmp_path_factory):
    """The card of a model that hears tones as words."""
    return save(tmp_path_factory.mktemp("tones"))


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """What that model hears as it is called, but one clip of "no", in which it hears "yes"."""
    folder = tmp_path_factory.mktemp("heard")
    for label in ("yes", "no", "_unknown_", "_silence_"):
        (folder / label).mkdir()
        for number in range(3):
            sound = clip(label.strip("_")) * (1 - 0.1 * number)
            soundfile.write(folder / label / f"{number}.wav", sound, RATE)
    soundfile.write(folder / "no" / "3.wav", clip("yes"), RATE)
    return folder


@pytest.fixture(scope="module")
def evaluated(command, tones):
    """`receptive speech eval --format json`, parsed."""

    def run(folder, *options):
        done = command(
            "speech", "eval", "--model", tones, "--data", folder, "--format", "json", *options
        )
        assert (done.code, done.err) == (0, "")
        return json.loads(done.out)

    return run


# train


def test_training_prints_the_card_and_nothing_else(trained):
    place, done = trained
    assert (done.out, done.err) == (f"{place / 'mine.toml'}\n", "")
    assert {path.name for path in place.iterdir()} == {
        "mine.toml", "mine.safetensors", "mine.onnx", "mine.run",
    }  # fmt: skip
    assert {path.name for path in place.glob("mine.run/*/*")} == {
        "log.jsonl", "outcome.json", "settings.json",
    }  # fmt: skip
    card = weights.read_card(place / "mine.toml")
    assert card.labels == ["yes", "no", "unknown", "silence"]
    assert card.preprocessing["samples"] == 8000
    assert card.config["direction"] == "time"
    assert card.command.startswith("receptive speech train --arch speech-direction --set ")


def test_trained_again_it_is_left_as_it_is(command, trained, words):
    place, done = trained
    before = (place / "mine.onnx").stat().st_mtime_ns
    again = command(*SMALL_TRAINING, *KEYWORDS, "--data", words, "--out", place / "mine")
    assert again == done
    assert (place / "mine.onnx").stat().st_mtime_ns == before


def test_eval_on_the_validation_split_gives_the_cards_figures(command, trained, words):
    place, _ = trained
    done = command(
        "speech", "eval", "--model", place / "mine", "--data", words, "--split", "validation",
        "--format", "json",
    )  # fmt: skip
    assert done.code == 0, done.err
    found = json.loads(done.out)
    noted = weights.read_card(place / "mine.toml").metrics["validation"]
    assert found["n"] == 3
    assert noted["n"] == 4  # and silence, of which the folder has no clip
    for kind in ("words", "unknown"):
        assert found[kind] == pytest.approx(noted[kind], abs=1e-3)


def test_any_folder_of_folders_will_do(command, tmp_path):
    """No lists, no keywords, other rates; a bad file is named and the others used: exit code 1."""
    for label, hertz in {"dog": 400, "cat": 1500}.items():
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(30):
            tone = np.sin(np.arange(4000) * hertz * (1 + number / 100) / 8000 * 2 * np.pi) * 0.3
            soundfile.write(tmp_path / "data" / label / f"{number}.flac", tone, 8000)
    (tmp_path / "data" / "dog" / "notes.wav").write_text("no sound")
    (tmp_path / "data" / "dog" / "empty.wav").write_text("")
    done = command(*SMALL_TRAINING, "--data", tmp_path / "data", "--out", tmp_path / "pets")
    assert (done.code, done.out) == (1, f"{tmp_path / 'pets.toml'}\n")
    bad = sorted(done.err.splitlines())
    assert [line.startswith("receptive: error: ") for line in bad] == [True, True]
    assert "empty.wav" in bad[0]
    assert "notes.wav" in bad[1]
    card = weights.read_card(tmp_path / "pets.toml")
    assert card.labels == ["cat", "dog"]
    assert sum(entry["clips"] for entry in card.data) + card.metrics["validation"]["n"] < 60


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--data", "absent"), "absent: No such file"),
        (("--data", "empty"), "empty: no folder of sounds"),
        (("--arch", "resnet-9000"), "no architecture called 'resnet-9000'; known: "),
        (("--set", "nonsense"), "NAME=VALUE expected"),
        (("--set", "nonsense=1"), "has no setting 'nonsense'"),
        (("--set", "epochs=0"), "epochs cannot be 0"),
        (("--set", "epochs=many"), "epochs cannot be 'many'"),
        (("--set", "dropout=2"), "dropout cannot be 2"),
        (("--set", "seconds=0.2", "--set", "direction=time"), "direction 'time' cannot see"),
        (("--set", 'keywords=["yes", "left"]'), "no folder of sounds called 'left'"),
        (("--recipe", "absent"), "no recipe called 'absent'; known: "),
    ],
)
def test_bad_training_input_is_one_line_and_writes_nothing(
    command, words, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    data = () if "--data" in arguments else ("--data", words)
    one_error(command(*SMALL_TRAINING, *data, "--out", "bad", *arguments), message)
    assert not (tmp_path / "bad.toml").exists()


@pytest.mark.parametrize(
    ("content", "parts"),
    [('keywords = ["yes", "up"]', ["'up'"]), ("keyword = 1", ["mine.toml", "no field 'keyword'"])],
)
def test_a_recipe_of_ones_own(command, words, tmp_path, content, parts):
    (tmp_path / "mine.toml").write_text(content)
    arguments = ("--recipe", tmp_path / "mine.toml", "--data", words, "--out", tmp_path / "net")
    one_error(command("speech", "train", *arguments), *parts)


@pytest.mark.parametrize("out", ["net.pt", "..", "a:b"])
def test_names_that_no_model_has(command, words, out):
    one_error(command(*SMALL_TRAINING, "--data", words, "--out", out), "--out", "not the name")


# eval


def test_the_figures(evaluated, heard):
    found = evaluated(heard)
    assert set(found) == FIGURES | {"unknown", "silence"}
    assert found["model"] == "tones"
    assert found["n"] == 13
    assert found["accuracy"] == pytest.approx(12 / 13, abs=1e-4)
    assert found["words"] == pytest.approx(6 / 7, abs=1e-4)
    assert found["recall"] == {"yes": 1.0, "no": 0.75, "unknown": 1.0, "silence": 1.0}
    assert found["confusions"] == [["no", "yes", 1]]
    assert found["clips_per_second"] > 0


def test_a_folder_of_only_some_words_is_scored_on_those(evaluated, heard, tmp_path):
    shutil.copytree(heard / "yes", tmp_path / "yes")
    found = evaluated(tmp_path)
    assert set(found) == FIGURES
    assert (found["n"], found["accuracy"], found["recall"]) == (3, 1.0, {"yes": 1.0})


def test_words_that_the_model_does_not_know_are_unknown(evaluated, tmp_path):
    (tmp_path / "bird").mkdir()
    soundfile.write(tmp_path / "bird" / "a.wav", clip("unknown"), RATE)
    soundfile.write(tmp_path / "bird" / "b.wav", clip("down"), RATE)
    found = evaluated(tmp_path)
    assert (found["unknown"], found["confusions"]) == (0.5, [["unknown", "down", 1]])


def test_a_split_is_what_the_lists_name(evaluated, heard, tmp_path):
    shutil.copytree(heard, tmp_path / "heard")
    (tmp_path / "heard" / "testing_list.txt").write_text("no/3.wav\nyes/0.wav\n")
    counts = [evaluated(tmp_path / "heard", "--split", split)["n"] for split in
              ("training", "testing")]  # fmt: skip
    assert counts == [11, 2]
    assert evaluated(tmp_path / "heard", "--split", "testing")["accuracy"] == 0.5
    assert evaluated(tmp_path / "heard")["n"] == 13


def test_noise_and_the_telephone_make_it_harder_the_more_the_harder(evaluated, heard, tmp_path):
    soundfile.write(tmp_path / "hiss.wav", noise(3, 0.9), RATE)
    shutil.copytree(heard / "yes", tmp_path / "data" / "yes")
    quiet, loud = (
        evaluated(tmp_path / "data", "--noise", tmp_path, "--snr", snr) for snr in (60, -20)
    )
    assert quiet["accuracy"] == 1
    assert loud["accuracy"] == 0
    again = evaluated(tmp_path / "data", "--noise", tmp_path, "--snr", -20)
    assert again["confusions"] == loud["confusions"] == [["yes", "unknown", 3]]

    (tmp_path / "high" / "silence").mkdir(parents=True)
    beyond = np.sin(np.arange(RATE) * 6000 / RATE * 2 * np.pi)
    soundfile.write(tmp_path / "high" / "silence" / "bat.wav", beyond, RATE)
    assert evaluated(tmp_path / "high")["accuracy"] == 0
    assert evaluated(tmp_path / "high", "--telephone")["accuracy"] == 1


def test_figures_are_kept_in_the_card(evaluated, heard, tones):
    found = evaluated(heard, "--record", "mine, in quiet")
    card = weights.read_card(tones)
    weights.verify(card)
    kept = card.metrics["mine, in quiet"]
    assert kept.pop("data") == heard.name
    assert {"model": "tones", **kept} == found


def test_a_card_says_which_split_was_measured(evaluated, heard, tones):
    (heard / "testing_list.txt").write_text("")
    evaluated(heard, "--split", "training", "--record", "mine")
    (heard / "testing_list.txt").unlink()
    assert weights.read_card(tones).metrics["mine"]["split"] == "training"


def test_a_figure_of_the_card_is_not_written_over(command, heard, tmp_path):
    model = save(tmp_path, "mine", metrics={"epochs": 3})
    done = command("speech", "eval", "--model", model, "--data", heard, "--record", "epochs")
    assert (done.code, done.out) == (1, "")
    assert done.err == "receptive: error: --record epochs: the card has a figure of that name\n"


def test_the_table_says_the_same(command, evaluated, heard, tones):
    done = command("speech", "eval", "--model", tones, "--data", heard)
    assert (done.code, done.err) == (0, "")
    rows = [line.split() for line in done.out.splitlines()]
    assert rows[0][:2] == ["clips", "13"]
    assert ["accuracy", "92.31%"] in rows
    assert ["no", "75.00%"] in rows
    assert ["no", "yes", "1"] in rows
    assert {row[0] for row in rows if row} >= {"words", "unknown", "silence", "recall"}


def test_bad_files_are_named_and_the_rest_measured(command, heard, tones, tmp_path):
    shutil.copytree(heard, tmp_path / "heard")
    (tmp_path / "heard" / "yes" / "empty.wav").write_bytes(b"")
    soundfile.write(tmp_path / "heard" / "no" / "nan.wav", np.full(99, np.nan), RATE, "FLOAT")
    done = command(
        "speech", "eval", "--model", tones, "--data", tmp_path / "heard", "--format", "json"
    )
    assert done.code == 1
    assert json.loads(done.out)["n"] == 13
    assert sorted(name in done.err for name in ("empty.wav", "nan.wav")) == [True, True]
    assert len(done.err.splitlines()) == 2


def test_where_all_files_are_bad_they_are_named_too(command, tones, tmp_path):
    (tmp_path / "yes").mkdir()
    (tmp_path / "yes" / "empty.wav").write_bytes(b"")
    done = command("speech", "eval", "--model", tones, "--data", tmp_path)
    assert (done.code, done.out) == (1, "")
    first, last = done.err.splitlines()
    assert "empty.wav" in first
    assert "no clip of any word that the model knows" in last


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--snr", "10"), 2, "--noise and --snr go together"),
        (("--noise", "."), 2, "--noise and --snr go together"),
        (("--noise", ".", "--snr", "10", "--telephone"), 2, "not both"),
        (("--snr", "loud"), 2, "--snr"),
        (("--split", "dev"), 2, "--split"),
        (("--format", "csv"), 2, "--format"),
        (("--noise", ".", "--snr", "10"), 1, "no sounds in it"),
        (("--model", "absent"), 1, "no model called 'absent'"),
        (("--data", "absent"), 1, "absent: No such file"),
    ],
)
def test_wrong_usage_and_bad_input(
    command, heard, tones, tmp_path, monkeypatch, arguments, code, message
):
    monkeypatch.chdir(tmp_path)
    done = command("speech", "eval", "--model", tones, "--data", heard, *arguments)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert "Traceback" not in done.err
