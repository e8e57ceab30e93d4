"""Released speech networks at work: from waveforms to words, and to a timeline of words."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from core import inference, weights
from core.errors import InputError

from .audio import PICTURE, SAMPLE_RATE, LogMel
from .detections import THRESHOLD, Detection, Window, detections
from .recordings import check_rate, one_thread, resampled

WEIGHTS = Path(__file__).parent / "weights"
HOP_SECONDS = 0.25  # between the windows on a recording
WINDOWS_A_BATCH = 8  # in one run of the network

Array = NDArray[np.float32]
Probabilities = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recognition:
    """The label with the highest probability; `scores` holds them all and sums to 1."""

    label: str
    scores: dict[str, float]

    @property
    def probability(self) -> float:
        return self.scores[self.label]

    def top(self, n: int = 5) -> list[tuple[str, float]]:
        """The n likeliest labels with their probabilities."""
        return sorted(self.scores.items(), key=lambda score: -score[1])[:n]


class KeywordRecogniser:
    """A speech network with its labels; `window` is how many samples it sees. Made by `load`."""

    def __init__(self, card: weights.Card, threads: int | None = None) -> None:
        weights.verify(card)
        self.card = card
        self.labels = tuple(card.labels)
        self.window: int = card.preprocessing["samples"]
        self.log_mel = LogMel()
        self.threads = threads or os.cpu_count() or 1
        self.runners = ThreadPoolExecutor(self.threads)
        # One thread: batches run side by side, see _answered.
        self.session = inference.session(card, threads=1)

    @classmethod
    def load(cls, name: str = "keywords", threads: int | None = None) -> KeywordRecogniser:
        """A released model by name, or one of your own by the path of its card.

        Raises InputError if there is none, if a file of it was altered, or if it is no speech
        model.
        """
        return cls(cls.find(name), threads)

    @staticmethod
    def find(name: str) -> weights.Card:
        """The card that `load` goes by. Raises InputError if there is none, or not of speech."""
        card = weights.find(name, WEIGHTS)
        if card.domain != "speech":
            raise InputError(f"{card.path}: a model of domain {card.domain!r}, not a speech model")
        is_whole = isinstance(card.preprocessing.get("samples"), int)
        if not is_whole or {**card.preprocessing, **PICTURE} != card.preprocessing:
            raise InputError(f"{card.path}: field 'preprocessing' is not that of domains.speech")
        return card

    def predict(
        self, waveforms: Sequence[Array], sample_rate: int = SAMPLE_RATE
    ) -> list[Recognition]:
        """One answer a waveform, in order; each is `(samples,)`, from -1 to 1.

        A short waveform stands in the middle of a silent window, as the word does in the clips that
        networks are trained on; a long one is judged by its loudest window. To find all words of a
        recording, `listen`.

        Raises InputError for a waveform without samples or with one that is not a finite number.
        """
        windows = (self.window_of(waveform, sample_rate) for waveform in waveforms)
        answers = []
        for logits in self._answered(windows):
            scores = softmax(logits).tolist()
            label = self.labels[int(logits.argmax())]
            answers.append(Recognition(label, dict(zip(self.labels, scores, strict=True))))
        return answers

    def window_of(self, waveform: Array, sample_rate: int = SAMPLE_RATE) -> Array:
        """The window by which `predict` judges a waveform: `(samples,)` at SAMPLE_RATE, clipped to
        full scale. Raises InputError as `predict` does."""
        waveform = np.asarray(waveform)
        if waveform.ndim != 1 or not np.issubdtype(waveform.dtype, np.floating):
            raise TypeError("a waveform is one channel of floating-point samples from -1 to 1")
        check_rate(sample_rate, "a waveform")
        if not len(waveform):
            raise InputError("a waveform without a sample")
        if not np.isfinite(waveform).all():
            raise InputError("a waveform with a sample that is not a finite number")
        clipped = np.clip(waveform, -1, 1).astype(np.float32)
        sound = np.concatenate(list(resampled([clipped], sample_rate)))
        return one_window(sound, self.window)

    def windows(
        self, blocks: Iterable[Array], hop_seconds: float = HOP_SECONDS
    ) -> Iterator[Window]:
        """The probabilities in each window of a recording: (start in seconds, `(labels,)`).

        blocks: its samples at SAMPLE_RATE, in pieces of any length. The last window ends where the
        recording does; one shorter than a window is predicted as a waveform is, at second 0.
        """
        starts: deque[float] = deque()

        def cut() -> Iterator[Array]:
            for start, window in _slide(blocks, self.window, round(hop_seconds * SAMPLE_RATE)):
                starts.append(start / SAMPLE_RATE)
                yield window

        for logits in self._answered(cut()):
            yield starts.popleft(), softmax(logits)

    def listen(
        self,
        blocks: Iterable[Array],
        threshold: float = THRESHOLD,
        hop_seconds: float = HOP_SECONDS,
    ) -> Iterator[Detection]:
        """The words in a recording as they are found; those it doesn't know as "unknown"."""
        return detections(
            self.windows(blocks, hop_seconds), self.labels, self.window / SAMPLE_RATE, threshold
        )

    def logits(self, log_mels: Array) -> Array:
        """The network's answers to pictures, `(B, 1, MELS, frames) -> (B, labels)`."""
        answers: Array = self.session.run(["logits"], {"log_mel": log_mels})[0]
        return answers

    def pictures(self, windows: Array) -> Array:
        """What the network sees: `(B, samples) -> (B, 1, MELS, frames)`."""
        with one_thread():
            log_mels: Array = self.log_mel(torch.from_numpy(windows)).numpy()
        return log_mels

    def _answered(self, windows: Iterable[Array]) -> Iterator[Array]:
        """The logits of each window, in order; a few batches are in memory at a time."""
        running: deque[Future[Array]] = deque()
        for batch in _batches(windows):
            # The next pictures are made while the network runs, without Python's lock.
            running.append(self.runners.submit(self.logits, self.pictures(np.stack(batch))))
            if len(running) > 2 * self.threads:
                yield from running.popleft().result()
        for answers in running:
            yield from answers.result()


