"""The key maps against the published names and shapes, and numerically on plain networks."""

import pytest
import torch
from plain_networks import features, scrambled

from core import registry
from domains.image.key_maps import LAYERS, key_map

NETWORKS = sorted(LAYERS)


def skeleton(arch):
    """A network without memory for its weights, and its key map."""
    config = {"auxiliary": False} if arch == "googlenet-bn" else {}
    with torch.device("meta"):
        network = registry.build(arch, config)
    return network, key_map(arch, network)


@pytest.mark.parametrize("arch", NETWORKS)
def test_each_weight_has_one_published_name(arch):
    network, keys = skeleton(arch)
    assert sorted(keys.values()) == sorted(network.state_dict())


@pytest.mark.parametrize(
    "arch, entries",
    [
        ("alexnet-2014", 16),
        ("vgg11", 22),
        ("vgg13", 26),
        ("vgg16", 32),
        ("vgg19", 38),
        ("resnet18", 122),
        ("resnet34", 218),
        ("resnet50", 320),
        ("resnet101", 626),
        ("resnet152", 932),
        ("googlenet-bn", 344),
        ("efficientnet-lite0", 296),
    ],
)
def test_entries_of_the_published_state_dict(arch, entries):
    assert len(skeleton(arch)[1]) == entries


@pytest.mark.parametrize(
    "arch, key, shape",
    [
        ("alexnet-2014", "features.0.weight", (64, 3, 11, 11)),
        ("alexnet-2014", "features.8.weight", (256, 384, 3, 3)),
        ("alexnet-2014", "classifier.1.weight", (4096, 9216)),
        ("alexnet-2014", "classifier.6.bias", (1000,)),
        ("vgg11", "features.18.weight", (512, 512, 3, 3)),
        ("vgg13", "features.22.bias", (512,)),
        ("vgg16", "features.17.weight", (512, 256, 3, 3)),
        ("vgg16", "classifier.0.weight", (4096, 25088)),
        ("vgg16", "classifier.3.weight", (4096, 4096)),
        ("vgg19", "features.34.weight", (512, 512, 3, 3)),
        ("resnet18", "layer2.0.downsample.0.weight", (128, 64, 1, 1)),
        ("resnet34", "layer3.5.conv2.weight", (256, 256, 3, 3)),
        ("resnet50", "layer1.0.downsample.1.running_var", (256,)),
        ("resnet50", "layer4.2.conv3.weight", (2048, 512, 1, 1)),
        ("resnet101", "layer3.22.bn3.weight", (1024,)),
        ("resnet152", "layer3.35.conv2.weight", (256, 256, 3, 3)),
        ("resnet152", "fc.weight", (1000, 2048)),
        ("googlenet-bn", "conv1.conv.weight", (64, 3, 7, 7)),
        ("googlenet-bn", "inception3a.branch3.1.conv.weight", (32, 16, 3, 3)),
        ("googlenet-bn", "inception4e.branch4.1.bn.running_mean", (128,)),
        ("efficientnet-lite0", "_conv_stem.weight", (32, 3, 3, 3)),
        ("efficientnet-lite0", "_blocks.3._depthwise_conv.weight", (144, 1, 5, 5)),
        ("efficientnet-lite0", "_fc.weight", (1000, 1280)),
    ],
)
def test_shapes_by_published_name(arch, key, shape):
    network, keys = skeleton(arch)
    assert network.state_dict()[keys[key]].shape == shape


ALEXNET = features(
    {
        0: (3, 64, 11, 4, 2),
        3: (64, 192, 5, 1, 2),
        6: (192, 384, 3, 1, 1),
        8: (384, 256, 3, 1, 1),
        10: (256, 256, 3, 1, 1),
    },
    {2: 3, 5: 3, 12: 3},
)
VGG11 = features(
    {
        0: (3, 64, 3, 1, 1),
        3: (64, 128, 3, 1, 1),
        6: (128, 256, 3, 1, 1),
        8: (256, 256, 3, 1, 1),
        11: (256, 512, 3, 1, 1),
        13: (512, 512, 3, 1, 1),
        16: (512, 512, 3, 1, 1),
        18: (512, 512, 3, 1, 1),
    },
    dict.fromkeys((2, 5, 10, 15, 20), 2),
)


@pytest.mark.parametrize("arch, plain", [("alexnet-2014", ALEXNET), ("vgg11", VGG11)])
def test_the_convolutions_answer_as_plain_torch(arch, plain):
    scrambled(plain)
    network, keys = skeleton(arch)
    state = {keys[f"features.{key}"]: value for key, value in plain.state_dict().items()}
    network.load_state_dict(state, strict=False, assign=True)
    ours = torch.nn.Sequential(*list(network)[: list(network).index(network.flatten)])
    pictures = torch.randn(2, 3, 96, 96)
    with torch.no_grad():
        found, right = ours(pictures), plain(pictures)
    assert right.std() > 0
    torch.testing.assert_close(found, right)
