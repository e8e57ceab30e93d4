"""A model for tests whose filters are set by hand: it hears tones as words.

A tone of TONES[word] Hz is that word, surest in the middle of the window; noise is an unknown word.
"""

import dataclasses

import numpy as np
import torch
from torch import nn

from core import weights
from core.export import to_onnx
from domains.speech.audio import MELS, PICTURE, SAMPLE_RATE, LogMel, frames

TONES = {"yes": 400, "no": 900, "up": 1800, "down": 3400}  # Hz
LABELS = [*TONES, "unknown", "silence"]
WINDOW = SAMPLE_RATE
QUIET = -2.0  # log power in a band that nothing is heard below


class ToneNet(nn.Module):
    """(B, 1, MELS, frames) -> (B, labels): loudness by band, the window's middle counting most."""

    def __init__(self):
        super().__init__()
        bands = torch.zeros(len(LABELS), MELS)
        for row, hertz in enumerate(TONES.values()):
            peak = int(LogMel()(torch.from_numpy(sine(hertz, 1.0))[None])[0, 0].mean(1).argmax())
            bands[row] -= 3.0 / MELS
            bands[row, peak - 1 : peak + 2] += 1.0
        bands[LABELS.index("unknown")] = 9.0 / MELS
        middle = torch.hann_window(frames(WINDOW), periodic=False)
        self.bands = nn.Parameter(bands)
        self.middle = nn.Parameter(middle / middle.sum())
        self.bias = nn.Parameter(torch.tensor([0.0] * (len(LABELS) - 1) + [5.0]))

    def forward(self, log_mel):
        loudness = torch.relu(log_mel[:, 0] - QUIET) @ self.middle
        return loudness @ self.bands.T + self.bias


def sine(hertz, seconds, amplitude=0.3):
    """A tone, `(samples,)` at SAMPLE_RATE."""
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (amplitude * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def silence(seconds):
    return np.zeros(round(seconds * SAMPLE_RATE), dtype=np.float32)


def noise(seconds, amplitude=0.3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(-amplitude, amplitude, round(seconds * SAMPLE_RATE)).astype(np.float32)


def clip(word, seconds=0.6):
    """A second with the word in its middle; "unknown" is noise, "silence" is nothing."""
    if word == "silence":
        return silence(1)
    heard = noise(seconds) if word == "unknown" else sine(TONES[word], seconds)
    return np.concatenate([silence(0.5 - seconds / 2), heard, silence(0.5 - seconds / 2)])


def save(folder, name="tones", **changes):
    """Writes the model into `folder` and returns its card's path; `changes` are to the card."""
    model = ToneNet().eval()
    tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    card = weights.Card(
        name=name,
        domain="speech",
        architecture="tones",
        config={},
        labels=LABELS,
        preprocessing={"samples": WINDOW, **PICTURE},
        description="tones for words, filters set by hand",
        data=[],
        licence="MIT",
        command="none",
        metrics={},
    )  # fmt: skip
    card = dataclasses.replace(card, **changes)
    example = [torch.zeros(2, 1, MELS, frames(WINDOW))]
    graph = to_onnx(
        model, example, ["log_mel"], ["logits"], {"log_mel": {0: "B"}}, tensors,
        f"{name}.safetensors",
    )  # fmt: skip
    return weights.save(card, tensors, folder, {f"{name}.onnx": graph}).path
