"""Released models: a card (NAME.toml) beside its weights (NAME.safetensors), hash-checked.

The card says what the network is, what it was trained on and how it was measured, and holds the
sha256 of every other file of the model. Only safetensors are read: a pickle runs code when loaded.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import secrets
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from .errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import DTypeLike

PICKLES = {".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle"}


@dataclasses.dataclass(frozen=True)
class Card:
    """What a released model is; `files` maps each file beside the card to its sha256."""

    name: str
    domain: str
    architecture: str
    config: dict[str, Any]
    labels: list[str]
    preprocessing: dict[str, Any]
    description: str
    data: list[dict[str, Any]]
    licence: str
    command: str
    metrics: dict[str, Any]
    files: dict[str, str] = dataclasses.field(default_factory=dict)
    path: Path = Path()

    @property
    def weights(self) -> Path:
        """The safetensors file beside the card."""
        return self.path.with_name(f"{self.name}.safetensors")


_FIELDS: dict[str, type] = {
    "name": str,
    "domain": str,
    "architecture": str,
    "config": dict,
    "labels": list,
    "preprocessing": dict,
    "description": str,
    "data": list,
    "licence": str,
    "command": str,
    "metrics": dict,
    "files": dict,
}
_ITEMS: dict[str, type] = {"labels": str, "data": dict}


def read_card(path: Path) -> Card:
    """The card in a .toml file.

    Raises InputError, naming the file and the field, where it is no card: not TOML, a field
    missing, unknown or of the wrong type, a file name that leads out of the card's folder.
    """
    if path.suffix in PICKLES:
        raise InputError(f"{path}: a pickle is never loaded; name a model card (.toml)")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except ValueError as error:  # bad TOML or bad UTF-8
        raise InputError(f"{path}: not a model card: {_line(error)}") from error
    for field in _FIELDS:
        if field not in content:
            raise InputError(f"{path}: the card has no field {field!r}")
    for field, value in content.items():
        if field not in _FIELDS:
            raise InputError(f"{path}: a card has no field {field!r}; it has: {', '.join(_FIELDS)}")
        if not isinstance(value, _FIELDS[field]) or (
            isinstance(value, list) and not all(isinstance(item, _ITEMS[field]) for item in value)
        ):
            raise InputError(f"{path}: field {field!r} has the wrong type")
    card = Card(**content, path=path)
    if card.name != path.stem:
        raise InputError(f"{path}: field 'name' is {card.name!r}, the file says {path.stem!r}")
    for name, digest in card.files.items():
        if not _is_plain(name):
            raise InputError(f"{path}: field 'files': {name!r} is not the name of a file beside it")
        if not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
            raise InputError(f"{path}: field 'files': {name!r} has no sha256")
    if card.weights.name not in card.files:
        raise InputError(f"{path}: field 'files' has no {card.weights.name!r}")
    return card


def list_cards(folder: Path) -> list[Card]:
    """The cards in a folder, sorted by name."""
    return [read_card(path) for path in sorted(folder.glob("*.toml"))]


def find(name: str, *folders: Path) -> Card:
    """The card of a model in one of the folders, or at the path `name`, with or without its .toml;
    ./name is the path.

    Raises InputError, listing the models in the folders, if there is none.
    """
    if Path(name).suffix in PICKLES:
        raise InputError(f"{name}: a pickle is never loaded; name a model card (.toml)")
    with suppress(OSError):  # a name too long for a path
        inside = [folder / f"{name}.toml" for folder in folders if _is_plain(name)]
        for path in (*inside, Path(f"{name}.toml"), Path(name)):
            if path.suffix == ".toml" and path.is_file():
                return read_card(path)
    known = sorted(path.stem for folder in folders for path in folder.glob("*.toml"))
    raise InputError(
        f"no model called {name!r}, nor a card at that path; known: {', '.join(known) or 'none'}"
    )


def verify(card: Card) -> None:
    """Raises InputError, naming the file, where one is missing, altered or no safetensors file."""
    from safetensors import SafetensorError, safe_open

    for name, digest in card.files.items():
        path = card.path.with_name(name)
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}") from error
        if found != digest:
            raise InputError(f"{path}: sha256 is {found}, the card says {digest}")
    try:
        with safe_open(card.weights, framework="numpy"):
            pass
    except SafetensorError as error:
        raise InputError(
            f"{card.weights}: not a safetensors file, and nothing else is loaded, "
            f"pickles least of all: {_line(error)}"
        ) from error


def load(card: Card, dtype: DTypeLike | None = None) -> dict[str, np.ndarray]:
    """The model's tensors by name, verified first; floating ones as `dtype` if one is given.

    Raises InputError as `verify` does.
    """
    import numpy as np
    from safetensors.numpy import load_file

    verify(card)
    tensors: dict[str, np.ndarray] = load_file(card.weights)
    if dtype is None:
        return tensors
    return {
        name: array.astype(dtype) if np.issubdtype(array.dtype, np.floating) else array
        for name, array in tensors.items()
    }


def save(
    card: Card, tensors: Mapping[str, np.ndarray], folder: Path, extra: Mapping[str, bytes]
) -> Card:
    """Writes a model into `folder`: its tensors, `extra` files by name, its card with their sha256.

    All is on the disk before the first file takes its name, and the card takes its name last, so
    that a card never names files that are not there. Raises InputError where that cannot be.
    """
    import numpy as np
    from safetensors.numpy import save as serialise

    weights = serialise({name: np.ascontiguousarray(array) for name, array in tensors.items()})
    contents = {f"{card.name}.safetensors": weights, **extra}
    for name in (card.name, *contents):
        if not _is_plain(name):
            raise InputError(f"{name!r} is not a plain file name")
    card = dataclasses.replace(
        card,
        files={name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
        path=folder / f"{card.name}.toml",
    )
    contents = {card.path.name: _toml(card), **contents}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror}") from error
    with ExitStack() as stack:  # leaves in reverse order: the card last
        for name, content in contents.items():
            file = stack.enter_context(atomic_write(folder / name, "wb"))
            file.write(content)
            _sync(file)
    return card


def record(card: Card, name: str, figures: Mapping[str, Any]) -> Card:
    """The card with the figures of one more set under `name` in its metrics, written in place."""
    card = dataclasses.replace(card, metrics={**card.metrics, name: dict(figures)})
    with atomic_write(card.path, "wb") as file:
        file.write(_toml(card))
    return card


@contextmanager
def atomic_write(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """A file handle whose content appears at `path` whole, when the block ends, or not at all.

    `mode` is "w" (UTF-8, line ends as written) or "wb". A device or pipe is written to directly.
    Raises InputError where `path` cannot be written.
    """
    text: dict[str, Any] = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
    try:
        target = path.resolve()
        direct = target.exists() and not target.is_file()
        temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
        file = path.open(mode, **text) if direct else temporary.open(mode.replace("w", "x"), **text)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    if direct:
        with file:
            yield file
        return
    try:
        with file:
            yield file
            _sync(file)
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _toml(card: Card) -> bytes:
    import tomli_w

    return tomli_w.dumps({field: getattr(card, field) for field in _FIELDS}).encode()


def _sync(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _is_plain(name: str) -> bool:
    return name not in ("", ".", "..") and not re.search(r"[/\\:\0]", name)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
