"""Labelled texts as training examples.

A training file is csv, tsv or jsonl with a text and a label. A jsonl row may carry `scores`, one
probability a label, as `receptive sentiment --format jsonl` writes them: then these are learned in
the label's place (a teacher's opinion: Hinton and others 2015). Texts to measure on keep the label.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from core.errors import InputError

from .files import labelled_rows
from .tokens import tokenise

SENTIMENTS = ("negative", "neutral", "positive")
_NOT_IN_KEY = re.compile(r"https?://\S+|www\.\S+|@\w+|\\u[0-9a-f]{4}|[\W_]")


@dataclass(frozen=True)
class Example:
    """A text and what is known of its class."""

    text: str
    target: tuple[float, ...]  # a probability a label
    among: tuple[bool, ...]  # the labels that the file it comes from chooses among
    weight: float = 1.0  # how often an epoch shows it, on average


def canonical(label: str) -> str:
    """The label's full name: neg, neu and pos mean negative, neutral and positive, in any case."""
    label, small = label.strip(), label.strip().lower()
    return next((name for name in SENTIMENTS if small in (name, name[:3])), label)


def read(
    path: Path,
    labels: Sequence[str] | None = None,
    mapping: Mapping[str, str] | None = None,
    weight: float = 1.0,
    *,
    soft: bool = False,
    text_column: str | None = None,
    label_column: str | None = None,
) -> tuple[list[str], list[Example]]:
    """The labels and examples of one file, in the file's order.

    `mapping` says what the file's own labels mean; rows whose label means "" are left out. Labels
    are sorted by name unless given. A file of negative and positive texts alone doesn't choose
    neutral. `soft` examples take a row's `scores`, if it has any, in its label's place. Raises
    InputError at the first bad row, naming it, and for a label or the name of a score that isn't
    among the labels.
    """
    meaning = {canonical(old): canonical(new) for old, new in (mapping or {}).items()}
    rows: list[tuple[int, str, dict[str, float]]] = []
    found: set[str] = set()
    for row in labelled_rows(path, text_column, label_column):
        if isinstance(row, InputError):
            raise row
        label = canonical(row.label)
        if label := meaning.get(label, label):
            found.add(label)
            rows.append((row.line, row.text, (soft and row.scores) or {label: 1.0}))
    if not rows:
        raise InputError(f"{path}: no texts")
    used = {name for _, _, opinion in rows for name in opinion}
    names = list(labels or sorted(found))
    among = tuple(used != {"negative", "positive"} or name in used for name in names)
    examples = []
    for line, text, opinion in rows:
        if stranger := next((name for name in opinion if name not in names), None):
            raise InputError(f"{path}:{line}: label {stranger!r} is not one of: {', '.join(names)}")
        target = tuple(opinion.get(name, 0.0) for name in names)
        examples.append(Example(text, target, among, weight))
    return names, examples


def key(text: str) -> str:
    """What two copies of one text have in common: letters and digits, without addresses and
    mentions, which some sets hide and others don't."""
    return _NOT_IN_KEY.sub("", html.unescape(text.lower())) or text


def without(texts: Sequence[str], held_out: Iterable[str]) -> list[int]:
    """The numbers of the texts that don't stand in `held_out` and don't repeat an earlier one."""
    seen = {key(text) for text in held_out}
    kept = []
    for number, text in enumerate(texts):
        if (this := key(text)) not in seen:
            seen.add(this)
            kept.append(number)
    return kept


def count_words(examples: Iterable[Example]) -> Counter[str]:
    """How often each token occurs."""
    counts: Counter[str] = Counter()
    for example in examples:
        counts.update(tokenise(example.text))
    return counts


class Words(Protocol):
    """What numbers the words of a text: a Vocabulary, or a teacher's word pieces."""

    def ids(self, text: str, limit: int) -> list[int]:
        """The numbers of the first `limit` words, at least one."""


class TextData:
    """Examples as batches for `core.training.fit`: (words, target, among) tensors.

    words: (B, T) int64, padded with 0 to the longest of the batch; a text of more than `crop`
    words gives a random stretch of that many, and `unknown` of the words are hidden, each epoch
    anew. Of a longer text than `limit` words, only those are known. target: (B, classes) float.
    among: (B, classes) bool.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        vocabulary: Words,
        *,
        crop: int = 256,
        unknown: float = 0.0,
        limit: int = 4096,
    ) -> None:
        self.words = [
            np.asarray(vocabulary.ids(example.text, limit), dtype=np.int32) for example in examples
        ]
        self.lengths = np.minimum([len(words) for words in self.words], crop)
        self.target = np.asarray([example.target for example in examples], dtype=np.float32)
        self.among = np.asarray([example.among for example in examples], dtype=bool)
        self.crop, self.unknown = crop, unknown
        self.weights = np.asarray([example.weight for example in examples])

    def plan(self, epoch: int, batch_size: int, rng: np.random.Generator) -> list[list[int]]:
        """This epoch's batches: shuffled, texts of like length together (50 batches at a time)."""
        times = np.floor(self.weights + rng.random(len(self.weights))).astype(int)
        order = rng.permutation(np.repeat(np.arange(len(times)), times))
        batches = []
        for start in range(0, len(order), batch_size * 50):
            block = order[start : start + batch_size * 50]
            block = block[np.argsort(self.lengths[block], kind="stable")]
            batches += [block[at : at + batch_size] for at in range(0, len(block), batch_size)]
        return [batches[index].tolist() for index in rng.permutation(len(batches))]

    def batch(self, indices: Sequence[int], rng: np.random.Generator) -> tuple[Tensor, ...]:
        words = np.zeros((len(indices), int(self.lengths[indices].max())), dtype=np.int64)
        for row, index in enumerate(indices):
            text = self.words[index]
            start = int(rng.integers(len(text) - self.crop + 1)) if len(text) > self.crop else 0
            words[row, : self.lengths[index]] = text[start : start + self.crop]
        if self.unknown:
            words[(rng.random(words.shape) < self.unknown) & (words > 0)] = 1
        return (
            torch.from_numpy(words),
            torch.from_numpy(self.target[indices]),
            torch.from_numpy(self.among[indices]),
        )


def loss(model: torch.nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    """Cross-entropy to the target, over the labels that each text's file chooses among."""
    words, target, among = batch
    logits = model(words).float().masked_fill(~among, -1e4)  # (B, classes)
    cross_entropy: Tensor = -(target * logits.log_softmax(1)).sum(1)  # (B,)
    return cross_entropy.mean()
