"""Recordings of single words to train on and to measure by, in the layout of Speech Commands.

A folder a word; `validation_list.txt` and `testing_list.txt` name the files of two of the splits;
`_background_noise_` holds longer recordings without words. Warden, "Speech Commands: A Dataset for
Limited-Vocabulary Speech Recognition", arXiv:1804.03209.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError

from . import recordings
from .audio import SAMPLE_RATE, Pcm, Waveform

UNKNOWN, SILENCE = "unknown", "silence"  # labels; the folders _unknown_ and _silence_ hold them
BACKGROUND_NOISE = "_background_noise_"
SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif"}
LISTS = {"validation": "validation_list.txt", "testing": "testing_list.txt"}
SHARES = {"validation": 10.0, "testing": 10.0}  # percent of the speakers, where there are no lists
MAX_SECONDS = 120  # of a recording that are kept
HASHES = 2**27 - 1

Split = Literal["training", "validation", "testing"]
SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass
class Clips:
    """Recordings of one word each."""

    labels: tuple[str, ...]
    waveforms: list[Pcm] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)  # of each clip, among the labels
    files: list[Path] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.waveforms)

    def counts(self) -> dict[str, int]:
        found = Counter(self.classes)
        return {name: found[number] for number, name in enumerate(self.labels)}


@dataclass
class Collection:
    """What a folder of words holds; `refused` names the files that are no sounds."""

    splits: dict[Split, Clips]
    noise: list[Pcm]
    refused: list[InputError]


def speaker_of(file: str) -> str:
    """What stands before `_nohash_` in a file's name; without that, WORD/FILE is on its own."""
    speaker, nohash, _ = PurePosixPath(file).name.partition("_nohash_")
    return speaker if nohash else file


def split_by_speaker(file: str) -> Split:
    """Which split WORD/FILE belongs to if no list names it: by its speaker, so none is in two.

    Warden 2018, section 5: a tenth of the speakers each for validation and testing.
    """
    speaker = speaker_of(file).encode(errors="surrogatepass")
    number = int(hashlib.sha1(speaker).hexdigest(), 16) % (HASHES + 1)
    percent = number * (100.0 / HASHES)
    if percent < SHARES["validation"]:
        return "validation"
    return "testing" if percent < sum(SHARES.values()) else "training"


def words(folder: Path) -> list[str]:
    """The names of the folders in `folder` that hold sounds, background noise left out, sorted.

    Raises InputError if there is none.
    """
    try:
        inside = [path for path in folder.iterdir() if path.is_dir()]
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror}") from error
    found = sorted(p.name for p in inside if p.name != BACKGROUND_NOISE and any(sounds(p)))
    if not found:
        raise InputError(f"{folder}: no folder of sounds in it")
    return found


def label_of(word: str, labels: Sequence[str]) -> str | None:
    """The label for the sounds in the folder `word`; None if none fits."""
    if word in labels:
        return word
    if word in (f"_{UNKNOWN}_", f"_{SILENCE}_"):
        word = word.strip("_")
        return word if word in labels else None
    return UNKNOWN if UNKNOWN in labels else None


def read(
    folder: Path, labels: Sequence[str], splits: Sequence[Split] = SPLITS, threads: int = 2
) -> Collection:
    """The sounds of a folder of words; folders that fit no label are left out.

    A list may name words whose folders are not there. Raises InputError for one that can't be read,
    or that names a file that isn't in its folder.
    """
    clips: dict[Split, Clips] = {name: Clips(tuple(labels)) for name in splits}
    places = [place for place in listed(folder, labels) if place[0] in clips]
    refused: list[InputError] = []
    with ThreadPoolExecutor(threads) as readers:
        heard = readers.map(_heard, [path for _, _, path in places])
        for (split, number, path), waveform in zip(places, heard, strict=True):
            if isinstance(waveform, InputError):
                refused.append(waveform)
                continue
            clips[split].waveforms.append(waveform)
            clips[split].classes.append(number)
            clips[split].files.append(path)
    noise: list[Pcm] = []
    for waveform in map(_heard, sorted(sounds(folder / BACKGROUND_NOISE))):
        if isinstance(waveform, InputError):
            refused.append(waveform)
        else:
            noise.append(waveform)
    return Collection(clips, noise, refused)


def listed(folder: Path, labels: Sequence[str]) -> Iterator[tuple[Split, int, Path]]:
    """The sounds of a folder of words, by word and name: split, class, file. Raises as `read`."""
    split_of = _splits(folder)
    for word in words(folder):
        label = label_of(word, labels)
        for path in sorted(sounds(folder / word)) if label else ():
            if split_of is None:
                split = split_by_speaker(f"{word}/{path.name}")
            else:
                split = split_of.get(f"{word}/{path.name}", "training")
            yield split, labels.index(label or ""), path


def read_noise(folder: Path) -> list[Pcm]:
    """The recordings in a folder of background noise.

    Raises InputError if there is none, or for one that is no sound.
    """
    found = [_heard(path) for path in sorted(sounds(folder))]
    for noise in found:
        if isinstance(noise, InputError):
            raise noise
    if not found:
        raise InputError(f"{folder}: no sounds in it")
    return [noise for noise in found if not isinstance(noise, InputError)]


def together(*parts: Clips) -> Clips:
    """The clips of all parts, which have the same labels."""
    return Clips(
        parts[0].labels,
        [waveform for part in parts for waveform in part.waveforms],
        [number for part in parts for number in part.classes],
        [file for part in parts for file in part.files],
    )


def _splits(folder: Path) -> dict[str, Split] | None:
    """From WORD/FILE to its split, for those that the lists name; None where there is no list."""
    found: dict[str, Split] = {}
    lists = {split: folder / LISTS[split] for split in SPLITS[1:]}
    if not any(path.exists() for path in lists.values()):
        return None
    for split, path in lists.items():
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot be read: {error}") from error
        for number, line in enumerate(lines, start=1):
            name = PurePosixPath(line.strip().replace("\\", "/"))
            if not name.parts:
                continue
            if len(name.parts) != 2 or ".." in name.parts:
                raise InputError(f"{path}, line {number}: not WORD/FILE: {line.strip()!r}")
            if (folder / name.parent).is_dir() and not (folder / name).is_file():
                raise InputError(f"{path}, line {number}: there is no file {str(name)!r}")
            found[str(name)] = split
    return found


def sounds(folder: Path) -> Iterator[Path]:
    """The files in a folder, by their names, that may be sounds."""
    if folder.is_dir():
        yield from (path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def _heard(path: Path) -> Pcm | InputError:
    pieces: list[Pcm] = []
    try:
        with recordings.open_recording(path) as recording:
            for block in recording.blocks():
                pieces.append(to_int16(block))
                if sum(map(len, pieces)) >= MAX_SECONDS * SAMPLE_RATE:
                    break
    except InputError as error:
        return error
    return np.concatenate(pieces)


def to_float(waveform: Pcm) -> Waveform:
    """16-bit samples as numbers from -1 to 1."""
    return waveform.astype(np.float32) * np.float32(1 / 32768)


def to_int16(waveform: NDArray[Any]) -> Pcm:
    """Samples from -1 to 1 as 16-bit numbers, clipped."""
    found: Pcm = np.clip(np.rint(waveform * 32768), -32768, 32767).astype(np.int16)
    return found
