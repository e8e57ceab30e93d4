"""`receptive image train` and `receptive image eval`, as a user runs them."""

import json
import shutil

import numpy as np
import pytest
from outcomes import one_error
from PIL import Image
from shapes import LABELS, write_folder, write_npz

from core import weights

SMALL = ("widths=[8, 16]", "epochs=8", "batch_size=16", "learning_rate=0.05")
SETTINGS = [part for setting in SMALL for part in ("--set", setting)]
ALL_OF_IT = "no test part in it, so all of it is read"
FIGURES = {
    "model", "accuracy", "top5", "confusion", "recall", "nll", "ece", "n",
    "images_per_second",
}  # fmt: skip


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    return write_npz(tmp_path_factory.mktemp("shapes") / "shapes.npz")


@pytest.fixture(scope="module")
def trained(command, shapes, tmp_path_factory):
    """The folder of a model that the command trained, and what it said."""
    place = tmp_path_factory.mktemp("trained")
    done = command("image", "train", *SETTINGS, "--data", shapes, "--out", place / "mine")
    assert done.code == 0, done.err
    return place, done


def test_training_prints_the_card_and_nothing_else(trained):
    place, done = trained
    assert (done.out, done.err) == (f"{place / 'mine.toml'}\n", "")
    assert {path.name for path in place.iterdir()} == {
        "mine.toml", "mine.safetensors", "mine.onnx", "mine.run",
    }  # fmt: skip
    card = weights.read_card(place / "mine.toml")
    assert card.config["widths"] == [8, 16]
    assert card.command.startswith("receptive image train --set ")


def test_trained_again_it_is_left_as_it_is(command, trained, shapes):
    place, done = trained
    before = (place / "mine.onnx").stat().st_mtime_ns
    again = command("image", "train", *SETTINGS, "--data", shapes, "--out", place / "mine")
    assert again == done
    assert (place / "mine.onnx").stat().st_mtime_ns == before


def test_another_recipe_does_not_overwrite_it(command, trained, shapes):
    place, _ = trained
    before = (place / "mine.toml").read_bytes()
    other = command(
        "image", "train", *SETTINGS, "--set", "seed=2", "--data", shapes, "--out", place / "mine"
    )
    one_error(other, f"{place / 'mine.toml'}: there already, and not known to come of this recipe")
    assert (place / "mine.toml").read_bytes() == before
    assert len(list((place / "mine.run").iterdir())) == 1  # the other run didn't begin


def evaluate(command, model, data, *options):
    done = command("image", "eval", "--model", model, "--data", data, "--format", "json", *options)
    assert done.code == 0, done.err
    assert done.err == ("" if data.suffix == ".npz" else f"{data}: {ALL_OF_IT}\n")
    return json.loads(done.out)


def test_eval_reads_the_test_part(command, trained, shapes):
    place, _ = trained
    found = evaluate(command, place / "mine", shapes)
    assert set(found) == FIGURES
    assert (found["model"], found["n"]) == ("mine", 30)
    assert found["accuracy"] > 0.7
    assert found["top5"] == 1.0
    assert sum(count for row in found["confusion"].values() for count in row.values()) == 30
    right = sum(row.get(label, 0) for label, row in found["confusion"].items())
    assert found["accuracy"] == pytest.approx(right / 30, abs=1e-4)


def test_moved_pictures_are_measured_alike_each_time(command, trained, shapes):
    place, _ = trained
    moves = ("--rotation", "45", "--zoom", "0.2", "--shift", "2")
    first, again = (evaluate(command, place / "mine", shapes, *moves) for _ in range(2))
    assert first["accuracy"] == again["accuracy"]
    assert first["accuracy"] < evaluate(command, place / "mine", shapes)["accuracy"]


def test_the_table_has_what_json_has(command, trained, shapes):
    place, _ = trained
    done = command("image", "eval", "--model", place / "mine", "--data", shapes)
    lines = done.out.splitlines()
    assert lines[0].startswith("pictures") and " 30 " in lines[0]
    found = evaluate(command, place / "mine", shapes)
    assert f"accuracy  {found['accuracy']:>8.2%}" in lines
    assert lines[4] == "recall" and len(lines[5:8]) == 3


def test_figures_are_kept_in_the_card(command, trained, shapes, tmp_path):
    place, _ = trained
    for path in place.glob("mine.*"):
        if path.is_file():
            shutil.copy(path, tmp_path)
    evaluate(command, tmp_path / "mine", shapes, "--record", "test", "--shift", "1")
    kept = weights.read_card(tmp_path / "mine.toml").metrics["test"]
    assert (kept["data"], kept["shift"], kept["n"]) == ("shapes.npz", 1.0, 30)
    done = command(
        "image", "eval", "--model", tmp_path / "mine", "--data", shapes, "--record", "epochs"
    )
    one_error(done, "--record epochs: the card has a figure of that name")


