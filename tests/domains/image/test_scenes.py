"""Scenes: what is said of their boxes, classes and masks is so."""

import numpy as np
import pytest
from font_digits import digits, write
from PIL import Image

from core.errors import InputError
from domains.image.scenes import Scenes, read, scenes

LABELS = tuple("0123456789")


@pytest.fixture(scope="module")
def source():
    return Scenes(*digits(LABELS, 60))


def test_the_same_seed_draws_the_same_scenes(source):
    one, same, other = scenes(source, 3, 1), scenes(source, 3, 1), scenes(source, 3, 2)
    for a, b in zip(one, same, strict=True):
        assert all(np.array_equal(value, vars(b)[name]) for name, value in vars(a).items())
    assert any(not np.array_equal(a.picture, b.picture) for a, b in zip(one, other, strict=True))


def test_every_box_is_tight_around_one_digit_of_the_mask(source):
    for scene in scenes(source, 30, 0):
        assert scene.picture.shape == scene.mask.shape == (128, 128)
        assert 1 <= len(scene.boxes) == len(scene.classes) <= source.most
        left_over = scene.mask.copy()
        for box, label in zip(scene.boxes.astype(int), scene.classes, strict=True):
            left, top, right, bottom = box
            inside = scene.mask[top:bottom, left:right]
            assert set(np.unique(inside)) <= {0, label + 1}
            assert all(side.any() for side in (inside[0], inside[-1], inside[:, 0], inside[:, -1]))
            left_over[top:bottom, left:right] = 0
        assert not left_over.any()


def test_digits_are_brighter_than_what_is_about_them(source):
    for scene in scenes(source, 30, 0):
        ink, ground = scene.picture[scene.mask > 0], scene.picture[scene.mask == 0]
        assert ink.mean() > ground.mean() + 40


def test_sizes_vary_within_bounds(source):
    longest = [max(box[2:] - box[:2]) for scene in scenes(source, 60, 0) for box in scene.boxes]
    low, high = source.sides
    assert low - 2 <= min(longest) < low + 8
    assert high - 8 < max(longest) <= high


def test_what_validates_is_not_trained_on():
    pictures = np.arange(200, dtype=np.uint8)[:, None, None] * np.ones((28, 28), np.uint8)
    train, held_out = Scenes(pictures, np.arange(200) % 10).parts(seed=1)
    kept, left = ({int(p[0, 0]) for p in part.digits} for part in (train, held_out))
    assert not kept & left
    assert (len(kept), len(left)) == (180, 20)
    assert all(p[0, 0] % 10 == c for p, c in zip(held_out.digits, held_out.classes, strict=True))


def test_a_scene_too_small_for_its_digits():
    with pytest.raises(InputError, match="a digit of 56 pixels on a scene of 40"):
        Scenes(*digits("01", 4), size=40)


def test_a_blank_picture_is_no_digit():
    blank = Scenes(np.zeros((3, 28, 28), np.uint8), np.arange(3))
    for scene in scenes(blank, 5, 0):
        assert scene.boxes.shape == (0, 4)
        assert not scene.mask.any()


def test_a_mask_holds_255_classes(tmp_path):
    classes = np.arange(256)
    np.savez(tmp_path / "many.npz", x=np.zeros((256, 28, 28), np.uint8), y=classes)
    with pytest.raises(InputError, match=r"many.npz: 256 classes; at most 255"):
        read(tmp_path / "many.npz", "train")


def test_read(tmp_path):
    source, labels = read(write(tmp_path / "two.npz", "38"), "test")
    assert labels == ("0", "1")
    assert source.digits.shape == (40, 28, 28)
    for number in range(2):
        folder = tmp_path / "folder" / f"kind {number}"
        folder.mkdir(parents=True)
        Image.new("RGB", (50, 40), "red").save(folder / "a.png")
    source, labels = read(tmp_path / "folder", "train")
    assert labels == ("kind 0", "kind 1")
    np.savez(tmp_path / "colour.npz", x=np.zeros((4, 32, 32, 3), np.uint8), y=np.arange(4))
    with pytest.raises(InputError, match=r"colour.npz: grey pictures of 28x28"):
        read(tmp_path / "colour.npz", "train")
