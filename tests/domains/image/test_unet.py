"""U-Net against figure 1, and both forms against one another."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

import domains.image.zoo  # noqa: F401  registers them
from core import registry
from core.arithmetic import table, total
from core.errors import InputError

SMALL = {"classes": 3, "width": 2, "depth": 2}


def test_figure_1():
    with torch.device("meta"):
        rows = table(registry.build("unet", {}), torch.zeros(1, 1, 572, 572))
    volumes = [row.output_shape[:2] for row in rows]
    assert volumes == [
        *[(64, 570), (64, 568), (64, 284)],
        *[(128, 282), (128, 280), (128, 140)],
        *[(256, 138), (256, 136), (256, 68)],
        *[(512, 66), (512, 64), (512, 32)],
        *[(1024, 30), (1024, 28)],
        *[(512, 56), (512, 54), (512, 52)],
        *[(256, 104), (256, 102), (256, 100)],
        *[(128, 200), (128, 198), (128, 196)],
        *[(64, 392), (64, 390), (64, 388), (2, 388)],
    ]
    assert total(rows).parameters == 31_030_658
    assert [row.kind for row in rows].count("Conv2d") + 4 == 23  # "in total 23" with the four up


def test_what_a_pixel_sees():
    """140 at the bottom, in steps of 16; on the way up 9 neighbours in a row come from 5 there."""
    with torch.device("meta"):
        rows = table(registry.build("unet", {}), torch.zeros(1, 1, 572, 572))
    assert rows[13].receptive_field == (140, 140)
    assert rows[-1].receptive_field == (204, 204)


def test_no_pixel_sees_more_and_one_sees_all_that_the_table_says():
    torch.manual_seed(0)
    network = registry.build("unet", {**SMALL, "size": 60}).eval()
    for weight in network.parameters():
        torch.nn.init.ones_(weight)
    promised = table(network, torch.zeros(1, 1, 60, 60))[-1].receptive_field[0]
    pictures = torch.rand(1, 1, 60, 60, requires_grad=True)
    logits = network(pictures)
    middle, seen = logits.shape[2] // 2, []
    for column in range(logits.shape[3]):
        (gradient,) = torch.autograd.grad(logits[0, 0, middle, column], pictures, retain_graph=True)
        reached = gradient[0, 0].any(0).nonzero().flatten()
        seen.append(int(reached[-1] - reached[0]) + 1)
    assert max(seen) <= promised
    # Pooling passes on only the largest of its window: a gradient may miss what is seen at an end.
    assert max(seen) >= promised - 8


def test_without_padding_a_pixel_is_judged_as_far_from_the_border_with_it():
    """One pooling: both forms put it on the same windows, and the maps passed over must meet."""
    torch.manual_seed(0)
    config = {**SMALL, "depth": 1, "size": 32}
    valid = registry.build("unet", config).eval()
    padded = registry.build("unet", {**config, "padded": True}).eval()
    padded.load_state_dict(valid.state_dict())
    pictures = torch.randn(2, 1, 32, 32)
    assert valid(pictures).shape == (2, 3, 16, 16)
    torch.testing.assert_close(
        valid(pictures), padded(pictures)[:, :, 8:-8, 8:-8], atol=1e-5, rtol=1e-4
    )


@settings(deadline=None, max_examples=15)
@given(
    channels=st.integers(1, 4),
    depth=st.integers(1, 4),
    times=st.integers(1, 3),
    norm=st.booleans(),
)
def test_padded_the_output_is_as_large_as_the_picture(channels, depth, times, norm):
    size = times * 2**depth
    config = {"channels": channels, "depth": depth, "size": size, "width": 2, "norm": norm}
    network = registry.build("unet", {**config, "padded": True}).eval()
    assert network(torch.zeros(2, channels, size, size)).shape == (2, 2, size, size)


@pytest.mark.parametrize("padded", [False, True])
def test_every_weight_gets_a_gradient(padded):
    torch.manual_seed(0)
    network = registry.build("unet", {**SMALL, "width": 8, "size": 60, "padded": padded})
    logits = network(torch.randn(2, 1, 60, 60))
    F.cross_entropy(logits, torch.randint(3, (2, *logits.shape[2:]))).backward()
    for key, weight in network.named_parameters():
        assert weight.grad is not None, key
        assert weight.grad.isfinite().all(), key
        assert weight.grad.any(), key


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"size": 570}, "size cannot be 570: a filter of 2 doesn't fit on 279"),
        ({"size": 124}, "size cannot be 124: a filter of 3 doesn't fit on 2"),
        ({"size": 28, "padded": True, "depth": 3}, "size cannot be 28: a filter of 2 doesn't fit"),
        ({"width": 0}, "width cannot be 0"),
        ({"dropout": 1.0}, "dropout cannot be 1.0"),
    ],
)
def test_settings_that_make_no_sense(config, message):
    with pytest.raises(InputError, match=message):
        registry.build("unet", config)
