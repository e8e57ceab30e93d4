"""The board as plain data: all that the page's board shows."""

from __future__ import annotations

from dataclasses import dataclass, field


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
