"""Digits found, as the Image page draws and lists them."""

import re
from html import unescape

import numpy as np
import pytest
from PIL import Image

from apps.image import finds
from domains.image.rcnn import Detection


class Finder:
    """Answers what it was made with, whatever the picture."""

    labels = tuple("0123456789")

    def __init__(self, answer):
        self.answer = answer

    def detect(self, picture):
        return self.answer

    segment = detect


def words(html):
    return unescape(re.sub("<[^>]*>", "", html))


def marked(shape, **pixels):
    mask = np.zeros(shape, np.uint8)
    mask.ravel()[: sum(pixels.values())] = np.repeat(
        [1 + int(label[1:]) for label in pixels], list(pixels.values())
    )
    return mask


def test_boxes_are_listed_in_pixels_and_drawn_on_an_enlarged_picture():
    found = [Detection("3", 0.987, (10.2, 20.0, 30.0, 60.6))]
    picture = Image.new("RGB", (100, 80), "white")
    drawn, line, rows = finds.boxes(Finder(found), picture)
    assert drawn.size == (500, 400)
    assert words(line) == "3"
    assert rows == [{"digit": "3", "probability (%)": 98.7, "left (px)": 10, "top (px)": 20,
                     "right (px)": 30, "bottom (px)": 61}]  # fmt: skip
    inked = (np.asarray(drawn) != 255).any(2)
    rows, columns = np.nonzero(inked[100:])
    assert (columns.min(), columns.max() + 1) == (51, 150)
    assert (rows.min() + 100, rows.max() + 101) == (100, 303)


def test_a_mask_is_counted_by_label():
    picture = Image.new("RGB", (100, 50), "white")
    drawn, line, rows = finds.mask(Finder(marked((50, 100), _2=1_000, _7=50, _9=4)), picture)
    assert rows == [
        {"digit": "2", "pixels": 1_000, "share (%)": 20.0},
        {"digit": "7", "pixels": 50, "share (%)": 1.0},
    ]
    assert words(line) == "■ 2 · ■ 7"
    assert drawn.size == (500, 250)


def test_a_label_has_its_colour_in_the_line_and_in_the_picture():
    picture = Image.new("RGB", (600, 300), "white")
    drawn, line, _ = finds.mask(Finder(marked((300, 600), _4=6_000)), picture)
    [colour] = re.findall("#[0-9a-f]{6}", line)
    assert drawn.getpixel((0, 0)) == tuple(bytes.fromhex(colour[1:]))
    assert len(set(drawn.getpixel((0, 299)))) == 1  # grey, where no digit is


@pytest.mark.parametrize(
    ("find", "answer"), [(finds.boxes, []), (finds.mask, np.zeros((9, 9), np.uint8))]
)
def test_nothing_found_is_said(find, answer):
    _, line, rows = find(Finder(answer), Image.new("RGB", (9, 9)))
    assert words(line) == "No digit was found."
    assert rows == []


def test_labels_are_text():
    hostile = "<b>3</b>"
    found = finds.boxes(Finder([Detection(hostile, 0.9, (1, 1, 5, 5))]), Image.new("RGB", (9, 9)))
    assert words(found.line) == hostile
    mask = Finder(marked((9, 9), _0=9))
    mask.labels = (hostile,)
    assert words(finds.mask(mask, Image.new("RGB", (9, 9))).line) == f"■ {hostile}"
