"""The detector at work, with a network in its place that judges regions by their middle."""

import numpy as np
import pytest
from font_digits import digits
from PIL import Image, ImageDraw, ImageOps

from domains.image.boxes import overlap
from domains.image.detection import evaluate
from domains.image.proposals import propose
from domains.image.rcnn import (
    CONTEXT,
    LARGEST,
    LONGEST,
    SHARED,
    TILE,
    Detector,
    Found,
    light_on_dark,
    proposed,
    warp,
)
from domains.image.scenes import Scenes, scenes

PREPROCESSING = {"size": 28, "mean": [0.5], "std": [0.5]}


def by_the_middle(regions):
    """(B, 1, 28, 28) -> (B, 2) logits: "disc" where the middle is bright, "ring" where only what is
    about it is; the frame is dark about both."""
    middle = regions[:, 0, 12:16, 12:16].mean((1, 2))
    between = regions[:, 0, 12:16, 4:7].mean((1, 2))
    frame = np.maximum(regions[:, :, [0, -1]].max((1, 2, 3)), regions[..., [0, -1]].max((1, 2, 3)))
    shape = np.stack([middle + between, between - middle], 1) - 1.6
    return (20 * (shape - (frame[:, None] > -0.4))).astype(np.float32)


@pytest.fixture
def detector():
    return Detector(by_the_middle, ["disc", "ring"], PREPROCESSING)


