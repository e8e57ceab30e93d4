"""GoogLeNet against table 1 of its paper, with batch norm against the published weights."""

from functools import cache

import pytest
import torch
from torch.nn import functional as F

import domains.image.zoo  # noqa: F401  registers them
from core import registry
from core.arithmetic import table, total
from core.errors import InputError

BOTH = ["googlenet", "googlenet-bn"]

# Table 1: output size, parameters in K = 1024 and multiply-adds in millions. None where the paper's
# figure is not that of its own row: conv1 (2.7K, 34M; but 7·7·3·64 weights are 9.2K), 4c (463K; but
# its 100M on 14x14 need 498K), 5a (1072K, 54M; 4e has the same filters on fewer channels).
TABLE_1 = [
    ("conv1", (64, 112, 112), None, None),
    ("pool1", (64, 56, 56), 0, 0),
    ("conv2", (192, 56, 56), 112, 360),
    ("pool2", (192, 28, 28), 0, 0),
    ("inception_3a", (256, 28, 28), 159, 128),
    ("inception_3b", (480, 28, 28), 380, 304),
    ("pool3", (480, 14, 14), 0, 0),
    ("inception_4a", (512, 14, 14), 364, 73),
    ("inception_4b", (512, 14, 14), 437, 88),
    ("inception_4c", (512, 14, 14), None, 100),
    ("inception_4d", (528, 14, 14), 580, 119),
    ("inception_4e", (832, 14, 14), 840, 170),
    ("pool4", (832, 7, 7), 0, 0),
    ("inception_5a", (832, 7, 7), None, None),
    ("inception_5b", (1024, 7, 7), 1388, 71),
    ("pool5", (1024,), 0, 0),
    ("fc", (1000,), 1000, 1),
]


def on_meta(name, **config):
    with torch.device("meta"):
        return registry.build(name, config)


@cache
def rows(name, **config):
    with torch.device("meta"):
        return table(on_meta(name, **config), torch.zeros(1, 3, 224, 224))


@pytest.mark.parametrize("name", BOTH)
def test_output_volumes_of_table_1(name):
    last = {row.name.split(".")[1]: row.output_shape for row in rows(name) if row.output_shape}
    assert [(part, last[part]) for part, *_ in TABLE_1] == [row[:2] for row in TABLE_1]


@pytest.mark.parametrize(
    ("part", "millions"), [(part, millions) for part, _, _, millions in TABLE_1 if millions]
)
def test_multiply_adds_of_table_1(part, millions):
    own = [row for row in rows("googlenet") if row.name.split(".")[1].startswith(part)]
    assert sum(row.multiply_adds for row in own) / 1e6 == pytest.approx(millions, abs=1)


@pytest.mark.parametrize(
    ("part", "thousands"), [(part, thousands) for part, _, thousands, _ in TABLE_1 if thousands]
)
def test_weights_of_table_1(part, thousands):
    weights = sum(p.numel() for key, p in on_meta("googlenet").layers.named_parameters()
                  if key.startswith(part) and p.ndim > 1)  # fmt: skip
    assert weights / 1024 == pytest.approx(thousands, rel=0.02)


@pytest.mark.parametrize(
    ("name", "without", "with_heads"),
    [("googlenet", 6_998_552, 13_378_280), ("googlenet-bn", 6_624_904, 13_004_888)],
)
def test_parameters(name, without, with_heads):
    assert total(rows(name, auxiliary=False)).parameters == without
    assert total(rows(name)).parameters == with_heads


def test_multiply_adds_of_the_published_weights():
    """As torchvision's page of models gives them."""
    assert total(rows("googlenet-bn")).multiply_adds / 1e9 == pytest.approx(1.498, abs=0.001)


def test_filters_of_a_module():
    def kernels(name):
        return [
            row.kernel[0] for row in rows(name) if "layers.inception_4a." in row.name and row.kernel
        ]

    assert kernels("googlenet") == [1, *[1, 3], *[1, 5], *[3, 1]]
    assert kernels("googlenet-bn") == [1, *[1, 3], *[1, 3], *[3, 1]]


def test_only_the_paper_normalises_across_channels():
    norms = [row.name for row in rows("googlenet") if row.kind == "LocalResponseNorm"]
    assert norms == ["layers.norm1", "layers.norm2"]
    assert not [row for row in rows("googlenet") if "BatchNorm" in row.kind]
    assert not [row for row in rows("googlenet-bn") if row.kind == "LocalResponseNorm"]


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize(("size", "features"), [(224, 4 * 4), (79, 1), (128, 2 * 2)])
def test_in_training_two_heads_answer_too(name, size, features):
    network = on_meta(name, classes=7, size=size)
    pictures = torch.zeros(2, 3, size, size, device="meta")
    assert [tuple(logits.shape) for logits in network.train()(pictures)] == [(2, 7)] * 3
    assert network.heads["inception_4a"][3].linear.in_features == 128 * features
    assert network.eval()(pictures).shape == (2, 7)
    alone = on_meta(name, classes=7, size=size, auxiliary=False).train()
    assert alone(pictures).shape == (2, 7)


@pytest.mark.parametrize("name", BOTH)
def test_a_head_brings_its_gradient_to_the_layers_below_it(name):
    torch.manual_seed(0)
    network = registry.build(name, {"classes": 5, "channels": 1, "size": 79})
    answers = network(torch.randn(4, 1, 79, 79))
    reached = []
    for logits in answers:
        network.zero_grad()
        F.cross_entropy(logits, torch.arange(4)).backward(retain_graph=True)
        reached.append({key.split(".")[1] for key, p in network.named_parameters()
                        if p.grad is not None and p.grad.any()})  # fmt: skip
    below = ["conv1", "conv2_reduce", "conv2", "inception_3a", "inception_3b", "inception_4a"]
    assert reached[1] == set(below)
    assert reached[2] == {*below, "inception_4b", "inception_4c", "inception_4d"}
    assert reached[0] == {*reached[2], "inception_4e", "inception_5a", "inception_5b", "fc"}


@pytest.mark.parametrize("name", BOTH)
def test_the_smallest_picture(name):
    with pytest.raises(
        InputError, match="size cannot be 78: too little for GoogLeNet, at least 79"
    ):
        on_meta(name, size=78)
    with pytest.raises(
        InputError, match="size cannot be 30: too little for GoogLeNet, at least 31"
    ):
        on_meta(name, size=30, auxiliary=False)
    smallest = on_meta(name, classes=3, size=31, auxiliary=False)
    assert smallest(torch.zeros(2, 3, 31, 31, device="meta")).shape == (2, 3)
