import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from outcomes import one_error
from sklearn.metrics import accuracy_score, f1_score, recall_score

from core.weights import read_card
from domains.text import embeddings

ROOT = Path(__file__).parents[2]
LABELS = ["negative", "neutral", "positive"]
FIGURES = ["accuracy", "macro_recall", "macro_f1", "recall", "ece", "n", "texts_per_second"]


@pytest.fixture
def evaluated(command, tiny):
    """`receptive text eval --format json` of the tiny model, parsed."""

    def run(data, *options):
        done = command(
            "text", "eval", "--model", tiny.card, "--data", data, "--format", "json", *options
        )
        assert done.code == 0, done.err
        return json.loads(done.out)

    return run


@pytest.fixture
def answers(command, tiny):
    """What `receptive sentiment FILE --format jsonl` says of each row."""

    def run(data):
        done = command("sentiment", data, "--format", "jsonl", "--model", tiny.card)
        assert done.code == 0, done.err
        return [json.loads(line) for line in done.out.splitlines()]

    return run


def test_training_prints_the_card_and_nothing_else(tiny):
    assert tiny.done.out == f"{tiny.card}\n"
    assert tiny.done.err == ""  # a progress bar is for terminals
    names = {path.name for path in tiny.card.parent.iterdir()}
    assert names >= {"tiny.toml", "tiny.safetensors", "tiny.onnx", "tiny.run"}


def test_the_card_says_how_it_was_made(tiny):
    card = read_card(tiny.card)
    assert card.architecture == "text-cnn"
    assert card.labels == LABELS
    assert card.config["widths"] == [2, 3]
    assert card.config["channels"] == "multichannel"
    assert card.command.startswith("receptive text train --data ")
    assert "--set epochs=6" in card.command
    assert [entry["file"] for entry in card.data] == ["train.csv"]
    assert set(card.metrics["dev dev"]) == {*FIGURES} - {"texts_per_second"}
    assert card.metrics["dev dev"]["n"] == 60
    assert 1 <= card.metrics["epochs"] <= 6


def test_the_log_has_a_line_for_each_step(tiny):
    [log] = (tiny.folder / "tiny.run").glob("*/log.jsonl")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    steps = [line["step"] for line in lines if "step" in line]
    assert steps == list(range(len(steps)))
    assert sum("accuracy" in line for line in lines) == 6
    assert {"loss", "lr", "examples_per_second"} <= set(lines[0])


def test_eval_has_the_figures_that_every_domains_eval_has(evaluated, answers, tiny):
    found = evaluated(tiny.test)
    assert [name for name in found if name in FIGURES] == FIGURES
    rows = answers(tiny.test)
    truth = [row["label"] for row in rows]
    said = [row["predicted_label"] for row in rows]
    assert found["n"] == 60
    assert found["texts_per_second"] > 0
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, said), abs=1e-4)
    macro = {"average": "macro", "labels": LABELS}
    assert found["macro_recall"] == pytest.approx(recall_score(truth, said, **macro), abs=1e-4)
    assert found["macro_f1"] == pytest.approx(f1_score(truth, said, **macro), abs=1e-4)
    each = recall_score(truth, said, average=None, labels=LABELS)
    assert found["recall"] == pytest.approx(dict(zip(LABELS, each, strict=True)), abs=1e-4)
    assert found["accuracy"] > 0.85

    confidence = np.asarray([max(row["scores"].values()) for row in rows])
    right = np.asarray(truth) == np.asarray(said)
    bins = np.minimum((confidence * 15).astype(int), 14)
    ece = sum(
        abs(right[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    )
    assert found["ece"] == pytest.approx(ece, abs=2e-4)


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("short", [True, False])
@pytest.mark.parametrize("name", ["test.csv", "test.tsv", "test.jsonl"])
def test_the_form_of_the_file_changes_nothing(
    evaluated, made_up, tiny, tmp_path, name, short, header
):
    path = made_up.write(tmp_path / name, made_up.sentences(60, 3), header, short)
    found, same = evaluated(path), evaluated(tiny.test)
    assert {name: found[name] for name in FIGURES[:-1]} == {
        name: same[name] for name in FIGURES[:-1]
    }


def test_a_two_class_set_is_never_answered_neutral(evaluated, answers, made_up, tmp_path):
    rows = made_up.sentences(40, 5, ("negative", "positive"))
    rows += [("negative", f"The film was {word}.") for word in made_up.words["neutral"]]
    path = made_up.write(tmp_path / "two.csv", rows)
    found, said = evaluated(path), answers(path)
    assert set(found["recall"]) == {"negative", "positive"}
    assert any(row["predicted_label"] == "neutral" for row in said)
    two = [max(("negative", "positive"), key=row["scores"].__getitem__) for row in said]
    truth = [row["label"] for row in said]
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, two), abs=1e-4)
    macro = recall_score(truth, two, average="macro")
    assert found["macro_recall"] == pytest.approx(macro, abs=1e-4)


