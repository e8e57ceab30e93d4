"""The numbers of cards and logs, as people read them: what they are called, in which unit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple, TypeGuard


class Metric(NamedTuple):
    """What a number is called, its unit, and what it means in a sentence."""

    title: str
    unit: str
    meaning: str

    @property
    def heading(self) -> str:
        """For the column of a table, or a chart's axis."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


_KNOWN = {
    "accuracy": ("accuracy", "%", "The share of the answers that are right."),
    "macro_recall": (
        "macro recall", "%", "Of each class, the share that is found; the mean over the classes.",
    ),
    "macro_f1": (
        "macro F1", "%",
        "The harmonic mean of precision and recall of each class; the mean over the classes.",
    ),
    "ece": (
        "calibration error", "%",
        "How far the probabilities are from how often the answers are right, on average.",
    ),
    "nll": (
        "negative log-likelihood", "nats",
        "The mean of -log p of the right answer; the lower the better.",
    ),
    "loss": ("loss", "nats", "The mean of -log p of the right answer; the lower the better."),
    "top1": ("top-1", "%", "How often the likeliest answer is the right one."),
    "top5": ("top-5", "%", "How often the right answer is among the five likeliest."),
    "mean_average_precision": (
        "mean average precision", "%",
        "How much of what is found is right, over all thresholds; the mean over the classes.",
    ),
    "average_precision": (
        "average precision", "%", "How much of what is found is right, over all thresholds.",
    ),
    "mean_iou": (
        "mean IoU", "%",
        "Overlap of the pixels marked and the true ones over their union; the classes' mean.",
    ),
    "digits_iou": (
        "IoU of digits", "%", "The same of all digits together, against the background.",
    ),
    "iou": ("IoU", "%", "Overlap of the pixels marked and the true ones over their union."),
    "recall": ("recall", "%", "The share of the class that is found."),
    "proposed": (
        "proposed", "%", "The share of the objects for which a region was proposed at all.",
    ),
    "words": ("words", "%", "The share of the keywords that are recognised."),
    "unknown": ("unknown", "%", "The share of other words that are told from the keywords."),
    "silence": ("silence", "%", "The share of clips without a word that are told from words."),
    "score": ("score", "%", "The mean of the recalls, which chose the weights."),
    "n": ("examples", "", "How many examples the set has."),
    "symmetries": ("looks", "", "Symmetries of the board over which the answer is averaged."),
    "temperature": (
        "temperature", "", "The logits are divided by it, so that probabilities are calibrated.",
    ),
    "epochs": ("epochs", "", "How often the training data were gone through."),
    "minutes": ("training", "min", "How long the training took."),
    "hours": ("training", "h", "How long the training took."),
    "lr": ("learning rate", "", "How far a step moves the weights."),
    "examples_per_second": ("speed", "examples/s", "Training examples a second."),
}  # fmt: skip


def named(key: str) -> Metric:
    """The metric that cards and logs call `key`; one not known here is called as it is there."""
    if key in _KNOWN:
        return Metric(*_KNOWN[key])
    if key.endswith("_per_second"):
        return Metric("speed", f"{key.removesuffix('_per_second')}/s", "How many a second.")
    return Metric(plain(key.replace("_", " ")), "", "")


def plain(text: str) -> str:
    """A foreign card's words without what would be Markdown, such as a picture from elsewhere."""
    return " ".join(re.sub(r"[^\w ,.()/%+-]", " ", text).split())


def sorted_keys(keys: Iterable[str]) -> list[str]:
    """What models are compared by first, numbers of examples and speeds last."""
    known = list(_KNOWN)
    return sorted(keys, key=lambda key: (known.index(key) if key in known else len(known), key))


def shown(key: str, value: float) -> float:
    """A number in its metric's unit: shares in %."""
    return 100 * value if named(key).unit == "%" else value


def is_number(value: Any) -> TypeGuard[float]:
    """Whether `value` is a finite number, of a size that a float can have."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def duration(seconds: float) -> str:
    """
    >>> duration(48), duration(65.7 * 60), duration(2.01 * 3600)
    ('48 s', '66 min', '2.0 h')
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
