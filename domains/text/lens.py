"""What the lens sees of a text CNN: word vectors. `nearest` finds the words to vectors."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from core import registry, weights
from core.errors import InputError
from core.lens.subject import Subject

from .classifier import SentimentClassifier
from .files import Row, rows
from .model import TextCNN
from .tokens import SPECIAL, UNKNOWN, Vocabulary, tokenise

BATCH = 64  # texts at once
WORDS = 10  # of a text, where none says how many


class FromVectors(nn.Module):
    """A text CNN's own layers without its table of words, and all words are real.

    `(B, dimensions, T)` word vectors -> `(B, classes)` logits
    """

    def __init__(self, network: TextCNN) -> None:
        super().__init__()
        self.convolutions, self.pools = network.convolutions, network.pools
        self.dropout, self.head = network.dropout, network.head

    def forward(self, vectors: Tensor) -> Tensor:
        length = vectors.shape[2]
        maps = [convolve(vectors)[..., :length] for convolve in self.convolutions]
        pooled = [pool(values) for pool in self.pools for values in maps]  # (B, filters) each
        logits: Tensor = self.head(self.dropout(torch.cat(pooled, 1)))
        return logits


@dataclass(frozen=True)
class TextSubject(Subject):
    """A text CNN from its word vectors on.

    vectors: `(vocabulary, dimensions)`; limit: so many words of a text are read
    """

    vocabulary: Vocabulary
    vectors: Tensor
    limit: int


def subject(name: str = "sentiment") -> TextSubject:
    """A released text CNN by name, or one of your own by the path of its card.

    Its inputs are word vectors, `(dimensions, words)`, ten of them: see `of_length`. Neutral is
    padding, no word. Raises InputError as `SentimentClassifier.load` does, and for a network that
    is no text-cnn.
    """
    card = SentimentClassifier.find(name)
    network = registry.trained(card)
    if not isinstance(network, TextCNN):
        raise InputError(f"{card.path}: a {card.architecture} has no filters; a text-cnn has")
    words = weights.load(card)["vocabulary"].tobytes().decode().split("\n")
    vectors = torch.stack([table.weight for table in network.embedding.tables]).sum(0)
    real = vectors[len(SPECIAL) :]
    return TextSubject(
        name=card.name,
        network=FromVectors(network).eval(),
        shape=(vectors.shape[1], WORDS),
        labels=tuple(card.labels),
        neutral=torch.zeros(vectors.shape[1], WORDS),
        lowest=real.min(0).values[:, None],
        highest=real.max(0).values[:, None],
        vocabulary=Vocabulary(words),
        vectors=vectors,
        limit=card.preprocessing["max_words"],
    )


def of_length(subject: TextSubject, words: int) -> TextSubject:
    """The same network, for texts of so many words."""
    dimensions = subject.shape[0]
    neutral = subject.neutral.new_zeros(dimensions, words)
    return replace(subject, shape=(dimensions, words), neutral=neutral)


def read(text: str, subject: TextSubject) -> Tensor:
    """The vectors of a text's words, `(dimensions, T)`; a text without any is an unknown word."""
    return subject.vectors[subject.vocabulary.ids(text, subject.limit)].T


def words(text: str, subject: TextSubject) -> list[str]:
    """The words that `read` has the vectors of."""
    return tokenise(text)[: subject.limit] or [SPECIAL[UNKNOWN]]


def real(subject: TextSubject, file: Path, most: int = 10_000, seed: int = 0) -> Iterator[Tensor]:
    """Batches of word vectors `(B, *shape)` of texts in a csv, tsv, jsonl or plain file.

    Texts and, in each, a stretch of as many words as the subject's inputs have, are drawn by
    `seed`; shorter texts are left out. Raises InputError as `files.rows` does, and for a bad row.
    """
    rng, length = random.Random(seed), subject.shape[1]
    drawn: list[Sequence[int]] = []
    seen = 0
    for row in rows(file, str(file)):
        if not isinstance(row, Row):
            raise row
        ids = subject.vocabulary.ids(row.text, subject.limit)
        if len(ids) < length:
            continue
        seen += 1
        place = len(drawn) if len(drawn) < most else rng.randrange(seen)
        if place < most:
            start = rng.randrange(len(ids) - length + 1)
            drawn[place : place + 1] = [ids[start : start + length]]
    rng.shuffle(drawn)
    for start in range(0, len(drawn), BATCH):
        yield subject.vectors[np.array(drawn[start : start + BATCH])].transpose(1, 2)