def test_a_set_of_one_class_is_no_gift(evaluated, made_up, tmp_path):
    rows = [("positive", text) for _, text in made_up.sentences(30, 6)]
    found = evaluated(made_up.write(tmp_path / "one.csv", rows))
    assert found["accuracy"] == found["recall"]["positive"] < 0.6


def test_a_mapping_of_labels(evaluated, made_up, tiny, tmp_path):
    stars = {"negative": "1", "neutral": "3", "positive": "5"}
    rows = [(stars[label], text) for label, text in made_up.sentences(60, 3)]
    path = made_up.write(tmp_path / "stars.tsv", [*rows, ("9", "who knows")])
    options = [f"--map={option}" for option in ("1=negative", "3=neutral", "5=pos", "9=")]
    found = evaluated(path, *options)
    assert found["n"] == 60
    assert found["accuracy"] == evaluated(tiny.test)["accuracy"]


def test_columns_of_ones_own(command, evaluated, made_up, tiny, tmp_path):
    test = tmp_path / "test.csv"
    rows = [("no text", label, text) for label, text in made_up.sentences(60, 3)]
    with test.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "stars", "body"), *rows])
    columns = ["--column", "body", "--label-column", "stars"]
    assert evaluated(test, *columns)["accuracy"] == evaluated(tiny.test)["accuracy"]
    done = command("text", "train", "--data", test, *columns, "--arch", "bag-of-embeddings",
                   "--set", "epochs=1", "--out", tmp_path / "own")  # fmt: skip
    assert done.code == 0, done.err
    assert read_card(tmp_path / "own.toml").labels == LABELS
    columns[1] = "x"
    done = command("text", "eval", "--model", tiny.card, "--data", test, *columns)
    one_error(done, "test.csv", "'x'")


def test_recorded_figures_say_of_which_file(command, tiny, tmp_path):
    for path in tiny.folder.glob("tiny.*"):
        if path.is_file():
            shutil.copy(path, tmp_path)
    card = tmp_path / "tiny.toml"
    measure = ["text", "eval", "--model", card, "--data", tiny.test, "--map", "neg=negative"]
    done = command(*measure, "--record", "test", "--format", "json")
    assert done.code == 0, done.err
    kept, found = read_card(card).metrics["test"], json.loads(done.out)
    assert kept["file"] == "test.jsonl"
    assert kept["labels"] == {"neg": "negative"}
    assert kept["accuracy"] == found["accuracy"]
    before = card.read_bytes()
    for name in ("temperature", "epochs", "minutes"):
        one_error(command(*measure, "--record", name), f"--record {name}")
    assert card.read_bytes() == before
    assert command(*measure, "--record", "test").code == 0  # its own figures may be renewed


def test_several_files_one_line_each(command, made_up, tiny, tmp_path):
    other = made_up.write(tmp_path / "other.csv", made_up.sentences(30, 8))
    for form in ("json", "table"):
        done = command(
            "text", "eval", "--model", tiny.card, "--data", tiny.test, "--data", other,
            "--format", form,
        )  # fmt: skip
        lines = done.out.splitlines()
        assert done.code == 0
        assert len(lines) == 2
        assert "test.jsonl" in lines[0]
        assert "other.csv" in lines[1]


