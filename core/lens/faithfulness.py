"""Whether the places that a method calls relevant are: the network is asked without them.

Places go from the most relevant to the least; one that goes is neutral in all channels. Petsiuk,
Das and Saenko, "RISE", BMVC 2018, section 4.2, who begin insertion with a blurred picture: here it
begins with the subject's neutral input, which every sense has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .subject import Subject

Curve = Callable[[Subject, Tensor, Tensor, int, int], Tensor]

BATCH = 32  # inputs at once
STEPS = 50
ORDERS = 5  # random ones, for the mean


@dataclass(frozen=True)
class Faithfulness:
    """Areas under the curves, from 0 to 1, of a relevance and of places in random order.

    deletion: the lower the better; insertion: the higher the better
    """

    deletion: float
    insertion: float
    random_deletion: float
    random_insertion: float

    @property
    def deletion_margin(self) -> float:
        """By how much it beats the random order."""
        return self.random_deletion - self.deletion

    @property
    def insertion_margin(self) -> float:
        """By how much it beats the random order."""
        return self.insertion - self.random_insertion


def deletion(
    subject: Subject, x: Tensor, relevance: Tensor, output: int, steps: int = STEPS
) -> Tensor:
    """The output's probability as the most relevant places become neutral, `(steps + 1,)`.

    x: `(*shape)`; relevance: `(*spatial)`. The first is for x, the last for the neutral input, and
    steps are of equal size; there are no more of them than places.
    """
    return _curve(subject, x, subject.neutral, relevance, output, steps)


def insertion(
    subject: Subject, x: Tensor, relevance: Tensor, output: int, steps: int = STEPS
) -> Tensor:
    """As `deletion`, as x's most relevant places are put into the neutral input."""
    return _curve(subject, subject.neutral, x, relevance, output, steps)


def area(curve: Tensor) -> float:
    """Under a curve over the share of places that went, from 0 to 1, by trapezoids."""
    return float(torch.trapezoid(curve)) / (len(curve) - 1)


def faithfulness(
    subject: Subject, x: Tensor, relevance: Tensor, output: int, steps: int = STEPS, seed: int = 0
) -> Faithfulness:
    """Both areas of a relevance, beside the mean areas of 5 random orders."""
    generator = torch.Generator().manual_seed(seed)
    chance = [torch.rand(relevance.shape, generator=generator) for _ in range(ORDERS)]

    def mean_area(curve: Curve, orders: list[Tensor]) -> float:
        return sum(area(curve(subject, x, one, output, steps)) for one in orders) / len(orders)

    return Faithfulness(
        deletion=mean_area(deletion, [relevance]),
        insertion=mean_area(insertion, [relevance]),
        random_deletion=mean_area(deletion, chance),
        random_insertion=mean_area(insertion, chance),
    )


@torch.no_grad()
def _curve(
    subject: Subject, start: Tensor, end: Tensor, relevance: Tensor, output: int, steps: int
) -> Tensor:
    """Probabilities on the way from `start` to `end`, the most relevant places first."""
    order = relevance.flatten().argsort(descending=True, stable=True)
    rank = order.argsort().reshape(relevance.shape).to(start.device)
    steps = min(steps, len(order))
    gone = torch.arange(steps + 1, device=start.device) * len(order) // steps  # places, by step
    curve = []
    for counts in torch.split(gone, BATCH):
        changed = rank < counts.reshape(-1, *[1] * rank.ndim)  # (b, *spatial)
        inputs = torch.where(changed[:, None], end, start)
        curve.append(subject.network(inputs).softmax(1)[:, output])
    return torch.cat(curve)
