"""What the Image page shows, as plain data."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from PIL import Image

from apps.image import view
from core.arithmetic import total
from domains.image.pictures import open_picture, prepare

COLOUR = {
    "channels": 3, "size": 32, "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.1], "fit": "crop",
}  # fmt: skip
GREY = {"channels": 1, "size": 28, "mean": [0.13], "std": [0.31], "fit": "digit"}


def test_every_sample_is_a_picture():
    names = sorted(path.stem for path in view.SAMPLES.glob("*.png"))
    assert len(names) >= 6
    for name in names:
        file = view.sample(name)
        assert file.name == f"{name}.png"
        assert len(file.data) < 10_000
        assert min(open_picture(io.BytesIO(file.data), file.name).size) >= 160


def test_samples_say_where_they_come_from():
    assert "Drawn by the code below" in (view.SAMPLES / "README.md").read_text()


@settings(deadline=None)
@given(arrays(np.uint8, (32, 32, 3)))
def test_what_is_seen_is_the_picture_that_was_prepared(samples):
    seen = np.asarray(view.seen(prepare(Image.fromarray(samples), COLOUR), COLOUR))
    assert seen.shape == (224, 224, 3)
    assert (seen[3::7, 3::7] == samples).all()


def test_a_large_picture_is_not_enlarged_and_a_grey_one_stays_grey():
    large = COLOUR | {"size": 224}
    assert view.seen(prepare(Image.new("RGB", (300, 300)), large), large).size == (224, 224)
    written = Image.open(io.BytesIO(view.sample("two").data)).convert("RGB")
    digit = view.seen(prepare(written, GREY), GREY)
    assert digit.mode == "L"
    assert digit.size == (224, 224)


def test_ten_classes_are_named_and_a_thousand_counted():
    ten = view.known(("airplane", "frog"))
    assert ten == "It knows 2 classes: airplane, frog. Anything else gets one of these 2, too."
    many = view.known([str(n) for n in range(1000)])
    assert many == "It knows 1,000 classes. Anything else gets one of these 1,000, too."


def test_how_a_picture_is_brought_to_its_size_is_said():
    assert "scaled to 32 pixels along its shorter side, and the middle is kept" in view.fit(COLOUR)
    large = view.fit(COLOUR | {"size": 224, "resize": 256})
    assert "256 pixels along its shorter side, and the middle 224 × 224 are kept" in large
    assert "MNIST" in view.fit(GREY)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("groups.0.1 MaxPool", "Max pool (groups.0.1)"),
        ("stem Conv", "Convolution (stem)"),
        ("a.b GlobalAveragePool", "Global average pool (a.b)"),
        ("a.2 BatchNorm2d", "Batch norm (a.2)"),
        ("a.3 SiLU", "SiLU (a.3)"),
        ("output", "Output"),
    ],
)
def test_layers_are_called_in_words(name, said):
    assert view.layer(name) == said


@pytest.mark.parametrize(
    ("shape", "shown", "said"),
    [
        ((64, 14, 15), 256, "64 feature maps, 14 × 15 pixels each."),
        ((1, 3, 3), 256, "1 feature map, 3 × 3 pixels each."),
        ((10, 1, 1), 256, "10 feature maps, one value each."),
        ((1280, 7, 7), 256, "1,280 feature maps, 7 × 7 pixels each; the first 256 are shown."),
    ],
)
def test_what_is_said_of_tiles(shape, shown, said):
    assert view.maps(shape, shown) == said


def test_a_row_a_layer():
    from apps.layers import cells, layers, networks

    assert "lenet5" in networks()
    _, rows = layers("lenet5", {})
    shown = list(map(cells, rows))
    assert shown[0]["kernel"] == "5x5"
    assert shown[0]["output"] == "6x28x28"
    assert shown[-1]["layer"] == "total"
    assert shown[-1]["parameters"] == total(rows[:-1]).parameters > 0
