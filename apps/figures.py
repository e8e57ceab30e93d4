"""Figures as people read them: shares in percent and as bars, those of a model's card in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from .models.metrics import is_number

if TYPE_CHECKING:
    from core.weights import Card

COMPARED = {
    "macro_recall": "macro recall",
    "top1": "top-1",
    "mean_average_precision": "mean average precision",
    "mean_iou": "mean intersection over union",
    "accuracy": "accuracy",
}
MEANINGS = {
    "macro recall": "of each class, the share that is found; averaged over the classes",
    "top-1": "how often the network's likeliest move is the one that was played",
    "mean average precision": "how much of what is found is right, averaged over how much of it is "
    "asked for and over the classes; 100 % is perfect",
    "mean intersection over union": "how far the pixels marked and the true ones overlap, averaged "
    "over the classes; 100 % is perfect",
    "accuracy": "the share of the answers that are right",
}


class Figure(NamedTuple):
    """What a model reached on a set, as a share."""

    set: str
    metric: str
    share: float


def percent(share: float) -> str:
    """0.342 -> '34.2 %', never broken at the line's end; what is seen as 0 is '< 0.1 %'."""
    shown = "< 0.1" if 0 < share < 0.0005 else f"{100 * share:.1f}"
    return f"{shown} %".replace(" ", "\N{NO-BREAK SPACE}")


def answer(label: str, share: float) -> str:
    """HTML of an answer's line, its label and probability; told to screen readers as it changes."""
    return f'<div class="verdict" role="status"><b>{escape(label)}</b> · {percent(share)}</div>'


def bars(shares: Iterable[tuple[str, float]]) -> str:
    """HTML: labels with their probabilities, each with a bar; all of its width is 100 %."""
    rows = (
        f"<tr><td>{escape(label)}</td><td>{percent(share)}</td>"
        f'<td><div style="width: {100 * share:.1f}%"></div></td></tr>'
        for label, share in shares
    )
    return f'<table class="bars">{"".join(rows)}</table>'


def compared(card: Card) -> Iterator[Figure]:
    """The figure that models are compared by, on each set that the card was measured on: the first
    of COMPARED that is there, but accuracy where there are two classes."""
    for name, measured in card.metrics.items():
        if isinstance(measured, Mapping):
            known = [metric for metric in COMPARED if is_number(measured.get(metric))]
            recall = measured.get("recall")
            if "accuracy" in known and isinstance(recall, Mapping) and len(recall) == 2:
                known = ["accuracy"]
            if known:
                yield Figure(name, COMPARED[known[0]], measured[known[0]])


def tested(card: Card) -> list[Figure]:
    """What the model reached on the set "test", or else on all its test sets; without any, on
    whatever there is."""
    figures = list(compared(card))
    on_tests = [figure for figure in figures if "test" in figure.set] or figures
    return [figure for figure in on_tests if figure.set == "test"] or on_tests


def headline(card: Card) -> str:
    """What the model reached on its test sets in a few words: 'test accuracy 96.2 %'.

    Without a test set, on whatever there is; "" where nothing was measured.
    """
    figures = tested(card)
    if not figures:
        return ""
    if len(figures) == 1:
        [(name, metric, share)] = figures
        return f"{name} {metric} {percent(share)}"
    shares = sorted(figure.share for figure in figures)
    sets = "test sets" if "test" in figures[0].set else "sets"
    reached = f"{percent(shares[0])} to {percent(shares[-1])} on {len(figures)} {sets}"
    return f"{' or '.join(_metrics(figures))} {reached}"


def meaning(card: Card) -> str:
    """What the metrics in the card's headline are, a sentence each; "" where there is none."""
    return " ".join(f"{m.capitalize()}: {MEANINGS[m]}." for m in _metrics(tested(card)))


def _metrics(figures: Iterable[Figure]) -> list[str]:
    return list(dict.fromkeys(figure.metric for figure in figures))
