"""Keras's example for CIFAR-10: the numbers of its summary."""

import pytest
import torch
from torch.nn import functional as F

from core import registry
from core.arithmetic import table, total
from core.errors import InputError
from domains.image.zoo import keras_cifar  # noqa: F401


def test_the_summary():
    rows = table(registry.build("keras-cifar", {}), torch.zeros(1, 3, 32, 32))
    assert [(row.output_shape, row.parameters) for row in rows] == [
        ((32, 32, 32), 896),
        ((32, 30, 30), 9_248),
        ((32, 15, 15), 0),
        ((64, 15, 15), 18_496),
        ((64, 13, 13), 36_928),
        ((64, 6, 6), 0),
        ((2304,), 0),
        ((512,), 1_180_160),
        ((10,), 5_130),
    ]
    assert total(rows).parameters == 1_250_858


def test_pictures_to_logits_and_back():
    network = registry.build("keras-cifar", {})
    pictures = torch.rand(3, 3, 32, 32)
    F.cross_entropy(network(pictures), torch.tensor([0, 4, 9])).backward()
    assert all(weight.grad.any() for weight in network.parameters())


def test_dropout_is_for_training():
    network, pictures = registry.build("keras-cifar", {}), torch.rand(2, 3, 32, 32)
    assert not torch.equal(network(pictures), network(pictures))
    network.eval()
    assert torch.equal(network(pictures), network(pictures))


def test_a_picture_that_is_too_small():
    with pytest.raises(InputError, match="too small: layer pool2 doesn't fit on 64x1x1"):
        registry.build("keras-cifar", {"size": 8})
