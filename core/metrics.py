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


def temperature(logits: Tensor, classes: Tensor) -> float:
    """The number that logits (N, labels) are divided by to be calibrated: temperature scaling.

    Guo and others 2017, section 4.2: the one with the least negative log-likelihood, from 1/20 to
    20 so that a set which the logits separate, or know nothing of, leaves them finite and apart.
    """
    log_temperature = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_temperature], max_iter=100, line_search_fn="strong_wolfe")
    logits = logits.double()

    def negative_log_likelihood() -> Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(logits / log_temperature.exp(), classes)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(negative_log_likelihood)  # type: ignore[no-untyped-call]
    return float(log_temperature.detach().exp().clamp(1 / 20, 20))


def rounded(figures: dict[str, Any]) -> dict[str, Any]:
    """The same, every float to four digits."""
    return {
        name: rounded(value) if isinstance(value, dict)
        else round(value, 4) if isinstance(value, float) else value
        for name, value in figures.items()
    }  # fmt: skip
