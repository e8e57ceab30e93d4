"""The paper to draw on: by mouse, finger or arrow keys, through st.components.v2."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from ..drawing import PEN, SIDE, Stroke


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


_mount = st.components.v2.component(
    "canvas", html=_read("canvas.html"), css=_read("canvas.css"), js=_read("canvas.js")
)


def canvas(strokes: Sequence[Stroke], key: str, on_draw: Callable[[], None]) -> None:
    """Shows the paper, with `strokes` on it when it comes into view; from then on it keeps its own.

    `on_draw` runs after each stroke, and after those that are taken back; `strokes_of(key)` then
    gives all that are on the paper.
    """
    data = {"side": SIDE, "pen": PEN, "strokes": strokes}
    _mount(key=key, data=data, on_draw_change=on_draw)


def strokes_of(key: str) -> list[Stroke]:
    """What is on the paper, within `on_draw`."""
    drawing: dict[str, Any] = st.session_state[key]["draw"]
    strokes: list[Stroke] = drawing["strokes"]
    return strokes
