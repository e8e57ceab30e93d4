"""The graphs of released networks: what classifier, detector and segmenter run on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import inference, weights
from core.errors import InputError

WEIGHTS = Path(__file__).parent / "weights"

Array = NDArray[np.float32]
Logits = Callable[[Array], Array]  # of prepared pictures (B, C, H, W)


def load_graph(
    name: str, kind: str, fits: Collection[str], threads: int
) -> tuple[weights.Card, Logits]:
    """Card and network of a released model by name, or of one of your own by the path of its card.

    Raises InputError if there is none, if a file of it was altered, or if it is no `kind` of model:
    none whose pictures are made to fit in one of the ways `fits`.
    """
    card = find(name, kind, fits)
    weights.verify(card)
    session = inference.session(card, threads)

    def logits(prepared: Array) -> Array:
        answers: Array = session.run(["logits"], {"pictures": prepared})[0]
        return answers

    return card, logits


def find(name: str, kind: str, fits: Collection[str]) -> weights.Card:
    """The card that `load_graph` goes by. Raises InputError as it does, but looks at no weights."""
    card = weights.find(name, WEIGHTS)
    if card.domain != "image":
        raise InputError(f"{card.path}: a model of domain {card.domain!r}, not an image model")
    fit = card.preprocessing.get("fit")
    if fit not in fits:
        raise InputError(f"{card.path}: not a {kind}: field 'preprocessing' has the fit {fit!r}")
    if not _is_complete(card.preprocessing):
        raise InputError(f"{card.path}: field 'preprocessing' is not that of domains.image")
    return card


def _is_complete(preprocessing: Mapping[str, Any]) -> bool:
    channels, size, mean, std = map(preprocessing.get, ("channels", "size", "mean", "std"))
    return (
        channels in (1, 3)
        and isinstance(size, int)
        and size > 0
        and isinstance(mean, list)
        and isinstance(std, list)
        and len(mean) == len(std) == channels
    )
