"""A model for tests whose filters are set by hand: it names the colour nearest to a picture.

Its architecture is registered as "colours": one 1x1 filter a colour, and their mean over the
picture.
"""

import dataclasses
import functools

import torch
from PIL import Image
from torch import nn

from core import registry, weights
from core.blocks import Conv, GlobalAveragePool
from core.export import to_onnx
from domains.image.zoo.config import ImageConfig

COLOURS = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
}
LABELS = list(COLOURS)
SIZE = 16
MEAN, STD = 0.5, 0.25
PREPROCESSING = {
    "channels": 3, "size": SIZE, "mean": [MEAN] * 3, "std": [STD] * 3, "fit": "crop",
    "mirrored": False,
}  # fmt: skip
SURENESS = 20.0


@registry.register("colours", ImageConfig)
class ColourNet(nn.Sequential):
    """(B, 3, H, W) -> (B, colours): 2 x·c - |c|², largest for the colour c nearest to the mean x"""

    def __init__(self, config):
        super().__init__()
        self.filters = Conv(3, len(COLOURS), 1, activation=None)
        self.pool = GlobalAveragePool()
        colours = torch.tensor(list(COLOURS.values())) / 255
        with torch.no_grad():
            self.filters.conv.weight.copy_(SURENESS * 2 * STD * colours[:, :, None, None])
            self.filters.conv.bias.copy_(
                SURENESS * (2 * MEAN * colours.sum(1) - colours.square().sum(1))
            )


def network():
    return registry.build("colours", dataclasses.asdict(ImageConfig(len(COLOURS), 3, SIZE))).eval()


def picture(label, size=(SIZE, SIZE), mode="RGB"):
    """A picture of one colour, (width, height) pixels."""
    return Image.new("RGB", size, COLOURS[label]).convert(mode)


def save(folder, name="colours", **changes):
    """Writes the model into `folder` and returns its card's path; `changes` are to the card."""
    tensors = {name: tensor.numpy() for name, tensor in network().state_dict().items()}
    card = weights.Card(
        name=name,
        domain="image",
        architecture="colours",
        config={"classes": len(COLOURS), "channels": 3, "size": SIZE},
        labels=LABELS,
        preprocessing=PREPROCESSING,
        description="colours, filters set by hand",
        data=[],
        licence="MIT",
        command="none",
        metrics={},
    )
    card = dataclasses.replace(card, **changes)
    return weights.save(card, tensors, folder, {f"{name}.onnx": _graph(f"{name}.safetensors")}).path


@functools.cache
def _graph(weights_file):
    model = network()
    tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    example = [torch.zeros(2, 3, SIZE, SIZE)]
    axes = {"pictures": {0: "B"}}
    return to_onnx(model, example, ["pictures"], ["logits"], axes, tensors, weights_file)
