"""Pictures to train on and to measure by: in the files of known sets, or a folder a class."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from core.errors import InputError

from . import arrays
from .arrays import Part
from .pictures import SUFFIXES, fit, open_picture

PARTS: dict[Part, tuple[str, ...]] = {
    "train": ("train", "training"),
    "test": ("test", "testing", "val", "valid", "validation"),
}
"""What the folder of a part may be called; the first that is there is it."""
THREADS = 2

Place = Path | zipfile.Path


@dataclass
class Images:
    """Pictures of known classes, all of one size; `refused` names the files that are none.

    `has_parts`: the folder that they lie in holds others, to train on or to test by.
    """

    pictures: NDArray[np.uint8]  # (N, C, H, W)
    classes: NDArray[np.int64]  # (N,), places among the labels
    labels: tuple[str, ...]
    refused: list[InputError] = field(default_factory=list)
    has_parts: bool = True

    def __len__(self) -> int:
        return len(self.pictures)


def load(
    path: Path, part: Part, size: int | None = None, channels: int = 3, how: str = "crop"
) -> Images:
    """One part of the set of pictures at `path`.

    It is a folder of MNIST's idx files or of CIFAR's binaries, a .npz file, or a folder (or a .zip)
    of folders, whose names are the classes; where folders train/ and test/ or val/ hold those, they
    are the parts, and else all pictures are either part. Only pictures in folders are brought to
    `size` x `size` and so many channels, by `pictures.fit`; those in arrays are taken as they are.

    Raises InputError where there is no such set or part, a file of it is damaged, it is too large,
    or a folder's pictures are given no size. A bad picture in a folder is left out, and refused; so
    is a class's folder without a picture.
    """
    if path.suffix.lower() == ".npz":
        return Images(*arrays.read_npz(path, part))
    try:
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as packed:
                return _read(zipfile.Path(packed), part, size, channels, how)
        if path.is_dir():
            return _read(path, part, size, channels, how)
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    raise InputError(f"{path}: not a set of pictures; a folder, a .npz or a .zip of folders is one")


def _read(place: Place, part: Part, size: int | None, channels: int, how: str) -> Images:
    if isinstance(place, Path) and (found := arrays.read(place, part)):
        return Images(*found)
    if wrapped := _only(place):
        return _read(wrapped, part, size, channels, how)
    return _read_folders(place, part, size, channels, how)


def _read_folders(root: Place, part: Part, size: int | None, channels: int, how: str) -> Images:
    folders = _part_folders(root)
    there = folders.get(part, root)
    if folders and part not in folders:
        raise InputError(f"{root}: no {part} part in it: no folder {' or '.join(PARTS[part])}")
    labels = _labels(folders.get("train", there))
    if not labels:
        raise InputError(
            f"{root}: holds no idx files, no CIFAR binaries with their names (batches.meta.txt), "
            "and no folders of pictures"
        )
    if unknown := set(_labels(there)) - set(labels):
        raise InputError(f"{there}: a class {min(unknown)!r} that the training part has not")
    if size is None:
        raise InputError(f"{root}: pictures in folders need a size: --set size=64")
    files = [
        (number, file) for number, name in enumerate(labels) for file in _pictures(there / name)
    ]
    if len(files) * channels * size**2 > arrays.MAX_BYTES:
        raise InputError(f"{root}: {len(files):,} pictures of that size are too many to be held")
    pictures = np.empty((len(files), channels, size, size), np.uint8)
    refused = [
        InputError(f"{folder}: no picture in this folder")
        for folder in _folders(there)
        if not any(_pictures(folder))
    ]
    good = np.ones(len(files), bool)

    def read(index: int) -> InputError | None:
        try:
            pictures[index] = fit(_opened(files[index][1]), size, channels, how)
        except InputError as error:
            return error
        return None

    with ThreadPoolExecutor(THREADS) as readers:
        done = readers.map(read, range(len(files)))
        for index, error in enumerate(tqdm(done, root.name, len(files), disable=None, delay=2)):
            if error:
                refused.append(error)
                good[index] = False
    if not good.any():
        raise refused[-1]
    classes = np.array([number for number, _ in files], np.int64)
    if not good.all():
        pictures, classes = pictures[good], classes[good]
    return Images(pictures, classes, labels, refused, bool(folders))


def _opened(file: Place) -> Image.Image:
    if isinstance(file, Path):
        return open_picture(file)
    try:
        with file.open("rb") as stream:
            return open_picture(stream, str(file))
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError) as error:
        raise InputError(f"{file}: cannot be unpacked: {error}") from None


def _part_folders(root: Place) -> dict[Part, Place]:
    """The folders of the parts: those of their names that hold folders, no pictures."""
    named = {folder.name.lower(): folder for folder in _folders(root) if _labels(folder)}
    return {
        part: next(named[name] for name in names if name in named)
        for part, names in PARTS.items()
        if named.keys() & set(names)
    }


def _only(place: Place) -> Place | None:
    """The one folder in a place that holds nothing else: what an archive wraps its files in."""
    inside = _folders(place)
    if len(inside) != 1 or any(_pictures(inside[0])) or _part_folders(place):
        return None
    return inside[0]


def _labels(folder: Place) -> tuple[str, ...]:
    return tuple(inside.name for inside in _folders(folder) if any(_pictures(inside)))


def _folders(place: Place) -> list[Place]:
    return [path for path in _inside(place) if path.is_dir()]


def _pictures(folder: Place) -> list[Place]:
    return [path for path in _inside(folder) if Path(path.name).suffix.lower() in SUFFIXES]


def _inside(place: Place) -> list[Place]:
    """What is in a folder, by name, without what systems keep there for themselves."""
    if not place.is_dir():
        return []
    inside: Iterable[Place] = place.iterdir()
    kept = [path for path in inside if not path.name.startswith((".", "__"))]
    return sorted(kept, key=lambda path: path.name)
