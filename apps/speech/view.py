"""What the Speech page shows, made of plain data: nothing here is Streamlit's.

What a user's file is called never goes through here: it is shown by `st.text`.
"""

from __future__ import annotations

import io
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from domains.speech.audio import SAMPLE_RATE
from domains.speech.data import SILENCE, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from domains.speech.detections import Detection

Waveform = NDArray[np.float32]

SAMPLES = Path(__file__).parent / "samples"


class Sound(NamedTuple):
    """A file as it was recorded, uploaded or chosen."""

    name: str
    data: bytes


def sample(name: str) -> Sound:
    """One of the sounds that come with the page."""
    path = SAMPLES / f"{name}.ogg"
    return Sound(path.name, path.read_bytes())


def beginning(blocks: Iterable[Waveform], seconds: float) -> tuple[Waveform, bool]:
    """The first seconds of a recording, and whether there is more; reads no further."""
    most = round(seconds * SAMPLE_RATE)
    parts, length = [np.empty(0, np.float32)], 0
    for block in blocks:
        parts.append(block)
        length += len(block)
        if length > most:
            return np.concatenate(parts)[:most], True
    return np.concatenate(parts), False


def wav(waveform: Waveform) -> bytes:
    """16-bit WAV as loud as the waveform is: `st.audio` would raise a quiet one to full volume."""
    file = io.BytesIO()
    soundfile.write(file, waveform, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()


def envelope(waveform: Waveform, columns: int = 400) -> list[dict[str, Any]]:
    """Rows of the waveform's chart: its lowest and highest sample in each of so many columns."""
    edges = np.linspace(0, len(waveform), columns, endpoint=False).astype(int)
    low, high = np.minimum.reduceat(waveform, edges), np.maximum.reduceat(waveform, edges)
    return [
        {"second": round(second, 3), "low": round(lowest, 3), "high": round(highest, 3)}
        for second, lowest, highest in zip(
            (edges / SAMPLE_RATE).tolist(), low.tolist(), high.tolist(), strict=True
        )
    ]


def timeline(detections: Sequence[Detection]) -> list[dict[str, Any]]:
    """Rows of the timeline and of its table; start and end in seconds, probability in %."""
    return [
        {
            "word": detection.label,
            "start": round(detection.start, 2),
            "end": round(detection.end, 2),
            "probability": round(100 * detection.probability, 1),
        }
        for detection in detections
    ]


def named(number: int, detection: Detection) -> str:
    """What a detection is called where one is chosen: '2. go, 1.25 s'."""
    return f"{number}. {detection.label}, {detection.start:.2f} s"


def heard(detections: Sequence[Detection]) -> str:
    """HTML: the words of a recording in their order; told to screen readers as they change."""
    words = " · ".join(f"<b>{escape(detection.label)}</b>" for detection in detections)
    return f'<div class="verdict" role="status">{words or "No word was heard."}</div>'


def known(labels: Sequence[str]) -> str:
    """The words among the labels, as a sentence."""
    words = [label for label in labels if label not in (UNKNOWN, SILENCE)]
    return f"It knows {len(words)} words: {', '.join(words)}."
