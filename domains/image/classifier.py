"""Image networks at work: from pictures to labels with probabilities.

A released network runs on onnxruntime; torch is imported only where a torch network is given.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from core import weights
from core.errors import InputError

from .graph import Array, Logits, load_graph
from .pictures import open_picture, prepare

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import nn

FITS = ("crop", "digit")  # what a card's preprocessing says of a classifier
PICTURES_A_BATCH = 8  # in one run of the network

Probabilities = NDArray[np.float64]
Source = tuple[str | Path | BinaryIO, str]  # a file, and what errors call it
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Classification:
    """The label with the highest probability; `scores` holds them all and sums to 1."""

    label: str
    scores: dict[str, float]

    @property
    def probability(self) -> float:
        return self.scores[self.label]

    def top(self, n: int = 5) -> list[tuple[str, float]]:
        """The n likeliest labels with their probabilities."""
        return sorted(self.scores.items(), key=lambda score: -score[1])[:n]


class ImageClassifier:
    """An image network with its labels and its preprocessing. Made by `load` or `of`.

    `logits` is the network: prepared pictures `(B, C, H, W)` -> `(B, labels)`. So many batches run
    `side_by_side`, each on a thread of its own. Raises InputError for a label that is there twice.
    """

    card: weights.Card  # of a released model

    def __init__(
        self,
        logits: Logits,
        labels: Sequence[str],
        preprocessing: Mapping[str, Any],
        side_by_side: int = 1,
    ) -> None:
        if twice := [label for label, times in Counter(labels).items() if times > 1]:
            raise InputError(f"label {twice[0]!r} twice")
        self.logits = logits
        self.labels = tuple(labels)
        self.preprocessing = dict(preprocessing)
        self.preparers = ThreadPoolExecutor(os.cpu_count())
        self.runners = ThreadPoolExecutor(side_by_side)
        self.side_by_side = side_by_side

    @classmethod
    def load(cls, name: str = "objects", threads: int | None = None) -> ImageClassifier:
        """A released model by name, or one of your own by the path of its card.

        Raises InputError if there is none, if a file of it was altered, or if it is no image model.
        """
        card, logits = load_graph(name, "classifier", FITS, threads=1)
        side_by_side = threads or os.cpu_count() or 1
        classifier = cls(logits, card.labels, card.preprocessing, side_by_side)
        classifier.card = card
        return classifier

    @classmethod
    def of(
        cls, network: nn.Module, labels: Sequence[str], preprocessing: Mapping[str, Any]
    ) -> ImageClassifier:
        """A torch network, `(B, C, H, W) -> (B, labels)` logits in eval mode.

        preprocessing: what a card would say, see `pictures.prepare`. Torch shares each batch out
        among its own threads.
        """
        import torch

        network.eval()

        def logits(prepared: Array) -> Array:
            with torch.inference_mode():
                answers: Array = network(torch.from_numpy(prepared)).float().numpy()
            return answers

        return cls(logits, labels, preprocessing)

    def predict(self, pictures: Sequence[Image]) -> list[Classification]:
        """One answer a picture, in order. Raises InputError for one that can't be answered."""
        answers = []
        for number, answer in enumerate(self.answers(pictures), 1):
            if isinstance(answer, InputError):
                raise InputError(f"picture {number:,}: {answer}")
            answers.append(answer)
        return answers

    def answers(self, pictures: Iterable[Image]) -> Iterator[Classification | InputError]:
        """One answer a picture, in order; the error in the place of one that `prepare` refuses."""
        return self._answered(self.prepared, pictures)

    def classify(self, sources: Iterable[Source]) -> Iterator[Classification | InputError]:
        """One answer a file, in order, and the error in the place of one that can't be read, or
        that `prepare` refuses.

        Files are read and pictures prepared while the network runs; a few batches are in memory at
        a time.
        """

        def read(source: Source) -> Array:
            picture = open_picture(*source)
            try:
                return self.prepared(picture)
            except InputError as error:
                raise InputError(f"{source[1]}: {error}") from None

        return self._answered(read, sources)

    def prepared(self, picture: Image) -> Array:
        """What the network sees of a picture, `(C, H, W)`. Raises InputError as `prepare` does."""
        return prepare(picture, self.preprocessing)

    def probabilities(self, prepared: Array) -> Probabilities:
        """`(B, C, H, W) -> (B, labels)`; where the model is `mirrored`, the mean of those of each
        picture and of its mirror image."""
        found = softmax(self.logits(prepared))
        if self.preprocessing.get("mirrored"):
            found = (found + softmax(self.logits(np.ascontiguousarray(prepared[..., ::-1])))) / 2
        return found

    def _answered(
        self, prepared: Callable[[Item], Array], items: Iterable[Item]
    ) -> Iterator[Classification | InputError]:
        def attempt(item: Item) -> Array | InputError:
            try:
                return prepared(item)
            except InputError as error:
                return error

        ahead = 2 * max(PICTURES_A_BATCH, self.side_by_side)
        pictures = _in_order(self.preparers, attempt, items, ahead)
        batches = _in_order(self.runners, self._batch, _batches(pictures), self.side_by_side)
        for batch in batches:
            yield from batch

    def _batch(self, batch: Sequence[Array | InputError]) -> list[Classification | InputError]:
        pictures = [picture for picture in batch if not isinstance(picture, InputError)]
        rows = iter(self.probabilities(np.stack(pictures)) if pictures else ())
        return [item if isinstance(item, InputError) else self._answer(next(rows))
                for item in batch]  # fmt: skip

    def _answer(self, probabilities: Probabilities) -> Classification:
        scores = dict(zip(self.labels, probabilities.tolist(), strict=True))
        return Classification(self.labels[int(probabilities.argmax())], scores)


def softmax(logits: Array) -> Probabilities:
    """Probabilities, `(..., labels)` of the same shape."""
    powers = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    probabilities: Probabilities = powers / powers.sum(-1, keepdims=True)
    return probabilities


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Iterator[Result]:
    """`work` on each item, on the pool's threads; at most so many are begun `ahead`."""
    begun: deque[Future[Result]] = deque()
    try:
        for item in items:
            begun.append(pool.submit(work, item))
            while begun and (len(begun) > ahead or begun[0].done()):
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        for future in begun:
            future.cancel()


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == PICTURES_A_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
