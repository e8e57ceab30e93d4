"""AlexNet in its two forms, against the lecture's table and the papers."""

import pytest
import torch
from torch.nn import functional as F

from core import registry
from core.arithmetic import table, total
from core.errors import InputError
from domains.image.zoo.alexnet import response_norm


def rows(name, size):
    with torch.device("meta"):
        return table(registry.build(name, {"size": size}), torch.zeros(1, 3, size, size))


def test_the_slide():
    found = rows("alexnet", 227)
    assert {row.name.split(".")[0]: row.output_shape for row in found} == {
        "conv1": (96, 55, 55),
        "pool1": (96, 27, 27),
        "norm1": (96, 27, 27),
        "conv2": (256, 27, 27),
        "pool2": (256, 13, 13),
        "norm2": (256, 13, 13),
        "conv3": (384, 13, 13),
        "conv4": (384, 13, 13),
        "conv5": (256, 13, 13),
        "pool3": (256, 6, 6),
        "flatten": (9216,),
        "fc6": (4096,),
        "fc7": (4096,),
        "fc8": (1000,),
    }


def test_parameters_and_receptive_fields():
    found = [row for row in rows("alexnet", 227) if row.parameters]
    assert [row.parameters for row in found[:2]] == [34_944, 614_656]  # (11*11*3 + 1) * 96 first
    assert sum(row.parameters for row in found[5:]) == 58_631_144
    assert total(found).parameters == 62_378_344
    assert [row.receptive_field[0] for row in found[:5]] == [11, 51, 99, 131, 163]


def test_224_does_not_come_out_even():
    """The paper's own size loses a row of filters at the edge, and with it part of the pools."""
    assert rows("alexnet", 224)[0].output_shape == (96, 54, 54)
    assert rows("alexnet", 224)[-4].output_shape == (256 * 5 * 5,)


def test_response_norm_is_the_formula_of_section_3_3():
    a = 20 * torch.randn(2, 9, 3, 3, dtype=torch.float64)
    b = torch.empty_like(a)
    for i in range(9):
        neighbours = a[:, max(0, i - 2) : min(8, i + 2) + 1]
        b[:, i] = a[:, i] / (2 + 1e-4 * (neighbours**2).sum(1)) ** 0.75
    torch.testing.assert_close(response_norm()(a), b)


def test_the_form_of_2014():
    found = rows("alexnet-2014", 224)
    assert [row.output_shape for row in found] == [
        (64, 55, 55), (64, 27, 27), (192, 27, 27), (192, 13, 13), (384, 13, 13), (256, 13, 13),
        (256, 13, 13), (256, 6, 6), (9216,), (4096,), (4096,), (1000,),
    ]  # fmt: skip
    assert total(found).parameters == 61_100_840


@pytest.mark.parametrize("name", ["alexnet", "alexnet-2014"])
def test_pictures_to_logits_and_back(name):
    torch.manual_seed(0)
    network = registry.build(name, {"classes": 10, "size": 67})
    logits = network(torch.randn(3, 3, 67, 67))
    assert logits.shape == (3, 10)
    F.cross_entropy(logits, torch.tensor([1, 5, 9])).backward()
    assert all(weight.grad.any() for weight in network.parameters())


@pytest.mark.parametrize("name", ["alexnet", "alexnet-2014"])
def test_a_picture_that_is_too_small(name):
    with pytest.raises(InputError, match=r"a picture of 32x32 is too small: layer pool\d doesn't"):
        registry.build(name, {"size": 32})
