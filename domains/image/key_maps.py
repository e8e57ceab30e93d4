"""What published ImageNet weights call the layers of networks that the zoo has too.

torchvision's names, and for EfficientNet-Lite0 those of the package `receptive[imagenet]` brings.
The layers stand in the same order on both sides, so the published names in that order are the map.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from .zoo import efficientnet_lite, googlenet, resnet, vgg


def key_map(arch: str, network: nn.Module) -> dict[str, str]:
    """From each key of the published state dict to that of `network`, a zoo's `arch`."""
    layers = {
        name: layer
        for name, layer in network.named_modules()
        if next(layer.parameters(recurse=False), None) is not None
    }
    return {
        f"{published}.{key}": f"{ours}.{key}"
        for published, ours in zip(LAYERS[arch], layers, strict=True)
        for key in layers[ours].state_dict()
    }


def _alexnet() -> Iterator[str]:
    yield from (f"features.{place}" for place in (0, 3, 6, 8, 10))
    yield from (f"classifier.{place}" for place in (1, 4, 6))


def _vgg(column: str) -> Iterator[str]:
    place = 0
    for block in column.split(" | "):
        for _ in block.split():
            yield f"features.{place}"
            place += 2  # a ReLU is a layer too
        place += 1  # and the pool
    yield from (f"classifier.{place}" for place in (0, 3, 6))


def _resnet(depth: int) -> Iterator[str]:
    bottleneck = depth >= resnet.FIRST_WITH_BOTTLENECKS
    yield from ("conv1", "bn1")
    for stage, blocks in enumerate(resnet.BLOCKS[depth], 1):
        for block in range(blocks):
            for n in range(1, 4 if bottleneck else 3):
                yield f"layer{stage}.{block}.conv{n}"
                yield f"layer{stage}.{block}.bn{n}"
            if block == 0 and (stage > 1 or bottleneck):
                yield f"layer{stage}.{block}.downsample.0"
                yield f"layer{stage}.{block}.downsample.1"
    yield "fc"


def _googlenet() -> Iterator[str]:
    modules = [name.replace("_", "") for name, widths in googlenet.TABLE_1.items() if widths]
    branches = ("branch1", "branch2.0", "branch2.1", "branch3.0", "branch3.1", "branch4.1")
    convolutions = [f"{module}.{branch}" for module in modules for branch in branches]
    for convolution in ("conv1", "conv2", "conv3", *convolutions):
        yield f"{convolution}.conv"
        yield f"{convolution}.bn"
    yield "fc"


def _efficientnet_lite0() -> Iterator[str]:
    expansions = [
        stage.expansion for stage in efficientnet_lite.STAGES for _ in range(stage.layers)
    ]
    yield from ("_conv_stem", "_bn0")
    for block, expansion in enumerate(expansions):
        if expansion > 1:
            yield f"_blocks.{block}._expand_conv"
            yield f"_blocks.{block}._bn0"
        yield from (
            f"_blocks.{block}.{layer}"
            for layer in ("_depthwise_conv", "_bn1", "_project_conv", "_bn2")
        )
    yield from ("_conv_head", "_bn1", "_fc")


LAYERS = {
    "alexnet-2014": tuple(_alexnet()),
    **{name: tuple(_vgg(vgg.TABLE_1[name])) for name in ("vgg11", "vgg13", "vgg16", "vgg19")},
    **{f"resnet{depth}": tuple(_resnet(depth)) for depth in resnet.BLOCKS},
    "googlenet-bn": tuple(_googlenet()),
    "efficientnet-lite0": tuple(_efficientnet_lite0()),
}
"""By the zoo's name, the published names of all layers with weights, in order. GoogLeNet's
auxiliary heads are not among them: they serve in training, and those published pool differently."""
