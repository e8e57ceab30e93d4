"""The lecture's first CNN, row by row as on its slide."""

import torch
from torch.nn import functional as F

from core import registry
from core.arithmetic import table, total
from domains.image.zoo import keras_mnist  # noqa: F401


def test_the_slide():
    network = registry.build("keras-mnist", {})
    rows = table(network, torch.zeros(1, 1, 28, 28))
    assert [row.output_shape for row in rows] == [
        (25, 26, 26), (25, 13, 13), (50, 11, 11), (50, 5, 5), (1250,), (100,), (10,),
    ]  # fmt: skip
    assert network.conv1.conv.weight[0].numel() == 9
    assert network.conv2.conv.weight[0].numel() == 225
    assert [row.parameters for row in rows if row.parameters] == [250, 11_300, 125_100, 1010]
    assert total(rows).parameters == 137_660


def test_pictures_to_logits_and_back():
    network = registry.build("keras-mnist", {"classes": 4, "channels": 3, "size": 32})
    logits = network(torch.rand(5, 3, 32, 32))
    assert logits.shape == (5, 4)
    F.cross_entropy(logits, torch.tensor([0, 1, 2, 3, 0])).backward()
    assert all(weight.grad.any() for weight in network.parameters())
