"""Recordings as the networks want them: one channel at SAMPLE_RATE, in constant memory."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

import numpy as np
import soundfile
import torch

from core.errors import InputError

from .audio import SAMPLE_RATE, Waveform
from .torchaudio_import import torchaudio

LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000  # Hz
MOST_CHANNELS = 64
BLOCK_SECONDS = 1.0
MOST_READ = 1 << 20  # samples read at once, those of all channels together
FINEST_RATIO = 2_000  # what both numbers of the ratio of two rates may reach
OPEN_END = 0x7FFF_0000  # bytes: a header that says more was written before the end was known
DECLARED = re.compile(r"^ *(?:data|SSND|Data Size) *: (\d+) \(should be (\d+)\)", re.MULTILINE)


class Recording:
    """A sound file that is open; `rate` in Hz, `seconds` None where its header doesn't say."""

    def __init__(self, file: soundfile.SoundFile, name: str) -> None:
        self.file = file
        self.name = name
        self.rate: int = file.samplerate
        self.channels: int = file.channels
        known = 0 < file.frames < np.iinfo(np.int64).max
        self.seconds: float | None = file.frames / file.samplerate if known else None

    def rewind(self) -> None:
        """Back to the start. It is opened anew, as some encodings (GSM) can't be gone back in."""
        descriptor = self.file.name
        os.lseek(descriptor, 0, os.SEEK_SET)
        self.file = soundfile.SoundFile(descriptor, closefd=False)

    def blocks(self, seconds: float = BLOCK_SECONDS) -> Iterator[Waveform]:
        """The recording in pieces of about so many seconds, `(samples,)` each, at SAMPLE_RATE.

        It is the mean of the channels, from -1 to 1; what is beyond full scale is clipped.

        Raises InputError where there is no sample, where one is not a finite number, and, after
        all that could be read, where the file is damaged or cut off.
        """
        return resampled(self._mono(seconds), self.rate)

    def _mono(self, seconds: float) -> Iterator[Waveform]:
        size = max(min(int(seconds * self.rate), MOST_READ // self.channels), 1)
        done = 0
        while len(samples := self._read(size, done)):
            mono: Waveform = samples.mean(axis=1)
            if (bad := ~np.isfinite(mono)).any():
                place = (done + int(bad.argmax())) / self.rate
                raise InputError(f"{self.name}: the sample at {place:.3f} s is not a finite number")
            yield np.clip(mono, -1, 1)
            done += len(samples)
        for declared, there in DECLARED.findall(self.file.extra_info):
            if int(there) < int(declared) < OPEN_END:
                raise InputError(
                    f"{self.name}: cut off after {done / self.rate:.3f} s: it holds {there} of the "
                    f"{declared} bytes of sound that its header says"
                )
        if not done:
            raise InputError(f"{self.name}: a sound file without a sample")

    def _read(self, size: int, done: int) -> Waveform:
        try:
            samples: Waveform = self.file.read(size, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise InputError(
                f"{self.name}: damaged after {done / self.rate:.3f} s: {_reason(error)}"
            ) from None
        return samples


@contextmanager
def open_recording(source: Path | BinaryIO, name: str | None = None) -> Iterator[Recording]:
    """Opens a sound file of any format that libsndfile knows; errors call it `name`.

    A stream is first copied to a temporary file, as most formats can't be read without going back.

    Raises InputError where the source is missing, empty or no sound, and where it has more channels
    or another rate than can be.
    """
    name = name or str(source if isinstance(source, Path) else getattr(source, "name", "sound"))
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(source.open("rb")) if isinstance(source, Path) else source
            if stream is not source and stream.seekable():
                file = stream
            else:
                file = stack.enter_context(TemporaryFile())
                shutil.copyfileobj(stream, file)
            empty = not file.seek(0, 2)
            file.seek(0)
        except FileNotFoundError:
            raise InputError(f"{name}: no such file") from None
        except OSError as error:
            raise InputError(f"{name}: cannot be read: {error.strerror}") from None
        except ValueError as error:  # a null character in the path
            raise InputError(f"{name!r}: {error}") from None
        if empty:
            raise InputError(f"{name}: an empty file")
        try:
            sound = stack.enter_context(soundfile.SoundFile(file.fileno(), closefd=False))
        except soundfile.LibsndfileError as error:
            raise InputError(f"{name}: not a sound file: {_reason(error)}") from None
        check_rate(sound.samplerate, name)
        if sound.channels > MOST_CHANNELS:
            raise InputError(f"{name}: {sound.channels} channels; at most {MOST_CHANNELS} are read")
        yield Recording(sound, name)


def read(source: Path | BinaryIO, name: str | None = None) -> Waveform:
    """A whole recording, `(samples,)` at SAMPLE_RATE. Raises InputError as `open_recording` and
    `Recording.blocks` do."""
    with open_recording(source, name) as recording:
        return np.concatenate(list(recording.blocks()))


def check_rate(rate: int, name: str) -> None:
    """Raises InputError, naming the sound, for a sample rate that can't be."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise InputError(
            f"{name}: a sample rate of {rate:,} Hz; {LOWEST_RATE:,} to {HIGHEST_RATE:,} can be read"
        )


def resampled(blocks: Iterable[Waveform], rate: int) -> Iterator[Waveform]:
    """A stream of samples at `rate` Hz as one at SAMPLE_RATE, as if resampled in one piece.

    The filter is torchaudio's windowed sinc, which turns every `step` samples into `made`. A rate
    for which one of the two were above FINEST_RATIO is taken for the nearest with smaller ones,
    1 in 4,000 away at most.
    """
    if rate == SAMPLE_RATE:
        yield from blocks
        return
    ratio = Fraction(rate, SAMPLE_RATE)
    ratio = ratio.limit_denominator(int(FINEST_RATIO / max(ratio, Fraction(1))))
    step, made = ratio.numerator, ratio.denominator
    resample: Any = torchaudio.transforms.Resample(step, made)
    steps = -(-resample.width // step)  # that the filter reaches to either side
    context = steps * step
    pending: Waveform = np.zeros(context, dtype=np.float32)
    for block in blocks:
        pending = np.concatenate([pending, block])
        whole = (len(pending) - 2 * context) // step
        if whole > 0:
            yield _run(resample, pending[: whole * step + 2 * context])[
                steps * made : (steps + whole) * made
            ]
            pending = pending[whole * step :]
    if len(pending) > context:
        yield _run(resample, pending)[steps * made :]


def _run(resample: Any, samples: Waveform) -> Waveform:
    with one_thread():
        answer: Waveform = resample(torch.from_numpy(samples)).numpy()
    return answer


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch without gradients, on this thread alone: to share out a block of sound among several
    takes many times as long as to do it, when other threads are at work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(before)


def _reason(error: soundfile.LibsndfileError) -> str:
    return " ".join(error.error_string.split()).removeprefix("Error : ").rstrip(".")
