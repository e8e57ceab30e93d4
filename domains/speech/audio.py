"""What the networks see of a sound: its log-mel spectrogram, frequency against time."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .torchaudio_import import torchaudio

Waveform = NDArray[np.float32]  # (samples,) from -1 to 1, at SAMPLE_RATE
Pcm = NDArray[np.int16]  # the same in half the memory: (samples,) from -32768 to 32767

SAMPLE_RATE = 16_000  # Hz
WINDOW_MS = 30  # that one spectrum sees
HOP_MS = 10  # from one spectrum to the next
MELS = 40  # bands of frequency, as wide as the ear hears them apart
LOWEST_HZ = 40  # above what a constant offset reaches through the window: 1 s / 30 ms = 33 Hz
HIGHEST_HZ = 7_600
QUIETEST = 1e-6  # added to the power before the logarithm, so that silence has one

PICTURE = {
    "sample_rate": SAMPLE_RATE,
    "mels": MELS,
    "window_ms": WINDOW_MS,
    "hop_ms": HOP_MS,
    "lowest_hz": LOWEST_HZ,
    "highest_hz": HIGHEST_HZ,
}
"""What a model's card says of the pictures that it was trained on."""

WINDOW = SAMPLE_RATE * WINDOW_MS // 1000  # samples
HOP = SAMPLE_RATE * HOP_MS // 1000  # samples


def frames(samples: int) -> int:
    """Spectra of so many samples: (N - F)/S + 1, as for a filter without padding."""
    return (samples - WINDOW) // HOP + 1


class LogMel(nn.Module):
    """Natural logarithm of the power in each mel band: `(B, samples) -> (B, 1, MELS, frames)`.

    Samples are from -1 to 1, WINDOW of them at least. There is no padding: the picture of a window
    is cut out of the picture of the recording, to the last bit of its samples.
    """

    def __init__(self) -> None:
        super().__init__()
        self.mel = torchaudio.transforms.MelSpectrogram(
            SAMPLE_RATE,
            n_fft=WINDOW,
            hop_length=HOP,
            f_min=LOWEST_HZ,
            f_max=HIGHEST_HZ,
            n_mels=MELS,
            center=False,
        )

    def forward(self, waveforms: Tensor) -> Tensor:
        power: Tensor = self.mel(waveforms)  # (B, MELS, frames)
        return torch.log(power + QUIETEST)[:, None]
