"""The log-mel spectrogram against a slow one in numpy, written from its definition."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_model import noise, silence, sine

from domains.speech.audio import HOP, QUIETEST, WINDOW, LogMel, frames

log_mel = LogMel()


def picture(waveform):
    return log_mel(torch.from_numpy(waveform)[None])[0, 0].numpy()


def mel(hertz):
    return 2595 * np.log10(1 + np.asarray(hertz) / 700)


def corners():
    """Of the triangles in Hz: band number n rises from n to n + 1 and falls to n + 2."""
    at = np.linspace(mel(40), mel(7600), 42)
    return 700 * (10 ** (at / 2595) - 1)


def slow(waveform):
    """Spectrum by spectrum: Hann window, power, triangles on the mel scale, logarithm."""
    n = np.arange(480)
    window = np.sin(math.pi * n / 480) ** 2
    bins = np.arange(241) * 16_000 / 480
    edges = corners()
    columns = []
    for start in range(0, len(waveform) - 480 + 1, 160):
        power = np.abs(np.fft.rfft(waveform[start : start + 480] * window)) ** 2
        column = []
        for low, middle, high in zip(edges, edges[1:], edges[2:], strict=False):
            rise, fall = (bins - low) / (middle - low), (high - bins) / (high - middle)
            column.append(power @ np.clip(np.minimum(rise, fall), 0, None))
        columns.append(np.log(np.array(column) + 1e-6))
    return np.stack(columns, axis=1)


@pytest.mark.parametrize(
    "waveform",
    [noise(0.2), sine(440, 0.2), silence(0.1), sine(3, 0.1, 1.0), sine(7000, 0.1)],
)
def test_as_computed_from_the_definition(waveform):
    np.testing.assert_allclose(picture(waveform), slow(waveform.astype(np.float64)), atol=5e-3)


def test_one_second_is_98_spectra_of_40_bands():
    assert (WINDOW, HOP, frames(16_000)) == (480, 160, 98)
    assert log_mel(torch.zeros(3, 16_000)).shape == (3, 1, 40, 98)


@settings(max_examples=25, deadline=None)
@given(st.integers(WINDOW, 6000))
def test_frames_are_counted_as_they_come(samples):
    assert log_mel(torch.zeros(1, samples)).shape[-1] == frames(samples)


@settings(max_examples=20, deadline=None)
@given(start=st.integers(0, 60), length=st.integers(1, 60), seed=st.integers(0, 99))
def test_a_windows_picture_is_cut_out_of_the_recordings(start, length, seed):
    recording = noise(1.5, seed=seed)
    window = recording[start * HOP : start * HOP + WINDOW + (length - 1) * HOP]
    whole = picture(recording)[:, start : start + length]
    np.testing.assert_allclose(picture(window), whole, atol=1e-4)


def test_silence_has_a_logarithm():
    np.testing.assert_allclose(picture(silence(0.1)), math.log(QUIETEST), rtol=1e-6)


def test_ten_times_as_loud_adds_the_same_everywhere():
    quiet = noise(0.3, 0.05)
    np.testing.assert_allclose(picture(10 * quiet) - picture(quiet), math.log(100), atol=1e-3)


@pytest.mark.parametrize("hertz", [300, 700, 1500, 3000, 6000])
def test_a_tone_is_in_the_band_that_is_made_for_it_the_lowest_first(hertz):
    centres = corners()[1:-1]
    loudest = int(picture(sine(hertz, 0.2)).mean(1).argmax())
    assert abs(loudest - int(np.abs(centres - hertz).argmin())) <= 1
    assert centres[0] < centres[-1]


def test_each_clip_of_a_batch_is_seen_for_itself():
    clips = np.stack([noise(0.2), sine(500, 0.2), silence(0.2)])
    batch = log_mel(torch.from_numpy(clips))[:, 0].numpy()
    for clip, seen in zip(clips, batch, strict=True):
        np.testing.assert_allclose(picture(clip), seen, atol=1e-4)


@given(st.floats(-1, 1))
def test_a_constant_offset_is_not_seen(offset):
    sound = torch.sin(torch.arange(8000) / 5)[None] * 0.3
    assert torch.allclose(LogMel()(sound + offset), LogMel()(sound), atol=0.02)
    assert LogMel()(torch.full((1, 8000), offset)).max() < -13
