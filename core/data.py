"""Training data: which sets there are, where they lie, how they are fetched, read and split."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import stat
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote_plus, urlsplit

from .errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_MEMBERS = 300_000
"""An archive of more members is refused."""
MAX_BYTES = 8 * 2**30
"""An archive that unpacks to more bytes is refused."""
TIMEOUT = 30
"""Seconds without an answer after which a download is given up."""

_STREAMS: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
_ARCHIVES = {".zip", ".tar", ".tgz", *_STREAMS}
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, RuntimeError)


@dataclass(frozen=True)
class Source:
    """One file at a public address; `sha256` is None where no published sum is known."""

    url: str
    sha256: str | None

    @property
    def file_name(self) -> str:
        return PurePosixPath(unquote_plus(urlsplit(self.url).path)).name


Reader = Callable[[Path], Iterable[tuple[str, Iterable[tuple[str, str]]]]]
"""From the folder of a set's unpacked files to its tables: (name, rows); a row is (label, text)."""


@dataclass(frozen=True)
class DataSet:
    """A public set of training data.

    Where `read` is given, `get` makes tables of what it fetched, beside `path`, and keeps nothing
    else; otherwise it puts the files, unpacked, into `path`. `tables` are patterns of table files.
    Both are relative to `folder()`.
    """

    name: str
    description: str
    licence: str
    path: str
    sources: tuple[Source, ...]
    tables: tuple[str, ...] = ()
    read: Reader | None = None


DATASETS: dict[str, DataSet] = {}


def register(dataset: DataSet) -> None:
    """Makes a set known by its name."""
    DATASETS[dataset.name] = dataset


def dataset(name: str) -> DataSet:
    """The set of that name. Raises InputError, listing the known names, if there is none."""
    if name not in DATASETS:
        raise InputError(f"no data set called {name!r}; known: {', '.join(sorted(DATASETS))}")
    return DATASETS[name]


def folder() -> Path:
    """The folder of training data: RECEPTIVE_DATA, by default the user's data directory."""
    if named := os.environ.get("RECEPTIVE_DATA"):
        return Path(named)
    import platformdirs

    return platformdirs.user_data_path("receptive", appauthor=False)


def locate(name: str) -> list[Path]:
    """Where a set lies: its tables, or the folder that `get` made.

    Raises InputError if it is not there.
    """
    if found := _find(dataset(name)):
        return found
    raise InputError(f"{name} is not in {folder()}; fetch it by: receptive data get {name}")


def get(name: str, progress: bool = False) -> list[Path]:
    """Fetches a set, unless it is there: downloaded, sha256 checked, unpacked, read into tables;
    whole or not at all.

    The sum of a file for which none is published and the tables' sizes go to stderr. Raises
    InputError where an address cannot be read, a sum differs, an archive is unsafe, its files are
    not in the form that the set's reader knows, or the folder cannot be written.
    """
    wanted = dataset(name)
    if found := _find(wanted):
        return found
    target = folder() / wanted.path
    try:
        folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".get-", dir=folder()) as scratch:
            whole, tables = Path(scratch) / "whole", Path(scratch) / "tables"
            whole.mkdir()
            tables.mkdir()
            for source in wanted.sources:
                file = _download(source, Path(scratch), progress)
                if file.suffix in _ARCHIVES:
                    _unpack(file, whole)
                else:
                    file.rename(whole / file.name)
            if wanted.read is not None:
                _write_tables(wanted.name, wanted.read, whole, tables, progress)
            target.parent.mkdir(parents=True, exist_ok=True)
            if wanted.read is None:
                return [whole.rename(target)]
            return [table.rename(target.parent / table.name) for table in sorted(tables.iterdir())]
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {error.strerror}") from error


def split(
    groups: int | Sequence[str | int], fractions: Sequence[float], seed: int
) -> list[NDArray[np.int64]]:
    """Seeded random parts of a set, as ascending indices; part i holds about `fractions[i]` of it.

    `groups` is the number of examples, or for each one the group that must not be torn apart (its
    speaker, its game). The fractions add up to 1; every example is in exactly one part.
    """
    import numpy as np

    ids = np.arange(groups) if isinstance(groups, int) else np.asarray(groups)
    _, group, sizes = np.unique(ids, return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(sizes))
    middle = np.cumsum(sizes[order]) - sizes[order] / 2
    bounds = np.cumsum(fractions)[:-1] * len(ids)
    part = np.empty(len(sizes), dtype=np.int64)
    part[order] = np.searchsorted(bounds, middle)
    return [np.flatnonzero(part[group] == i) for i in range(len(fractions))]


