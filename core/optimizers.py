"""Muon: momentum for the weights' matrices whose steps move in all directions alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # coefficients and steps: Jordan and others 2024
NEWTON_SCHULZ_STEPS = 5
RMS = 0.2  # of a step at learning rate 1, about that of AdamW: Liu and others 2025, section 2.2
SECOND_MOMENT = 0.99


class Muon(Optimizer):
    """Jordan and others, "Muon", 2024; scaled as in Liu and others, arXiv:2502.16982.

    The momentum of a weight matrix is replaced by the nearest matrix whose singular values are all
    about 1, so that rare directions learn as fast as frequent ones. A convolution's filters
    `(out, in, *kernel)` are a matrix `(out, in * kernel)`. What is no matrix (biases, norms, a
    single filter) takes Adam's steps without weight decay; as momentum is not corrected for its
    start at zero, the first ones are small.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        momentum: float,
        weight_decay: float,  # decoupled: a step shrinks a weight by lr * weight_decay
    ) -> None:
        settings = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(parameters, settings)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step along the gradients; a parameter that has none stays."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, group)

    def _move(self, parameter: nn.Parameter, group: dict[str, Any]) -> None:
        state, gradient = self.state[parameter], parameter.grad
        assert gradient is not None
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        momentum = state["momentum"].lerp_(gradient, 1 - group["momentum"])
        ahead = gradient.lerp(momentum, group["momentum"])  # Nesterov
        if parameter.ndim > 1 and len(parameter) > 1:
            matrix = ahead.reshape(len(ahead), -1)
            step = orthogonal(matrix).reshape(ahead.shape) * max(matrix.shape) ** 0.5
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
        else:
            if "square" not in state:
                state["square"], state["steps"] = torch.zeros_like(parameter), torch.zeros(())
            state["steps"] += 1
            square = state["square"].lerp_(gradient.square(), 1 - SECOND_MOMENT)
            unbiased = square / (1 - SECOND_MOMENT ** state["steps"].item())
            step = ahead / (unbiased.sqrt() + 1e-8)
        parameter.add_(step, alpha=-RMS * group["lr"])


def orthogonal(matrix: Tensor) -> Tensor:
    """The matrix with its singular values moved to about 1 (0.7 to 1.2), by Newton and Schulz."""
    a, b, c = NEWTON_SCHULZ
    is_wide = matrix.shape[0] <= matrix.shape[1]
    x: Tensor = matrix if is_wide else matrix.T
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(NEWTON_SCHULZ_STEPS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x if is_wide else x.T
