"""LeNet-5: figure 2 and section II.B of LeCun and others 1998."""

import pytest
import torch
from torch.nn import functional as F

from core import registry
from core.arithmetic import table, total
from domains.image.zoo import lenet5  # noqa: F401


def built(**config):
    torch.manual_seed(0)
    return registry.build("lenet5", config)


@pytest.mark.parametrize("size", [28, 32])
def test_the_layers_of_figure_2(size):
    rows = table(built(size=size), torch.zeros(1, 1, size, size))
    assert {row.name.split(".")[0]: row.output_shape for row in rows} == {
        "c1": (6, 28, 28),
        "s2": (6, 14, 14),
        "c3": (16, 10, 10),
        "s4": (16, 5, 5),
        "c5": (120, 1, 1),
        "flatten": (120,),
        "f6": (84,),
        "output": (10,),
    }
    assert [row.parameters for row in rows if row.parameters] == [156, 2416, 48_120, 10_164, 850]
    assert total(rows).parameters == 61_706


def test_connections_as_the_paper_counts_them():
    """A bias is one too there: C1 122,304; C5 48,120; F6 10,164."""
    rows = {
        row.name.split(".")[0]: row.multiply_adds
        for row in table(built(), torch.zeros(1, 1, 32, 32))
    }
    assert rows["c1"] + 6 * 28 * 28 == 122_304
    assert rows["c5"] + 120 == 48_120
    assert rows["f6"] + 84 == 10_164


def test_a_picture_of_28_lies_in_the_middle_of_32():
    small, large = built(size=28), built(size=32)
    digits = torch.rand(3, 1, 28, 28)
    torch.testing.assert_close(small(digits), large(F.pad(digits, (2, 2, 2, 2))))


@pytest.mark.parametrize("size", [1, 20, 29, 31])
def test_a_smaller_picture_is_padded(size):
    assert built(size=size)(torch.rand(2, 1, size, size)).shape == (2, 10)


def test_it_learns_a_batch_by_heart():
    network, digits = built(), torch.randn(4, 1, 32, 32)
    classes = torch.tensor([3, 1, 4, 1])
    optimizer = torch.optim.Adam(network.parameters(), 0.003)
    for _ in range(40):
        optimizer.zero_grad()
        F.cross_entropy(network(digits), classes).backward()
        optimizer.step()
    assert network(digits).argmax(1).tolist() == [3, 1, 4, 1]
