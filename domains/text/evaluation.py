"""How often a text network is right: on dev texts while it is trained, on files once released."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from core import metrics

from .classifier import Sentiment, SentimentClassifier
from .data import Example, TextData, Words
from .recipe import MONITORS, LabelledFile, Ready

MAX_WORDS = 2048  # of a text that a released network reads
WORDS_A_BATCH, TEXTS_A_BATCH = 1 << 14, 256  # at most; words with padding
TEXTS_A_ROUND = 8192  # from one move of the progress bar to the next


def logits(
    model: nn.Module, vocabulary: Words, examples: Sequence[Example], title: str = ""
) -> Tensor:
    """The network's answers to whole texts, in order: (N, classes); -1e4 for labels not chosen.

    With a `title` there is a progress bar, if it takes long enough and stderr is a terminal.
    """
    data = TextData(examples, vocabulary, crop=MAX_WORDS, limit=MAX_WORDS)
    order = np.argsort(-data.lengths, kind="stable")  # the longest first
    device = next(model.parameters()).device
    answers: list[Tensor] = []
    start = 0
    model.eval()
    with torch.no_grad(), progress(title, len(order)) as bar:
        while start < len(order):
            fitting = max(WORDS_A_BATCH // int(data.lengths[order[start]]), 1)
            rows = order[start : start + min(fitting, TEXTS_A_BATCH)].tolist()
            words, _, among = data.batch(rows, np.random.default_rng(0))
            answers.append(model(words.to(device)).float().cpu().masked_fill(~among, -1e4))
            start += len(rows)
            bar.update(len(rows))
    together = torch.empty(len(examples), answers[0].shape[1])
    together[torch.from_numpy(order)] = torch.cat(answers)
    return together


def progress(title: str, total: int) -> tqdm:
    """A bar on stderr, where that is a terminal, for what takes more than two seconds."""
    return tqdm(
        desc=title, total=total, unit=" texts", unit_scale=True, delay=2, dynamic_ncols=True,
        disable=None if title else True,
    )  # fmt: skip


def figures(answers: Tensor, examples: Sequence[Example], labels: Sequence[str]) -> dict[str, Any]:
    """`core.metrics.classification` of logits (N, labels) against the examples' classes."""
    return metrics.classification(answers.softmax(1), classes(examples), labels)


def classes(examples: Sequence[Example]) -> Tensor:
    """The number of each example's label: (N,) int64."""
    return torch.tensor([int(np.argmax(example.target)) for example in examples])


def dev_figures(model: nn.Module, vocabulary: Words, ready: Ready) -> dict[str, float]:
    """`MONITORS`, each the mean over the dev files."""
    each = [figures(logits(model, vocabulary, dev), dev, ready.labels) for dev in ready.dev]
    return {name: float(np.mean([entry[name] for entry in each])) for name in MONITORS}


def evaluate(classifier: SentimentClassifier, file: LabelledFile) -> dict[str, Any]:
    """Figures of a released model on a labelled file; labels that the file lacks aren't chosen."""
    labels = classifier.labels
    _, examples = file.read(labels)
    among = [label for label, may in zip(labels, examples[0].among, strict=True) if may]
    texts = [example.text for example in examples]
    answers: list[Sentiment] = []
    started = time.perf_counter()
    with progress(file.path.name, len(texts)) as bar:
        for start in range(0, len(texts), TEXTS_A_ROUND):
            answers += classifier.predict(texts[start : start + TEXTS_A_ROUND], among=among)
            bar.update(len(answers) - start)
    seconds = time.perf_counter() - started
    scores = torch.tensor([[answer.scores.get(name, 0.0) for name in labels] for answer in answers])
    found = metrics.classification(scores, classes(examples), labels)
    return {**metrics.rounded(found), "texts_per_second": round(len(texts) / seconds)}
