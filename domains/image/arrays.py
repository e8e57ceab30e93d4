"""Sets of pictures that lie as arrays in a few files: MNIST's idx, CIFAR's binaries, npz.

Each reader takes a place and a part, and gives pictures uint8 (N, C, H, W), their classes int64
(N,) and the names of the classes. It raises InputError, naming the file, where one is missing,
damaged, or says what it does not hold. No pickle is read: one runs code when loaded.
"""

from __future__ import annotations

import gzip
import math
import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError

MAX_BYTES = 2**32
"""A set of more bytes, unpacked, is refused: it is held in memory."""
MAX_CLASSES = 100_000

Part = Literal["train", "test"]
Bytes = NDArray[np.uint8]
Arrays = tuple[Bytes, NDArray[np.int64], tuple[str, ...]]

IDX = re.compile(r"(train|t10k)-(images|labels)[-.]idx[13]-ubyte(\.gz)?")
CIFAR_SIZE = 32
CIFAR_PICKLES = ({"batches.meta"}, {"data_batch_1"}, {"test_batch"}, {"meta", "train", "test"})


def read(folder: Path, part: Part) -> Arrays | None:
    """The pictures of idx or CIFAR files in a folder; None if there are none."""
    names = {path.name for path in folder.iterdir() if path.is_file()}
    if any(map(IDX.fullmatch, names)):
        return read_idx(folder, part)
    if "batches.meta.txt" in names:
        return read_cifar10(folder, part)
    if "fine_label_names.txt" in names:
        return read_cifar100(folder, part)
    if any(pickles <= names for pickles in CIFAR_PICKLES):
        raise InputError(
            f"{folder}: CIFAR's python version is not read, as its pickles run code when loaded; "
            "take the binary version"
        )
    return None


def read_idx(folder: Path, part: Part) -> Arrays:
    """MNIST's files, train-* and t10k-*, gzipped or not. LeCun, Cortes, Burges, "The MNIST database
    of handwritten digits": zero, zero, the samples' type, the number of dimensions, each dimension
    as 32 bits, high byte first; then the samples."""
    files = {}
    for path in sorted(folder.iterdir(), reverse=True):  # a gzipped one only where it is alone
        if match := IDX.fullmatch(path.name):
            files[match[1], match[2]] = path
    prefix = {"train": "train", "test": "t10k"}[part]
    for what in ("images", "labels"):
        if (prefix, what) not in files:
            raise InputError(f"{folder}: no file of {prefix}-{what} in it")
    pictures = _idx(files[prefix, "images"], 3)[:, None]
    labels = {key: _idx(path, 1) for key, path in files.items() if key[1] == "labels"}
    count = max((int(array.max(initial=0)) for array in labels.values()), default=0) + 1
    classes = labels[prefix, "labels"].astype(np.int64)
    _check(files[prefix, "images"], pictures, classes)
    return pictures, classes, tuple(map(str, range(count)))


def read_cifar10(folder: Path, part: Part) -> Arrays:
    """The binary version: records of a class and 3 x 32 x 32 samples, the names in
    batches.meta.txt."""
    files = {"train": "data_batch_*.bin", "test": "test_batch.bin"}
    return _cifar(folder, files[part], "batches.meta.txt", 1)


def read_cifar100(folder: Path, part: Part) -> Arrays:
    """The binary version: records of a coarse class, a fine class and 3 x 32 x 32 samples; the fine
    ones are the classes."""
    return _cifar(folder, f"{part}.bin", "fine_label_names.txt", 2)


