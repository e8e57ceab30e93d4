"""What the command line says to a person: safe to show, coloured only where that is wanted."""

from __future__ import annotations

import os
import re
import sys
from typing import IO, Any

GREEN, RED = 32, 31

# Control characters, line and paragraph separators, and those that reorder what is shown.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)


def visible(text: str) -> str:
    """`text` on one line, with escapes for all that would steer a terminal.

    >>> visible("red: \\x1b[31m")
    'red: \\\\x1b[31m'
    """
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def visible_lines(text: str) -> str:
    """As `visible`, line by line."""
    return "\n".join(map(visible, text.split("\n")))


def complain(error: Exception) -> None:
    """One line on stderr."""
    print(f"receptive: error: {visible(str(error))}", file=sys.stderr, flush=True)


def has_colour(stream: IO[Any]) -> bool:
    """Whether `stream` is a terminal that colours suit (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def coloured(text: str, colour: int, strength: float) -> str:
    """`text` in an ANSI colour: dim, plain or bold by `strength` from 0 to 1."""
    weight = 1 if strength > 2 / 3 else 22 if strength > 1 / 3 else 2
    return f"\x1b[{weight};{colour}m{text}\x1b[0m"
