"""A recognised word as a picture: its waveform, its log-mel, what the network looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from domains.speech.audio import HIGHEST_HZ, HOP, LOWEST_HZ, SAMPLE_RATE, WINDOW

from ..terminal import visible

if TYPE_CHECKING:
    from domains.speech.explanation import Explanation

Pixels = NDArray[np.uint8]  # (height, width, 3)
Values = NDArray[Any]

WIDTH, WAVE_HEIGHT, MEL_HEIGHT = 800, 120, 200  # of a panel, in pixels
LEFT, RIGHT, TOP, GAP = 64, 24, 56, 44  # around the panels
TITLE, TEXT = 22, 13  # sizes of type
INK, PAPER, WAVE, MIDDLE = (40, 40, 40), (255, 255, 255), (38, 94, 150), (215, 215, 215)
MAGMA = np.asarray(  # quiet to loud: five colours of matplotlib's map of that name
    [(0, 0, 4), (81, 18, 124), (183, 55, 121), (252, 137, 97), (252, 253, 191)]
)
FOR, AGAINST = np.asarray((255, 140, 0)), np.asarray((70, 130, 255))
COVER = 0.7  # of the grey log-mel, where the relevance is greatest
TICKS_HZ = (250, 500, 1_000, 2_000, 4_000)


def drawn(explanation: Explanation) -> Image.Image:
    """Three panels over the same seconds, each named, with the answer above them.

    The log-mel's colours go from its quietest to its loudest value. In the last panel it is grey,
    orange where it spoke for the answer and blue where against, relative to the strongest.
    """
    samples = len(explanation.waveform)
    peak = float(np.abs(explanation.waveform).max(initial=0))
    spectrum = heat(explanation.log_mel)
    marked = overlay(explanation.log_mel, explanation.relevance)
    panels = [
        (f"waveform, at most {peak:.2f} of full scale", wave(explanation.waveform)),
        ("log-mel: quiet is dark, loud is bright", in_time(spectrum, samples)),
        ("what the network looked at: orange for the answer, blue against it",
         in_time(marked, samples)),
    ]  # fmt: skip
    height = TOP + sum(len(pixels) + GAP for _, pixels in panels)
    picture = Image.new("RGB", (LEFT + WIDTH + RIGHT, height), PAPER)
    pen = ImageDraw.Draw(picture)
    small = ImageFont.load_default(TEXT)
    answer = f"{visible(explanation.label)}  {explanation.probability:.3f}"
    pen.text((LEFT, 8), answer, INK, ImageFont.load_default(TITLE))
    top = TOP
    for name, pixels in panels:
        bottom = top + len(pixels)
        pen.text((LEFT, top - 6), name, INK, small, anchor="ls")
        picture.paste(Image.fromarray(pixels), (LEFT, top))
        for tenth in range(0, 10 * samples // SAMPLE_RATE + 1, 2):
            x = LEFT + tenth * SAMPLE_RATE * WIDTH // (10 * samples)
            pen.line((x, bottom, x, bottom + 3), INK)
            pen.text((x, bottom + 4), f"{tenth / 10:.1f} s", INK, small, anchor="mt")
        if len(pixels) == MEL_HEIGHT:
            for hz in TICKS_HZ:
                y = top + round(MEL_HEIGHT * (1 - band(hz, len(explanation.log_mel))))
                pen.line((LEFT - 4, y, LEFT - 1, y), INK)
                pen.text((LEFT - 6, y), f"{hz:,} Hz", INK, small, anchor="rm")
        top = bottom + GAP
    return picture


def wave(waveform: Values) -> Pixels:
    """Lowest and highest sample of each column of pixels, `(samples,) -> (WAVE_HEIGHT, WIDTH, 3)`.

    The panel is as high as the loudest sample, so that a quiet recording is seen too.
    """
    starts = np.arange(WIDTH) * len(waveform) // WIDTH
    loudest = max(float(np.abs(waveform).max()), 1e-4)
    scale = (WAVE_HEIGHT - 1) / (2 * loudest)
    middle = (WAVE_HEIGHT - 1) / 2
    highest = np.rint(middle - scale * np.maximum.reduceat(waveform, starts))
    lowest = np.rint(middle - scale * np.minimum.reduceat(waveform, starts))
    rows = np.arange(WAVE_HEIGHT)[:, None]
    pixels = np.full((WAVE_HEIGHT, WIDTH, 3), PAPER, dtype=np.uint8)
    pixels[WAVE_HEIGHT // 2] = MIDDLE
    pixels[(highest <= rows) & (rows <= lowest)] = WAVE
    return pixels


def heat(log_mel: Values) -> Pixels:
    """The log-mel in colours, a pixel a value, high frequencies on top."""
    place = _from_0_to_1(log_mel)[::-1] * (len(MAGMA) - 1)
    anchors = np.arange(len(MAGMA))
    return np.stack([np.interp(place, anchors, part) for part in MAGMA.T], 2).astype(np.uint8)


def overlay(log_mel: Values, relevance: Values) -> Pixels:
    """The log-mel in grey under its relevance, a pixel a value, high frequencies on top."""
    strongest = float(np.abs(relevance).max(initial=0)) or 1.0
    strength = relevance[::-1, :, None] / strongest
    grey = 30 + 170 * _from_0_to_1(log_mel)[::-1, :, None]
    colour = np.where(strength > 0, FOR, AGAINST)
    cover = COVER * np.abs(strength)
    pixels: Pixels = np.rint((1 - cover) * grey + cover * colour).astype(np.uint8)
    return pixels


def in_time(pixels: Pixels, samples: int) -> Pixels:
    """A column a frame as a panel over `samples`, each frame about the middle of its window, the
    first and the last as far as theirs reach."""
    before = (WINDOW - HOP) // 2
    frames = (np.arange(WIDTH) * samples // WIDTH - before) // HOP
    columns = np.clip(frames, 0, pixels.shape[1] - 1)
    rows = np.arange(MEL_HEIGHT) * len(pixels) // MEL_HEIGHT
    panel: Pixels = pixels[rows][:, columns]
    return panel


def band(hz: float, mels: int) -> float:
    """Where a frequency lies among so many mel bands, from 0 at the bottom to 1 at the top.

    The mel scale is O'Shaughnessy's (1987), 2595 log10(1 + hz/700); band n has its peak at the
    n-th of `mels + 2` points that divide the range evenly.
    """
    low, high, mel = 2595 * np.log10(1 + np.asarray([LOWEST_HZ, HIGHEST_HZ, hz]) / 700)
    return float(((mel - low) / (high - low) * (mels + 1) - 0.5) / mels)


def _from_0_to_1(values: Values) -> Values:
    low, high = float(values.min()), float(values.max())
    return (values - low) / ((high - low) or 1.0)
