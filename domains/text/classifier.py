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

from core import inference, weights
from core.errors import InputError

from .explanation import Explanation, explain
from .tokens import SPECIAL, Vocabulary, spans

WEIGHTS = Path(__file__).parent / "weights"
TEXTS_A_BLOCK = 512  # texts that are sorted by length together
WORDS_A_BATCH = 1024  # words in one run of the network, padding included

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sentiment:
    """The label with the highest probability; `scores` holds them all and sums to 1."""

    label: str
    scores: dict[str, float]
    explanation: Explanation | None = None


class SentimentClassifier:
    """A text network with its vocabulary and labels. Make one with `load`."""

    def __init__(self, card: weights.Card, threads: int | None = None) -> None:
        self.card = card
        self.labels = tuple(card.labels)
        self.tensors = weights.load(card)
        self.tables = [array for name, array in self.tensors.items() if ".tables." in name]
        self.vocabulary = Vocabulary(self.tensors["vocabulary"].tobytes().decode().split("\n"))
        self.limit: int = card.preprocessing["max_words"]
        self.runners = ThreadPoolExecutor(threads or os.cpu_count())
        # One thread: batches run side by side, see logits.
        self.session = inference.session(card, threads=1)

    @classmethod
    def load(cls, name: str = "sentiment", threads: int | None = None) -> SentimentClassifier:
        """A released model by name, or one of your own by the path of its card.

        Raises InputError if there is none, if a file of it was altered, or if it is no text model.
        """
        return cls(cls.find(name), threads)

    @staticmethod
    def find(name: str) -> weights.Card:
        """The card that `load` goes by. Raises InputError if there is none, or not of texts."""
        card = weights.find(name, WEIGHTS)
        if card.domain != "text":
            raise InputError(f"{card.path}: a model of domain {card.domain!r}, not a text model")
        if not isinstance(card.preprocessing.get("max_words"), int):
            raise InputError(f"{card.path}: field 'preprocessing' has no number 'max_words'")
        return card

    def predict(
        self, texts: Sequence[str], explain: bool = False, among: Sequence[str] | None = None
    ) -> list[Sentiment]:
        """One answer a text, in order; `among` leaves the other labels out of the choice.

        Raises InputError if `explain` is asked of a network that has no filters over words, and for
        a label in `among` that there is not.
        """
        if strangers := [label for label in among or () if label not in self.labels]:
            raise InputError(f"label {strangers[0]!r} is not one of: {', '.join(self.labels)}")
        if isinstance(texts, str):
            raise TypeError("predict takes a sequence of texts, not one text")
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
        table: Array = np.sum([t.astype(np.float32) for t in self.tables], axis=0)
        lengths = np.linalg.norm(table, axis=1) + 1e-9
        cosines = table @ table[number] / (lengths * lengths[number])
        cosines[[*range(len(SPECIAL)), number]] = -2.0
        best = np.argsort(-cosines)[: min(n, len(cosines) - len(SPECIAL) - 1)]
        return [(self.vocabulary.words[index], float(cosines[index])) for index in best]

    def _explained(self, text: str, chosen: list[int], names: list[str]) -> Sentiment:
        config = self.card.config
        if "widths" not in config:
            raise InputError(
                f"{self.card.name}: a {self.card.architecture} can't explain itself, a text-cnn can"
            )
        words = self.vocabulary.ids(text, self.limit)
        outputs = ["logits", *(f"maps{width}" for width in config["widths"])]
        logits, *maps = self.session.run(outputs, {"words": np.asarray([words], dtype=np.int64)})
        scores = _softmax(logits[:, chosen])[0]
        best = int(scores.argmax())
        places = spans(text)[: self.limit]
        explanation = Explanation([], [])
        if places:
            head = self.tensors["head.linear.weight"]  # (labels, features)
            others = [index for index in chosen if index != chosen[best]]
            lead = head[chosen[best]] - (head[others].mean(0) if others else 0)  # (features,)
            parts = lead.reshape(len(config["pools"]), len(maps), -1)
            explanation = explain(
                text,
                places,
                np.sum([table[words].astype(np.float32) for table in self.tables], axis=0),
                [self.tensors[f"convolutions.{n}.conv.weight"] for n in range(len(maps))],
                [values[0] for values in maps],
                dict(zip(config["pools"], parts, strict=True)),
            )
        return Sentiment(names[best], dict(zip(names, scores.tolist(), strict=True)), explanation)


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
