"""How good the answers of a classifier are, in the one form that every domain's `eval` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchmetrics.functional.classification import (
    multiclass_calibration_error,
    multiclass_f1_score,
    multiclass_recall,
)


def classification(scores: Tensor, classes: Tensor, labels: Sequence[str]) -> dict[str, Any]:
    """Figures from 0 to 1 of `scores` (N, labels), probabilities, against `classes` (N,), int64.

    `macro_recall` and `macro_f1` are means over the classes that occur; `ece` is the expected
    calibration error over 15 bins (Guo and others 2017, eq. 3).
    """
    answers = scores.argmax(1)
    number = len(labels)
    recall = multiclass_recall(answers, classes, number, average="none").tolist()
    f1 = multiclass_f1_score(answers, classes, number, average="none").tolist()
    there = [index for index in range(number) if (classes == index).any()]
    return {
        "accuracy": (answers == classes).double().mean().item(),
        "macro_recall": sum(recall[index] for index in there) / len(there),
        "macro_f1": sum(f1[index] for index in there) / len(there),
        "recall": {labels[index]: recall[index] for index in there},
        "ece": multiclass_calibration_error(scores, classes, number, n_bins=15).item(),
        "n": len(classes),
    }


def negative_log_likelihood(scores: Tensor, classes: Tensor) -> float:
    """The mean of -log p, `scores` (N, labels) being probabilities, of the right `classes` (N,).

    In nats; a probability too small for a float32 counts as the smallest.
    """
    right = scores.gather(1, classes[:, None])
    return -right.clamp(min=torch.finfo(torch.float32).tiny).log().mean().item()


def rounded(figures: dict[str, Any]) -> dict[str, Any]:
    """The same, every float to four digits."""
    return {
        name: rounded(value) if isinstance(value, dict)
        else round(value, 4) if isinstance(value, float) else value
        for name, value in figures.items()
    }  # fmt: skip
