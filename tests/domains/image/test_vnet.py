"""V-Net against figure 2 and table 1 of its paper."""

import pytest
import torch
from torch.nn import functional as F

import domains.image.zoo  # noqa: F401  registers them
from core import registry
from core.arithmetic import table, total
from core.errors import InputError


def rows(slices=64, size=128):
    with torch.device("meta"):
        return table(registry.build("vnet", {}), torch.zeros(1, 1, slices, size, size))


def ends(rows):
    """The last row of each stage."""
    return {".".join(row.name.split(".")[:2]): row for row in rows if row.kind != "PReLU"}


def test_figure_2():
    shapes = {name: row.output_shape for name, row in ends(rows()).items()}
    assert [shapes[f"left.{n}"] for n in range(5)] == [
        (16, 64, 128, 128),
        (32, 32, 64, 64),
        (64, 16, 32, 32),
        (128, 8, 16, 16),
        (256, 4, 8, 8),
    ]
    assert [shapes[f"right.{n}"] for n in range(4)] == [
        (256, 8, 16, 16),
        (128, 16, 32, 32),
        (64, 32, 64, 64),
        (32, 64, 128, 128),
    ]
    assert shapes["classify.conv"] == (2, 64, 128, 128)


def test_convolutions_of_the_stages():
    names = [row.name for row in rows() if row.kernel == (5, 5, 5)]
    left, right = ([sum(name.startswith(f"{side}.{n}.") for name in names) for n in range(5)]
                   for side in ("left", "right"))  # fmt: skip
    assert left == [1, 2, 3, 3, 3]
    assert right == [3, 3, 2, 1, 0]


def test_parameters():
    """Of every filter of n channels onto m: n·m weights a tap and m biases; a slope after most."""
    stages = {1: 1, 2: 2, 3: 3, 4: 3, 5: 3}
    count = 5**3 * 16 + 16
    count += sum(times * (5**3 * n * n + n) for stage, times in stages.items()
                 if stage > 1 for n in [8 * 2**stage])  # fmt: skip
    count += sum(times * (5**3 * n * n + n) for stage, times in stages.items()
                 if stage < 5 for n in [16 * 2**stage])  # fmt: skip
    count += sum(2**3 * n * 2 * n + 2 * n for n in (16, 32, 64, 128))  # halving
    count += sum(2**3 * n * m + m for n, m in [(256, 128), (256, 64), (128, 32), (64, 16)])
    count += 32 * 2 + 2
    slopes = 12 + 9 + 4 + 4
    assert total(rows()).parameters == count + slopes


def test_receptive_fields_of_table_1():
    """On a volume that holds them. Right of the bottom the paper counts the doubling filter as if
    each value came from two below; it comes from one, so these see a little less than its figures.
    """
    seen = {name: row.receptive_field[0] for name, row in ends(rows(640, 640)).items()}
    assert [seen[f"left.{n}"] for n in range(5)] == [5, 22, 72, 172, 372]
    paper = [476, 528, 546, 551]
    assert [seen[f"right.{n}"] for n in range(4)] == [468, 516, 532, 548]
    assert all(abs(seen[f"right.{n}"] - paper[n]) < 16 for n in range(4))


@pytest.mark.parametrize("channels", [1, 2])
def test_every_weight_gets_a_gradient(channels):
    torch.manual_seed(0)
    config = {"classes": 3, "channels": channels, "size": 32, "slices": 16, "width": 2}
    network = registry.build("vnet", config)
    logits = network(torch.randn(1, channels, 16, 32, 32))
    assert logits.shape == (1, 3, 16, 32, 32)
    F.cross_entropy(logits, torch.randint(3, (1, 16, 32, 32))).backward()
    for key, weight in network.named_parameters():
        assert weight.grad is not None, key
        assert weight.grad.isfinite().all(), key
        assert weight.grad.any(), key


@pytest.mark.parametrize("name", ["size", "slices"])
def test_a_volume_that_cannot_be_halved_four_times(name):
    with pytest.raises(InputError, match=f"{name} cannot be 40: no multiple of 16"):
        registry.build("vnet", {name: 40})
