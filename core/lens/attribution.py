"""Which places of an input an answer rests on: six methods, and a test of the methods themselves.

Each takes a subject, an input `(*shape)` and the number of an output, and gives the relevance of
each place for that output's logit, `(*spatial)`, summed over channels:

- sensitivities (saliency, deconvolution, guided backpropagation), never below 0: how strongly the
  logit would answer to a small change there, whichever way;
- contributions (integrated gradients, occlusion), with a sign: how much of the logit is there
  because of what stands there, and not what is neutral;
- Grad-CAM, never below 0: where the last maps speak for the output.

captum (Kokhlikar and others 2020) works out integrated gradients and occlusion. It takes one layer
for Grad-CAM and only ReLU for the two backpropagations, so these are here.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from core.errors import InputError
from core.tracing import AVERAGE_POOLS, MAX_POOLS

from .activations import run
from .subject import Subject

Method = Callable[[Subject, Tensor, int], Tensor]

BATCH = 32  # inputs at once
STEPS, MOST_STEPS = 32, 512  # of an integral
INCOMPLETE = 1e-3  # of the change of the logit may be missing
WINDOWS = 400  # that are covered for an occlusion, at most
NOTHING = 1e-3  # of the strongest relevance
RECTIFIERS = (F.relu, F.prelu, F.silu, F.hardtanh, torch.relu)  # nn.ReLU6 is a hard tanh
ENLARGE = {1: "linear", 2: "bilinear", 3: "trilinear"}


def saliency(subject: Subject, x: Tensor, output: int) -> Tensor:
    """|dy/dx|. Simonyan, Vedaldi and Zisserman, "Deep inside convolutional networks", 2014."""
    return _gradient(subject.network, x, output).abs().sum(0)


def integrated_gradients(subject: Subject, x: Tensor, output: int) -> Tensor:
    """Gradients along the way from the neutral input to x, times the way.

    They add up to y(x) - y(neutral): steps are doubled until that holds to a thousandth, or until
    there are 512. Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", ICML 2017.
    """
    from captum.attr import IntegratedGradients

    method = IntegratedGradients(subject.network)
    with torch.no_grad():
        reached, start = subject.network(torch.stack([x, subject.neutral]))[:, output].tolist()
    steps = STEPS
    while True:
        parts: Tensor = method.attribute(
            x[None], subject.neutral[None], target=output, n_steps=steps, internal_batch_size=BATCH
        )
        missing = abs(reached - start - float(parts.sum()))
        if missing <= INCOMPLETE * abs(reached - start) or steps >= MOST_STEPS:
            return parts[0].sum(0).to(x.dtype)
        steps *= 2


def occlusion(subject: Subject, x: Tensor, output: int) -> Tensor:
    """How far the logit falls when a window of the input is neutral.

    Along an axis short enough each place is covered alone: words, points of a Go board. Else the
    window is three of its steps wide (6x6 pixels of a digit), as one pixel is seldom missed, and a
    place's relevance is the mean over the windows that cover it. There are at most 400 windows.
    Zeiler and Fergus, "Visualizing and understanding convolutional networks", 2014, section 4.2.
    """
    from captum.attr import Occlusion

    most = int(WINDOWS ** (1 / (x.ndim - 1)) + 1e-9)  # along an axis
    steps = [math.ceil(n / most) for n in x.shape[1:]]
    sizes = [1 if s == 1 else min(3 * s, n) for s, n in zip(steps, x.shape[1:], strict=True)]
    falls: Tensor = Occlusion(subject.network).attribute(
        x[None],
        sliding_window_shapes=(len(x), *sizes),
        strides=(len(x), *steps),
        baselines=subject.neutral[None],
        target=output,
        perturbations_per_eval=BATCH,
    )
    return falls[0, 0].to(x.dtype)


def grad_cam(subject: Subject, x: Tensor, output: int) -> Tensor:
    """ReLU of the last maps, each weighed by the mean of its gradient, and enlarged to the input.

    The last maps are those before any pooling from which no later maps are made, so the text
    network's filters of all widths count. Weights have no place: where each output is a place (Go)
    the answer is much the same for all of them.
    Selvaraju and others, "Grad-CAM", ICCV 2017, section 3. Raises InputError if there are no maps.
    """
    found: list[Tensor] = []

    def keep(_name: str, layer: nn.Module, maps: Tensor) -> None:
        is_map = maps.ndim == x.ndim + 1 and maps.shape[1] > 1
        if is_map and not isinstance(layer, MAX_POOLS + AVERAGE_POOLS):
            found.append(maps)

    with torch.enable_grad():
        logits = run(subject.network, x[None].clone().requires_grad_(), keep)
        relevance = torch.zeros(x.shape[1:], dtype=x.dtype, device=x.device)
        if not found:
            raise InputError(f"{subject.name} has no maps for Grad-CAM: choose another method")
        for maps in _last(found, logits[0, output]):
            (gradient,) = torch.autograd.grad(logits[0, output], maps, retain_graph=True)
            weights = gradient.flatten(2).mean(2).reshape(*maps.shape[:2], *[1] * (x.ndim - 1))
            seen = (weights * maps).sum(1, keepdim=True).detach()
            relevance += F.interpolate(seen, x.shape[1:], mode=ENLARGE[x.ndim - 1])[0, 0]
    return relevance.relu()


def deconvolution(subject: Subject, x: Tensor, output: int) -> Tensor:
    """The gradient, in which rectifiers let pass what is above 0 on the way back, whatever x was.

    Any rectifier counts as ReLU on the way back, SiLU, PReLU and ReLU6 too: their small slopes
    below 0 would turn signs. Sigmoids of squeeze-excite pass their own gradient.
    Zeiler and Fergus, "Visualizing and understanding convolutional networks", ECCV 2014.
    """
    with _Rectified(guided=False):
        return saliency(subject, x, output)


def guided_backpropagation(subject: Subject, x: Tensor, output: int) -> Tensor:
    """As deconvolution, and nothing passes where the rectifier's own input was below 0.

    Sharp, but much the same for all outputs and for random weights: see `randomised`.
    Springenberg and others, "Striving for simplicity", ICLR 2015, section 3.4.
    """
    with _Rectified(guided=True):
        return saliency(subject, x, output)


METHODS: dict[str, Method] = {
    "saliency": saliency,
    "integrated-gradients": integrated_gradients,
    "occlusion": occlusion,
    "grad-cam": grad_cam,
    "deconvolution": deconvolution,
    "guided-backpropagation": guided_backpropagation,
}


def randomised(
    subject: Subject, x: Tensor, output: int, method: Method, seed: int = 0
) -> list[tuple[str, float]]:
    """How alike the relevances stay while the network forgets what it learned.

    From the output down, one more layer each time has its weights shuffled, so that their scale
    stays. To each layer's name belongs Spearman's rank correlation of |relevance| with that of the
    trained network, over places where it is not about 0 in both: where x is neutral, some methods
    have nothing to say anyway. A method that explains what was learned falls to about 0.
    Adebayo and others, "Sanity checks for saliency maps", NeurIPS 2018, section 3.
    """
    network = copy.deepcopy(subject.network)
    forgetful = replace(subject, network=network)
    trained = _strength(method(subject, x, output))
    generator = torch.Generator().manual_seed(seed)
    found: list[tuple[str, float]] = []
    for name, layer in reversed(_weighted(network, x)):
        for weight in layer.parameters(recurse=False):
            order = torch.randperm(weight.numel(), generator=generator).to(weight.device)
            weight.data = weight.data.flatten()[order].reshape(weight.shape)
        random = _strength(method(forgetful, x, output))
        counts = (trained > NOTHING) | (random > NOTHING)
        found.append((name, rank_correlation(trained[counts], random[counts])))
    return found


def rank_correlation(a: Tensor, b: Tensor) -> float:
    """Spearman's, of two tensors of a shape; equals share their mean rank; 0 where all are."""
    ranks = torch.stack([_ranks(a), _ranks(b)])
    return float(torch.corrcoef(ranks)[0, 1].nan_to_num(0.0))


