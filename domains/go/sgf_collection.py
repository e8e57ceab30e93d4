"""Collections of game trees in SGF FF[1] to FF[4] (https://www.red-bean.com/sgf/), of any charset.

sgfmill's grammar reads the tokens; of a game tree the main line is taken. A game whose brackets are
broken costs none of the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from encodings.aliases import aliases
from itertools import pairwise
from typing import NamedTuple

from sgfmill import sgf_grammar

Properties = dict[bytes, list[bytes]]
"""A node: raw UTF-8 values by property."""

MAX_BYTES = 2 * 2**20
"""A longer game is rejected."""

_START = re.compile(rb"\(\s*;")
# A root begins a game even where the one before was never closed. The value must close without an
# escape, so that no well-formed text, a comment quoting SGF for one, is taken for a root.
_ROOT = re.compile(rb"\(\s*;\s*(?:FF|GM|CA|SZ|AP|ST|PB|PW|EV|DT)\s*\[[^\]\\]{0,200}\]")
_CHARSET = re.compile(rb"CA\s*\[\s*([\w.:-]{1,40})\s*\]")
_CHARSETS = {*aliases, *aliases.values()}
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "big5": "cp950"}
_GUESSES = ("gb18030", "cp950", "cp949", "cp932")  # second bytes may be brackets, backslashes
_HALF = re.compile(rb"[\x80-\xff]\\")  # likelier half a character than an escape
_BYTE_ORDERS = (b"\xff\xfe", b"\xfe\xff")


class Broken(NamedTuple):
    """What is wrong with a game, and on which lines it stands."""

    problem: str
    begin: int
    end: int


def main_lines(data: bytes) -> Iterator[list[Properties] | Broken]:
    """The nodes of each game's main line, always into the first variation. Never raises.

    Text is UTF-8 if it can be, else in the charset that CA[] names, else Latin-1, or of East Asia
    where Latin-1 would break brackets. After a broken game, reading goes on at the next root.
    """
    if data.startswith(_BYTE_ORDERS):
        data = data.decode("utf-16", "replace").encode()
    line = 1
    roots = (found.start() for found in _ROOT.finditer(data))
    for begin, end in pairwise((0, *roots, len(data))):
        for game in _games(data[begin:end]):
            if isinstance(game, Broken):
                game = Broken(game.problem, line + game.begin, line + game.end)
            yield game
        line += data.count(b"\n", begin, end)


def _games(chunk: bytes) -> list[list[Properties] | Broken]:
    """The games in a piece of a collection that has no root but at its start; lines from 0."""
    if len(chunk) > MAX_BYTES:
        return [Broken(f"more than {MAX_BYTES} bytes without an end", 0, chunk.count(b"\n"))]
    first = None
    for reading in _readings(chunk):
        found: list[list[Properties] | Broken] = []
        position = 0
        while start := _START.search(reading, position):
            tokens, position = sgf_grammar.tokenise(reading, start.start())
            try:
                found.append(_main_line(tokens))
            except ValueError as error:
                begin, end = (reading.count(b"\n", 0, at) for at in (start.start(), position))
                found.append(Broken(str(error), begin, end))
                break
        else:
            return found
        first = first or found
    return first or []


def _readings(chunk: bytes) -> Iterator[bytes]:
    """The text as UTF-8, from the charset that it is in; then from others that it may be in."""
    escapes = b"\x1b" in chunk  # ISO 2022, which looks like ASCII
    found = _CHARSET.search(chunk) if escapes or not chunk.isascii() else None
    declared = found[1].decode("ascii", "replace").lower().replace("-", "_") if found else ""
    declared = aliases.get(declared, declared)
    charsets = [_WIDER.get(declared, declared)] if declared in _CHARSETS else []
    charsets.insert(1 if escapes else 0, "utf-8")
    charsets += [*_GUESSES, "latin-1"] if _HALF.search(chunk) else ["latin-1", *_GUESSES]
    for charset in charsets:
        try:
            reading = chunk.decode(charset).encode()
        except (LookupError, ValueError):
            continue
        if found is None or found[0] in reading:  # all charsets of SGF leave ASCII as it is
            yield reading
            if charset == "utf-8":
                return


def _main_line(tokens: list[tuple[str, bytes]]) -> list[Properties]:
    """The nodes up to the end of the first variation. Raises ValueError where they are broken."""
    nodes: list[Properties] = []
    properties: Properties | None = None
    values: list[bytes] | None = None
    for kind, token in tokens:
        if kind != "V" and values == []:
            raise ValueError("a property without a value")
        if kind == "V":
            if values is None:
                shown = token[:20].decode("utf-8", "replace")
                raise ValueError(f"a value without a property: [{shown}]")
            values.append(token)
        elif kind == "I":
            if properties is None:
                raise ValueError(f"a property outside a node: {token.decode()}")
            values = properties.setdefault(token, [])
        elif token == b";":
            values = None
            properties = {}
            nodes.append(properties)
        elif token == b"(":
            values = properties = None
        else:
            break
    if tokens.count(("D", b"(")) != tokens.count(("D", b")")):
        raise ValueError("not all brackets that open also close")
    return nodes
