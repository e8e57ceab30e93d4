"""Inception v3 against its paper's table and the figures of its published weights."""

import pytest
import torch
from torch.nn import functional as F

import domains.image.zoo  # noqa: F401  registers them
from core import registry
from core.arithmetic import table, total
from core.errors import InputError


def on_meta(**config):
    with torch.device("meta"):
        return registry.build("inception-v3", config)


def rows(**config):
    return table(on_meta(**config), torch.zeros(1, 3, 299, 299, device="meta"))


def test_output_volumes():
    """Table 1 where modules begin and end; the two layers before them are the published ones."""
    last = {row.name.split(".")[1]: row.output_shape for row in rows() if row.output_shape}
    assert last == {
        "conv1": (32, 149, 149),
        "conv2": (32, 147, 147),
        "conv3": (64, 147, 147),
        "pool1": (64, 73, 73),
        "conv4": (80, 73, 73),
        "conv5": (192, 71, 71),
        "pool2": (192, 35, 35),
        "inception_5b": (256, 35, 35),
        "inception_5c": (288, 35, 35),
        "inception_5d": (288, 35, 35),
        "inception_6a": (768, 17, 17),
        "inception_6b": (768, 17, 17),
        "inception_6c": (768, 17, 17),
        "inception_6d": (768, 17, 17),
        "inception_6e": (768, 17, 17),
        "inception_7a": (1280, 8, 8),
        "inception_7b": (2048, 8, 8),
        "inception_7c": (2048, 8, 8),
        "pool3": (2048,),
        "fc": (1000,),
    }


def test_parameters_and_multiply_adds():
    """As torchvision's page of models gives them: 5.71 billion."""
    assert total(rows()).parameters == 27_161_264
    alone = total(rows(auxiliary=False))
    assert alone.parameters == 23_834_568
    assert alone.multiply_adds / 1e9 == pytest.approx(5.713, abs=0.001)


def test_flat_filters_in_the_order_of_figure_6():
    kernels = [row.kernel for row in rows() if "6b" in row.name and row.kind == "Conv2d"]
    row, column = (1, 7), (7, 1)
    assert kernels == [
        *[(1, 1)],
        *[(1, 1), row, column],
        *[(1, 1), column, row, column, row],
        *[(1, 1)],
    ]


def test_two_3x3_cost_28_percent_less_than_a_5x5():
    """Section 3.1: (9 + 9) / 25, seen on the two branches of 5d that bring 96 channels further."""
    small = [row for row in rows() if "5d.2.2" in row.name and row.kind == "Conv2d"]
    assert 2 * small[0].multiply_adds == 0.72 * 5 * 5 * 96 * 96 * 35 * 35


def test_in_training_a_head_answers_too():
    network = on_meta(classes=7)
    pictures = torch.zeros(2, 3, 299, 299, device="meta")
    assert [tuple(logits.shape) for logits in network.train()(pictures)] == [(2, 7)] * 2
    assert network.eval()(pictures).shape == (2, 7)


def test_every_weight_gets_a_gradient():
    torch.manual_seed(0)
    network = registry.build(
        "inception-v3", {"classes": 5, "channels": 1, "size": 75, "auxiliary": False}
    )
    F.cross_entropy(network(torch.randn(4, 1, 75, 75)), torch.arange(4)).backward()
    for key, weight in network.named_parameters():
        assert weight.grad is not None, key
        assert weight.grad.isfinite().all(), key


def test_the_smallest_picture():
    with pytest.raises(InputError, match=r"size cannot be 298: too little .*, at least 299"):
        on_meta(size=298)
    with pytest.raises(InputError, match=r"size cannot be 74: too little .*, at least 75"):
        on_meta(size=74, auxiliary=False)
