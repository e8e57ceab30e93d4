"""ONNX: the same network for onnxruntime, without a second copy of its weights.

The graph's large initialisers are ONNX external data that points into the safetensors file beside
it, so a released model has its weights once, whoever reads them.
"""

from __future__ import annotations

import io
import json
import logging
import struct
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

UNSHARED_BYTES = 1 << 16  # that an initialiser may have in the graph itself
TOLERANCE = 1e-3  # between the answers of onnxruntime and torch; relative above 1


def to_onnx(
    model: nn.Module,
    examples: Sequence[Tensor],
    inputs: Sequence[str],
    outputs: Sequence[str],
    dynamic: Mapping[str, Mapping[int, str]],
    tensors: Mapping[str, NDArray[Any]],
    weights_file: str,
) -> bytes:
    """The graph of `model` in eval mode, its weights those of `tensors` in `weights_file`.

    `dynamic` names the axes of each input that may have any length. `tensors` is what the
    safetensors file holds; initialisers of the same name and content refer to it. Raises
    RuntimeError for a large one that it doesn't hold.
    """
    import onnx
    import torch

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    names: Any = {"input_names": list(inputs), "output_names": list(outputs), "verbose": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if any(isinstance(part, torch.nn.RNNBase) for part in model.modules()):
            # torch.export unrolls a recurrence to the example's length; the exporter before it
            # writes ONNX's own
            file: Any = io.BytesIO()
            torch.onnx.export(
                model.eval(), tuple(examples), file, dynamic_axes=dynamic, dynamo=False,
                do_constant_folding=False, **names,
            )  # fmt: skip
            graph = onnx.load_from_string(file.getvalue())
        else:
            axes = tuple(
                dict.fromkeys(dynamic.get(name, {}), torch.export.Dim.DYNAMIC) for name in inputs
            )
            program = torch.onnx.export(
                model.eval(), tuple(examples), dynamic_shapes=axes, dynamo=True, optimize=False,
                **names,
            )  # fmt: skip
            if program is None:
                raise RuntimeError("torch.onnx.export gave no program")
            _simplify(program.model)
            graph = program.model_proto
    return _share_weights(graph, tensors, weights_file)


def _simplify(program: Any) -> None:
    """Computes what doesn't depend on the input.

    The exporter's own optimiser would also fold batch norms into the filters before them, and so
    make a second copy of the weights; onnxruntime does that when it loads the graph.
    """
    from onnxscript import optimizer

    optimizer.inline(program)
    for _ in range(2):
        optimizer.fold_constants(program)
        optimizer.remove_unused_nodes(program)


def _share_weights(graph: Any, tensors: Mapping[str, NDArray[Any]], weights_file: str) -> bytes:
    import onnx
    from onnx.external_data_helper import set_external_data

    places = safetensors_places(tensors)
    for initialiser in graph.graph.initializer:
        name, content = initialiser.name, onnx.numpy_helper.to_array(initialiser)
        if name in places and np.array_equal(content, tensors[name]):
            start, length = places[name]
            initialiser.raw_data = b""
            set_external_data(initialiser, weights_file, offset=start, length=length)
            initialiser.ClearField("raw_data")
        elif content.nbytes > UNSHARED_BYTES:
            raise RuntimeError(f"{weights_file} does not hold {name}, which the graph needs")
    _forget_the_making(graph.graph)
    return bytes(graph.SerializeToString())


def _forget_the_making(graph: Any) -> None:
    """Drops the exporter's notes: its stack traces hold the paths of the machine it ran on."""
    for part in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def compare(
    model: nn.Module,
    graph: bytes,
    inputs: Sequence[str],
    trials: Sequence[Sequence[Tensor]],
    tensors: Mapping[str, NDArray[Any]],
    weights_file: str,
) -> None:
    """Raises RuntimeError unless onnxruntime answers each of the `trials` as the model does.

    The arguments are those of `to_onnx`; what it gave is run from files, as it will be.
    """
    import onnxruntime
    import torch
    from safetensors.numpy import save_file

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    with TemporaryDirectory() as folder:
        path = Path(folder) / "graph.onnx"
        path.write_bytes(graph)
        save_file(
            {n: np.ascontiguousarray(a) for n, a in tensors.items()}, path.with_name(weights_file)
        )
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        for trial in trials:
            with torch.no_grad():
                expected = model.eval()(*trial)
            given = {name: tensor.numpy() for name, tensor in zip(inputs, trial, strict=True)}
            pairs = zip(
                session.run(None, given),
                expected if isinstance(expected, tuple) else (expected,),
                strict=True,
            )
            for ours, theirs in pairs:
                if not np.allclose(ours, theirs.numpy(), atol=TOLERANCE, rtol=TOLERANCE):
                    shapes = ", ".join(str(tuple(tensor.shape)) for tensor in trial)
                    raise RuntimeError(f"the ONNX graph answers {shapes} otherwise than torch")


def safetensors_places(tensors: Mapping[str, NDArray[Any]]) -> dict[str, tuple[int, int]]:
    """Where the tensors lie in the safetensors file of `tensors`: (offset, length) in bytes."""
    from safetensors.numpy import save

    content = save({name: np.ascontiguousarray(array) for name, array in tensors.items()})
    (header_length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + header_length])
    return {
        name: (8 + header_length + begin, end - begin)
        for name, entry in header.items()
        if name != "__metadata__"
        for begin, end in [entry["data_offsets"]]
    }
