"""The pictures that a command line names: files, folders, patterns that no shell expanded."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from domains.image.pictures import SUFFIXES

if TYPE_CHECKING:
    from domains.image.classifier import Source

Reject = Callable[[InputError], None]


def pictures(arguments: Iterable[str], reject: Reject) -> Iterator[str]:
    """The files that are meant, in order. `reject` is called for a folder that holds none.

    A folder means the pictures in it and in the folders below, by name, hidden ones left out.
    """
    for argument in arguments:
        is_pattern = has_magic(argument) and not os.path.lexists(argument)
        found = sorted(glob(argument, recursive=True)) if is_pattern else []  # noqa: PTH207
        for name in found or [argument]:
            yield from _pictures(name, reject)


def source(file: str) -> Source:
    """What `file` names, - being standard input, and what errors call it."""
    return (sys.stdin.buffer, "stdin") if file == "-" else (Path(file), file)


def _pictures(name: str, reject: Reject) -> Iterator[str]:
    if not _is_folder(name):
        yield name
        return
    empty = True
    for found in _walk(name, reject):
        empty = False
        yield found
    if empty:
        reject(InputError(f"{name}: no picture in this folder"))


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except OSError:  # a name too long for a path
        return False


def _walk(folder: str, reject: Reject) -> Iterator[str]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        reject(InputError(f"{folder}: {error.strerror}"))
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, reject)
        elif Path(entry.name).suffix.lower() in SUFFIXES and entry.is_file():
            yield entry.path