@pytest.mark.parametrize(
    ("name", "content", "places"),
    [
        ("bad.csv", "label,text\nneg,dull\npos\n", ["bad.csv:3"]),
        ("bad.tsv", "label\ttext\nneg\tdull\nodd\tfilm\n", ["bad.tsv:3", "'odd'", "neutral"]),
        ("bad.jsonl", '{"label": "neg", "text": "x"}\n{"label"\n', ["bad.jsonl:2"]),
        ("bad.tsv", "label\ttext\npos\t  \n", ["bad.tsv:2", "empty text"]),
        ("bad.csv", "text,stars\nfilm,3\n", ["bad.csv", "label"]),
        ("bad.csv", "", ["bad.csv"]),
        ("bad.csv", "label,text\nneg,\x00\n", ["bad.csv"]),
        ("bad.txt", "neg film\n", ["bad.txt"]),
    ],
)
@pytest.mark.parametrize("verb", ["eval", "train"])
def test_a_bad_row_is_named(command, tiny, tmp_path, verb, name, content, places):
    path = tmp_path / name
    path.write_text(content)
    if verb == "eval":
        done = command("text", "eval", "--model", tiny.card, "--data", path)
    else:
        out = tmp_path / "model"
        done = command("text", "train", "--data", tiny.train, "--dev", path, "--out", out)
    one_error(done, *places)
    assert not list(tmp_path.glob("model*.toml"))


def test_things_that_are_not_there(command, tiny, tmp_path):
    one_error(command("text", "eval", "--model", tiny.card, "--data", "none.csv"), "none.csv")
    one_error(command("text", "eval", "--model", "nothing", "--data", tiny.test), "'nothing'")
    out = ["--out", tmp_path / "model"]
    one_error(command("text", "train", "--data", "none.tsv", *out), "none.tsv")
    train = ["text", "train", "--data", tiny.train, *out]
    one_error(command(*train, "--vectors", "none.bin"), "none.bin")
    one_error(command(*train, "--arch", "transformer"), "'transformer'", "text-cnn", "rnn")
    one_error(command(*train, "--recipe", "nothing"), "'nothing'")
    one_error(command("text", "train", *out), "--data")
    one_error(command("text", "vectors", "none.txt", *out), "none.txt")


@pytest.mark.parametrize(
    "setting",
    [
        "filters", "flters=3", "epochs=0", "epochs=many", "batch_size=-1", "dropout=2",
        "dropout=lots", "widths=3", 'widths=["a"]', "widths=[]", "widths=[0]", "filters=0",
        "filters=-2", "channels=rand", 'pools=["min"]', "learning_rate=high", "crop=0",
        "vocabulary=two", "precision=16", "schedule=steps", "patience=soon", "unknown=x",
        "dimensions=0", "monitor=happiness", "gradient_clip=none", "seed=-1", "settings=3",
        "classes=7", "widths=[3, 3]", "labels=3", 'labels=["pos"]',
    ],
)  # fmt: skip
def test_a_bad_setting_is_named(command, tiny, tmp_path, setting):
    done = command(*tiny.arguments, "--set", setting, "--out", tmp_path / "model")
    one_error(done, setting.partition("=")[0])


def test_settings_that_do_not_go_together(command, tiny, tmp_path):
    train = ["text", "train", "--data", tiny.train, "--out", tmp_path / "model"]
    one_error(command(*train, "--set", "patience=2"), "patience", "--dev")
    one_error(command(*train, "--folds", 2, "--set", "seed=-1"), "seed")
    vectors = ["--vectors", tiny.train, "--set", "dimensions=7"]
    one_error(command(*train, *vectors), "dimensions", "vectors")


