"""Small pictures that a network learns in seconds: bars that lie or stand, and rings."""

import numpy as np
from PIL import Image

LABELS = ("lying", "ring", "standing")


def shape(label, seed, size=12):
    """A light shape somewhere on a dark noisy ground, uint8 (size, size)."""
    rng = np.random.default_rng([seed, LABELS.index(label)])
    array = rng.integers(0, 40, (size, size))
    top, left = rng.integers(0, size - 6, 2)
    rows, columns = np.indices((size, size))
    away = np.hypot(rows - top - 3, columns - left - 3)
    ink = {
        "lying": (abs(rows - top - 3) < 1) & (abs(columns - left - 3) < 4),
        "standing": (abs(columns - left - 3) < 1) & (abs(rows - top - 3) < 4),
        "ring": abs(away - 2.5) < 0.7,
    }[label]
    array[ink] = 220
    return array.astype(np.uint8)


def write_npz(path, train=40, test=10, size=12):
    """So many of each shape to train on, and others to test by."""
    found = {}
    for part, first, count in (("train", 0, train), ("test", 10_000, test)):
        pairs = [(number, shape(label, seed, size)) for number, label in enumerate(LABELS)
                 for seed in range(first, first + count)]  # fmt: skip
        found[f"x_{part}"] = np.stack([array for _, array in pairs])
        found[f"y_{part}"] = np.array([number for number, _ in pairs])
    np.savez(path, **found)
    return path


def write_folder(folder, count=12, size=20):
    """A folder a shape, of so many pictures."""
    for label in LABELS:
        (folder / label).mkdir(parents=True)
        for seed in range(count):
            picture = Image.fromarray(shape(label, seed)).resize((size, size))
            picture.save(folder / label / f"{seed:02}.png")
    return folder
