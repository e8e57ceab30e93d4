"""How often a recogniser is right: in training, and once released, in quiet and in noise."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from core import metrics
from core.errors import InputError

from . import augmentation
from .audio import SAMPLE_RATE, LogMel, Pcm, Waveform
from .data import SILENCE, UNKNOWN, Clips, to_float
from .examples import picture
from .recogniser import KeywordRecogniser
from .torchaudio_import import torchaudio

Worsen = Callable[[Waveform], Waveform]

BATCH = 128
SILENT = 300  # examples of silence in validation, at most a tenth of its clips


def validation_set(clips: Clips, noise: Sequence[Pcm], samples: int) -> tuple[Any, Any]:
    """Waveforms (N, samples) and classes (N,): each clip in its place, and some silence."""
    rng = np.random.default_rng(0)
    heard = [to_float(waveform) for waveform in clips.waveforms]
    waves = [augmentation.placed(clip, (samples - len(clip)) // 2, samples) for clip in heard]
    classes = list(clips.classes)
    if SILENCE in clips.labels and noise:
        more = min(SILENT, len(clips) // 10 + 1)
        waves += [augmentation.silence(noise, samples, rng) for _ in range(more)]
        classes += [clips.labels.index(SILENCE)] * more
    return np.stack(waves), np.array(classes)


def validate(
    model: nn.Module, waveforms: Any, classes: Any, labels: Sequence[str]
) -> dict[str, float]:
    """Accuracy over the known words, over unknown words and silence where there are, and `score`,
    the mean of these: so a label with few examples counts as much as in use."""
    device = next(model.parameters()).device
    log_mel = LogMel()
    answers = []
    for start in range(0, len(waveforms), BATCH):
        batch = torch.from_numpy(waveforms[start : start + BATCH]).to(device)
        answers.append(model(picture(log_mel, batch)).float().cpu().argmax(1).numpy())
    right = np.concatenate(answers) == classes
    kinds = kinds_of(labels)[classes]
    found = {kind: float(right[kinds == kind].mean()) for kind in np.unique(kinds).tolist()}
    return {"score": float(np.mean(list(found.values()))), **found}


def kinds_of(labels: Sequence[str]) -> Any:
    """For each label "words", "unknown" or "silence"."""
    return np.array([label if label in (UNKNOWN, SILENCE) else "words" for label in labels])


def evaluate(
    recogniser: KeywordRecogniser, clips: Clips, worsen: Worsen | None = None
) -> dict[str, Any]:
    """Figures of a released recogniser on clips; labels without any are still among the answers.

    `worsen` is done to each clip before it is heard.

    accuracy: of all clips; words, unknown, silence: of these alone; recall: by label; confusions:
    the pairs most often taken for one another, (label, answer, clips). Raises InputError where
    there is no clip.
    """
    if not len(clips):
        raise InputError("no clip of any word that the model knows")
    answers, seconds = [], 0.0
    for start in tqdm(range(0, len(clips), BATCH), unit=" batches", disable=None):
        batch = [to_float(waveform) for waveform in clips.waveforms[start : start + BATCH]]
        if worsen:
            batch = [worsen(clip) for clip in batch]
        started = time.perf_counter()
        answers += recogniser.predict(batch)
        seconds += time.perf_counter() - started
    labels = recogniser.labels
    scores = torch.tensor([[answer.scores[label] for label in labels] for answer in answers])
    classes = torch.tensor(clips.classes)
    found = metrics.classification(scores, classes, labels)
    chosen = scores.argmax(1).numpy()
    kinds, right = kinds_of(labels)[clips.classes], chosen == np.array(clips.classes)
    pairs = Counter(
        (labels[truth], labels[answer])
        for truth, answer in zip(clips.classes, chosen.tolist(), strict=True)
        if truth != answer
    )
    figures = {
        "accuracy": found["accuracy"],
        **{kind: float(right[kinds == kind].mean()) for kind in np.unique(kinds).tolist()},
        "recall": found["recall"],
        "confusions": [[*pair, count] for pair, count in pairs.most_common(10)],
        "ece": found["ece"],
        "n": len(clips),
        "clips_per_second": round(len(clips) / seconds),
    }
    return metrics.rounded(figures)


def in_noise(noise: Sequence[Pcm], snr: float) -> Worsen:
    """Adds background noise so many dB below a clip's own power; seeded, so always the same."""
    rng = np.random.default_rng(0)

    def worsen(clip: Waveform) -> Waveform:
        other = augmentation.crop(noise, len(clip), rng)
        gain = augmentation.rms(clip) / augmentation.rms(other) / augmentation.decibel(snr)
        return np.clip(clip + other * np.float32(gain), -1, 1)

    return worsen


def by_telephone(clip: Waveform) -> Waveform:
    """300 to 3,400 Hz in 256 steps, as a telephone line at 8 kHz has them (ITU-T G.711, mu-law)."""
    heard = torch.from_numpy(augmentation.band_pass(clip, *augmentation.TELEPHONE_HZ)[::2].copy())
    codes = torchaudio.functional.mu_law_encoding(heard.clamp(-1, 1), 256)
    coarse = torchaudio.functional.mu_law_decoding(codes, 256)
    whole: Waveform = torchaudio.functional.resample(coarse, SAMPLE_RATE // 2, SAMPLE_RATE).numpy()
    return whole[: len(clip)]
