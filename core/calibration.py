"""Temperature scaling: a classifier as sure of its answers as it is right.

Guo and others, "On calibration of modern neural networks", ICML 2017, section 4.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack

import torch
from torch import Tensor, nn

BOUNDS = 1 / 20, 20.0
"""Of temperatures: a set of which the logits know nothing asks for infinity."""


def temperature(logits: Tensor, classes: Tensor) -> float:
    """The number that logits (N, labels) are divided by to be calibrated on classes (N,).

    The one within `BOUNDS` with the least negative log-likelihood; 1 where every answer is right,
    as such a set can't tell how often one will be wrong. Of (views, N, labels) the answers are the
    mean over the views' probabilities.
    """
    views = logits.double().reshape(-1, *logits.shape[-2:])
    if views.softmax(-1).mean(0).argmax(-1).equal(classes):
        return 1.0
    log_temperature = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_temperature], max_iter=100, line_search_fn="strong_wolfe")

    def negative_log_likelihood() -> Tensor:
        optimizer.zero_grad()
        each = (views / log_temperature.exp()).log_softmax(-1)
        loss = nn.functional.nll_loss(each.logsumexp(0) - math.log(len(views)), classes)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(negative_log_likelihood)  # type: ignore[no-untyped-call]
    return float(log_temperature.detach().exp().clamp(*BOUNDS))


def calibrate(layer: nn.Module, logits: Tensor, classes: Tensor) -> float:
    """Divides a network's last layer by the `temperature` of its logits, and returns that."""
    found = temperature(logits, classes)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.div_(found)
    return found


def last_layer(network: nn.Module, inputs: Sequence[Tensor]) -> nn.Module:
    """The layer with weights of its own that runs last in a network, as it stands, on `inputs`."""
    ran: list[nn.Module] = []
    with ExitStack() as stack, torch.no_grad():
        for module in network.modules():
            if next(module.parameters(recurse=False), None) is not None:
                hook = module.register_forward_hook(lambda layer, *_: ran.append(layer))
                stack.callback(hook.remove)
        network(*inputs)
    return ran[-1]
