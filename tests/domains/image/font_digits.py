"""Digits for tests, as MNIST has them: those of Pillow's own font, moved and turned a little."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont


def digits(labels, number, seed=0):
    """(pictures (number, 28, 28) uint8 light on dark, classes (number,), places in `labels`)"""
    rng = np.random.default_rng(seed)
    classes = np.arange(number) % len(labels)
    return np.stack([_digit(labels[index], rng) for index in classes]), classes


def _digit(label, rng):
    page = Image.new("L", (28, 28))
    font = ImageFont.load_default(int(rng.integers(20, 28)))
    place = rng.uniform(13, 15, 2).tolist()
    ImageDraw.Draw(page).text(place, label, 255, font, anchor="mm", stroke_width=1)
    turned = page.rotate(rng.uniform(-10, 10), Image.Resampling.BICUBIC)
    return np.asarray(turned)


def write(path, labels, number=200):
    """A .npz of them, with a part to train on and one to test."""
    (train, train_classes), (test, test_classes) = digits(labels, number), digits(labels, 40, 1)
    np.savez(path, x_train=train, y_train=train_classes, x_test=test, y_test=test_classes)
    return path
