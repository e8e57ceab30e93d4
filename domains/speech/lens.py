"""What the lens sees of a speech network: log-mel spectrograms, and how to hear one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from core import registry
from core.lens.subject import Subject

from . import data, recordings
from .audio import (
    HIGHEST_HZ,
    HOP,
    LOWEST_HZ,
    MELS,
    QUIETEST,
    SAMPLE_RATE,
    WINDOW,
    LogMel,
    Waveform,
)
from .model import example_inputs
from .recogniser import KeywordRecogniser, one_window
from .torchaudio_import import torchaudio

BATCH = 64  # sounds at once


def subject(name: str = "keywords") -> Subject:
    """A released network by name, or one of your own by the path of its card.

    Its inputs are log-mel spectrograms, `(1, mels, frames)`. Neutral is digital silence, and no
    band can be louder than if all that samples from -1 to 1 can hold lay in its middle (Parseval).
    Raises InputError as `KeywordRecogniser.load` does.
    """
    card = KeywordRecogniser.find(name)
    shape = tuple(example_inputs(card.config)[0].shape[1:])
    mel = LogMel().mel
    power = WINDOW * mel.spectrogram.window.square().sum() / 2
    bands: Tensor = mel.mel_scale.fb  # (frequencies, mels)
    silence = torch.tensor(math.log(QUIETEST))
    return Subject(
        name=card.name,
        network=registry.trained(card),
        shape=shape,
        labels=tuple(card.labels),
        neutral=silence.expand(shape).clone(),
        lowest=silence,
        highest=(power * bands.max(0).values + QUIETEST).log()[:, None],
    )


def read(source: str | Path, subject: Subject) -> Tensor:
    """What the network sees of a sound file, `(1, mels, frames)`.

    A short sound stands in the middle of silence, a long one is judged by its loudest window.
    Raises InputError as `recordings.read` does.
    """
    return _pictures([Path(source)], subject)[0]


def sound(log_mel: Tensor) -> Waveform:
    """A waveform, `(samples,)` at SAMPLE_RATE, whose log-mel spectrogram is about `(1, mels, F)`.

    The spectrum by least squares from the bands, the phases by 32 steps of Griffin and Lim from
    zero, so that the same picture always sounds the same; softened as a whole where it would be
    beyond full scale. Griffin and Lim, "Signal estimation from modified short-time Fourier
    transform", 1984; Perraudin, Balazs and Søndergaard, "A fast Griffin-Lim algorithm", 2013.
    """
    spectrum = torchaudio.transforms.InverseMelScale(
        WINDOW // 2 + 1, MELS, SAMPLE_RATE, LOWEST_HZ, HIGHEST_HZ
    )
    phases = torchaudio.transforms.GriffinLim(WINDOW, hop_length=HOP, rand_init=False)
    with recordings.one_thread():
        power = (log_mel.exp() - QUIETEST).clamp(min=0)
        inner: Tensor = phases(spectrum(power))[0]  # from the middle of the first spectrum on
        wave = F.pad(inner, (WINDOW // 2, WINDOW // 2))
        found: Waveform = (wave / wave.abs().max().clamp(min=1)).numpy()
    return found


def real(subject: Subject, folder: Path, most: int = 10_000, seed: int = 0) -> Iterator[Tensor]:
    """Batches of pictures `(B, 1, mels, frames)` of clips to train on, drawn by `seed`.

    folder: a folder a word, in the layout of Speech Commands. Raises InputError as `data.read` and
    `recordings.read` do.
    """
    places = data.listed(folder, subject.labels)
    files = [path for split, _, path in places if split == "training"]
    order = np.random.default_rng(seed).permutation(len(files))[:most]
    for start in range(0, len(order), BATCH):
        yield _pictures([files[index] for index in order[start : start + BATCH]], subject)


def _pictures(files: list[Path], subject: Subject) -> Tensor:
    samples = WINDOW + HOP * (subject.shape[2] - 1)
    windows = np.stack([one_window(recordings.read(file), samples) for file in files])
    with torch.no_grad():
        pictures: Tensor = LogMel()(torch.from_numpy(windows))
    return pictures
