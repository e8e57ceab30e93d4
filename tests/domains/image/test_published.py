"""Published weights in files: whole networks answer as plain torch does, bad files in one line."""

import argparse
import pickle
import re

import pytest
import torch
from PIL import Image
from plain_networks import EfficientNetLite0, GoogLeNet, ResNet, scrambled
from safetensors.torch import save_file

from core import registry
from core.errors import InputError
from domains.image.key_maps import key_map
from domains.image.pictures import prepare
from domains.image.published import load_published, preprocessing


def answers(network):
    pictures = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return network(pictures)


@pytest.mark.parametrize(
    "arch, plain",
    [
        ("resnet18", lambda: ResNet((2, 2, 2, 2), bottleneck=False)),
        ("resnet50", lambda: ResNet((3, 4, 6, 3), bottleneck=True)),
        ("googlenet-bn", GoogLeNet),
        ("efficientnet-lite0", EfficientNetLite0),
    ],
)
def test_a_network_answers_as_plain_torch(tmp_path, arch, plain):
    torch.manual_seed(0)
    plain = scrambled(plain())
    torch.save(plain.state_dict(), tmp_path / "weights.pth")
    network = load_published(tmp_path / "weights.pth", arch)
    assert not network.training
    right = answers(plain)
    assert (right[0] - right[1]).std() > right.std() / 20  # what comes in is not lost on the way
    torch.testing.assert_close(answers(network), right, rtol=1e-3, atol=1e-4 * right.std().item())


def test_safetensors_half_precision_and_no_batch_counts(tmp_path):
    torch.manual_seed(0)
    plain = scrambled(ResNet((2, 2, 2, 2), bottleneck=False))
    state = {
        key: value.half()
        for key, value in plain.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    save_file(state, tmp_path / "weights.safetensors")
    network = load_published(tmp_path / "weights.safetensors", "resnet18")
    assert {weight.dtype for weight in network.parameters()} == {torch.float32}
    plain.load_state_dict(state, strict=False)
    right = answers(plain)
    torch.testing.assert_close(answers(network), right, rtol=1e-3, atol=1e-4 * right.std().item())


def wrapped(state):
    return {f"module.{key}": value for key, value in state.items()}


@pytest.mark.parametrize(
    "checkpoint",
    [
        lambda state: {"epoch": 90, "arch": "resnet18", "state_dict": wrapped(state)},
        lambda state: {"model": state, "args": argparse.Namespace(lr=0.1), "epoch": 3},
        wrapped,
    ],
    ids=["state_dict", "model", "module."],
)
def test_checkpoints_of_training_scripts(tmp_path, checkpoint):
    """PyTorch's ImageNet example keeps a state_dict, torchvision's references a model."""
    torch.manual_seed(0)
    state = scrambled(ResNet((2, 2, 2, 2), bottleneck=False)).state_dict()
    torch.save(state, tmp_path / "plain.pth")
    torch.save(checkpoint(state), tmp_path / "checkpoint.pth")
    plain, found = (
        load_published(tmp_path / f"{name}.pth", "resnet18").state_dict()
        for name in ("plain", "checkpoint")
    )
    assert found.keys() == plain.keys()
    assert all(found[name].equal(plain[name]) for name in plain)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_no_numbers(tmp_path, value):
    state = state_dict()
    state["layer2.0.bn1.running_var"] = torch.ones(128)
    state["layer2.0.bn1.running_var"][3] = value
    torch.save(state, tmp_path / "weights.pth")
    assert refused(tmp_path / "weights.pth") == (
        f"{tmp_path / 'weights.pth'}: 'layer2.0.bn1.running_var' has weights that are NaN or "
        "infinite"
    )


def state_dict():
    """ResNet-18's with the right names and shapes, all zero, small on disk."""
    with torch.device("meta"):
        network = registry.build("resnet18", {})
    ours = network.state_dict()
    keys = key_map("resnet18", network)
    return {key: torch.zeros(()).expand(ours[name].shape) for key, name in keys.items()}


def refused(path, arch="resnet18"):
    with pytest.raises(InputError) as error:
        load_published(path, arch)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda state: state.pop("layer3.1.bn2.bias"), "'layer3.1.bn2.bias' is missing"),
        (
            lambda state: state.update({"layer5.0.conv1.weight": torch.zeros(1)}),
            "which has no 'layer5.0.conv1.weight'",
        ),
        (
            lambda state: state.update({"fc.weight": torch.zeros(10, 512)}),
            "'fc.weight' is 10x512, not 1000x512",
        ),
        (lambda state: state.update(epoch=3), "no state dict"),
        (lambda state: state.update({0: torch.zeros(1)}), "no state dict"),
        (lambda state: state.update(state_dict=[1]), "no state dict"),
    ],
)
def test_another_network_s_weights(tmp_path, change, message):
    path = tmp_path / "weights.pth"
    state = state_dict()
    torch.save(state, path)
    load_published(path, "resnet18")
    change(state)
    torch.save(state, path)
    assert re.fullmatch(f"{re.escape(str(path))}: .*{re.escape(message)}.*", refused(path))


def test_weights_of_a_deeper_network(tmp_path):
    torch.save(state_dict(), tmp_path / "weights.pth")
    assert "not weights of resnet34" in refused(tmp_path / "weights.pth", "resnet34")
    assert "not weights of vgg16" in refused(tmp_path / "weights.pth", "vgg16")


class Harmful:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize(
    "save", [torch.save, lambda what, path: path.write_bytes(pickle.dumps(what))]
)
def test_a_pickle_runs_no_code(tmp_path, save):
    path = tmp_path / "weights.pth"
    save({"fc.weight": Harmful(tmp_path / "ran")}, path)
    assert "other things than tensors" in refused(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
def test_files_that_cannot_be_read(tmp_path, name):
    path = tmp_path / name
    assert "No such file" in refused(path)
    for content in (b"", b"\x80\x02", b"PK\x03\x04 damaged", b"\xff" * 100):
        path.write_bytes(content)
        assert refused(path).startswith(f"{path}: damaged")
    (tmp_path / f"folder-{name}").mkdir()
    assert refused(tmp_path / f"folder-{name}").startswith(str(tmp_path))


def test_another_kind_of_file_and_an_unknown_architecture(tmp_path):
    (tmp_path / "weights.onnx").touch()
    assert "a .pth or .safetensors file" in refused(tmp_path / "weights.onnx")
    message = refused(tmp_path / "weights.pth", "lenet5")
    assert message.startswith("no published weights fit 'lenet5'; known: alexnet-2014, vgg11,")


@pytest.mark.parametrize(
    "arch, colour, seen",
    [
        ("efficientnet-lite0", (127, 255, 0), (0, 1, -127 / 128)),
        ("googlenet-bn", (0, 255, 51), (-1, 1, -0.6)),
        ("resnet50", (255, 0, 102), ((1 - 0.485) / 0.229, -0.456 / 0.224, (0.4 - 0.406) / 0.225)),
    ],
)
def test_what_a_network_sees_of_a_colour(arch, colour, seen):
    prepared = torch.from_numpy(prepare(Image.new("RGB", (300, 400), colour), preprocessing(arch)))
    assert prepared.shape == (3, 224, 224)
    right = torch.tensor(seen).reshape(3, 1, 1).expand(3, 224, 224)
    torch.testing.assert_close(prepared, right, rtol=1e-4, atol=1e-5)
