"""Why a text CNN answered as it did: its max-pool is its own explanation.

The last layer is linear over pooled filters, so the lead of the winning label over the others is a
sum over filters, and over the places that their pools let through. Nothing is fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Word:
    """A word and what it added to the winning label's lead, in logits; below 0: against it."""

    text: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Ngram:
    """The stretch of words at which a filter had its maximum, and what that added to the lead."""

    text: str
    start: int
    end: int
    width: int
    filter: int
    weight: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """All words in their order; the winning n-gram of each filter, the strongest first."""

    words: list[Word]
    ngrams: list[Ngram]


def explain(
    text: str,
    places: Sequence[tuple[int, int]],
    vectors: Array,
    kernels: Sequence[Array],
    maps: Sequence[Array],
    leads: dict[str, Sequence[Array]],
) -> Explanation:
    """What each filter added to the lead, and which words it saw there.

    places: (start, end) of each of the T words. vectors: (T, dimensions). A width each has in
    kernels (filters, dimensions, width), maps (filters, T) after ReLU, and, for each pool ("max",
    "mean"), leads (filters,): the last layer's weights of the label less the others' mean.

    A filter's part is handed to the words that it saw in proportion to their positive share in its
    value: layer-wise relevance propagation with alpha 1, beta 0 (Bach and others 2015, eq. 60).
    """
    relevance = np.zeros(len(places))
    ngrams: list[Ngram] = []
    for layer, (kernel, values) in enumerate(zip(kernels, maps, strict=True)):
        passed, peaks = _passed(values, {pool: parts[layer] for pool, parts in leads.items()})
        relevance += _handed_down(passed, kernel, vectors)
        width = kernel.shape[2]
        first = np.maximum(peaks - width // 2, 0)
        last = np.minimum(peaks - width // 2 + width, len(places)) - 1
        for number in np.flatnonzero(values.max(1) > 0).tolist():
            start, end = places[first[number]][0], places[last[number]][1]
            weight = float(passed[number, peaks[number]])
            ngrams.append(Ngram(text[start:end], start, end, width, number, weight))
    words = [
        Word(text[start:end], start, end, weight)
        for (start, end), weight in zip(places, relevance.tolist(), strict=True)
    ]
    return Explanation(words, sorted(ngrams, key=lambda ngram: -abs(ngram.weight)))


def _passed(values: Array, leads: dict[str, Array]) -> tuple[Array, NDArray[np.intp]]:
    """What each place of each filter added to the lead, (filters, T), and each filter's maximum."""
    filters, length = values.shape
    passed = np.zeros_like(values)
    peaks = values.argmax(1)
    every = np.arange(filters)
    for pool, lead in leads.items():
        if pool == "max":
            passed[every, peaks] += lead * values[every, peaks]
        else:
            passed += lead[:, None] * values / length
    return passed, peaks


def _handed_down(passed: Array, kernel: Array, vectors: Array) -> NDArray[Any]:
    """The words' parts in what the places passed on, (T,)."""
    length, width = len(vectors), kernel.shape[2]
    seen = np.zeros((width, *passed.shape), dtype=np.float32)  # each word's positive share
    stretches = []
    for offset in range(width):
        shift = offset - width // 2
        here = slice(max(-shift, 0), max(min(length - shift, length), 0))
        there = slice(here.start + shift, here.stop + shift)
        stretches.append((here, there))
        if here.start < here.stop:
            seen[offset, :, here] = np.maximum(kernel[:, :, offset] @ vectors[there].T, 0) + 1e-9
    shares = np.einsum("oft,ft->ot", seen, passed / np.maximum(seen.sum(0), 1e-12))
    relevance = np.zeros(length)
    for share, (here, there) in zip(shares, stretches, strict=True):
        if here.start < here.stop:
            relevance[there] += share[here]
    return relevance
