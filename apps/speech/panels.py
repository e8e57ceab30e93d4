"""A recognised word on the page, panel under panel: each an HTML image between its axes."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from domains.speech.audio import SAMPLE_RATE

from .picture import TICKS_HZ, WAVE, Pixels, Values, band, heat, in_time, overlay, wave

if TYPE_CHECKING:
    from domains.speech.explanation import Explanation

STYLE = """<style>
.panel {font-size: .75rem; line-height: 1; padding: 0 .6rem 1.2rem 3.6rem}
.panel .axes {position: relative}
.panel img {border-radius: 2px; display: block; height: 6.6rem; width: 100%}
.panel.low img {height: 3.2rem}
.panel .axes span {font-variant-numeric: tabular-nums; position: absolute; white-space: nowrap}
.panel .hz {right: calc(100% + .4rem); transform: translateY(-50%)}
.panel .second {top: calc(100% + .3rem); transform: translateX(-50%)}
</style>
"""
_BLUE = (47, 127, 214, 255)  # of the waveform: seen on white and on black


def waveform(explanation: Explanation) -> str:
    """The sound itself, as high as its loudest sample."""
    drawn = wave(explanation.waveform)
    pixels = np.zeros((*drawn.shape[:2], 4), np.uint8)
    pixels[(drawn == WAVE).all(2)] = _BLUE
    return _panel(pixels, "The waveform", len(explanation.waveform), "low")


def log_mel(explanation: Explanation) -> str:
    """What the network gets, dark where it is quiet."""
    return _spectrum(explanation, heat(explanation.log_mel), "The log-mel spectrogram")


def relevance(explanation: Explanation) -> str:
    """The same in grey, under the colours of what spoke for the answer and against it."""
    marked = overlay(explanation.log_mel, explanation.relevance)
    return _spectrum(explanation, marked, "What the network looked at in the spectrogram")


def _spectrum(explanation: Explanation, pixels: Pixels, alt: str) -> str:
    samples, mels = len(explanation.waveform), len(explanation.log_mel)
    marks = "".join(
        f'<span class="hz" style="top: {100 * (1 - band(hz, mels)):.1f}%">{hz / 1000:g} kHz</span>'
        for hz in TICKS_HZ
    )
    return _panel(in_time(pixels, samples), alt, samples, "high", marks)


def _panel(pixels: Values, alt: str, samples: int, kind: str, marks: str = "") -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    data = base64.b64encode(file.getvalue()).decode()
    seconds = "".join(
        f'<span class="second" style="left: {100 * second * SAMPLE_RATE / samples:.2f}%">'
        f"{second:.1f} s</span>"
        for second in _seconds(samples)
    )
    return (
        f'<div class="panel {kind}"><div class="axes">'
        f'<img src="data:image/png;base64,{data}" alt="{alt}">{marks}{seconds}</div></div>'
    )


def _seconds(samples: int) -> Iterable[float]:
    """Where the time axis is marked: every fifth of a second."""
    return (fifth / 5 for fifth in range(5 * samples // SAMPLE_RATE + 1))