def drawing(size, *shapes, paper="black", ink="white"):
    page = Image.new("RGB", size, paper)
    pen = ImageDraw.Draw(page)
    for kind, box in shapes:
        left, top, right, bottom = box
        inside = {"fill": ink} if kind == "disc" else {"outline": ink, "width": (right - left) // 5}
        pen.ellipse((left, top, right - 1, bottom - 1), **inside)
    return page


TWO = (("disc", (20, 30, 50, 60)), ("ring", (90, 20, 140, 70)))


def the_two(found, scale=1.0):
    """The surest of each label is where TWO says, to a pixel or two."""
    for label, box in TWO:
        surest = next(detection for detection in found if detection.label == label)
        assert surest.box == pytest.approx(np.array(box) * scale, abs=2.5 * scale)


def test_finds_what_is_there_with_its_box(detector):
    found = detector.detect(drawing((160, 100), *TWO))
    the_two(found)
    assert len(found) == 2
    assert found[0].probability >= found[1].probability >= 0.5


def test_dark_on_light_is_the_same(detector):
    page = drawing((160, 100), *TWO)
    assert detector.detect(ImageOps.invert(page)) == detector.detect(page)
    the_two(detector.detect(drawing((160, 100), *TWO, paper="#f4efe0", ink="#202060")))


def test_boxes_of_a_large_picture_are_in_its_own_pixels(detector):
    large = drawing((160, 100), *TWO).resize((1600, 1000), Image.Resampling.BICUBIC)
    the_two(detector.detect(large), scale=10)


def test_small_and_large_things_of_a_large_page(detector):
    """From 16 pixels to most of the page, also where tiles meet: each once, and no part of it."""
    shapes = [
        ("disc", (TILE - SHARED + 20, TILE - SHARED + 20, TILE - SHARED + 80, TILE - SHARED + 80)),
        ("disc", (900, 40, 916, 56)),
        ("ring", (700, 650, 730, 680)),
        ("ring", (60, 400, 560, 900)),
        ("disc", (600, 100, 740, 240)),
        ("disc", (790, 400, 860, 470)),
    ]
    found = detector.detect(drawing((1000, 1000), *shapes))
    shares = overlap(np.array([box for _, box in shapes], float), np.array([d.box for d in found]))
    assert (shares.max(1) > 0.7).all()
    assert [found[best].label for best in shares.argmax(1)] == [kind for kind, _ in shapes]
    assert len(found) == len(shapes)


def test_a_picture_longer_than_can_be_searched_is_searched_in_a_copy(detector):
    page = drawing((3 * LONGEST, 200), ("disc", (3000, 50, 3090, 140)))
    [found] = detector.detect(page)
    assert found.box == pytest.approx((3000, 50, 3090, 140), abs=9)


def test_a_mark_is_of_one_class():
    """Of two classes, both of which are sure of all regions with a bright middle."""
    both = Detector(
        lambda regions: by_the_middle(regions)[:, [0, 0]] + [[-0.5, 0]], "ab", PREPROCESSING
    )
    found = both.detect(
        drawing((200, 200), ("disc", (20, 20, 60, 60)), ("disc", (120, 90, 180, 150)))
    )
    assert [detection.label for detection in found] == ["b", "b"]


def test_what_a_tiles_border_cuts_is_left_to_the_next_tile():
    picture = np.zeros((100, 300), np.uint8)
    picture[40:60, 140:160] = 255  # across the first tile's border, within the second
    picture[:20, :20] = 255  # at the picture's own border
    first, second = (np.s_[0:100, 0:150], np.s_[0:100, 100:300])
    whole, corner = np.array([[140.0, 40, 160, 60]]), np.array([[0.0, 0, 20, 20]])
    assert overlap(whole, proposed(picture, first)).max() < 0.5
    assert overlap(corner, proposed(picture, first)).max() > 0.8
    assert overlap(whole, proposed(picture, second)).max() > 0.8
    assert LARGEST < SHARED


@pytest.mark.parametrize("size", [(1, 1), (3, 300), (300, 3), (64, 64)])
def test_nothing_on_an_empty_page(detector, size):
    assert detector.detect(Image.new("RGB", size, "white")) == []


def test_least_is_a_bound(detector):
    page = drawing((160, 100), *TWO)
    every = detector.detect(page, least=0.0)
    assert len(every) > 2
    assert detector.detect(page, least=0.5) == [d for d in every if d.probability >= 0.5]


def test_a_warped_region_is_as_mnists_digits_are():
    """A bar of 40x12 becomes 20 pixels long, in the middle of 28x28, its proportions kept."""
    picture = np.full((100, 100), 50, np.uint8)
    picture[30:70, 60:72] = 150
    [region] = warp(picture, np.array([[60.0, 30, 72, 70]]), 28)
    assert (region.min(), region.max()) == (0, 255)
    bright = region > 127
    assert (bright.any(1).sum(), bright.any(0).sum()) == (20, 6)
    rows, columns = np.nonzero(bright)
    assert (rows.mean(), columns.mean()) == (pytest.approx(13.5), pytest.approx(13.5, abs=0.5))
    assert CONTEXT * 20 == 28


def test_a_region_may_reach_beyond_the_border():
    picture = np.zeros((30, 30), np.uint8)
    picture[:, 20:] = 200
    [region] = warp(picture, np.array([[20.0, 0, 30, 30]]), 28)
    assert (region[:, -5:] == 255).all()
    assert warp(picture, np.zeros((0, 4)), 28).shape == (0, 28, 28)


def test_a_nearly_blank_region_is_not_made_of_its_noise():
    picture = (100 + np.random.default_rng(0).integers(0, 4, (40, 40))).astype(np.uint8)
    assert warp(picture, np.array([[5.0, 5, 35, 35]]), 28).max() < 32


def test_light_on_dark():
    page = np.array([[250, 250, 3]], np.uint8)
    assert light_on_dark(page).tolist() == [[5, 5, 252]]
    assert light_on_dark(255 - page).tolist() == [[5, 5, 252]]


def test_a_detector_that_finds_all_has_the_highest_precision_that_proposals_allow():
    drawn = scenes(Scenes(*digits("0", 20)), 10, 0)

    class Sighted(Detector):
        """Knows the scene, and is sure of the best proposal for each digit."""

        def find(self, picture, least):
            [scene] = [scene for scene in drawn if scene.picture is picture]
            boxes = propose(picture)
            boxes = boxes[np.unique(overlap(scene.boxes, boxes).argmax(1))]
            return Found(boxes, np.zeros(len(boxes), int), np.ones(len(boxes)))

    figures = evaluate(Sighted(by_the_middle, ["zero"], PREPROCESSING), drawn)
    assert figures["mean_average_precision"] == pytest.approx(figures["proposed"], abs=0.01)
    assert figures["n"] == sum(len(scene.boxes) for scene in drawn)
    blind = Detector(lambda regions: np.full((len(regions), 1), -9.0), ["zero"], PREPROCESSING)
    assert evaluate(blind, drawn)["mean_average_precision"] == 0
