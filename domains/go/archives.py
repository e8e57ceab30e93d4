"""Game records where they lie: in files, folders, zip and tar archives, read in place.

Nothing is ever unpacked to disk. An archive is looked through before anything in it is read, and
one that is not safe is refused whole, by the name of what is wrong in it.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PureWindowsPath
from typing import IO, Any

from core.errors import InputError

MAX_MEMBERS = 300_000
"""An archive of more members is refused."""
MAX_MEMBER_BYTES = 256 * 2**20
"""A file, in an archive or not, of more bytes is refused: it is held in memory."""
MAX_BYTES = 4 * 2**30
"""An archive that unpacks to more bytes is refused."""
MAX_RATIO = 100
"""An archive that unpacks to more than this many times its size is refused, ..."""
FREE_BYTES = 16 * 2**20
"""... unless that is no more than these bytes."""

_ZIPS = (".zip",)
_TARS: dict[str, Any] = {
    ".tar": open,
    ".tar.gz": gzip.open,
    ".tgz": gzip.open,
    ".tar.xz": lzma.open,
    ".txz": lzma.open,
    ".tar.bz2": bz2.open,
    ".tbz2": bz2.open,
}
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    RuntimeError,  # encrypted, or compressed in an unknown way
    OSError,
    ValueError,
)


def files(paths: Iterable[Path]) -> list[Path]:
    """The files that `paths` stand for: a folder for the records and archives anywhere below it,
    sorted.

    Raises InputError for a path that is not there, and for a folder that holds none.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            if not path.is_file():
                raise InputError(f"{path}: no such file or folder")
            found.append(path)
            continue
        below = sorted(inner for inner in path.rglob("*") if _is_wanted(inner) and inner.is_file())
        if not below:
            raise InputError(f"{path}: holds no .sgf file and no archive")
        found += below
    return found


def read(paths: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """Source and content of each SGF file at `paths` and in the archives there.

    The source of an archive's member is `ARCHIVE!MEMBER`. Raises InputError, naming archive and
    member, where an archive is refused: a member that is neither file nor folder (links, devices),
    whose name is absolute or leads out by `..`, or more members or bytes than the bounds allow;
    also where a file cannot be read.
    """
    for path in files(paths):
        if not is_archive(path):
            yield str(path), _content(path)
            continue
        try:
            names = _checked(path)
            for name, content in _members(path):
                if name in names:
                    yield f"{path}!{name}", content.read(MAX_MEMBER_BYTES)
        except InputError:
            raise
        except _BROKEN as error:
            raise InputError(f"{path}: cannot be read: {_line(error)}") from error


def is_archive(path: Path) -> bool:
    return path.name.lower().endswith((*_ZIPS, *_TARS))


def _is_wanted(path: Path) -> bool:
    return _is_record(path.name) or is_archive(path)


def _is_record(name: str) -> bool:
    return name.lower().endswith(".sgf")


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_MEMBER_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    if len(content) > MAX_MEMBER_BYTES:
        raise InputError(f"{path}: is of more than {MAX_MEMBER_BYTES} bytes")
    return content


def _checked(path: Path) -> set[str]:
    """The names of the records in an archive all of whose members are safe."""
    names: set[str] = set()
    total = 0
    bound = min(MAX_BYTES, max(FREE_BYTES, MAX_RATIO * path.stat().st_size))
    for count, (name, size, plain) in enumerate(_listing(path, bound), start=1):
        inner = PureWindowsPath(name)  # the strictest: both slashes, drives
        if not plain:
            raise InputError(f"{path}: refused: member {name!r} is neither a file nor a folder")
        if inner.anchor or ".." in inner.parts:
            raise InputError(f"{path}: refused: member {name!r} leads out of the archive")
        if count > MAX_MEMBERS:
            raise InputError(f"{path}: refused: holds more than {MAX_MEMBERS} members")
        if size > MAX_MEMBER_BYTES:
            raise InputError(
                f"{path}: refused: member {name!r} is of more than {MAX_MEMBER_BYTES} bytes"
            )
        total += size
        if total > bound:
            raise _bomb(path, bound)
        if _is_record(name):
            names.add(name)
    return names


def _listing(path: Path, bound: int) -> Iterator[tuple[str, int, bool]]:
    """Name, size and whether it is a plain file or a folder, of each member."""
    if path.name.lower().endswith(_ZIPS):
        with zipfile.ZipFile(path) as packed:
            for info in packed.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                yield info.filename, info.file_size, kind in (0, stat.S_IFREG, stat.S_IFDIR)
    else:
        with _unpacked(path) as stream:
            bounded = _Bounded(stream, path, bound)
            source: Any = bounded
            with tarfile.open(fileobj=source, mode="r|") as packed:
                for member in packed:
                    plain = member.isdir() or (member.isreg() and not member.issparse())
                    yield member.name, member.size, plain
            while bounded.read(2**20):  # to the end, where the stream's checksum is
                pass
            if any(bounded.tail):  # a tar ends with zeros
                raise EOFError("is cut short")


def _members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Name and content of each file in an archive that `_checked` has seen."""
    if path.name.lower().endswith(_ZIPS):
        with zipfile.ZipFile(path) as packed:
            for info in packed.infolist():
                if not info.is_dir():
                    with packed.open(info) as content:
                        yield info.filename, content
    else:
        with _unpacked(path) as stream, tarfile.open(fileobj=stream, mode="r|") as packed:
            for member in packed:
                if file := packed.extractfile(member):
                    yield member.name, file


def _unpacked(path: Path) -> Any:
    suffix = max((end for end in _TARS if path.name.lower().endswith(end)), key=len)
    return _TARS[suffix](path, "rb")


class _Bounded:
    """A stream of which no more than `bound` bytes can be read."""

    def __init__(self, stream: IO[bytes], path: Path, bound: int) -> None:
        self.stream, self.path, self.bound = stream, path, bound
        self.left = bound
        self.tail = b""  # the last bytes so far

    def read(self, size: int) -> bytes:
        block = self.stream.read(size)
        self.left -= len(block)
        if self.left < 0:
            raise _bomb(self.path, self.bound)
        self.tail = (self.tail + block)[-tarfile.BLOCKSIZE :]
        return block


def _bomb(path: Path, bound: int) -> InputError:
    return InputError(
        f"{path}: refused: unpacks to more than {bound} bytes, "
        f"which is too many for one of {path.stat().st_size}"
    )


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
