"""What the Image page shows, made of plain data: nothing here is Streamlit's.

What a user's file is called never goes through here: it is shown by `st.text`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image

from ..textview import percent
from .drawing import Stroke, drawn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from domains.image.classifier import Classification

    from .networks import Network

SAMPLES = Path(__file__).parent / "samples"
LARGE = 224  # pixels: how wide a small picture is shown, about
MOST_NAMED = 20  # labels; more are counted instead


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


def answer(classification: Classification) -> str:
    """HTML: the label and its probability; told to screen readers as it changes."""
    label, shown = escape(classification.label), percent(classification.probability)
    return f'<div role="status" style="font-size: 1.5rem"><b>{label}</b> · {shown}</div>'


def bars(classification: Classification, most: int = 5) -> list[dict[str, Any]]:
    """Rows of the bar chart: the likeliest labels, best first, with their probability in %."""
    return [
        {"label": f"{label} {percent(probability)}", "percent": 100 * probability}
        for label, probability in classification.top(most)
    ]


def about(name: str, network: Network) -> str:
    """HTML: which network answers, what it can answer, how often it is right, what it looks at."""
    labels = network.classifier.labels
    answers = ", ".join(labels) if len(labels) <= MOST_NAMED else f"{len(labels):,} classes"
    accuracies = [
        f"{set_name} {percent(figures['accuracy'])}"
        for set_name, figures in network.metrics.items()
        if isinstance(figures, dict) and "accuracy" in figures
    ]
    measured = f" · accuracy: {', '.join(accuracies)}" if accuracies else ""
    what = f"Network {name}; its answers: {answers}{measured}"
    lines = (what, fit(network.classifier.preprocessing))
    return "".join(
        f'<div style="font-size: .875rem; line-height: 1.9">{escape(line)}</div>' for line in lines
    )


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


def maps(shape: tuple[int, ...], shown: int) -> str:
    """What is said of a layer's tiles; `shape` is (C, H, W)."""
    count, height, width = shape
    of = f"{height} × {width} pixels" if height * width > 1 else "one value each"
    first = "" if count <= shown else f"; the first {shown} are shown"
    return f"{count:,} {'map' if count == 1 else 'maps'}, {of}{first}."