def test_a_folder_of_pictures_and_a_bad_one_among_them(command, tmp_path):
    folder = write_folder(tmp_path / "pictures")
    (folder / "ring" / "notes.png").write_text("no picture")
    done = command(
        "image", "train", *SETTINGS, "--set", "size=12", "--data", folder, "--out", tmp_path / "net"
    )
    assert (done.code, done.out) == (1, f"{tmp_path / 'net.toml'}\n")
    [line] = done.err.splitlines()
    assert line.startswith("receptive: error: ") and "notes.png" in line
    card = weights.read_card(tmp_path / "net.toml")
    assert card.labels == list(LABELS)
    assert card.config["size"] == 12 and card.config["channels"] == 3


def test_a_class_without_a_picture_is_named(command, tmp_path):
    folder = write_folder(tmp_path / "pictures")
    (folder / "square").mkdir()
    settings = [*SETTINGS, "--set", "size=12", "--set", "epochs=1"]
    done = command("image", "train", *settings, "--data", folder, "--out", tmp_path / "net")
    assert (done.code, done.out) == (1, f"{tmp_path / 'net.toml'}\n")
    assert done.err == f"receptive: error: {folder / 'square'}: no picture in this folder\n"
    assert weights.read_card(tmp_path / "net.toml").labels == list(LABELS)


def test_digits_in_folders_are_seen_as_classify_sees_them(command, tmp_path):
    write_folder(tmp_path / "pictures", size=60)
    settings = [*SETTINGS, "--set", "size=28", "--set", "fit=digit"]
    done = command(
        "image", "train", *settings, "--data", tmp_path / "pictures", "--out", tmp_path / "net"
    )
    assert done.code == 0, done.err
    assert weights.read_card(tmp_path / "net.toml").config["channels"] == 1
    found = evaluate(command, tmp_path / "net", tmp_path / "pictures")
    for label in LABELS:
        files = tmp_path / "pictures" / label
        done = command("image", "classify", files, "--model", tmp_path / "net", "--format", "jsonl")
        right = [json.loads(line)["label"] == label for line in done.out.splitlines()]
        assert found["recall"][label] == pytest.approx(sum(right) / len(right), abs=1e-4)


def test_eval_of_other_classes_is_refused(command, trained, tmp_path):
    place, _ = trained
    folder = write_folder(tmp_path / "pictures", count=2)
    done = command("image", "eval", "--model", place / "mine", "--data", folder)
    one_error(done, "pictures: its classes are lying, ring, standing, the model's 0, 1, 2")


def test_imagenet_is_not_measured(command, shapes):
    done = command("image", "eval", "--model", "imagenet", "--data", shapes)
    one_error(done, "--model imagenet: eval measures released models, and this has no card")


def test_a_blank_digit_is_named_where_it_stands(command, tmp_path):
    """A blank page has no digit; among MNIST's files it has a place instead of a name."""
    pictures = np.zeros((4, 28, 28), np.uint8)
    pictures[:2, 4:24, 12:16] = 255
    pictures[2, 6:22, 6:22] = 255
    np.savez(tmp_path / "digits.npz", x_train=pictures[:3].repeat(6, 0),
             y_train=np.repeat([0, 0, 1], 6), x_test=pictures, y_test=[0, 0, 1, 1])  # fmt: skip
    settings = [*SETTINGS, "--set", "fit=digit", "--set", "epochs=1"]
    data = ("--data", tmp_path / "digits.npz")
    assert command("image", "train", *settings, *data, "--out", tmp_path / "net").code == 0
    done = command("image", "eval", "--model", tmp_path / "net", *data)
    one_error(done, "picture 4 of 4: the picture is blank")
    Image.new("L", (50, 50), 255).save(tmp_path / "page.png")
    Image.fromarray(pictures[0]).save(tmp_path / "stroke.png")
    files = (tmp_path / "page.png", tmp_path / "stroke.png")
    done = command("image", "classify", *files, "--model", tmp_path / "net", "--format", "jsonl")
    assert done.code == 1
    assert done.err == f"receptive: error: {tmp_path / 'page.png'}: the picture is blank\n"
    [answer] = map(json.loads, done.out.splitlines())
    assert answer["file"] == str(tmp_path / "stroke.png")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--data", "absent"), "absent: no such file or folder"),
        (("--data", "empty"), "empty: "),
        (("--arch", "resnet-9000"), "no architecture called 'resnet-9000'; known: "),
        (("--arch", "alexnet"), "12"),
        (("--set", "nonsense"), "NAME=VALUE expected"),
        (("--set", "nonsense=1"), "has no setting 'nonsense'"),
        (("--set", "epochs=0"), "epochs cannot be 0"),
        (("--set", "rotation=nan"), "rotation cannot be nan"),
        (("--set", "rotation=-1.0"), "rotation cannot be -1.0"),
        (("--set", "shift=12"), "a shift of 12 on 12 x 12 pixels"),
        (("--recipe", "absent"), "no recipe called 'absent'; known: "),
    ],
)
def test_bad_training_input_is_one_line_and_writes_nothing(
    command, shapes, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    data = () if "--data" in arguments else ("--data", shapes)
    settings = () if "alexnet" in arguments else SETTINGS
    one_error(command("image", "train", *settings, *data, "--out", "bad", *arguments), message)
    assert not (tmp_path / "bad.toml").exists()
