"""Released models for the pages: loaded once for all sessions, and anew when they change."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

from core import weights
from domains import weight_folders

Model = TypeVar("Model")


def released(domain: str, name: str, load: Callable[[str], Model]) -> Model:
    """The released model `name`, or what is made of it, by `load`. Raises InputError as it does."""
    folders = weight_folders()
    card = weights.find(name, *([folders[domain]] if domain in folders else []))
    sha256 = hashlib.sha256(card.path.read_bytes()).hexdigest()
    model: Model = _cached(load, f"{load.__module__}.{load.__qualname__}", name, sha256)
    return model


def _loaded(_load: Callable[[str], Model], loader: str, name: str, sha256: str) -> Model:
    return _load(name)  # the cache's key is who loads, the name and the card's sha256


_cached: Any = st.cache_resource(show_spinner="Loading the model …", max_entries=16)(_loaded)
