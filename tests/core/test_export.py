import json
import struct

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.numpy import save
from torch import nn

from core.export import compare, safetensors_places, to_onnx


class Network(nn.Module):
    """(B, T, 4) -> (B, 3) logits and (B, T, 3) answers a step."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, x):
        steps = self.layer(x).tanh()
        return steps.mean(1), steps


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    torch.manual_seed(1)
    network = Network()
    folder = tmp_path_factory.mktemp("export")
    tensors = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    tensors["words"] = np.frombuffer(b"not a weight", dtype=np.uint8)
    (folder / "n.safetensors").write_bytes(save(tensors))
    graph = to_onnx(
        network,
        [torch.randn(2, 5, 4)],
        ["x"],
        ["logits", "steps"],
        {"x": {0: "B", 1: "T"}},
        tensors,
        "n.safetensors",
    )
    (folder / "n.onnx").write_bytes(graph)
    return network, folder


def session(folder):
    return onnxruntime.InferenceSession(str(folder / "n.onnx"), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("shape", [(1, 1, 4), (2, 5, 4), (7, 13, 4)])
def test_onnxruntime_answers_as_torch_at_any_length(exported, shape):
    network, folder = exported
    x = torch.randn(*shape)
    logits, steps = session(folder).run(["logits", "steps"], {"x": x.numpy()})
    with torch.no_grad():
        expected, expected_steps = network(x)
    np.testing.assert_allclose(logits, expected.numpy(), atol=1e-4)
    np.testing.assert_allclose(steps, expected_steps.numpy(), atol=1e-4)


def test_the_graph_reads_its_weights_from_the_safetensors_file(exported, tmp_path):
    network, folder = exported
    tensors = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    tensors["words"] = np.frombuffer(b"not a weight", dtype=np.uint8)
    tensors["layer.bias"] = tensors["layer.bias"] + 10
    (tmp_path / "n.safetensors").write_bytes(save(tensors))
    (tmp_path / "n.onnx").write_bytes((folder / "n.onnx").read_bytes())
    x = np.zeros((1, 2, 4), dtype=np.float32)
    before = session(folder).run(["logits"], {"x": x})[0]
    after = session(tmp_path).run(["logits"], {"x": x})[0]
    assert (before < 0.99).all()
    np.testing.assert_allclose(after, 1.0, atol=1e-4)


def test_an_altered_graph_is_told_from_the_network(exported):
    network, folder = exported
    tensors = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    tensors["words"] = np.frombuffer(b"not a weight", dtype=np.uint8)
    graph, trials = (folder / "n.onnx").read_bytes(), [[torch.randn(2, 7, 4)]]
    compare(network, graph, ["x"], trials, tensors, "n.safetensors")
    for wrong in (0.01, float("nan")):
        altered = {**tensors, "layer.bias": tensors["layer.bias"] + np.float32(wrong)}
        with pytest.raises(RuntimeError, match=r"\(2, 7, 4\)"):
            compare(network, graph, ["x"], trials, altered, "n.safetensors")


def test_a_large_weight_must_be_shared():
    network = nn.Linear(600, 500)
    tensors = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    x = torch.randn(2, 600)
    for found in ({}, {"weight": tensors["weight"] + 1}):
        with pytest.raises(RuntimeError, match=r"n\.safetensors does not hold"):
            to_onnx(network, [x], ["x"], ["y"], {"x": {0: "B"}}, found, "n.safetensors")
    assert (
        len(to_onnx(network, [x], ["x"], ["y"], {"x": {0: "B"}}, tensors, "n.safetensors")) < 4000
    )


def test_places_are_where_the_file_has_the_tensors():
    tensors = {
        "b": np.arange(6, dtype=np.float32).reshape(2, 3),
        "a": np.arange(5, dtype=np.uint8),
        "half": np.ones((3, 2), dtype=np.float16),
        "turned": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    }
    content = save({name: np.ascontiguousarray(array) for name, array in tensors.items()})
    places = safetensors_places(tensors)
    assert set(places) == set(tensors)
    for name, (start, length) in places.items():
        array = np.frombuffer(content[start : start + length], dtype=tensors[name].dtype)
        np.testing.assert_array_equal(array.reshape(tensors[name].shape), tensors[name])
    (header,) = struct.unpack("<Q", content[:8])
    assert len(json.loads(content[8 : 8 + header])) == 4


def test_the_graph_says_nothing_of_the_machine_that_made_it(exported):
    graph = (exported[1] / "n.onnx").read_bytes()
    assert b".py" not in graph
    assert len(graph) < 4000
