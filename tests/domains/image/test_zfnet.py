"""ZFNet: the volumes of figure 3, with the filters of table 2."""

import torch
from torch.nn import functional as F

from core import registry
from core.arithmetic import table, total
from domains.image.zoo import zfnet  # noqa: F401


def test_figure_3_with_more_filters():
    with torch.device("meta"):
        rows = table(registry.build("zfnet", {}), torch.zeros(1, 3, 224, 224))
    assert {row.name.split(".")[0]: row.output_shape for row in rows} == {
        "conv1": (96, 110, 110),
        "pool1": (96, 55, 55),
        "norm1": (96, 55, 55),
        "conv2": (256, 26, 26),
        "pool2": (256, 13, 13),
        "norm2": (256, 13, 13),
        "conv3": (512, 13, 13),
        "conv4": (1024, 13, 13),
        "conv5": (512, 13, 13),
        "pool3": (512, 6, 6),
        "flatten": (18_432,),
        "fc6": (4096,),
        "fc7": (4096,),
        "fc8": (1000,),
    }
    first = rows[0]
    assert (first.kernel, first.stride, first.parameters) == ((7, 7), (2, 2), 7 * 7 * 3 * 96 + 96)
    # by hand: 14,208 + 614,656 + 1,180,160 + 4,719,616 + 4,719,104; 75,501,568 + 16,781,312 + ...
    assert total(rows).parameters == 11_247_744 + 96_379_880


def test_pictures_to_logits_and_back():
    torch.manual_seed(0)
    network = registry.build("zfnet", {"classes": 10, "size": 56})
    logits = network(torch.randn(3, 3, 56, 56))
    assert logits.shape == (3, 10)
    F.cross_entropy(logits, torch.tensor([1, 5, 9])).backward()
    assert all(weight.grad.any() for weight in network.parameters())
