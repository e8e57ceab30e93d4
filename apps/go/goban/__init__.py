"""The clickable board: an SVG with one focusable cell a point, through st.components.v2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from ..picture import Picture


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


_mount = st.components.v2.component(
    "goban", html=_read("goban.html"), css=_read("goban.css"), js=_read("goban.js")
)


def goban(picture: Picture, key: str, on_click: Callable[[], None]) -> None:
    """Draws the board; `on_click` runs after a click, which `clicked(key)` then gives."""
    data = vars(picture) | {"hints": [vars(hint) for hint in picture.hints]}
    _mount(key=key, data=data, on_click_change=on_click)


def clicked(key: str) -> tuple[int, int] | None:
    """(point, the `turn` of the picture that was clicked), within `on_click`."""
    click: dict[str, Any] | None = st.session_state[key].get("click")
    return (click["point"], click["turn"]) if click else None
