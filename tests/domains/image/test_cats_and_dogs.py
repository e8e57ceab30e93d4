"""Cats and dogs: the numbers of Chollet's summary, and one sigmoid for two classes."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from core import registry
from core.arithmetic import table, total
from core.errors import InputError
from domains.image.zoo import cats_and_dogs  # noqa: F401


def built(**config):
    torch.manual_seed(0)
    return registry.build("cats-and-dogs", config)


def test_the_summary():
    rows = table(built(), torch.zeros(1, 3, 150, 150))
    assert [(row.output_shape, row.parameters) for row in rows] == [
        ((32, 148, 148), 896),
        ((32, 74, 74), 0),
        ((64, 72, 72), 18_496),
        ((64, 36, 36), 0),
        ((128, 34, 34), 73_856),
        ((128, 17, 17), 0),
        ((128, 15, 15), 147_584),
        ((128, 7, 7), 0),
        ((6272,), 0),
        ((512,), 3_211_776),
        ((1,), 513),
        ((2,), 0),
    ]
    assert total(rows).parameters == 3_453_121


def test_one_logit_is_the_sigmoid_of_the_second_class():
    network, pictures = built(size=60), torch.randn(5, 3, 60, 60)
    logits = network(pictures)
    z = nn.Sequential(*list(network)[:-1])(pictures)[:, 0]
    assert logits[:, 0].tolist() == [0] * 5
    torch.testing.assert_close(logits.softmax(1)[:, 1], z.sigmoid())
    dogs = torch.tensor([0, 1, 1, 0, 1])
    torch.testing.assert_close(
        F.cross_entropy(logits, dogs), F.binary_cross_entropy_with_logits(z, dogs.float())
    )


def test_every_weight_learns():
    network = built(size=60, classes=3)
    F.cross_entropy(network(torch.randn(3, 3, 60, 60)), torch.tensor([0, 1, 2])).backward()
    assert all(weight.grad.any() for weight in network.parameters())


def test_dropout_as_in_the_augmented_training():
    pictures = torch.randn(2, 3, 60, 60)
    plain, augmented = built(size=60), built(size=60, dropout=0.5)
    assert torch.equal(plain(pictures), plain(pictures))
    assert not torch.equal(augmented(pictures), augmented(pictures))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"classes": 1}, "classes cannot be 1"),
        ({"dropout": 1.0}, "dropout cannot be 1.0"),
        ({"dropout": -0.5}, "dropout cannot be -0.5"),
        ({"size": 40}, "a picture of 40x40 is too small: layer pool4 doesn't fit on 128x1x1"),
    ],
)
def test_settings_that_make_no_network(config, message):
    with pytest.raises(InputError, match=message):
        built(**config)
