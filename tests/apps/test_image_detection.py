"""`receptive image detect` and `segment`, and how their models are made and measured."""

import csv
import io
import json

import numpy as np
import pytest
from font_digits import digits, write
from outcomes import one_error
from PIL import Image

from core import weights
from domains.image.rcnn import LONGEST
from domains.image.scenes import Scenes, scenes
from domains.image.segmentation_training import SIZE, of_size

LABELS = ("0", "7")


@pytest.fixture(scope="module")
def made(command, tmp_path_factory):
    """The folder of a detector and a segmenter of two digits, as the commands trained them."""
    place = tmp_path_factory.mktemp("made")
    data = write(place / "two.npz", LABELS)

    def train(kind, name, *options, **settings):
        chosen = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
        done = command("image", kind, "--data", data, "--out", place / name, *options, *chosen)
        assert (done.code, done.out) == (0, f"{place / name}.toml\n"), done.err

    train("train", "features", "--arch", "keras-mnist", epochs=5, batch_size=32)
    train("train-detector", "finder", "--features", place / "features.toml", scenes=40, epochs=4)
    train("train-segmenter", "parter", scenes=192, epochs=2, width=8)
    return place


def picture(path, seed=3, size=128):
    """A scene of the test digits as a file, and the scene."""
    [scene] = scenes(Scenes(*digits(LABELS, 40, 1), size=size), 1, seed)
    Image.fromarray(scene.picture).save(path)
    return scene


def test_cards_say_what_they_are(made):
    finder, parter = (weights.read_card(made / f"{name}.toml") for name in ("finder", "parter"))
    assert (finder.architecture, parter.architecture) == ("keras-mnist", "unet")
    assert finder.labels == parter.labels == ["0", "1"]
    assert finder.config["classes"] == 2
    assert parter.config["classes"] == 3
    assert finder.command.startswith("receptive image train-detector --data ")
    assert finder.metrics["validation"]["mean_average_precision"] > 0.5
    assert parter.metrics["validation"]["digits_iou"] > 0.5


def test_trained_again_they_are_left_as_they_are(command, made):
    before = (made / "finder.onnx").stat().st_mtime_ns
    done = command(
        "image", "train-detector", "--data", made / "two.npz", "--out", made / "finder",
        "--features", made / "features.toml", "--set", "scenes=40", "--set", "epochs=4",
    )  # fmt: skip
    assert done == (0, f"{made / 'finder.toml'}\n", "")
    assert (made / "finder.onnx").stat().st_mtime_ns == before


def test_detect_in_each_format(command, made, tmp_path):
    scene = picture(tmp_path / "a.png")
    detect = ("image", "detect", tmp_path / "a.png", "--model", made / "finder", "--least", "0.05")
    done = command(*detect, "--format", "jsonl")
    assert (done.code, done.err) == (0, "")
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert len(rows) >= len(scene.boxes) / 2
    assert {row["label"] for row in rows} <= {"0", "1"}
    shares = [row["probability"] for row in rows]
    assert shares == sorted(shares, reverse=True)
    for row in rows:
        left, top, right, bottom = row["box"]
        assert 0 <= left < right <= 128
        assert 0 <= top < bottom <= 128
    table = list(csv.DictReader(io.StringIO(command(*detect, "--format", "csv").out)))
    assert [[float(row[side]) for side in ("left", "top", "right", "bottom")] for row in table] == [
        row["box"] for row in rows
    ]
    head, *lines = command(*detect).out.splitlines()
    assert head.split() == ["file", "label", "probability", "left", "top", "right", "bottom"]
    assert [line.split()[1] for line in lines] == [row["label"] for row in rows]


def test_detect_draws_boxes(command, made, tmp_path):
    picture(tmp_path / "a.png")
    done = command(
        "image", "detect", tmp_path / "a.png", "--model", made / "finder", "--least", "0.05",
        "--out", tmp_path / "boxes.png", "--format", "jsonl",
    )  # fmt: skip
    drawn = np.asarray(Image.open(tmp_path / "boxes.png"))
    assert drawn.shape == (128, 128, 3)
    left, top, _, _ = json.loads(done.out.splitlines()[0])["box"]
    assert len(set(drawn[round(top), round(left)].tolist())) > 1  # a colour on the grey picture


def test_digits_of_a_large_page(command, made, tmp_path):
    """Of a few pixels for the page: each as in a scene of its own."""
    page = Image.new("L", (1500, 1100))
    scene = picture(tmp_path / "a.png")
    page.paste(Image.open(tmp_path / "a.png"), (900, 640))
    page.save(tmp_path / "page.png")
    scene_alone, whole_page = (
        {tuple(json.loads(line)["box"]) for line in command(
            "image", "detect", tmp_path / name, "--model", made / "finder", "--least", "0.05",
            "--format", "jsonl",
        ).out.splitlines()}
        for name in ("a.png", "page.png")
    )  # fmt: skip
    boxes = np.array([*whole_page]) - [900, 640, 900, 640]
    assert len(boxes) >= len(scene.boxes) / 2
    near = [np.abs(boxes - box).max(1).min() < 4 for box in scene_alone]
    assert np.mean(near) >= 0.5


@pytest.mark.parametrize("kind", ["detect", "segment"])
def test_help_says_how_large_digits_must_be(command, kind):
    text = " ".join(command("image", kind, "--help").out.split())
    assert "16 pixels" in text
    assert f"longer than {LONGEST:,} pixels" in text


