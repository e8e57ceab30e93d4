"""How a clip changes from one epoch to the next, so that a word is known in any voice and room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .audio import SAMPLE_RATE, Pcm, Waveform
from .data import to_float

SPEED = 0.15  # a clip is played up to so much faster or slower, pitch and all
SHIFT = 0.1  # seconds that a clip is moved to and fro
GAIN_DB = (-25.0, 10.0)  # of a clip
NOISY = 0.7  # share of the clips that get background noise
SNR_DB = (-3.0, 30.0)  # of the clip against the noise
NOISE_GAIN_DB = (-70.0, 40.0)  # of background noise that is to be silence: up to a hundredfold
NO_NOISE = 0.05  # share of silence that is digital silence
DISTURBED = 0.3  # share of silence with a sound in it that is no word
FRAGMENT = (0.003, 0.06)  # seconds of a word that are no word
CLICK = (0.0005, 0.02)  # seconds after which a click has faded to a third
TONE = (0.05, 1.0)  # seconds
TONE_HZ = (60.0, 6000.0)
PEAK_DB = (-40.0, 0.0)  # of such a sound
TELEPHONE = 0.15  # share of all sounds that come through a telephone
TELEPHONE_HZ = (300.0, 3400.0)
JOINT = 320  # samples over which one word fades into another
BANDS, SPECTRA = 7, 16  # that SpecAugment hides at most, each twice


def vary(clip: Waveform, noise: Sequence[Pcm], samples: int, rng: Any) -> Waveform:
    """A clip as it might also have been recorded: (n,) -> (samples,)."""
    heard: Waveform = place(stretch(clip, 1 + rng.uniform(-SPEED, SPEED)), samples, rng)
    loudness = rms(heard)
    if noise and rng.random() < NOISY:
        other = crop(noise, samples, rng)
        heard = heard + other * (loudness / rms(other) / decibel(rng.uniform(*SNR_DB)))
    heard = transmitted(heard, rng) * np.float32(decibel(rng.uniform(*GAIN_DB)))
    return np.clip(heard, -1, 1, out=heard)


def silence(noise: Sequence[Pcm], samples: int, rng: Any) -> Waveform:
    """Background noise, from none at all to a hundredfold, clipped: (samples,)."""
    if not noise or rng.random() < NO_NOISE:
        return np.zeros(samples, np.float32)
    gain = decibel(rng.uniform(*NOISE_GAIN_DB))
    heard: Waveform = np.clip(crop(noise, samples, rng) * gain, -1, 1).astype(np.float32)
    return heard


def disturb(quiet: Waveform, clip: Waveform, rng: Any) -> Waveform:
    """Silence with sounds that are no word: fragments of a clip, clicks or tones."""
    heard = quiet * np.float32(decibel(rng.uniform(-40, 0)))
    kind = rng.integers(3)
    for _ in range(rng.integers(1, 4)):
        sound = fragment(clip, rng) if kind == 0 else click(rng) if kind == 1 else tone(rng)
        sound = sound * np.float32(decibel(rng.uniform(*PEAK_DB)) / (np.abs(sound).max() + 1e-6))
        heard = heard + placed(sound, rng.integers(-len(sound) // 2, len(heard)), len(heard))
    return np.clip(heard, -1, 1, out=heard)


def fragment(clip: Waveform, rng: Any) -> Waveform:
    """A few milliseconds of a clip."""
    length = min(round(rng.uniform(*FRAGMENT) * SAMPLE_RATE), len(clip))
    start = rng.integers(len(clip) - length + 1)
    return clip[start : start + length]


def click(rng: Any) -> Waveform:
    """A burst of noise that fades."""
    fading = np.exp(rng.uniform(*np.log(CLICK))) * SAMPLE_RATE
    time = np.arange(round(5 * fading) + 1)
    burst: Waveform = (rng.standard_normal(len(time)) * np.exp(-time / fading)).astype(np.float32)
    return burst


def tone(rng: Any) -> Waveform:
    """A tone with up to two overtones, faded in and out."""
    time = np.arange(round(rng.uniform(*TONE) * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = np.exp(rng.uniform(*np.log(TONE_HZ)))
    waves = [np.sin(2 * np.pi * pitch * n * time) * rng.random() for n in range(1, 4)]
    fade = np.minimum(1, np.minimum(time, time[::-1]) / 0.005)
    sound: Waveform = (np.sum(waves, axis=0) * fade).astype(np.float32)
    return sound


def place(clip: Waveform, samples: int, rng: Any) -> Waveform:
    """A clip near the middle, moved by SHIFT at most; of a long one a random stretch.

    (n,) -> (samples,), zeros around it.
    """
    shift = round(rng.uniform(-SHIFT, SHIFT) * SAMPLE_RATE)
    spare = samples - len(clip)
    start = spare // 2 + shift if spare >= 0 else rng.integers(spare, 1)
    return placed(clip, start, samples)


def placed(clip: Waveform, start: int, samples: int) -> Waveform:
    """`samples` samples of silence with the clip from `start` on; what lies outside is cut."""
    heard = np.zeros(samples, np.float32)
    inside = clip[max(-start, 0) : max(samples - start, 0)]
    heard[max(start, 0) : max(start, 0) + len(inside)] = inside
    return heard


def stretch(clip: Waveform, speed: float) -> Waveform:
    """Played so many times as fast: (n,) -> (n / speed,), between samples along a line."""
    at = np.arange(0, len(clip) - 1, speed, dtype=np.float32)
    return np.interp(at, np.arange(len(clip)), clip).astype(np.float32) if len(at) else clip


def crop(noise: Sequence[Pcm], samples: int, rng: Any) -> Waveform:
    """A random stretch of a random noise; a short one is repeated."""
    source = noise[rng.integers(len(noise))]
    start = rng.integers(max(len(source) - samples, 0) + 1)
    found = np.resize(source[start : start + samples], samples)
    return to_float(found)


def transmitted(heard: Waveform, rng: Any) -> Waveform:
    """A share of TELEPHONE through a telephone, the others as they are."""
    return band_pass(heard, *TELEPHONE_HZ) if rng.random() < TELEPHONE else heard


def band_pass(clip: Waveform, lowest: float, highest: float) -> Waveform:
    """Only the frequencies from `lowest` to `highest` Hz."""
    spectrum = np.fft.rfft(clip)
    frequency = np.fft.rfftfreq(len(clip), 1 / SAMPLE_RATE)
    spectrum[(frequency < lowest) | (frequency > highest)] = 0
    return np.fft.irfft(spectrum, len(clip)).astype(np.float32)


def rms(clip: Waveform) -> float:
    """Root of the mean square; a little more than 0."""
    return float(np.sqrt(np.square(clip, dtype=np.float64).sum() / max(len(clip), 1))) + 1e-5


def decibel(value: float) -> float:
    """The factor that an amplitude has by so many dB."""
    return float(10 ** (value / 20))


def hide(log_mel: Tensor) -> Tensor:
    """SpecAugment: two bands of frequency and two of time hold the clip's mean.

    `(B, 1, MELS, frames) -> same`; of a short clip, a quarter each at most.
    Park and others, Interspeech 2019, section 2.
    """
    _, _, mels, frames = log_mel.shape
    bands = _stretches(log_mel, mels, BANDS)[:, None, :, None]
    spectra = _stretches(log_mel, frames, SPECTRA)[:, None, None, :]
    return torch.where(bands | spectra, log_mel.mean((2, 3), keepdim=True), log_mel)


def _stretches(log_mel: Tensor, size: int, most: int) -> Tensor:
    """(B, size), true in two random stretches of `most` at most."""
    width = torch.randint(min(most, size // 4) + 1, (2, len(log_mel), 1), device=log_mel.device)
    start = (torch.rand(width.shape, device=log_mel.device) * (size - width + 1)).long()
    along = torch.arange(size, device=log_mel.device)
    return ((along >= start) & (along < start + width)).any(0)


def join(first: Waveform, second: Waveform, rng: Any) -> Waveform:
    """The beginning of one word with the end of another, cut where half of each one's energy is
    behind, 15 % of it sooner or later: no word at all, made of the same sounds."""
    heads = [middle(clip, rng.uniform(0.35, 0.65)) for clip in (first, second)]
    head, tail = first[: heads[0]], second[heads[1] :].copy()
    fade = min(len(head), len(tail), JOINT)
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    tail *= rms(head) / rms(tail)
    joined = np.concatenate([head, tail[fade:]])
    joined[len(head) - fade : len(head)] *= 1 - ramp
    joined[len(head) - fade : len(head)] += tail[:fade] * ramp
    return joined


def middle(clip: Waveform, share: float) -> int:
    """Up to where a clip has spent this share of its energy."""
    spent = np.cumsum(np.square(clip, dtype=np.float64))
    return int(np.searchsorted(spent, share * spent[-1])) if len(clip) else 0
