import csv
import io
import json
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tiny_image_model import LABELS, picture, save

from core import registry
from domains.image import imagenet
from domains.image.classifier import ImageClassifier
from domains.image.key_maps import key_map


@pytest.fixture(scope="module")
def colours(tmp_path_factory):
    """The card of a model that names colours."""
    return save(tmp_path_factory.mktemp("colours"))


@pytest.fixture
def classify(command, colours, monkeypatch, tmp_path):
    """`receptive image classify` in the folder `tmp_path`."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, stdin=b"", model=colours):
        piped = io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin)))
        monkeypatch.setattr(sys, "stdin", piped)
        chosen = ["--model", model] if model else []
        return command("image", "classify", *arguments, *chosen)

    return run


@pytest.fixture
def rows(classify):
    """Its rows of jsonl, when nothing is bad."""

    def run(*arguments, **options):
        done = classify(*arguments, "--format", "jsonl", **options)
        assert (done.code, done.err) == (0, "")
        return [json.loads(line) for line in done.out.splitlines()]

    return run


def content(label="red", format="png", mode="RGB", size=(20, 30), **options):
    """The bytes of a picture file."""
    file = io.BytesIO()
    picture(label, size, mode).save(file, format, **options)
    return file.getvalue()


def test_the_table_has_a_line_a_file_in_order(classify, tmp_path):
    for label in ("red", "blue"):
        (tmp_path / f"{label}.png").write_bytes(content(label))
    done = classify("red.png", "blue.png", "red.png", "--top", 2)
    assert (done.code, done.err) == (0, "")
    head, *answers = (line.split() for line in done.out.splitlines())
    assert head == ["file", "label", "probability", "next"]
    assert [answer[:3] for answer in answers] == [
        ["red.png", "red", "1.000"], ["blue.png", "blue", "1.000"], ["red.png", "red", "1.000"],
    ]  # fmt: skip
    assert {len(answer) for answer in answers} == {5}


@pytest.mark.parametrize("label", LABELS)
def test_every_label_is_an_answer_with_the_five_likeliest(rows, tmp_path, label):
    (tmp_path / "a.png").write_bytes(content(label))
    [row] = rows("a.png")
    assert list(row) == ["file", "label", "probability", "top"]
    assert (row["file"], row["label"]) == ("a.png", label)
    probabilities = [each["probability"] for each in row["top"]]
    assert len(row["top"]) == 5 and probabilities == sorted(probabilities, reverse=True)
    assert row["top"][0] == {"label": label, "probability": row["probability"]}
    [everything] = rows("a.png", "--top", 99)
    assert {each["label"] for each in everything["top"]} == {*LABELS}
    assert sum(each["probability"] for each in everything["top"]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("top", [1, 3, 99])
def test_csv_says_what_jsonl_says(classify, rows, tmp_path, top):
    (tmp_path / 'a, "b".png').write_bytes(content("green"))
    (tmp_path / "grey.png").write_bytes(content("white", mode="L"))
    files = ('a, "b".png', "grey.png", "--top", top)
    done = classify(*files, "--format", "csv")
    table = list(csv.DictReader(io.StringIO(done.out)))
    assert done.code == 0
    for row, same in zip(table, rows(*files), strict=True):
        assert (row["file"], row["label"]) == (same["file"], same["label"])
        assert float(row["probability"]) == pytest.approx(same["probability"], abs=1e-6)
        others = [row[f"label_{n}"] for n in range(2, min(top, len(LABELS)) + 1)]
        assert others == [each["label"] for each in same["top"][1:]]
        assert len(row) == 1 + 2 * len(same["top"])


PICTURES = {
    "a.jpg": content("red", "jpeg"),
    "cmyk.jpg": content("red", "jpeg", "CMYK"),
    "a.webp": content("red", "webp"),
    "palette.gif": content("red", "gif"),
    "animated.gif": content(
        "red", "gif", save_all=True, append_images=[picture("blue", (20, 30))] * 3
    ),
    "palette.png": content("red", "png", "P"),
    "alpha.png": content("red", "png", "RGBA"),
    "a.tiff": content("red", "tiff"),
    "a.bmp": content("red", "bmp"),
    "one pixel.png": content("red", size=(1, 1)),
    "thin.png": content("red", size=(1, 2000)),
    "no suffix": content("red"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_the_answer_is_the_same_in_every_form(rows, tmp_path, name):
    (tmp_path / name).write_bytes(PICTURES[name])
    [row] = rows(name)
    assert (row["file"], row["label"]) == (name, "red")


def test_a_photograph_is_judged_by_the_square_in_its_middle(rows, tmp_path):
    wide = picture("blue", (300, 100))
    wide.paste(picture("yellow", (100, 100)), (100, 0))
    wide.save(tmp_path / "wide.png")
    [row] = rows("wide.png")
    assert row["label"] == "yellow"


@pytest.fixture
def album(tmp_path):
    """A folder of pictures, some below it, and of what is none."""
    for name, label in {
        "album/b.png": "blue",
        "album/a.PNG": "red",
        "album/c/a.jpg": "green",
        "album/c/d/a.webp": "yellow",
        "album/.hidden/a.png": "black",
        "album/._b.png": "black",
        "[1].png": "white",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(label).save(path)
    (tmp_path / "album/notes.txt").write_text("no picture")
    (tmp_path / "album/folder.png").mkdir()
    return tmp_path


def test_a_folder_is_all_the_pictures_in_it_and_below(rows, album):
    found = rows("album")
    assert [(row["file"], row["label"]) for row in found] == [
        ("album/a.PNG", "red"),
        ("album/b.png", "blue"),
        ("album/c/a.jpg", "green"),
        ("album/c/d/a.webp", "yellow"),
    ]


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("album/[ab].[pP]*", ["album/a.PNG", "album/b.png"]),
        ("**/a.*", ["album/a.PNG", "album/c/a.jpg", "album/c/d/a.webp"]),
        ("album/c*", ["album/c/a.jpg", "album/c/d/a.webp"]),
        ("[1].png", ["[1].png"]),
    ],
)
def test_a_pattern_that_the_shell_left_is_expanded(rows, album, pattern, files):
    assert [row["file"] for row in rows(pattern)] == files


def test_folders_and_patterns_without_a_picture_are_errors(classify, album):
    (album / "empty").mkdir()
    done = classify("*.jpg", "[1].png", "empty", "--format", "jsonl")
    assert done.code == 1
    assert [json.loads(line)["label"] for line in done.out.splitlines()] == ["white"]
    assert sorted(done.err.splitlines()) == [
        "receptive: error: *.jpg: no such file",
        "receptive: error: empty: no picture in this folder",
    ]


BAD = {
    "missing.png": (None, "missing.png: no such file"),
    "empty.png": (b"", "empty.png: an empty file"),
    "text.png": (b"Not a picture.\n", "text.png: "),
    "cut.png": (content(size=(400, 400))[:300], "cut.png: "),
    "cut.jpg": (content("red", "jpeg", size=(400, 400))[:-200], "cut.jpg: "),
    "x" * 999: (None, "x" * 999 + ": "),
    "evil\x1b[2J.png": (None, r"evil\x1b[2J.png: no such file"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_error_and_the_others_are_answered(classify, tmp_path, name):
    bytes, message = BAD[name]
    if bytes is not None:
        (tmp_path / name).write_bytes(bytes)
    (tmp_path / "fine.png").write_bytes(content("green"))
    done = classify("fine.png", name, "fine.png", "--format", "csv")
    assert done.code == 1
    assert [row["label"] for row in csv.DictReader(io.StringIO(done.out))] == ["green", "green"]
    [error] = done.err.splitlines()
    assert error.startswith(f"receptive: error: {message}")


def test_hundreds_of_files_are_answered_in_order(rows, tmp_path):
    said = [LABELS[number] for number in np.random.default_rng(0).integers(0, len(LABELS), 300)]
    for number, label in enumerate(said):
        (tmp_path / f"{number:03}.png").write_bytes(content(label))
    found = rows(".")
    assert [row["label"] for row in found] == said
    assert [row["file"] for row in found] == [f"./{number:03}.png" for number in range(300)]


def test_standard_input_is_one_picture(classify, rows):
    [row] = rows("-", stdin=content("yellow", "jpeg"))
    assert (row["file"], row["label"]) == ("stdin", "yellow")
    done = classify("-", stdin=b"")
    assert (done.code, done.out) == (1, "")
    assert done.err == "receptive: error: stdin: an empty file\n"


def test_names_steer_no_terminal(classify, tmp_path):
    name = "a\x1b[2J\n\u202e.png"
    (tmp_path / name).write_bytes(content("red"))
    done = classify(name)
    assert done.code == 0 and len(done.out.splitlines()) == 2
    assert done.out.splitlines()[1].startswith(r"a\x1b[2J\n\u202e.png  red")
    [row] = csv.DictReader(io.StringIO(classify(name, "--format", "csv").out, newline=""))
    assert row["file"] == name


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a.png", "--format", "xml"],
        ["a.png", "--top", "0"],
        ["a.png", "--nonsense"],
        ["a.png", "--weights", "a.pth"],
        ["a.png", "--arch", "vgg16"],
        ["a.png", "--weights", "a.pth", "--arch", "vgg16"],  # beside --model
    ],
)
def test_wrong_usage(classify, arguments):
    done = classify(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "Traceback" not in done.err


def test_a_terminal_is_no_picture(command, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    assert command("image", "classify", "-").code == 2


def test_without_a_name_the_model_is_imagenet_where_it_is_installed(
    classify, colours, monkeypatch, tmp_path
):
    (tmp_path / "a.png").write_bytes(content("green"))
    released = ImageClassifier.load(str(colours))
    monkeypatch.setattr(imagenet, "load", lambda: released)
    monkeypatch.setattr(ImageClassifier, "load", lambda name: {"objects": released}[name])
    for installed, note in (
        (True, "model: imagenet, 6 classes\n"),
        (False, "model: objects, 6 classes; pip install 'receptive[imagenet]' for 1,000\n"),
    ):
        monkeypatch.setattr(imagenet, "installed", lambda installed=installed: installed)
        done = classify("a.png", model=None)
        assert (done.code, done.err) == (0, note)
        assert done.out.splitlines()[1].split()[:2] == ["a.png", "green"]


def test_published_weights_answer_with_the_names_of_imagenet(classify, monkeypatch, tmp_path):
    torch.manual_seed(0)
    network = registry.build("resnet18", {}).eval()
    state = network.state_dict()
    keys = key_map("resnet18", network)
    save_file(
        {key: state[name].contiguous() for key, name in keys.items()}, tmp_path / "a.safetensors"
    )
    names = [f"class {n}" for n in range(1000)]
    monkeypatch.setattr(imagenet, "labels", lambda: names)
    (tmp_path / "a.png").write_bytes(content("blue", size=(256, 256)))
    done = classify(
        "a.png", "--weights", "a.safetensors", "--arch", "resnet18", "--format", "jsonl",
        model=None,
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    blue = (torch.tensor([0.0, 0, 1]) - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor(
        [0.229, 0.224, 0.225]
    )
    with torch.no_grad():
        expected = network(blue[None, :, None, None].expand(1, 3, 224, 224)).softmax(1)[0]
    top = json.loads(done.out)["top"]
    assert [each["label"] for each in top] == [names[n] for n in expected.topk(5).indices]
    assert top[0]["probability"] == pytest.approx(expected.max().item(), abs=1e-4)


@pytest.mark.parametrize("arch", ["resnet18", "nonsense"])
def test_what_is_no_published_weights_is_one_error(classify, monkeypatch, tmp_path, arch):
    monkeypatch.setattr(imagenet, "labels", lambda: [f"class {n}" for n in range(1000)])
    (tmp_path / "a.pth").write_bytes(b"no weights")
    done = classify("a.png", "--weights", "a.pth", "--arch", arch, model=None)
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)


def test_models_that_are_none(classify, tmp_path):
    for model in ("nonsense", save(tmp_path, domain="text")):
        done = classify("a.png", model=model)
        assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
        assert str(model) in done.err
