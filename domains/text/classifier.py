"""Released text networks at work: from texts to labels with probabilities, and why.

Runs the exported network on onnxruntime; imports neither torch nor gensim.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import weights
from core.errors import InputError

from .tokens import SPECIAL, Vocabulary, spans

WEIGHTS = Path(__file__).parent / "weights"
TEXTS_A_BLOCK = 1024  # texts that are sorted by length together
WORDS_A_BATCH = 4096  # words in one run of the network, padding included

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Word:
    """A word and what it added to the winning label's lead: above 0 it spoke for the label."""

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


@dataclass(frozen=True, slots=True)
class Sentiment:
    """The label with the highest probability; `scores` holds them all and sums to 1."""

    label: str
    scores: dict[str, float]
    explanation: Explanation | None = None


class SentimentClassifier:
    """A text network with its vocabulary and labels. Make one with `load`."""

    def __init__(self, card: weights.Card, threads: int | None = None) -> None:
        import onnxruntime

        self.card = card
        self.labels = tuple(card.labels)
        self.tensors = weights.load(card)
        self.vocabulary = Vocabulary(self.tensors["vocabulary"].tobytes().decode().split("\n"))
        self.limit = int(card.preprocessing["max_words"])
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = 1  # batches run side by side, see logits
        self.runners = ThreadPoolExecutor(threads or os.cpu_count())
        self.session = onnxruntime.InferenceSession(
            str(card.path.with_suffix(".onnx")), options, providers=["CPUExecutionProvider"]
        )

    @classmethod
    def load(cls, name: str = "sentiment", threads: int | None = None) -> SentimentClassifier:
        """A released model by name, or one of your own by the path of its card.

        Raises InputError if there is none, if a file of it was altered, or if it is no text model.
        """
        card = weights.find(name, WEIGHTS)
        if card.domain != "text":
            raise InputError(f"{card.path}: a model of domain {card.domain!r}, not a text model")
        return cls(card, threads)

    def predict(
        self, texts: Sequence[str], explain: bool = False, among: Sequence[str] | None = None
    ) -> list[Sentiment]:
        """One answer a text, in order; `among` leaves the other labels out of the choice.

        Raises InputError if `explain` is asked of a network that has no filters over words, and for
        a label in `among` that there is not.
        """
        if strangers := [label for label in among or () if label not in self.labels]:
            raise InputError(f"label {strangers[0]!r} is not one of: {', '.join(self.labels)}")
        chosen = [self.labels.index(label) for label in (among or self.labels)]
        names = [self.labels[index] for index in chosen]
        if explain:
            return [self._explained(text, chosen, names) for text in texts]
        scores = _softmax(self.logits(texts)[:, chosen])
        return [
            Sentiment(names[best], dict(zip(names, row, strict=True)))
            for best, row in zip(scores.argmax(1).tolist(), scores.tolist(), strict=True)
        ]

    def logits(self, texts: Sequence[str]) -> Array:
        """The network's answers, `(len(texts), labels)`; padding doesn't change them."""
        answers = np.empty((len(texts), len(self.labels)), dtype=np.float32)

        def run(rows: NDArray[np.intp], words: NDArray[np.int64]) -> None:
            answers[rows] = self.session.run(["logits"], {"words": words})[0]

        # While the network runs, without Python's lock, the next texts are looked up.
        runs = [self.runners.submit(run, *batch) for batch in self._batches(texts)]
        for done in runs:
            done.result()
        return answers

    def _batches(
        self, texts: Sequence[str]
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.int64]]]:
        """Texts of like length together: (their indices, their words padded with 0)."""
        for start in range(0, len(texts), TEXTS_A_BLOCK):
            block = [self.vocabulary.ids(text, self.limit)
                     for text in texts[start : start + TEXTS_A_BLOCK]]  # fmt: skip
            lengths = [len(words) for words in block]
            for rows in _like_lengths(lengths):
                words = np.zeros((len(rows), lengths[rows[-1]]), dtype=np.int64)
                for row, index in enumerate(rows):
                    words[row, : lengths[index]] = block[index]
                yield np.asarray(rows) + start, words

    def nearest(self, word: str, n: int = 10) -> list[tuple[str, float]]:
        """The words whose vectors point the most in the same direction: (word, cosine).

        Raises InputError for a word that the network doesn't know.
        """
        number = self.vocabulary.id(word.strip())
        if number < len(SPECIAL):
            raise InputError(f"{word!r} is not among the {len(self.vocabulary):,} words known here")
        table = self._table()
        lengths = np.linalg.norm(table, axis=1) + 1e-9
        cosines = table @ table[number] / (lengths * lengths[number])
        cosines[[*range(len(SPECIAL)), number]] = -2.0
        best = np.argsort(-cosines)[: min(n, len(cosines) - len(SPECIAL) - 1)]
        return [(self.vocabulary.words[index], float(cosines[index])) for index in best]

    def _table(self) -> Array:
        tables = [array for name, array in self.tensors.items() if ".tables." in name]
        together: Array = np.sum([table.astype(np.float32) for table in tables], axis=0)
        return together

    def _explained(self, text: str, chosen: list[int], names: list[str]) -> Sentiment:
        words = self.vocabulary.ids(text, self.limit)
        widths = self.card.config.get("widths")
        if not widths:
            raise InputError(
                f"{self.card.name}: a {self.card.architecture} can't explain itself, a text-cnn can"
            )
        outputs = ["logits", *(f"maps{width}" for width in widths)]
        logits, *maps = self.session.run(outputs, {"words": np.asarray([words], dtype=np.int64)})
        scores = _softmax(logits[:, chosen])[0]
        best = int(scores.argmax())
        places = spans(text)[: self.limit]
        explanation = Explanation([], [])
        if places:
            others = [index for index in chosen if index != chosen[best]]
            head = self.tensors["head.linear.weight"]  # (labels, features)
            lead = head[chosen[best]] - (head[others].mean(0) if others else 0)  # (features,)
            explanation = self._explain(text, words, places, maps, lead)
        return Sentiment(names[best], dict(zip(names, scores.tolist(), strict=True)), explanation)

    def _explain(
        self,
        text: str,
        words: list[int],
        places: list[tuple[int, int]],
        maps: list[Array],
        lead: Array,
    ) -> Explanation:
        """What each filter added to the lead of the label, and which words it saw.

        The last layer is linear over pooled filters, so the lead is a sum over filters, and over
        the places that their pools let through. A filter's share is handed to the words that it saw
        there in proportion to their positive part in its value: layer-wise relevance propagation
        with alpha 1, beta 0 (Bach and others 2015, eq. 60).
        """
        vectors = self._table()[words]  # (T, dimensions)
        length = len(words)
        relevance = np.zeros(length)
        ngrams: list[Ngram] = []
        filters = int(self.card.config["filters"])
        widths: list[int] = self.card.config["widths"]
        pools: list[str] = self.card.config["pools"]
        leads = lead.reshape(len(pools), len(widths), filters)
        for layer, (width, values) in enumerate(zip(widths, maps, strict=True)):
            values = values[0]  # (filters, T)
            passed = np.zeros((filters, length))  # what each place of each filter added
            peaks = values.argmax(1)
            for pool, part in zip(pools, leads[:, layer], strict=True):
                if pool == "max":
                    passed[np.arange(filters), peaks] += part * values[np.arange(filters), peaks]
                else:
                    passed += part[:, None] * values / length
            kernel = self.tensors[f"convolutions.{layer}.conv.weight"]  # (filters, dimensions, w)
            seen = np.zeros((filters, length, width))
            for offset in range(width):
                at = np.arange(length) + offset - width // 2
                inside = (at >= 0) & (at < length)
                value = kernel[:, :, offset] @ vectors[at[inside]].T
                seen[:, inside, offset] = np.maximum(value, 0) + 1e-9
            shares = passed[:, :, None] * seen / seen.sum(2, keepdims=True)
            for offset in range(width):
                at = np.arange(length) + offset - width // 2
                inside = (at >= 0) & (at < length)
                np.add.at(relevance, at[inside], shares[:, inside, offset].sum(0))
            for number in np.flatnonzero(values.max(1) > 0):
                first = max(int(peaks[number]) - width // 2, 0)
                last = min(int(peaks[number]) - width // 2 + width, length) - 1
                start, end = places[first][0], places[last][1]
                weight = float(passed[number, peaks[number]])
                ngrams.append(Ngram(text[start:end], start, end, width, int(number), weight))
        ngrams.sort(key=lambda ngram: -abs(ngram.weight))
        return Explanation(
            [
                Word(text[start:end], start, end, float(weight))
                for (start, end), weight in zip(places, relevance, strict=True)
            ],
            ngrams,
        )


def _softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    powers = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    scores: NDArray[np.float64] = powers / powers.sum(1, keepdims=True)
    return scores


def _like_lengths(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Indices in batches of texts of like length, the longest last in each."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[index] > WORDS_A_BATCH:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