def _strength(relevance: Tensor) -> Tensor:
    """Of the strongest, from 0 to 1."""
    return relevance.abs() / relevance.abs().max().clamp(min=torch.finfo(relevance.dtype).tiny)


def _ranks(values: Tensor) -> Tensor:
    places: Tensor
    counts: Tensor
    _, places, counts = torch.unique(values.flatten(), return_inverse=True, return_counts=True)
    return (counts.cumsum(0) - (counts - 1) / 2)[places].double()


def _gradient(network: nn.Module, x: Tensor, output: int) -> Tensor:
    with torch.enable_grad():
        start = x[None].clone().requires_grad_()
        (gradient,) = torch.autograd.grad(network(start)[0, output], start)
    return gradient[0]


def _last(found: list[Tensor], logit: Tensor) -> Iterator[Tensor]:
    """Of maps in the order in which they were made, those that `logit` needs and no later ones."""
    left = _needed(logit, found)
    while left:
        latest = left[-1]
        yield latest
        before = _needed(latest.sum(), left)
        left = [maps for maps in left if not any(maps is other for other in before)]


def _needed(value: Tensor, maps: list[Tensor]) -> list[Tensor]:
    gradients = torch.autograd.grad(value, maps, retain_graph=True, allow_unused=True)
    return [one for one, gradient in zip(maps, gradients, strict=True) if gradient is not None]


def _weighted(network: nn.Module, x: Tensor) -> list[tuple[str, nn.Module]]:
    """Modules with weights of their own, in the order in which they run."""
    names = {module: name for name, module in network.named_modules()}
    ran: dict[str, nn.Module] = {}

    def note(module: nn.Module, _inputs: object, _output: object) -> None:
        if next(module.parameters(recurse=False), None) is not None:
            ran.setdefault(names[module], module)

    with ExitStack() as hooks, torch.no_grad():
        for module in network.modules():
            hooks.enter_context(module.register_forward_hook(note))
        network(x[None])
    return list(ran.items())


class _Rectified(TorchFunctionMode):
    """While on, rectifiers pass back only what is above 0."""

    def __init__(self, guided: bool) -> None:
        super().__init__()
        self.guided = guided

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if func not in RECTIFIERS:
            return func(*args, **(kwargs or {}))
        through = args[0].relu() if self.guided else args[0].clone()
        answer = func(*args, **(kwargs or {})).detach() + (through - through.detach())
        answer.register_hook(lambda gradient: gradient.clamp(min=0))
        return answer
