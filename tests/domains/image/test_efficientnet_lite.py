"""EfficientNet-Lite0 against its published table, and TensorFlow's padding against its rule."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core import arithmetic, registry
from domains.image import zoo  # noqa: F401
from domains.image.zoo.efficientnet_lite import SamePadding


def test_sizes_and_parameters_as_published():
    with torch.device("meta"):
        network = registry.build("efficientnet-lite0", {})
        rows = arithmetic.table(network, torch.zeros(1, 3, 224, 224))
    volumes = [row.output_shape for row in rows if row.kind == "Conv2d" and row.kernel == (1, 1)]
    narrow = [volume for volume in volumes if volume[0] in (16, 24, 40, 80, 112, 192, 320)]
    assert narrow == [
        (16, 112, 112),
        *[(24, 56, 56)] * 2,
        *[(40, 28, 28)] * 2,
        *[(80, 14, 14)] * 3,
        *[(112, 14, 14)] * 3,
        *[(192, 7, 7)] * 4,
        (320, 7, 7),
    ]
    assert rows[1].output_shape == (32, 112, 112)
    assert volumes[-1] == (1280, 7, 7)
    assert rows[-1].output_shape == (1000,)
    assert arithmetic.total(rows).parameters == 4_652_008
    names = {row.name.split(".")[0] for row in rows}
    assert names == {"stem", *(f"stage{n}" for n in range(1, 8)), "head", "pool", "fc"}
    first = [row.name for row in rows if row.name.startswith("stage2.0") and row.kind == "Conv2d"]
    assert [name.split(".")[2] for name in first] == ["expand", "depthwise", "project"]


@pytest.mark.parametrize("size", [1, 32, 33])
def test_any_size_forward_and_backward(size):
    torch.manual_seed(0)
    network = registry.build("efficientnet-lite0", {"classes": 3, "channels": 1, "size": size})
    logits = network(torch.randn(4, 1, size, size))
    assert logits.shape == (4, 3)
    torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2, 0])).backward()
    assert all(weight.grad.isfinite().all() for weight in network.parameters())
    assert network.stem.conv.conv.weight.grad.any()


def test_the_odd_zero_goes_to_the_end():
    assert SamePadding(3, 2).ends(4) == (0, 1)  # 0 1 2 | 2 3 _
    assert SamePadding(5, 2).ends(4) == (1, 2)
    assert SamePadding(3, 2).ends(5) == (1, 1)
    assert SamePadding(3, 1).ends(4) == (1, 1)
    assert SamePadding(1, 2).ends(4) == (0, 0)
    padded = SamePadding(3, 2)(torch.ones(1, 1, 5, 4))
    assert padded.shape == (1, 1, 7, 5)
    assert padded[0, 0, 0].sum() == padded[0, 0, -1].sum() == padded[..., -1].sum() == 0
    assert padded[0, 0, 1, 0] == 1


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 7), st.integers(1, 4))
def test_same_padding_divides_by_the_stride_and_rounds_up(height, width, kernel, stride):
    x = SamePadding(kernel, stride)(torch.zeros(1, 1, height, width))
    out = torch.nn.functional.max_pool2d(x, kernel, stride)
    assert out.shape[2:] == (-(-height // stride), -(-width // stride))
