"""The parts that every network here is built from.

Shapes are written `(B, C, *spatial)`: batch, channels, then one axis for a sequence, two for an
image, three for a volume. `dims` says how many spatial axes a block works on.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .errors import InputError

Activation = Literal["relu", "relu6", "prelu", "silu", "tanh", "sigmoid"]
Size = int | tuple[int, ...]
ConvNd = nn.Conv1d | nn.Conv2d | nn.Conv3d
TransposedConvNd = nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "prelu": nn.PReLU,  # one learned slope for all channels
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
CONVOLUTION: dict[int, type[ConvNd]] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED_CONVOLUTION: dict[int, type[TransposedConvNd]] = {
    1: nn.ConvTranspose1d,
    2: nn.ConvTranspose2d,
    3: nn.ConvTranspose3d,
}
BATCH_NORM = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
MAX_POOL = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVERAGE_POOL = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


class Conv(nn.Sequential):
    """Slides learned filters over the input, then batch norm (optional) and the activation.

    As in every CNN, a filter is not flipped: this is cross-correlation. With `norm` the filters
    have no bias, as the norm brings its own; it adds `eps` to the variance that it divides by.

    `(B, in_channels, *spatial) -> (B, out_channels, *spatial')`, each axis (N - F + 2P)/S + 1 long,
    rounded down; with `dilation` D between its taps, a filter of F is (F - 1)D + 1 wide. With
    `groups` each filter sees in_channels / groups of the channels.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: Size,
        *,
        stride: Size = 1,
        padding: Size = 0,
        dilation: Size = 1,
        groups: int = 1,
        dims: int = 2,
        bias: bool = True,
        norm: bool = False,
        eps: float = 1e-5,
        activation: Activation | None = "relu",
    ) -> None:
        super().__init__()
        conv: Any = CONVOLUTION[dims]
        self.conv: ConvNd = conv(
            in_channels, out_channels, kernel, stride, padding, dilation, groups,
            bias=bias and not norm,
        )  # fmt: skip
        if norm:
            self.norm = BATCH_NORM[dims](out_channels, eps=eps)
        if activation:
            self.activation = _activation(activation)


