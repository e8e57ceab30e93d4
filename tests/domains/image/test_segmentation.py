"""Segmentation at work, with a network in its place that goes by brightness; and its training."""

import math

import numpy as np
import pytest
from font_digits import digits
from PIL import Image, ImageDraw

from core.errors import InputError
from domains.image.scenes import Scenes, scenes
from domains.image.segmentation import (
    LARGEST,
    MARGIN,
    SHORTEST,
    Segmenter,
    intersections_over_unions,
    of_sides,
    stretched,
)
from domains.image.segmentation_training import SIZE, Recipe, SceneData, evaluate, of_size

PREPROCESSING = {"size": 64, "mean": [0.0], "std": [1.0]}


def by_brightness(pictures):
    """(B, 1, H, W) -> (B, 3, H, W) logits: dark is background, grey "faint", bright "strong"."""
    return np.concatenate([0.3 - pictures, 0.2 - abs(pictures - 0.5), pictures - 0.7], 1)


@pytest.fixture
def segmenter():
    return Segmenter(by_brightness, ["faint", "strong"], PREPROCESSING)


def page(size, paper=0, faint=128, strong=255):
    picture = Image.new("L", size, paper)
    pen = ImageDraw.Draw(picture)
    width, height = size
    pen.rectangle((0, 0, width // 4 - 1, height - 1), fill=faint)
    pen.rectangle((width * 3 // 4, 0, width - 1, height // 2 - 1), fill=strong)
    return picture.convert("RGB")


@pytest.mark.parametrize("size", [(64, 64), (640, 320), (40, 200), (12, 16)])
def test_the_mask_is_as_large_as_the_picture(segmenter, size):
    mask = segmenter.segment(page(size))
    width, height = size
    assert mask.shape == (height, width)
    assert (mask[height // 2, width // 8], mask[height // 4, width * 7 // 8]) == (1, 2)
    assert mask[height * 3 // 4, width // 2] == 0
    shares = [(mask == label).mean() for label in range(3)]
    assert shares == pytest.approx([0.625, 0.25, 0.125], abs=0.08)


def test_dark_on_light_is_the_same(segmenter):
    dark, light = page((80, 60)), page((80, 60), paper=255, faint=127, strong=0)
    assert np.array_equal(segmenter.segment(dark), segmenter.segment(light))


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (64, 64)])
def test_nothing_on_an_empty_page(segmenter, size):
    assert not segmenter.segment(Image.new("RGB", size, "white")).any()


@pytest.mark.parametrize("size", [(64, 64), (500, 380), (70, 400)])
def test_small_and_large_marks_of_a_page(segmenter, size):
    """A disc of up to 190 pixels and a square of 20, whose edges may be blurred."""
    width, height = size
    page = Image.new("RGB", size)
    pen = ImageDraw.Draw(page)
    pen.ellipse((3, 3, min(size) // 2, min(size) // 2), fill="white")
    pen.rectangle((width - 25, height - 25, width - 6, height - 6), fill="#808080")
    grey = np.asarray(page.convert("L"))
    mask = segmenter.segment(page)
    _, marks = intersections_over_unions([np.minimum(mask, 1)], [(grey > 0).astype(np.uint8)], 2)
    assert marks > 0.85
    assert (mask[grey == 128] == 1).mean() > 0.8
    assert (mask[grey == 255] == 2).mean() > 0.85


def test_tiles_see_what_is_around_them():
    """A network whose answer depends on pixels up to MARGIN away, as on the whole picture."""

    def brightest_about(pictures):
        wide = np.pad(pictures, ((0, 0), (0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)), mode="edge")
        for axis in (2, 3):
            windows = np.lib.stride_tricks.sliding_window_view(wide, 2 * MARGIN + 1, axis)
            wide = windows.max(-1)
        return np.concatenate([0.5 - wide, wide - 0.5], 1)

    picture = np.zeros((200, 270), np.uint8)
    rows, columns = np.random.default_rng(0).integers((200, 270), size=(12, 2)).T
    picture[rows, columns] = 255
    there = Segmenter(brightest_about, ["near"], PREPROCESSING)
    whole = brightest_about(picture[None, None] / np.float32(255)).argmax(1)[0]
    assert 0.1 < whole.mean() < 0.9
    assert np.array_equal(there.tiled(picture), whole)


def test_marks_of_certain_sides():
    mask = np.zeros((20, 20), np.uint8)
    mask[0, :3] = 1
    mask[5:9, 5], mask[9, 6:9] = 2, 3  # one mark of 5 by 4, by a corner
    mask[12:19, 12:15] = 4
    assert np.unique(of_sides(mask, 0, 20)).tolist() == [0, 1, 2, 3, 4]
    assert np.unique(of_sides(mask, 4, 6)).tolist() == [0, 2, 3]
    assert np.unique(of_sides(mask, 8, 9)).tolist() == [0]
    assert not of_sides(np.zeros((4, 4), np.uint8), 0, 4).any()
    assert LARGEST >= 2 * SHORTEST  # so that a mark is of one copy or the next


def test_contrast_is_stretched():
    pictures = np.array([[[100, 110, 180]], [[7, 7, 7]], [[7, 8, 9]]], np.uint8)
    even, blank, noise = stretched(pictures)
    assert even.tolist() == [[0, 31.875, 255]]
    assert not blank.any()
    assert noise.max() < 32


def test_intersection_over_union_by_hand():
    """Class 1: 2 of 4 pixels agree; class 2: 1 of 2; class 0: 3 of 6; there is no class 3."""
    real = np.array([[1, 1, 1, 0], [0, 0, 0, 2]], np.uint8)
    found = np.array([[1, 1, 0, 0], [1, 0, 0, 2]], np.uint8)
    shares = intersections_over_unions([found], [real], 4)
    assert shares[:3] == pytest.approx([3 / 5, 2 / 4, 1 / 1])
    assert math.isnan(shares[3])
    both = intersections_over_unions([found[:1], found[1:]], [real[:1], real[1:]], 4)
    assert both[:3].tolist() == shares[:3].tolist()


def test_evaluate():
    source = of_size(Scenes(*digits("01", 20)), SIZE)
    drawn = scenes(source, 8, 0)

    class Sighted(Segmenter):
        def masks(self, pictures):
            return np.stack([s.mask for p in pictures for s in drawn if s.picture is p.base or
                             np.array_equal(s.picture, p)])  # fmt: skip

    figures = evaluate(Sighted(by_brightness, ["0", "1"], PREPROCESSING), drawn)
    assert figures["mean_iou"] == figures["digits_iou"] == 1
    assert figures["iou"] == {"background": 1, "0": 1, "1": 1}
    blind = Segmenter(lambda p: np.repeat(p * [[[[0]]]], 3, 1), ["0", "1"], PREPROCESSING)
    figures = evaluate(blind, drawn)
    assert figures["digits_iou"] == figures["iou"]["0"] == 0
    share = np.mean([(scene.mask == 0).mean() for scene in drawn])
    assert figures["iou"]["background"] == pytest.approx(share, abs=1e-4)


def test_every_scene_is_a_new_one():
    data = SceneData(of_size(Scenes(*digits("01", 20)), SIZE), number=10)
    plan = data.plan(0, 4, np.random.default_rng(0))
    assert [len(indices) for indices in plan] == [4, 4, 2]
    pictures, masks = data.batch(plan[0], np.random.default_rng(1))
    again, _ = data.batch(plan[0], np.random.default_rng(1))
    other, _ = data.batch(plan[0], np.random.default_rng(2))
    assert (pictures.shape, masks.shape) == ((4, 1, SIZE, SIZE), (4, SIZE, SIZE))
    assert pictures.equal(again)
    assert not pictures.equal(other)
    assert set(masks.unique().tolist()) == {0, 1, 2}


@pytest.mark.parametrize(("field", "value"), [("scenes", 0), ("momentum", 1.0), ("epochs", 0)])
def test_a_recipe_that_makes_no_sense(field, value):
    with pytest.raises(InputError, match=f"{field} cannot be {value}"):
        Recipe(**{field: value})
