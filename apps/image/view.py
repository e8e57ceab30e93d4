"""What the Image page shows, made of plain data: nothing here is Streamlit's.

What a user's file is called never goes through here: it is shown by `st.text`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image

from .drawing import Stroke, drawn

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLES = Path(__file__).parent / "samples"
LARGE = 224  # pixels: how wide a small picture is shown, about
MOST_NAMED = 20  # labels; more are counted instead
KINDS = {"Conv": "Convolution", "BatchNorm2d": "Batch norm", "output": "Output"}
LAYERS = (
    "A network is a row of layers: convolutions look for patterns, pooling makes the picture "
    "smaller, fully connected layers weigh what was found."
)


class File(NamedTuple):
    """A picture file as it was drawn, uploaded or chosen."""

    name: str
    data: bytes


def sample(name: str) -> File:
    """One of the pictures that come with the page."""
    path = SAMPLES / f"{name}.png"
    return File(path.name, path.read_bytes())


def drawing(strokes: Sequence[Stroke]) -> File:
    file = io.BytesIO()
    drawn(strokes).save(file, "PNG")
    return File("drawing.png", file.getvalue())


def seen(prepared: NDArray[np.float32], preprocessing: Mapping[str, Any]) -> Image.Image:
    """A prepared picture, `(C, H, W)`, as a person can see it, each of its pixels enlarged."""
    mean, std = (np.reshape(preprocessing[key], (-1, 1, 1)) for key in ("mean", "std"))
    values = np.rint(255 * (prepared * std + mean)).clip(0, 255).astype(np.uint8)
    samples = values[0] if len(values) == 1 else values.transpose(1, 2, 0)
    scale = max(1, LARGE // values.shape[2])
    return Image.fromarray(samples.repeat(scale, 0).repeat(scale, 1))


def known(labels: Sequence[str]) -> str:
    """What the answers can be, as a sentence."""
    most = f"{len(labels):,} classes"
    named = f"{most}: {', '.join(labels)}" if len(labels) <= MOST_NAMED else most
    return f"It knows {named}. Anything else gets one of these {len(labels):,}, too."


def fit(preprocessing: Mapping[str, Any]) -> str:
    """How a picture is brought to the network's size."""
    size = preprocessing["size"]
    if preprocessing["fit"] == "digit":
        return (
            f"A picture is made like MNIST's digits: grey, light on dark, cut to the ink, and "
            f"scaled into the middle of {size} × {size} pixels."
        )
    resize = preprocessing.get("resize", size)
    middle = f"the middle {size} × {size} are kept" if resize > size else "the middle is kept"
    return f"A picture is scaled to {resize} pixels along its shorter side, and {middle}."


def layer(name: str) -> str:
    """A layer in words: 'groups.0.1 MaxPool' is 'Max pool (groups.0.1)'."""
    *place, kind = name.split()
    words = KINDS.get(kind) or re.sub("(?<=[a-z])(?=[A-Z][a-z])", " ", kind)
    said = words.capitalize() if " " in words else words
    return " ".join([said, *(f"({part})" for part in place)])


def maps(shape: tuple[int, ...], shown: int) -> str:
    """What is said of a layer's tiles; `shape` is (C, H, W)."""
    count, height, width = shape
    of = f"{height} × {width} pixels each" if height * width > 1 else "one value each"
    first = "" if count <= shown else f"; the first {shown} are shown"
    return f"{count:,} feature {'map' if count == 1 else 'maps'}, {of}{first}."