@pytest.mark.parametrize("name", [".", "..", "model.pt", "model.bin", "a:b", "a\\b", "file/model"])
def test_a_model_that_cannot_be_written_is_told_before_the_training(
    command, tiny, tmp_path, monkeypatch, name
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    one_error(command(*tiny.arguments, "--out", name), f"--out {name}")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("name", [".", "file/vectors.bin"])
def test_vectors_that_cannot_be_written_are_told_before_the_training(
    command, tmp_path, monkeypatch, name
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    one_error(command("text", "vectors", "never_read.txt", "--out", name), f"--out {name}")


@pytest.mark.parametrize("mapping", ["neg", ""])
def test_a_bad_mapping_is_named(command, tiny, tmp_path, mapping):
    done = command(*tiny.arguments, "--map", mapping, "--out", tmp_path / "model")
    one_error(done, "--map", "OLD=NEW")


@pytest.mark.parametrize(
    "arguments",
    [
        ["train"],
        ["train", "--data", "a.csv"],
        ["train", "--out", "x", "--folds", "many"],
        ["eval"],
        ["eval", "--data", "a.csv", "--format", "xml"],
        ["eval", "--data", "a.csv", "--what"],
        ["vectors"],
        ["vectors", "a.txt"],
        ["vectors", "a.txt", "--out", "b.bin", "--method", "glove"],
        ["vectors", "a.txt", "--out", "b.bin", "--dimensions", "-3"],
        ["vectors", "a.txt", "--out", "b.bin", "--dimensions", "0"],
        ["vectors", "a.txt", "--out", "b.bin", "--epochs", "0"],
        ["nothing"],
    ],
)
def test_wrong_usage(command, arguments):
    done = command("text", *arguments)
    assert done.code == 2
    assert done.out == ""
    assert done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("folds", ["1", "-3", "1000"])
def test_folds_that_cannot_be(command, tiny, tmp_path, folds):
    done = command(*tiny.arguments, "--folds", folds, "--out", tmp_path / "model")
    assert done.code in (1, 2)
    assert "folds" in done.err
    assert done.out == ""


def test_any_labels_with_a_baseline(command, made_up, tmp_path):
    """jsonl with five labels of its own for training, a header-less csv for dev."""
    names = ["spam", "ham", "news", "2", "Straße"]
    words = ["win prize money", "lunch mum dinner", "minister law vote", "one two three",
             "straße haus berlin"]  # fmt: skip
    rng = np.random.default_rng(1)
    rows = [
        (name, " ".join(rng.choice(said.split(), 4)) + f" {number}")
        for number in range(40)
        for name, said in zip(names, words, strict=True)
    ]
    train = made_up.write(tmp_path / "mail.jsonl", rows[:150])
    dev = made_up.write(tmp_path / "dev.csv", rows[150:], header=False)
    done = command(
        "text", "train", "--data", train, "--dev", dev, "--arch", "rnn", "--out",
        tmp_path / "deep" / "folder" / "mail", "--set", "hidden=16", "--set", "dimensions=16",
        "--set", "epochs=12", "--set", "learning_rate=0.01", "--set", "batch_size=8",
    )  # fmt: skip
    assert done.code == 0, done.err
    card = tmp_path / "deep" / "folder" / "mail.toml"
    assert read_card(card).labels == sorted(names)
    assert read_card(card).architecture == "rnn"
    done = command("text", "eval", "--model", card, "--data", dev, "--format", "json")
    found = json.loads(done.out)
    assert set(found["recall"]) == set(names)
    assert found["accuracy"] > 0.8
    done = command("sentiment", "--model", card, "--format", "jsonl", "win money")
    assert set(json.loads(done.out)["scores"]) == set(names)


KILLED = """
import os, signal
from domains.text import release
figures, calls = release.dev_figures, []
def dev_figures(*arguments):
    calls.append(1)
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return figures(*arguments)
release.dev_figures = dev_figures
from apps.cli import main
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_a_killed_run_resumes_to_the_very_same_model(command, tiny, tmp_path):
    """And so does a second run, in another process: same seed, same bits."""
    out = ["--out", tmp_path / "tiny"]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *map(str, [*tiny.arguments, *out])],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"},
        capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.run"]
    [log] = (tmp_path / "tiny.run").glob("*/log.jsonl")
    done = command(*tiny.arguments, *out)
    assert done.code == 0, done.err
    steps = [json.loads(line).get("step") for line in log.read_text().splitlines()]
    assert [step for step in steps if step is not None] == list(range(len(steps) - 6))
    resumed, whole = read_card(tmp_path / "tiny.toml"), read_card(tiny.card)
    assert resumed.files == whole.files
    for name in whole.files:
        assert (tmp_path / name).read_bytes() == (tiny.folder / name).read_bytes()


def test_a_run_that_is_done_is_not_run_again(command, tiny):
    """The same command again finds the model; of its run only the log is left."""
    [log] = (tiny.folder / "tiny.run").glob("*/log.jsonl")
    before, card = log.read_bytes(), tiny.card.read_bytes()
    done = command(*tiny.arguments, "--out", tiny.folder / "tiny")
    assert (done.code, done.out, done.err) == (0, f"{tiny.card}\n", "")
    assert log.read_bytes() == before
    assert tiny.card.read_bytes() == card
    assert not list((tiny.folder / "tiny.run").glob("**/checkpoint*"))


def test_two_processes_train_one_model(command, made_up, tmp_path):
    data = made_up.write(tmp_path / "data.csv", made_up.sentences(90, 1))
    dev = made_up.write(tmp_path / "dev.csv", made_up.sentences(30, 2))
    train = ["text", "train", "--data", data, "--dev", dev, "--set", "dropout=0", "--set",
             "epochs=3", "--set", "filters=5", "--set", "dimensions=8", "--set",
             "batch_size=7"]  # fmt: skip
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    two = subprocess.run(
        [sys.executable, *torchrun, "-m", "apps.cli", *map(str, train), "--out", tmp_path / "two"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert two.returncode == 0, two.stderr
    assert two.stdout == f"{tmp_path / 'two.toml'}\n"
    one = command(*train, "--out", tmp_path / "one")
    assert one.code == 0, one.err

    def losses(name):
        [log] = (tmp_path / f"{name}.run").glob("*/log.jsonl")
        return [json.loads(line).get("loss", 0.0) for line in log.read_text().splitlines()]

    assert losses("two") == pytest.approx(losses("one"), abs=1e-4)
    for name in ("one", "two"):
        done = command(
            "text", "eval", "--model", tmp_path / name, "--data", dev, "--format", "json"
        )
        assert json.loads(done.out)["accuracy"] == pytest.approx(
            read_card(tmp_path / f"{name}.toml").metrics["dev dev"]["accuracy"], abs=1e-4
        )


def test_folds(command, made_up, tmp_path):
    data = made_up.write(tmp_path / "mr.tsv", made_up.sentences(90, 9, ("negative", "positive")))
    done = command(
        "text", "train", "--data", data, "--arch", "bag-of-embeddings", "--folds", 3, "--out",
        tmp_path / "mr", "--set", "epochs=5", "--set", "learning_rate=0.02", "--set",
        "batch_size=4",
    )  # fmt: skip
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (len(found["folds"]), found["n"]) == (3, 90)
    assert found["accuracy"] == pytest.approx(np.mean(found["folds"]), abs=1e-4)
    assert found["accuracy"] > 0.8
    assert not (tmp_path / "mr.toml").exists()


@pytest.fixture(scope="module")
def texts(tmp_path_factory, made_up):
    path = tmp_path_factory.mktemp("texts") / "texts.txt"
    path.write_text("\n".join(text for _, text in made_up.sentences(300, 4)) + "\n")
    return path


@pytest.mark.parametrize("method", ["word2vec", "fasttext"])
@pytest.mark.parametrize("suffix", [".bin", ".txt"])
def test_vectors(command, texts, tmp_path, method, suffix):
    out = tmp_path / f"vectors{suffix}"
    done = command(
        "text", "vectors", texts, "--out", out, "--method", method, "--dimensions", 6, "--epochs", 1
    )
    assert done.code == 0, done.err
    assert done.out == ""
    assert "6 dimensions" in done.err
    made = embeddings.read(out)
    assert made.vector_size == 6
    assert {"film", "funny", "the"} <= set(made.index_to_key)
    assert out.read_bytes().startswith(f"{len(made)} 6\n".encode())


def test_vectors_of_others_are_converted(command, tmp_path):
    glove = tmp_path / "glove.txt"
    glove.write_text("film 1.0 2.0\ngood -0.5 4\n")
    out = tmp_path / "glove.bin"
    done = command("text", "vectors", glove, "--method", "convert", "--out", out)
    assert done.code == 0, done.err
    made = embeddings.read(out)
    assert {word: made[word].tolist() for word in made.index_to_key} == {
        "film": [1.0, 2.0], "good": [-0.5, 4.0],
    }  # fmt: skip


@pytest.mark.parametrize("arguments", [["--minimum-count", 1000], ["--column", "what"]])
def test_vectors_that_cannot_be_made_leave_nothing(command, tiny, tmp_path, arguments):
    out = tmp_path / "vectors.bin"
    one_error(command("text", "vectors", tiny.test, "--out", out, *arguments), "test.jsonl")
    assert not list(tmp_path.iterdir())


def test_help_names_the_commands(command):
    done = command("text", "--help")
    assert done.code == 0
    for verb in ("train", "eval", "vectors"):
        assert verb in done.out
