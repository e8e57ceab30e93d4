"""The clickable board: an SVG with one focusable cell a point, through st.components.v2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st


@dataclass(frozen=True)
class Hint:
    """A move that the network would play: `shade` is 0 to 1, `text` stands on the point."""

    point: int
    rank: int
    text: str
    shade: float


@dataclass(frozen=True)
class Picture:
    """Everything the board shows. Lists of `size * size` go point by point, row by row from the
    top; `stones` and `owner` are strings of ".", "X" (black) and "O" (white)."""

    size: int
    turn: int
    """Goes back with a click, so that one made on an older picture can be told."""
    title: str
    names: list[str]
    labels: list[str]
    """What a screen reader says of each point."""
    stones: str
    playable: list[bool]
    ghost: str = ""
    """The colour of the stone that a click would place, "black" or "white"; "" for none."""
    last: int | None = None
    ko: int | None = None
    hints: list[Hint] = field(default_factory=list)
    plane: list[bool] = field(default_factory=list)
    dead: list[int] = field(default_factory=list)
    owner: str = ""
    announcement: str = ""
    """Spoken by a screen reader when it changes."""


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


_mount = st.components.v2.component(
    "goban", html=_read("goban.html"), css=_read("goban.css"), js=_read("goban.js")
)


def goban(picture: Picture, key: str, on_click: Callable[[], None]) -> None:
    """Draws the board; `on_click` runs after a click, which `clicked(key)` then gives."""
    _mount(key=key, data=asdict(picture), on_click_change=on_click)


def clicked(key: str) -> tuple[int, int] | None:
    """(point, the `turn` of the picture that was clicked), within `on_click`."""
    click: dict[str, Any] | None = st.session_state[key].get("click")
    return (click["point"], click["turn"]) if click else None