def softmax(logits: Array) -> Probabilities:
    """Probabilities, `(..., labels)` of the same shape."""
    powers = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    probabilities: Probabilities = powers / powers.sum(-1, keepdims=True)
    return probabilities


def one_window(sound: Array, window: int) -> Array:
    """A short sound, `(samples,)`, in the middle of silence; of a long one its loudest window."""
    return _loudest(_padded(sound, window), window)


def _padded(sound: Array, window: int) -> Array:
    missing = max(window - len(sound), 0)
    return np.pad(sound, (missing // 2, missing - missing // 2))


def _loudest(sound: Array, window: int) -> Array:
    """The window with the most energy; of those within a hundredth of it, the middle one."""
    energy = np.concatenate([[0.0], np.cumsum(np.square(sound, dtype=np.float64))])
    inside = energy[window:] - energy[:-window]  # by where the window starts
    loud = np.flatnonzero(inside >= 0.99 * inside.max())
    start = int(loud[len(loud) // 2])
    return sound[start : start + window]


def _slide(blocks: Iterable[Array], window: int, hop: int) -> Iterator[tuple[int, Array]]:
    """(start, samples) of each window of a stream, of which no more than is needed is held."""
    held = np.zeros(0, dtype=np.float32)
    start = place = 0  # in the stream, of what is held; in what is held, of the next window
    for block in blocks:
        held = np.concatenate([held, block])
        while place + window <= len(held):
            yield start + place, held[place : place + window]
            place += hop
        done = max(place - hop, 0)  # the last window stays, for the end
        held, start, place = held[done:], start + done, place - done
    if place == 0 and len(held):
        yield 0, _padded(held, window)
    elif place and window < len(held):
        yield start + len(held) - window, held[-window:]


def _batches(windows: Iterable[Array]) -> Iterator[list[Array]]:
    batch: list[Array] = []
    for window in windows:
        batch.append(window)
        if len(batch) == WINDOWS_A_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
