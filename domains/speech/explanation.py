"""What a speech network looked at: how much each part of the spectrogram did for its answer.

Occlusion sensitivity (Zeiler and Fergus, "Visualizing and understanding convolutional networks",
2014, section 4.2): parts are covered one after another, and the answer that is lost is theirs.
Nothing is fitted, and any network can be asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .audio import SAMPLE_RATE
from .recogniser import Array, KeywordRecogniser, softmax

PATCH = (8, 12)  # mel bands and frames that are covered at a time
STRIDE = (4, 6)  # from one patch to the next
QUIET = 10  # percent of the frames of a band that are quieter than what it is covered with
PATCHES_A_BATCH = 32


@dataclass(frozen=True, slots=True)
class Explanation:
    """A window of sound, its picture, and what each of its places did for the label.

    waveform: (samples,) at SAMPLE_RATE. log_mel and relevance: (mels, frames), the lowest band
    first. Relevance is in logits; below 0 the place spoke against the label.
    """

    label: str
    probability: float
    waveform: Array
    log_mel: Array
    relevance: Array


def explain(
    recogniser: KeywordRecogniser, waveform: Array, sample_rate: int = SAMPLE_RATE
) -> Explanation:
    """Why a waveform, `(samples,)`, has the label that `recogniser.predict` gives it.

    A place's relevance is what the label's log-odds lose when a patch over it is covered with the
    quiet level of its band, in the mean over the patches over it. Raises InputError as `predict`.
    """
    window = recogniser.window_of(waveform, sample_rate)
    pictures = recogniser.pictures(window[None])
    logits = recogniser.logits(pictures)
    answer = int(logits.argmax())
    picture = pictures[0, 0]
    quiet = np.percentile(picture, QUIET, axis=1, keepdims=True).astype(np.float32)
    patches = list(_patches(*picture.shape))
    covered = np.stack([np.where(patch, quiet, picture) for patch in patches])[:, None]
    lost = _log_odds(logits, answer) - np.concatenate(
        [
            _log_odds(recogniser.logits(covered[start : start + PATCHES_A_BATCH]), answer)
            for start in range(0, len(covered), PATCHES_A_BATCH)
        ]
    )
    relevance = np.tensordot(lost, patches, 1) / np.sum(patches, axis=0)
    return Explanation(
        recogniser.labels[answer],
        float(softmax(logits)[0, answer]),
        window,
        picture,
        relevance.astype(np.float32),
    )


def _patches(mels: int, frames: int) -> Iterator[NDArray[np.bool_]]:
    """Masks (mels, frames), one a patch; those at the edges are cut off there."""
    for band in range(STRIDE[0] - PATCH[0], mels, STRIDE[0]):
        for frame in range(STRIDE[1] - PATCH[1], frames, STRIDE[1]):
            patch = np.zeros((mels, frames), dtype=np.bool_)
            patch[max(band, 0) : band + PATCH[0], max(frame, 0) : frame + PATCH[1]] = True
            yield patch


def _log_odds(logits: Array, answer: int) -> NDArray[Any]:
    """Of the answer against all other labels together, `(B, labels) -> (B,)`."""
    others = np.delete(logits.astype(np.float64), answer, axis=1)
    highest = others.max(1)
    together = highest + np.log(np.exp(others - highest[:, None]).sum(1))
    odds: NDArray[Any] = logits[:, answer] - together
    return odds
