"""From the answers of a sliding window to words with a start and an end."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .data import SILENCE

THRESHOLD = 0.6  # that the mean probability of a detection reaches
SMOOTHED = 2  # windows whose mean is looked at

Window = tuple[float, NDArray[np.float64]]  # its start in seconds, its probabilities (labels,)


@dataclass(frozen=True, slots=True)
class Detection:
    """A word in a recording, `start` and `end` in seconds."""

    label: str
    start: float
    end: float
    probability: float


def detections(
    windows: Iterable[Window], labels: Sequence[str], seconds: float, threshold: float = THRESHOLD
) -> Iterator[Detection]:
    """The words of a recording in their order, from its windows, `seconds` long each.

    Neighbouring windows are averaged, so that a word counts which was seen in more than one place
    (posterior smoothing, Chen, Parada and Heigold, "Small-footprint keyword spotting using deep
    neural networks", 2014). Those in a row with the same likeliest label are one detection, with
    their highest probability; so are two rows whose detections would overlap, with silence
    between. Silence is none.
    """
    heard: Detection | None = None  # the last word, which may go on after a pause
    first = last = 0.0
    going_on = False
    for start, end, probabilities in _smoothed(windows):
        winner = int(probabilities.argmax())
        probability = float(probabilities[winner])
        label = labels[winner] if probability >= threshold else SILENCE
        if heard:
            again = going_on or _span(start, end, seconds)[0] < heard.end
            if label == heard.label and again:
                last, going_on = end, True
                probability = max(heard.probability, probability)
                heard = Detection(label, *_span(first, last, seconds), probability)
                continue
            if label != SILENCE or start >= heard.end:
                yield heard
                heard = None
        going_on = label != SILENCE
        if going_on:
            first, last = start, end
            heard = Detection(label, *_span(first, last, seconds), probability)
    if heard:
        yield heard


def _smoothed(windows: Iterable[Window]) -> Iterator[tuple[float, float, NDArray[Any]]]:
    """(start of the first window, start of the last, mean probabilities) of neighbours."""
    recent: deque[Window] = deque(maxlen=SMOOTHED)
    for window in windows:
        recent.append(window)
        yield recent[0][0], window[0], np.mean([row for _, row in recent], axis=0)


def _span(first: float, last: float, seconds: float) -> tuple[float, float]:
    """Where a word lies that was seen in the windows from `first` to `last`: in what they share.

    Where that is less than half a window, it was said more than once, or it is a stretch.
    """
    return min(last, first + seconds / 2), max(first + seconds, last + seconds / 2)
