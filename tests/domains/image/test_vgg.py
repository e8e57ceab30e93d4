"""VGG: tables 1 and 2 of Simonyan and Zisserman 2015, and the published figures of its layers."""

import pytest
import torch
from torch.nn import functional as F

from core import registry
from core.arithmetic import table, total
from core.errors import InputError
from domains.image.zoo import vgg

MILLIONS = {  # table 2
    "vgg11": 133, "vgg11-lrn": 133, "vgg13": 133, "vgg16-1x1": 134, "vgg16": 138, "vgg19": 144,
}  # fmt: skip
EXACTLY = {"vgg11": 132_863_336, "vgg13": 133_047_848, "vgg16": 138_357_544, "vgg19": 143_667_240}
WEIGHT_LAYERS = {
    "vgg11": 11, "vgg11-lrn": 11, "vgg13": 13, "vgg16-1x1": 16, "vgg16": 16, "vgg19": 19,
}  # fmt: skip
GREY, CLASSES = 1, 10


def rows(name):
    with torch.device("meta"):
        return table(registry.build(name, {}), torch.zeros(1, 3, 224, 224))


@pytest.mark.parametrize("name", MILLIONS)
def test_the_papers_tables(name):
    found = rows(name)
    parameters = total(found).parameters
    assert round(parameters / 1e6) == MILLIONS[name]
    assert parameters == EXACTLY.get(name, parameters)
    assert sum(row.parameters > 0 for row in found) == WEIGHT_LAYERS[name]
    pools = [row.output_shape for row in found if row.kind == "MaxPool"]
    assert pools == [(64, 112, 112), (128, 56, 56), (256, 28, 28), (512, 14, 14), (512, 7, 7)]
    assert [row.output_shape for row in found[-3:]] == [(4096,), (4096,), (1000,)]


def test_configuration_d_layer_by_layer():
    """Parameters and volumes of the lecture's table; receptive fields as published for VGG-16."""
    found = rows("vgg16")
    assert [
        (row.output_shape[0], row.output_shape[-1], row.parameters - row.output_shape[0])
        for row in found
        if row.kind == "Conv2d"
    ] == [
        (64, 224, 1_728), (64, 224, 36_864),
        (128, 112, 73_728), (128, 112, 147_456),
        (256, 56, 294_912), (256, 56, 589_824), (256, 56, 589_824),
        (512, 28, 1_179_648), (512, 28, 2_359_296), (512, 28, 2_359_296),
        (512, 14, 2_359_296), (512, 14, 2_359_296), (512, 14, 2_359_296),
    ]  # fmt: skip
    assert [row.parameters - 4096 for row in found if row.name in ("fc6.linear", "fc7.linear")] == [
        102_760_448, 16_777_216,
    ]  # fmt: skip
    assert [row.receptive_field[0] for row in found[:18]] == [
        3, 5, 6, 10, 14, 16, 24, 32, 40, 44, 60, 76, 92, 100, 132, 164, 196, 212,
    ]  # fmt: skip
    assert round(total(found).multiply_adds / 1e9, 1) == 15.5


def test_c_has_its_1x1_filters_and_a_lrn_its_norm():
    ones = [row.name for row in rows("vgg16-1x1") if row.kernel == (1, 1)]
    assert ones == ["conv3_3.conv", "conv4_3.conv", "conv5_3.conv"]
    names = [row.name for row in rows("vgg11-lrn")]
    assert names[:3] == ["conv1_1.conv", "norm1", "pool1"]


@pytest.mark.parametrize("name", vgg.TABLE_1)
def test_pictures_to_logits_and_back(name):
    torch.manual_seed(0)
    network = registry.build(name, {"classes": CLASSES, "channels": GREY, "size": 32})
    logits = network(torch.randn(2, GREY, 32, 32))
    assert logits.shape == (2, CLASSES)
    F.cross_entropy(logits, torch.tensor([1, 9])).backward()
    assert all(weight.grad.isfinite().all() for weight in network.parameters())
    assert network.conv1_1.conv.weight.grad.any()


def test_a_picture_that_is_too_small():
    with pytest.raises(InputError, match="layer pool5 doesn't fit on 512x1x1"):
        registry.build("vgg11", {"size": 28})
