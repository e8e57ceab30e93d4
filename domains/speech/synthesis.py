"""Words spoken by speech synthesisers, to train on beside recorded ones.

A recogniser that has heard few words besides its keywords takes many others for them. Thousands of
words cost nothing from espeak-ng and flite; the keywords are spoken too, in the same voices, so
that the voice tells nothing. Both programs are free software that every Linux offers.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from tqdm import tqdm

from core.errors import InputError
from core.weights import atomic_write

from . import recordings
from .audio import SAMPLE_RATE
from .augmentation import decibel, placed
from .data import LISTS, UNKNOWN

LANGUAGES = ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-029")  # of espeak-ng
NO_VOICE = re.compile("robo|robot|whisper|croak|demonic|tweaky|fast|storm", re.IGNORECASE)
FLITE_VOICES = ("awb", "kal", "kal16", "rms", "slt")
FLITE_SHARE = 0.35  # of the clips
LOUDNESS_DB = (-18.0, 0.0)  # of a clip's peak
LONGEST = 9  # letters: about what fits into a second


@dataclass(frozen=True)
class Utterance:
    """One word in one voice; `command` writes it to stdout, or to the file that follows it."""

    word: str
    path: Path  # below the data's folder
    command: tuple[str, ...]
    gain: float


def synthesise(
    words: Sequence[str], keywords: Sequence[str], out: Path, unknown: int, each: int, seed: int
) -> int:
    """Writes `unknown` clips of random words and `each` of each keyword, laid out for training.

    Words that sound like a keyword are left out. All clips are for training: the lists are empty.
    Returns the number of clips. Raises InputError where a program is missing, or no word is left.
    """
    for program in ("espeak-ng", "flite"):
        if not shutil.which(program):
            raise InputError(f"{program}: no such program; it is needed to speak")
    rng = np.random.default_rng(seed)
    with ThreadPoolExecutor() as speakers:
        known = [word for word in words if word.isascii() and word.isalpha() and word.islower()]
        known = [word for word in dict.fromkeys(known) if 2 <= len(word) <= LONGEST]
        if not known:
            raise InputError(f"no word of 2 to {LONGEST} small letters among {len(words):,}")
        drawn = rng.choice(known, unknown).tolist()
        distinct = [*dict.fromkeys((*keywords, *drawn))]
        sound = dict(zip(distinct, speakers.map(phonemes, distinct), strict=True))
        taken = {sound[word] for word in keywords}
        drawn = [word for word in drawn if sound[word] not in taken]
        others = Path(f"_{UNKNOWN}_")
        wanted = [(word, others / f"{word}-{n}.wav") for n, word in enumerate(drawn)]
        wanted += [(word, Path(word, f"spoken-{n}.wav")) for word in keywords for n in range(each)]
        variants = espeak_variants()
        spoken = [_utterance(word, path, variants, rng) for word, path in wanted]
        for folder in {path.parent for _, path in wanted}:
            (out / folder).mkdir(parents=True, exist_ok=True)
        for name in LISTS.values():
            (out / name).touch()
        done = speakers.map(lambda utterance: write(utterance, out), spoken)
        return sum(tqdm(done, total=len(spoken), unit=" clips", delay=2, disable=None))


def phonemes(word: str) -> str:
    """How espeak-ng says a word, stress marks left out."""
    said = _run(("espeak-ng", "-q", "-x", "-v", "en-us", word)).decode()
    return re.sub("[',\\s]", "", said)


def espeak_variants() -> list[str]:
    """The names of espeak-ng's voices for any language that sound like a person."""
    lines = _run(("espeak-ng", "--voices=variant")).decode().splitlines()
    names = [found[1] for line in lines if (found := re.search(r"!v/(\S+)", line))]
    return sorted(name for name in names if not NO_VOICE.search(name))


def _utterance(word: str, path: Path, variants: Sequence[str], rng: Any) -> Utterance:
    gain = decibel(rng.uniform(*LOUDNESS_DB))
    if rng.random() < FLITE_SHARE:
        slowness, pitch = rng.uniform(0.75, 1.25), rng.integers(80, 220)
        command: tuple[str, ...] = (
            "flite", "-voice", str(rng.choice(FLITE_VOICES)),
            "--setf", f"duration_stretch={slowness:.2f}", "--setf", f"int_f0_target_mean={pitch}",
            "-t", word, "-o",
        )  # fmt: skip
    else:
        voice = f"{rng.choice(LANGUAGES)}+{rng.choice(variants)}"
        speed, pitch = rng.integers(110, 210), rng.integers(20, 80)
        command = ("espeak-ng", "-v", voice, "-s", f"{speed}", "-p", f"{pitch}", "--stdout", word)
    return Utterance(word, path, command, gain)


def write(utterance: Utterance, out: Path) -> bool:
    """Speaks a word into its file, in the middle of a second; False where nothing was said."""
    target = out / utterance.path
    if utterance.command[-1] == "-o":
        raw = target.with_suffix(".raw.wav")
        _run((*utterance.command, str(raw)))
        content = raw.read_bytes()
        raw.unlink()
    else:
        content = _run(utterance.command)
    sound = trimmed(recordings.read(io.BytesIO(content), utterance.word))
    if not len(sound):
        return False
    sound = sound[:SAMPLE_RATE] * np.float32(utterance.gain / np.abs(sound).max())
    clip = placed(sound, (SAMPLE_RATE - len(sound)) // 2, SAMPLE_RATE)
    with atomic_write(target, "wb") as file:
        soundfile.write(file, clip, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return True


def trimmed(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without the silence, a hundredth of the peak or less, before and after."""
    loud = np.flatnonzero(np.abs(sound) > 0.01 * np.abs(sound).max(initial=0))
    return sound[loud[0] : loud[-1] + 1] if len(loud) else sound[:0]


def _run(command: Sequence[str]) -> bytes:
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        reason = " ".join(done.stderr.decode(errors="replace").split())
        raise InputError(f"{command[0]}: {reason or f'exit code {done.returncode}'}")
    return done.stdout