def read_npz(path: Path, part: Part) -> Arrays:
    """x_train, y_train, x_test, y_test; or x and y, which are then either part.

    x is uint8, (N, H, W), (N, H, W, C) or (N, C, H, W) with 1 or 3 channels; y is classes from 0.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            _bound(path, sum(info.file_size for info in packed.infolist()))
        with np.load(path, allow_pickle=False) as arrays:
            names = [(f"x_{part}", f"y_{part}"), ("x", "y")]
            there = next((pair for pair in names if set(pair) <= set(arrays)), None)
            if there is None:
                raise InputError(f"{path}: holds neither x_{part} and y_{part} nor x and y")
            pictures = _channels_first(path, there[0], arrays[there[0]])
            known = {
                name: _classes(path, name, arrays[name])
                for name in ("y_train", "y_test", "y")
                if name in arrays
            }
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except Exception as error:  # numpy passes on whatever a damaged file makes it meet
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: cannot be read: {reason}") from None
    _check(path, pictures, known[there[1]])
    count = max(int(array.max(initial=0)) for array in known.values()) + 1
    return pictures, known[there[1]], tuple(map(str, range(count)))


def _idx(path: Path, dimensions: int) -> Bytes:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            header = file.read(4 + 4 * dimensions)
            if len(header) != 4 + 4 * dimensions or header[:4] != bytes([0, 0, 8, dimensions]):
                raise InputError(
                    f"{path}: not an idx file of bytes in {dimensions} dimension"
                    + "s" * (dimensions > 1)
                )
            shape = struct.unpack(f">{dimensions}I", header[4:])
            _bound(path, math.prod(shape))
            content = file.read(math.prod(shape) + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    if len(content) != math.prod(shape):
        held = f"only {len(content):,}" if len(content) < math.prod(shape) else "more"
        said = " x ".join(f"{length:,}" for length in shape)
        raise InputError(f"{path}: its header says {said} bytes, and it holds {held}")
    return np.frombuffer(bytearray(content), np.uint8).reshape(shape)


def _cifar(folder: Path, pattern: str, names_file: str, labels: int) -> Arrays:
    try:
        text = (folder / names_file).read_text(encoding="utf-8")
        names = tuple(line.strip() for line in text.splitlines() if line.strip())
    except (OSError, ValueError) as error:
        raise InputError(f"{folder / names_file}: cannot be read: {error}") from None
    files = sorted(folder.glob(pattern))
    if not files:
        raise InputError(f"{folder}: no {pattern} in it")
    _bound(folder, sum(file.stat().st_size for file in files))
    record = labels + 3 * CIFAR_SIZE**2
    batches = []
    for file in files:
        batch = np.fromfile(file, np.uint8)
        if len(batch) % record or not len(batch):
            raise InputError(
                f"{file}: cut off, or no CIFAR binary: {len(batch):,} bytes are not a number of "
                f"records of {record:,}"
            )
        batches.append(batch.reshape(-1, record))
        if (worst := batches[-1][:, labels - 1].max()) >= len(names):
            raise InputError(f"{file}: a class of {worst}, and {names_file} names {len(names)}")
    shape = (-1, 3, CIFAR_SIZE, CIFAR_SIZE)
    pictures = np.concatenate([batch[:, labels:] for batch in batches]).reshape(shape)
    classes = np.concatenate([batch[:, labels - 1] for batch in batches]).astype(np.int64)
    return pictures, classes, names


def _channels_first(path: Path, name: str, array: NDArray[Any]) -> Bytes:
    if array.dtype != np.uint8:
        raise InputError(f"{path}: {name} is of {array.dtype}; pictures are of uint8")
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4 and array.shape[3] in (1, 3):
        array = array.transpose(0, 3, 1, 2)
    if array.ndim != 4 or array.shape[1] not in (1, 3):
        said = " x ".join(map(str, array.shape))
        raise InputError(f"{path}: {name} is {said}; pictures are N x H x W, or of 1 or 3 channels")
    return np.ascontiguousarray(array)


def _classes(path: Path, name: str, array: NDArray[Any]) -> NDArray[np.int64]:
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise InputError(f"{path}: {name} is no list of whole numbers")
    if len(array) and not 0 <= array.min() <= array.max() < MAX_CLASSES:
        raise InputError(f"{path}: {name} has a class below 0, or above {MAX_CLASSES - 1:,}")
    return array.astype(np.int64)


def _check(path: Path, pictures: Bytes, classes: NDArray[np.int64]) -> None:
    if not pictures.size:
        raise InputError(f"{path}: no picture in it")
    if len(pictures) != len(classes):
        raise InputError(f"{path}: {len(pictures):,} pictures, and {len(classes):,} labels to them")
    if pictures.shape[2] != pictures.shape[3]:
        height, width = pictures.shape[2:]
        raise InputError(f"{path}: pictures of {width} x {height}; they have to be square")


def _bound(path: Path, size: int) -> None:
    if size > MAX_BYTES:
        raise InputError(f"{path}: {size:,} bytes of pictures; at most {MAX_BYTES:,} are read")
