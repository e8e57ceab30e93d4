"""What a network is trained on: clips varied anew each time, words it need not know, silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import augmentation
from .audio import LogMel, Pcm, Waveform
from .data import SILENCE, UNKNOWN, Clips, to_float

SILENT, MADE_UP = -1, -2  # in place of a clip's index: an example of silence, of no word


@dataclass
class SpeechData:
    """`core.training.TrainingData`: waveforms (B, samples) float and classes (B,).

    Shares are of an epoch's examples; the clips of known words are each heard once in it. Unknown
    words are drawn from the clips that have no label of their own, and made up: the beginning of
    one word with the end of another.
    """

    clips: Clips
    noise: Sequence[Pcm]
    samples: int  # of an example
    unknown: float = 0.0
    made_up: float = 0.0
    silence: float = 0.0

    def plan(
        self, epoch: int, batch_size: int, rng: np.random.Generator
    ) -> Sequence[Sequence[int]]:
        classes = np.array(self.clips.classes)
        unknown = self._class(UNKNOWN)
        others, known = np.flatnonzero(classes == unknown), np.flatnonzero(classes != unknown)
        total = len(known) / (1 - self.unknown - self.made_up - self.silence)
        drawn = [known]
        if len(others):
            drawn.append(rng.choice(others, round(total * self.unknown)))
        drawn.append(np.full(round(total * self.made_up), MADE_UP))
        drawn.append(np.full(round(total * self.silence), SILENT))
        order = rng.permutation(np.concatenate(drawn))
        starts = range(0, len(order), batch_size)
        return [order[start : start + batch_size].tolist() for start in starts]

    def batch(self, indices: Sequence[int], rng: np.random.Generator) -> tuple[Tensor, ...]:
        waveforms = np.stack([self._example(index, rng) for index in indices])
        classes = [self._class(SILENCE) if index == SILENT
                   else self._class(UNKNOWN) if index == MADE_UP
                   else self.clips.classes[index] for index in indices]  # fmt: skip
        return torch.from_numpy(waveforms), torch.tensor(classes)

    def _class(self, label: str) -> int:
        return self.clips.labels.index(label) if label in self.clips.labels else -1

    def _example(self, index: int, rng: np.random.Generator) -> Waveform:
        if index == SILENT:
            quiet = augmentation.silence(self.noise, self.samples, rng)
            if rng.random() < augmentation.DISTURBED:
                clip = self._clip(int(rng.integers(len(self.clips))))
                quiet = augmentation.disturb(quiet, clip, rng)
            return augmentation.transmitted(quiet, rng)
        clip = self._made_up(rng) if index == MADE_UP else self._clip(index)
        return augmentation.vary(clip, self.noise, self.samples, rng)

    def _clip(self, index: int) -> Waveform:
        return to_float(self.clips.waveforms[index])

    def _made_up(self, rng: np.random.Generator) -> Waveform:
        first, second = rng.choice(len(self.clips), 2)
        while self.clips.classes[first] == self.clips.classes[second]:
            first, second = rng.choice(len(self.clips), 2)
        return augmentation.join(self._clip(first), self._clip(second), rng)


class Loss:
    """Cross-entropy of the waveforms' classes, the mean over the batch, log-mel partly hidden."""

    def __init__(self, smoothing: float) -> None:
        self.log_mel, self.smoothing = LogMel(), smoothing

    def __call__(self, model: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        waveforms, classes = batch
        seen = augmentation.hide(picture(self.log_mel, waveforms))
        return F.cross_entropy(model(seen).float(), classes, label_smoothing=self.smoothing)


def picture(log_mel: LogMel, waveforms: Tensor) -> Tensor:
    """(B, samples) -> (B, 1, MELS, frames), outside mixed precision, laid out for convolution."""
    with torch.autocast(waveforms.device.type, enabled=False):
        found: Tensor = log_mel.to(waveforms.device)(waveforms)
    return found.contiguous(memory_format=torch.channels_last)
