"""Small sets of pictures in the files of MNIST and of CIFAR."""

import gzip
import struct

import numpy as np

RANDOM = np.random.default_rng(0)
CLASSES = [3, 0, 2, 3]
PICTURES = RANDOM.integers(0, 256, (4, 5, 5), np.uint8)
COLOURED = RANDOM.integers(0, 256, (4, 3, 32, 32), np.uint8)


def idx(array):
    """As LeCun's page describes the format."""
    array = np.asarray(array, np.uint8)
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def mnist(folder, form="{part}-{what}-idx{n}-ubyte"):
    """A set like MNIST: four pictures to train on, the first two of them also as a test."""
    for part, count in (("train", 4), ("t10k", 2)):
        for what, n, array in (("images", 3, PICTURES), ("labels", 1, CLASSES)):
            content = idx(array[:count])
            name = form.format(part=part, what=what, n=n)
            packed = gzip.compress(content) if name.endswith(".gz") else content
            (folder / name).write_bytes(packed)
    return folder


def cifar(folder, coarse=False):
    """A set like CIFAR-10 (or with coarse classes, CIFAR-100), of four classes."""
    rows = [
        bytes([9] * coarse + [number]) + picture.tobytes()
        for number, picture in zip(CLASSES, COLOURED, strict=True)
    ]
    if coarse:
        files = {"train.bin": rows, "test.bin": rows[:2]}
        files |= {"fine_label_names.txt": [b"ant\nbee\ncat\ndog\n"]}
        files |= {"coarse_label_names.txt": [b"insect\nanimal\n"]}
    else:
        files = {"data_batch_1.bin": rows[:3], "data_batch_2.bin": rows[3:]}
        files |= {"test_batch.bin": rows[:2], "batches.meta.txt": [b"ant\nbee\ncat\ndog\n\n"]}
    for name, content in files.items():
        (folder / name).write_bytes(b"".join(content))
    return folder
