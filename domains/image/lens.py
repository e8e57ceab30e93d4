"""What the lens sees of an image network: prepared pictures, and how to look at one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from core import registry
from core.errors import InputError
from core.lens.subject import Subject

from . import data, graph, imagenet
from . import model as _model  # noqa: F401  registers the networks
from . import published as weights
from .classifier import FITS
from .examples import Normaliser
from .pictures import open_picture, prepare

BATCH = 64  # pictures at once
IMAGENET = "imagenet"


@dataclass(frozen=True)
class ImageSubject(Subject):
    """An image network, and the `preprocessing` on its card, see `pictures.prepare`."""

    preprocessing: Mapping[str, Any]


def subject(name: str = "objects") -> ImageSubject:
    """A released classifier by name, one of your own by the path of its card, or "imagenet".

    Its inputs are pictures as `prepare` makes them, `(channels, size, size)`. Neutral is black
    around a digit and else grey. Raises InputError as `ImageClassifier.load` and `imagenet.load`.
    """
    if name == IMAGENET:
        network, preprocessing = imagenet.network(), weights.preprocessing(imagenet.ARCHITECTURE)
        return _subject(name, network, imagenet.labels(), preprocessing)
    card = graph.find(name, "classifier", FITS)
    return _subject(card.name, registry.trained(card), card.labels, card.preprocessing)


def published(path: Path, arch: str) -> ImageSubject:
    """A network of the zoo with the weights that others published, in a .pth or .safetensors file.

    Its 1,000 labels are ImageNet's names where the extra is installed, and else numbers. Raises
    InputError as `load_published` does.
    """
    labels = imagenet.labels() if imagenet.installed() else [*map(str, range(imagenet.CLASSES))]
    network = weights.load_published(path, arch)
    return _subject(path.stem, network, labels, weights.preprocessing(arch))


def read(source: str | Path, subject: ImageSubject) -> Tensor:
    """What the network sees of a picture, `(channels, size, size)`.

    Raises InputError as `open_picture` and `prepare` do.
    """
    return torch.from_numpy(prepare(open_picture(source), subject.preprocessing))


def picture(prepared: Tensor, subject: ImageSubject) -> Image.Image:
    """A prepared picture, `(channels, H, W)` of any size, as it looks: mode L or RGB."""
    share = (prepared - subject.lowest) / (subject.highest - subject.lowest)
    samples = (share.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    return Image.fromarray(samples.squeeze(2) if samples.shape[2] == 1 else samples)


def real(
    subject: ImageSubject, folder: Path, most: int = 10_000, seed: int = 0
) -> Iterator[Tensor]:
    """Batches of prepared pictures `(B, *shape)` of the training part of a set, drawn by `seed`.

    Raises InputError as `data.load` does, and for pictures of another size.
    """
    channels, size = subject.shape[:2]
    how = subject.preprocessing
    pictures = data.load(folder, "train", size, channels, how["fit"]).pictures
    if pictures.shape[1:] != subject.shape:
        found, right = ("x".join(map(str, shape)) for shape in (pictures.shape[1:], subject.shape))
        raise InputError(f"{folder}: pictures of {found}, where {subject.name} sees {right}")
    normalised = Normaliser(how["mean"], how["std"])
    order = np.random.default_rng(seed).permutation(len(pictures))[:most]
    for start in range(0, len(order), BATCH):
        yield normalised(torch.from_numpy(pictures[np.sort(order[start : start + BATCH])]))


def _subject(
    name: str, network: nn.Module, labels: Sequence[str], preprocessing: Mapping[str, Any]
) -> ImageSubject:
    shape = (preprocessing["channels"], preprocessing["size"], preprocessing["size"])
    lowest, highest, grey = (
        (level - torch.tensor(preprocessing["mean"])) / torch.tensor(preprocessing["std"])
        for level in (0.0, 1.0, 0.5)
    )  # (channels,) each
    nothing = lowest if preprocessing["fit"] == "digit" else grey
    return ImageSubject(
        name=name,
        network=network.eval().requires_grad_(False),
        shape=shape,
        labels=tuple(labels),
        neutral=nothing[:, None, None].expand(shape).clone(),
        lowest=lowest[:, None, None],
        highest=highest[:, None, None],
        preprocessing=preprocessing,
    )