class TransposedConv(nn.Sequential):
    """The way back of a Conv: each value lays its filters, times itself, onto a larger output.

    `(B, in_channels, *spatial) -> (B, out_channels, *spatial')`, each axis (N - 1)S + F - 2P long.
    Zeiler and others, "Deconvolutional networks", CVPR 2010; in U-Net the "up-convolution".
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: Size,
        *,
        stride: Size = 1,
        padding: Size = 0,
        dims: int = 2,
        activation: Activation | None = "relu",
    ) -> None:
        super().__init__()
        conv: Any = TRANSPOSED_CONVOLUTION[dims]
        self.conv: TransposedConvNd = conv(in_channels, out_channels, kernel, stride, padding)
        if activation:
            self.activation = _activation(activation)


class FullyConnected(nn.Sequential):
    """Every output sees every input. `(B, *, in_features) -> (B, *, out_features)`"""

    def __init__(
        self, in_features: int, out_features: int, activation: Activation | None = None
    ) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features, out_features)
        if activation:
            self.activation = _activation(activation)


class Flatten(nn.Flatten):
    """`(B, C, *spatial) -> (B, C * positions)`"""


class _Pool(nn.Module):
    """One number for each window; the stride is the kernel's size unless given.

    `(B, C, *spatial) -> (B, C, *spatial')`, each axis (N - F + 2P)/S + 1 long, rounded down, or
    with `ceil` rounded up: the last window then hangs over the end, and what is outside counts for
    nothing.
    """

    def __init__(
        self,
        kernel: Size,
        stride: Size | None = None,
        padding: Size = 0,
        *,
        ceil: bool = False,
        dims: int = 2,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel
        self.stride = kernel if stride is None else stride
        self.padding = padding
        self.ceil = ceil
        self.dims = dims

    def extra_repr(self) -> str:
        return (
            f"{self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"ceil={self.ceil}, dims={self.dims}"
        )


class MaxPool(_Pool):
    """The largest of each window. `(B, C, *spatial) -> (B, C, *spatial')`, sized as by Conv."""

    def forward(self, x: Tensor) -> Tensor:
        pool = MAX_POOL[self.dims]
        return pool(x, self.kernel_size, self.stride, self.padding, ceil_mode=self.ceil)


class AveragePool(_Pool):
    """The mean of each window. `(B, C, *spatial) -> (B, C, *spatial')`, sized as by Conv.

    The padding's zeros count as values.
    """

    def forward(self, x: Tensor) -> Tensor:
        pool = AVERAGE_POOL[self.dims]
        return pool(x, self.kernel_size, self.stride, self.padding, self.ceil)


class GlobalMaxPool(nn.Module):
    """The largest value of each channel. `(B, C, *spatial) -> (B, C)`

    A sequence batch `(B, C, T)` may come with `mask (B, T)`, True where it is real: what lies
    behind the end of a text then has no say, however far it is padded. Nothing real pools to 0.
    """

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None:
            return x.flatten(2).amax(2)
        mask = mask[:, None]
        largest = x.masked_fill(~mask, -torch.inf).amax(2)
        return largest.masked_fill(~mask.any(2), 0.0)


class GlobalAveragePool(nn.Module):
    """The mean of each channel. `(B, C, *spatial) -> (B, C)`

    A sequence batch `(B, C, T)` may come with `mask (B, T)`, as in GlobalMaxPool: padding adds
    zeros to the sum and counts for nothing, so only the last bit may round differently.
    """

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None:
            return x.flatten(2).mean(2)
        mask = mask[:, None]
        total = (x * mask).sum(2)
        return total / mask.sum(2).clamp(min=1)


class KMaxPool(nn.Module):
    """The k largest values of each channel, in the order in which they stood.

    `(B, C, T) -> (B, C, k)`, T >= k. Of equals, the first count.
    Kalchbrenner and others, ACL 2014, section 3.2.
    """

    def __init__(self, k: int) -> None:
        super().__init__()
        self.k = k

    def forward(self, x: Tensor) -> Tensor:
        largest = x.sort(dim=2, descending=True, stable=True).indices[:, :, : self.k]
        return x.gather(2, largest.sort(dim=2).values)


class Residual(nn.Module):
    """activation(body(x) + shortcut(x)); the shortcut is the identity unless given.

    `body` ends without activation. He and others, CVPR 2016, figure 2.
    """

    def __init__(
        self,
        body: nn.Module,
        shortcut: nn.Module | None = None,
        activation: Activation | None = "relu",
    ) -> None:
        super().__init__()
        self.body = body
        self.shortcut = nn.Identity() if shortcut is None else shortcut
        self.activation = _activation(activation) if activation else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.activation(self.body(x) + self.shortcut(x))
        return out


class Branches(nn.ModuleList):
    """Each branch looks at the same input; their channels are laid one behind the other.

    `(B, C, *spatial) -> (B, sum of the branches' channels, *spatial')`, spatial' being the same for
    all. Szegedy and others, CVPR 2015, figure 2: an Inception module.
    """

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self], 1)


class SqueezeExcite(nn.Module):
    """Weighs each channel by what all channels hold on average. `(B, C, *spatial) -> same`

    Hu and others, CVPR 2018, section 3. Raises InputError if `reduction` does not divide
    `channels`.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        if channels % reduction:
            raise InputError(f"squeeze-excite: reduction {reduction} does not divide {channels}")
        self.squeeze = GlobalAveragePool()
        self.excite = nn.Sequential(
            FullyConnected(channels, channels // reduction, "relu"),
            FullyConnected(channels // reduction, channels, "sigmoid"),
        )

    def forward(self, x: Tensor) -> Tensor:
        weight: Tensor = self.excite(self.squeeze(x))
        return x * weight.reshape(*weight.shape, *[1] * (x.ndim - 2))


class PositionBias(nn.Module):
    """Adds a different learned bias at each position. `(B, ..., *shape) -> same`

    AlphaGo's policy network ends so, after a 1x1 filter (Silver and others, Nature 2016, Methods).
    """

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(shape))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bias


def _activation(name: str) -> nn.Module:
    if name not in ACTIVATIONS:
        raise InputError(f"no activation called {name!r}; known: {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]()
