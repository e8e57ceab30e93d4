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
    """The released model `name`, by `load`. Raises InputError as it does."""
    card = weights.find(name, weight_folders()[domain])
    model: Model = _cached(load, name, hashlib.sha256(card.path.read_bytes()).hexdigest())
    return model


def _loaded(_load: Callable[[str], Model], name: str, sha256: str) -> Model:
    return _load(name)  # the cache's key is the name and the card's sha256


_cached: Any = st.cache_resource(show_spinner="Loading the model …", max_entries=8)(_loaded)
