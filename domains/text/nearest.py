"""From what excites a text CNN back to words: the nearest words, n-grams and sentences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from core.errors import InputError

from .lens import BATCH, WORDS, TextSubject, read
from .tokens import SPECIAL

CANDIDATES = 64  # words that the network is asked about, for each place
COMMON = 10_000  # words: the vectors of rarer ones have hardly been trained
ROUNDS = 50

Ranked = list[tuple[str, float]]
"""Words or n-grams, each with its value, the highest first."""


@dataclass(frozen=True)
class Sentence:
    """Words with a blank between any two, and the probability of a label."""

    text: str
    probability: float


def nearest(subject: TextSubject, vectors: Tensor, n: int = 1) -> list[Ranked]:
    """For each of T vectors, `(dimensions, T)`, the words whose own are nearest: (word, cosine)."""
    real = F.normalize(subject.vectors[len(SPECIAL) :])
    cosines, numbers = (F.normalize(vectors.T) @ real.T).topk(n)  # (T, n)
    return [
        [(subject.vocabulary.words[number + len(SPECIAL)], cosine) for number, cosine in
         zip(*place, strict=True)]
        for place in zip(numbers.tolist(), cosines.tolist(), strict=True)
    ]  # fmt: skip


def nearest_ngrams(
    subject: TextSubject,
    width: int,
    number: int,
    n: int = 10,
    texts: Iterable[str] | None = None,
    common: int = COMMON,
) -> Ranked:
    """The n n-grams that excite a filter the most, of all that the `common` first words can make.

    Words are by how frequent they are. The n-grams are exact: a filter's value is a sum over its
    words, so that the best are made of the best words at each place. With `texts`, of the n-grams
    there; at the ends of a text a filter sees fewer words. Values are from before the ReLU.

    Raises InputError for a width or a number that no filter has.
    """
    kernel, bias = _filter(subject, width, number)
    if texts is None:
        return _made(subject, kernel, bias, n, common)
    best: dict[str, float] = {}
    for text in texts:
        known = [subject.vocabulary.words[i] for i in subject.vocabulary.ids(text, subject.limit)]
        vectors = read(text, subject)[None]
        values = F.conv1d(vectors, kernel[None], bias[None], padding=width // 2)[0, 0, : len(known)]
        for place in values.topk(min(n, len(known))).indices.tolist():
            first = place - width // 2
            ngram = " ".join(known[max(first, 0) : first + width])
            best[ngram] = max(best.get(ngram, -torch.inf), float(values[place]))
        best = dict(sorted(best.items(), key=lambda item: -item[1])[:n])
    return list(best.items())


def most(subject: TextSubject, label: str, length: int = WORDS, common: int = COMMON) -> Sentence:
    """The sentence of so many words, no word twice, that is most surely of a label.

    Coordinate ascent: each round asks the network about the words that the gradient of the label's
    log-odds promises the most for, at every place, and takes the best one of all. Words are those
    of letters alone among the `common` most frequent. Ebrahimi and others, "HotFlip: white-box
    adversarial examples for text classification", ACL 2018.

    Raises InputError for a label that there is not, and for more words than there are.
    """
    if label not in subject.labels:
        raise InputError(f"label {label!r} is not one of: {', '.join(subject.labels)}")
    chosen = subject.labels.index(label)
    vocabulary = subject.vocabulary
    usable = torch.tensor([
        number for number, word in enumerate(vocabulary.words[:common])
        if word.isalpha() and vocabulary.ids(word, 2) == [number]
    ])  # fmt: skip
    if not 1 <= length < len(usable):
        raise InputError(f"a sentence of {length} words: 1 to {len(usable) - 1} are possible")
    sentence = usable[:length].clone()
    odds = float(_log_odds(subject, sentence[None], chosen)[0])
    for _ in range(ROUNDS):
        tries = _flipped(subject, sentence, usable, chosen)
        found = torch.cat([_log_odds(subject, part, chosen) for part in torch.split(tries, BATCH)])
        if float(found.max()) <= odds:
            break
        odds, sentence = float(found.max()), tries[int(found.argmax())]
    text = " ".join(vocabulary.words[number] for number in sentence.tolist())
    return Sentence(text, float(torch.tensor(odds).sigmoid()))


def _filter(subject: TextSubject, width: int, number: int) -> tuple[Tensor, Tensor]:
    """Its weights, `(dimensions, width)`, and its bias."""
    convolutions: Any = subject.network.convolutions
    layers = {layer.conv.kernel_size[0]: layer.conv for layer in convolutions}
    if width not in layers:
        raise InputError(f"no filters over {width} words; there are: {', '.join(map(str, layers))}")
    kernels = layers[width].weight
    if not 0 <= number < len(kernels):
        raise InputError(f"filters over {width} words: 0 to {len(kernels) - 1}, no {number}")
    return kernels[number], layers[width].bias[number]


def _made(subject: TextSubject, kernel: Tensor, bias: Tensor, n: int, common: int) -> Ranked:
    """Longer by a word each round: the best n so far, with the best n words at the next place."""
    known = subject.vocabulary.words[len(SPECIAL) : common]
    scores = subject.vectors[len(SPECIAL) : common] @ kernel  # (words, width)
    best: Ranked = [("", float(bias))]
    for column in scores.T:
        parts, numbers = column.topk(min(n, len(known)))
        longer = [
            (f"{ngram} {known[number]}".strip(), value + part)
            for ngram, value in best
            for number, part in zip(numbers.tolist(), parts.tolist(), strict=True)
        ]
        best = sorted(longer, key=lambda item: -item[1])[:n]
    return best


def _flipped(subject: TextSubject, sentence: Tensor, usable: Tensor, chosen: int) -> Tensor:
    """Sentences with one other word, `(B, T)`, those that the gradient promises the most for."""
    vectors = subject.vectors[sentence].T[None].clone().requires_grad_()  # (1, dimensions, T)
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(_odds(subject.network(vectors), chosen)[0], vectors)
    fresh = usable[~torch.isin(usable, sentence)]
    promise = subject.vectors[fresh] @ gradient[0]  # (words, T)
    best = promise.topk(min(CANDIDATES, len(fresh)), dim=0).indices.T  # (T, candidates)
    flipped = sentence.repeat(*best.shape, 1)  # (T, candidates, T)
    for place, numbers in enumerate(best):
        flipped[place, :, place] = fresh[numbers]
    return flipped.flatten(0, 1)


def _log_odds(subject: TextSubject, sentences: Tensor, chosen: int) -> Tensor:
    with torch.no_grad():
        return _odds(subject.network(subject.vectors[sentences].transpose(1, 2)), chosen)


def _odds(logits: Tensor, chosen: int) -> Tensor:
    """log of p / (1 - p), `(B,)`: unlike p, it never stops rising."""
    others = torch.cat([logits[:, :chosen], logits[:, chosen + 1 :]], 1)
    return logits[:, chosen] - others.logsumexp(1)