def test_detect_names_bad_files_and_goes_on(command, made, tmp_path):
    picture(tmp_path / "b.png")
    (tmp_path / "a.png").write_text("no picture")
    Image.new("L", (30, 30)).save(tmp_path / "c.png")
    done = command(
        "image", "detect", tmp_path, "--model", made / "finder", "--least", "0.05",
        "--format", "jsonl",
    )  # fmt: skip
    assert done.code == 1
    assert {json.loads(line)["file"] for line in done.out.splitlines()} == {str(tmp_path / "b.png")}
    bad, empty = done.err.splitlines()
    assert bad.startswith("receptive: error: ")
    assert "a.png" in bad
    assert empty == f"{tmp_path / 'c.png'}: nothing found"


def test_segment_writes_a_mask(command, made, tmp_path):
    source = of_size(Scenes(*digits(LABELS, 40, 1)), SIZE)
    [scene] = scenes(source, 1, 0)
    page = Image.fromarray(255 - scene.picture).resize((3 * SIZE, 3 * SIZE))
    page.save(tmp_path / "page.png")
    done = command(
        "image", "segment", tmp_path / "page.png", "--model", made / "parter",
        "--out", tmp_path / "mask.png",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    mask = Image.open(tmp_path / "mask.png")
    assert (mask.mode, mask.size) == ("P", page.size)
    values = np.asarray(mask)
    ours, theirs = values[1::3, 1::3] > 0, scene.mask > 0
    assert (ours & theirs).sum() / (ours | theirs).sum() > 0.4
    head, *lines = done.out.splitlines()
    assert head.split() == ["label", "pixels", "share"]
    assert sum(int(line.split()[1]) for line in lines) == (values > 0).sum()


@pytest.mark.parametrize(
    ("kind", "model", "figure", "shares"),
    [
        ("detector", "finder", "mean_average_precision", "average_precision"),
        ("segmenter", "parter", "mean_iou", "iou"),
    ],
)
def test_eval_measures_on_the_test_digits(command, made, kind, model, figure, shares):
    arguments = (
        "image", f"eval-{kind}", "--data", made / "two.npz", "--model", made / model,
        "--scenes", "12",
    )  # fmt: skip
    done = command(*arguments, "--format", "json", "--record", "test")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert found["model"] == model
    assert found[figure] == pytest.approx(np.mean(list(found[shares].values())), abs=1e-3)
    kept = weights.read_card(made / f"{model}.toml").metrics["test"]
    assert kept["data"] == "two.npz"
    assert kept[figure] == found[figure]
    table = command(*arguments).out
    assert f"{found[figure]:.2%}" in table
    again = json.loads(command(*arguments, "--format", "json").out)
    other = json.loads(command(*arguments, "--seed", "1", "--format", "json").out)
    for figures in (found, again, other):
        del figures["scenes_per_second"]
    assert again == found != other


def test_a_model_of_another_kind(command, made, tmp_path):
    picture(tmp_path / "a.png")
    for model, message in (("features", "not a detector"), ("parter", "not a detector")):
        done = command("image", "detect", tmp_path / "a.png", "--model", made / model)
        one_error(done, f"{model}.toml", message)
    done = command(
        "image", "segment", tmp_path / "a.png", "--model", made / "finder",
        "--out", tmp_path / "mask.png",
    )  # fmt: skip
    one_error(done, "finder.toml", "not a segmenter")
    assert not (tmp_path / "mask.png").exists()
    done = command("image", "classify", tmp_path / "a.png", "--model", made / "finder")
    one_error(done, "finder.toml")
    done = command(
        "image", "train-detector", "--data", made / "two.npz", "--out", tmp_path / "x",
        "--features", made / "parter",
    )  # fmt: skip
    one_error(done, "parter.toml", "unet does not end with a fully connected layer")


def test_other_labels_than_the_models(command, made, tmp_path):
    data = write(tmp_path / "three.npz", "123", 30)
    for kind, model in (("detector", "finder"), ("segmenter", "parter")):
        done = command("image", f"eval-{kind}", "--data", data, "--model", made / model)
        one_error(done, "three.npz: its classes are 0, 1, 2, the model's 0, 1")


@pytest.mark.parametrize(
    "arguments",
    [
        ("detect",),
        ("detect", "a.png", "b.png", "--out", "c.png"),
        ("detect", "a.png", "--out", "c.jpg"),
        ("detect", "a.png", "--least", "2"),
        ("segment", "a.png"),
        ("segment", "a.png", "--out", "c.jpg"),
        ("train-detector", "--data", "a", "--out", "b"),
        ("eval-detector", "--data", "a", "--scenes", "0"),
    ],
)
def test_wrong_usage(command, arguments):
    assert command("image", *arguments).code == 2


@pytest.mark.parametrize("kind", ["detect", "segment"])
def test_the_picture_itself_is_not_overwritten(command, tmp_path, kind):
    picture(tmp_path / "page.png")
    before = (tmp_path / "page.png").read_bytes()
    done = command("image", kind, tmp_path / "page.png", "--out", tmp_path / "." / "page.png")
    assert done.code == 2
    assert "overwritten" in done.err
    assert (tmp_path / "page.png").read_bytes() == before