def _find(wanted: DataSet) -> list[Path]:
    tables = sorted(path for pattern in wanted.tables for path in folder().glob(pattern))
    fetched = folder() / wanted.path
    if not tables and wanted.read is None and fetched.is_dir():
        return [fetched]
    return tables


def _download(source: Source, scratch: Path, progress: bool) -> Path:
    import pooch

    pooch.get_logger().setLevel("ERROR")
    try:
        path = Path(
            pooch.retrieve(
                source.url,
                known_hash=source.sha256,
                fname=source.file_name,
                path=scratch,
                downloader=pooch.HTTPDownloader(progressbar=progress, timeout=TIMEOUT),
            )
        )
    except OSError as error:  # every exception of requests is one
        raise InputError(f"{source.url}: cannot be fetched: {_line(error)}") from error
    except ValueError as error:
        raise InputError(f"{source.url}: its sha256 is not {source.sha256}") from error
    if source.sha256 is None:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        print(f"{source.url}: sha256 {found}, and no published sum to check", file=sys.stderr)
    return path


def _unpack(archive: Path, into: Path) -> None:
    """Writes an archive's members into a folder, a lone compressed file under its own name.

    Raises InputError, naming the member, for one that is neither file nor folder (links, devices)
    or that leads out of the folder, and for too many members or bytes.
    """
    left = MAX_BYTES
    try:
        for count, (name, content) in enumerate(_members(archive), start=1):
            if count > MAX_MEMBERS:
                raise InputError(f"{archive.name}: holds more than {MAX_MEMBERS} members")
            path = PureWindowsPath(name)  # the strictest: both slashes, drives
            if path.anchor or ".." in path.parts:
                raise InputError(f"{archive.name}: member {name!r} leads out of the folder")
            target = into.joinpath(*path.parts)
            if content is None:
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                while block := content.read(min(2**20, left + 1)):
                    left -= len(block)
                    if left < 0:
                        raise InputError(
                            f"{archive.name}: unpacks to more than {MAX_BYTES} bytes, at {name!r}"
                        )
                    file.write(block)
    except (*_BROKEN, OSError) as error:
        raise InputError(f"{archive.name}: cannot be unpacked: {_line(error)}") from error


def _members(archive: Path) -> Iterator[tuple[str, IO[bytes] | None]]:
    """Name and content of each file in an archive; a folder has no content (None)."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as packed:
            for info in packed.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise _not_a_file(archive, info.filename)
                if info.is_dir():
                    yield info.filename, None
                else:
                    with packed.open(info) as content:
                        yield info.filename, content
    elif archive.suffix in (".tar", ".tgz") or archive.stem.endswith(".tar"):
        with tarfile.open(archive, "r|*") as stream:
            for member in stream:
                if not (member.isdir() or member.isreg()):
                    raise _not_a_file(archive, member.name)
                yield member.name, stream.extractfile(member)
    else:
        with _STREAMS[archive.suffix](archive) as content:
            yield archive.stem, content


def _write_tables(name: str, read: Reader, files: Path, into: Path, progress: bool) -> None:
    """Writes NAME.tsv.xz for each table: a header `label<TAB>text`, no quoting.

    Runs of white space in a text, tabs and line ends among them, become one space; empty texts are
    left out.
    """
    from tqdm import tqdm

    try:
        for table, rows in read(files):
            written = 0
            with lzma.open(into / f"{table}.tsv.xz", "wt", encoding="utf-8", newline="") as file:
                file.write("label\ttext\n")
                for label, text in tqdm(rows, desc=table, unit=" rows", disable=not progress):
                    if words := text.split():
                        file.write(f"{label}\t{' '.join(words)}\n")
                        written += 1
            print(f"{table}.tsv.xz: {written:,} rows", file=sys.stderr)
    except InputError:
        raise
    except (LookupError, TypeError, ValueError) as error:
        raise InputError(f"{name}: its files are not in the known form: {_line(error)}") from error


def _not_a_file(archive: Path, name: str) -> InputError:
    return InputError(f"{archive.name}: member {name!r} is neither a file nor a folder")


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
