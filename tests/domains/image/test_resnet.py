"""ResNets and SENets against the papers' tables and the figures of the published weights."""

from functools import cache

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import domains.image.zoo  # noqa: F401  registers them
from core import registry
from core.arithmetic import table, total
from core.errors import InputError

DEPTHS = [18, 34, 50, 101, 152]


@cache
def rows(name, size=224, **config):
    with torch.device("meta"):
        return table(registry.build(name, config), torch.zeros(1, 3, size, size))


@pytest.mark.parametrize("stride_in", ["1x1", "3x3"])
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("resnet18", 11_689_512),
        ("resnet34", 21_797_672),
        ("resnet50", 25_557_032),
        ("resnet101", 44_549_160),
        ("resnet152", 60_192_808),
        ("se-resnet50", 28_088_024),
        ("se-resnet101", 49_326_872),
    ],
)
def test_parameters(name, parameters, stride_in):
    assert total(rows(name, stride_in=stride_in)).parameters == parameters


@pytest.mark.parametrize("stride_in", ["1x1", "3x3"])
@pytest.mark.parametrize("depth", DEPTHS)
def test_output_volumes_of_table_1(depth, stride_in):
    last = {row.name.split(".")[0]: row for row in rows(f"resnet{depth}", stride_in=stride_in)}
    times = 4 if depth >= 50 else 1
    assert {name: row.output_shape for name, row in last.items()} == {
        "conv1": (64, 112, 112),
        "pool1": (64, 56, 56),
        "conv2_x": (64 * times, 56, 56),
        "conv3_x": (128 * times, 28, 28),
        "conv4_x": (256 * times, 14, 14),
        "conv5_x": (512 * times, 7, 7),
        "pool5": (512 * times,),
        "fc": (1000,),
    }


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_resnet_has_as_many_layers_as_its_name_says(depth):
    kinds = [row.kind for row in rows(f"resnet{depth}") if "shortcut" not in row.name]
    assert kinds.count("Conv2d") + kinds.count("Linear") == depth


@pytest.mark.parametrize(
    ("depth", "billions"), [(18, 1.8), (34, 3.6), (50, 3.8), (101, 7.6), (152, 11.3)]
)
def test_multiply_adds_of_table_1(depth, billions):
    work = total(rows(f"resnet{depth}", stride_in="1x1")).multiply_adds
    assert work / 1e9 == pytest.approx(billions, rel=0.02)


@pytest.mark.parametrize(("depth", "billions"), [(50, 4.089), (101, 7.801), (152, 11.514)])
def test_multiply_adds_of_the_published_weights(depth, billions):
    """As torchvision's page of models gives them."""
    work = total(rows(f"resnet{depth}")).multiply_adds
    assert work / 1e9 == pytest.approx(billions, abs=0.001)


@pytest.mark.parametrize(("depth", "published"), [(50, 483), (101, 1027), (152, 1507)])
def test_receptive_fields(depth, published):
    """Araujo and others, "Computing receptive fields of convolutional networks", Distill 2019."""
    seen = [row for row in rows(f"resnet{depth}", 2048, stride_in="1x1") if "conv5" in row.name]
    assert seen[-1].receptive_field == (published, published)


def test_a_block_that_adds_nothing_hands_its_input_on():
    """The last norm of each body at zero: conv3_x, but for its projection, is the identity."""
    torch.manual_seed(0)
    network = registry.build("resnet50", {"classes": 10, "size": 32}).eval()
    for block in network.conv3_x[1:]:
        nn.init.zeros_(block.body[-1].norm.weight)
    maps = torch.rand(1, 512, 4, 4)
    torch.testing.assert_close(network.conv3_x[1:](maps), maps)


def test_squeeze_and_excite_weighs_what_a_block_adds_not_its_shortcut():
    torch.manual_seed(0)
    block = registry.build("se-resnet50", {"classes": 10, "size": 32}).eval().conv2_x[1]
    maps = torch.rand(1, 256, 8, 8)
    *convolutions, squeeze_excite = block.body
    added = nn.Sequential(*convolutions)(maps)
    nn.init.constant_(squeeze_excite.excite[1].linear.weight, 0)
    nn.init.constant_(squeeze_excite.excite[1].linear.bias, 0)  # sigmoid(0) = 1/2
    torch.testing.assert_close(block(maps), F.relu(maps + added / 2))


@pytest.mark.parametrize("name", ["resnet18", "resnet152", "se-resnet50"])
def test_every_weight_gets_a_gradient(name):
    torch.manual_seed(0)
    network = registry.build(name, {"classes": 10, "channels": 1, "size": 32})
    logits = network(torch.randn(4, 1, 32, 32))
    assert logits.shape == (4, 10)
    F.cross_entropy(logits, torch.arange(4)).backward()
    for key, weight in network.named_parameters():
        assert weight.grad is not None, key
        assert weight.grad.isfinite().all(), key
        assert weight.grad.any(), key


def test_settings_that_make_no_sense():
    with pytest.raises(InputError, match="stride_in cannot be '2x2': 1x1, 3x3"):
        registry.build("resnet50", {"stride_in": "2x2"})
    with torch.device("meta"), pytest.raises(InputError, match="reduction 7 does not divide 256"):
        registry.build("se-resnet50", {"reduction": 7})
