"""Figures of a classifier against counting by hand, and pictures that are moved."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from core.errors import InputError
from domains.image.data import Images
from domains.image.evaluation import Move, evaluate, logits, picture_of, validate
from domains.image.examples import Normaliser


class Answer:
    def __init__(self, scores):
        self.scores = scores


class Shade:
    """Takes a picture for the third of the grey scale that its mean lies in; so sure, always."""

    labels = ("dark", "grey", "light")

    def answers(self, pictures):
        for picture in pictures:
            third = min(int(np.asarray(picture).mean() / 85.1), 2)
            yield Answer({name: 0.8 if i == third else 0.1 for i, name in enumerate(self.labels)})


def shades(*values):
    return np.stack([np.full((1, 4, 4), value, np.uint8) for value in values])


def test_figures_are_counts():
    images = Images(shades(10, 20, 200, 120, 130, 250), np.array([0, 0, 0, 1, 1, 2]), Shade.labels)
    found = evaluate(Shade(), images)
    assert found["n"] == 6
    assert found["accuracy"] == pytest.approx(5 / 6, abs=1e-4)
    assert found["top5"] == 1.0
    assert found["confusion"] == {
        "dark": {"dark": 2, "light": 1}, "grey": {"grey": 2}, "light": {"light": 1},
    }  # fmt: skip
    assert found["recall"] == {"dark": pytest.approx(2 / 3, abs=1e-4), "grey": 1.0, "light": 1.0}
    assert found["nll"] == pytest.approx(-(5 * math.log(0.8) + math.log(0.1)) / 6, abs=1e-4)
    assert found["ece"] == pytest.approx(5 / 6 - 0.8, abs=1e-4)
    assert found["images_per_second"] > 0


def test_a_picture_without_an_answer_is_named():
    class Picky(Shade):
        def answers(self, pictures):
            for answer in super().answers(pictures):
                yield answer if answer.scores["dark"] < 0.5 else InputError("too dark")

    images = Images(shades(*[200] * 299, 10), np.zeros(300, int), Shade.labels)
    with pytest.raises(InputError, match="picture 300 of 300: too dark"):
        evaluate(Picky(), images)


def test_a_change_is_made_before_the_picture_is_seen():
    images = Images(shades(10), np.array([2]), Shade.labels)
    inverted = evaluate(Shade(), images, lambda picture: Image.eval(picture, lambda v: 255 - v))
    assert inverted["accuracy"] == 1.0


class Left(nn.Module):
    """Class 1 where the left is lighter than the right."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        lead = x[..., : x.shape[3] // 2].mean((1, 2, 3)) - x[..., x.shape[3] // 2 :].mean((1, 2, 3))
        return torch.stack([torch.zeros_like(lead), lead], 1)


def test_validation_may_ask_for_both_sides_of_a_picture():
    pictures = torch.zeros(3, 1, 4, 4, dtype=torch.uint8)
    pictures[:, :, :, :2] = 200
    normalised = Normaliser([0.5], [0.2])
    classes = torch.tensor([1, 1, 0])
    plain = logits(Left(), pictures, normalised, mirrored=False)
    lead = 200 / 255 / 0.2  # of the left half in what the network sees
    torch.testing.assert_close(plain, torch.tensor([[[0, lead]] * 3]))
    assert validate(plain, classes)["accuracy"] == pytest.approx(2 / 3)
    both = logits(Left(), pictures, normalised, mirrored=True)
    torch.testing.assert_close(both, torch.tensor([[[0, lead]] * 3, [[0, -lead]] * 3]))
    found = validate(both, classes)  # .5 each
    assert found["nll"] == pytest.approx(math.log(2))
    assert found["ece"] == pytest.approx(abs(found["accuracy"] - 0.5), abs=1e-6)


def test_validation_goes_by_the_mean_of_the_probabilities():
    """0.9 and 0.3 are 0.6."""
    views = torch.tensor([[[0.9, 0.1]], [[0.3, 0.7]]]).log()
    found = validate(views, torch.tensor([0]))
    assert found == {
        "accuracy": 1.0,
        "nll": pytest.approx(-math.log(0.6)),
        "ece": pytest.approx(0.4),
    }


def point(at, size=33):
    array = np.zeros((size, size), np.uint8)
    array[at] = 255
    return Image.fromarray(array)


def place(picture):
    rows, columns = np.indices((picture.height, picture.width))
    light = np.asarray(picture, float)
    return np.array([(light * rows).sum(), (light * columns).sum()]) / light.sum() - 16


@pytest.mark.parametrize(
    ("move", "distance", "ways"),
    [
        (Move(rotation=30), [10], {-30, 30}),
        (Move(zoom=0.25), [8, 12.5], {0}),
        (Move(), [10], {0}),
    ],
)
def test_turning_and_zooming_are_about_the_middle(move, distance, ways):
    seen = [place(move(point((16, 26)))) for _ in range(40)]
    assert {round(float(np.hypot(*at)) * 4) / 4 for at in seen} == set(distance)
    assert {round(math.degrees(math.atan2(*at))) for at in seen} == ways


def test_a_shift_has_eight_directions():
    move = Move(shift=3)
    seen = {tuple(np.rint(place(move(point((16, 16))))).astype(int)) for _ in range(200)}
    assert seen == {(r, c) for r in (-3, 0, 3) for c in (-3, 0, 3)} - {(0, 0)}


def test_the_same_pictures_are_moved_alike_each_time():
    first, again = Move(10, 0.1, 2), Move(10, 0.1, 2)
    for _ in range(5):
        assert first(point((9, 20))).tobytes() == again(point((9, 20))).tobytes()


def test_arrays_are_the_pictures_they_hold():
    colours = np.arange(3 * 2 * 2, dtype=np.uint8).reshape(3, 2, 2)
    assert picture_of(colours).getpixel((1, 0)) == (1, 5, 9)
    assert picture_of(colours[:1]).mode == "L"
