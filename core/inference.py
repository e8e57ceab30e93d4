"""Released networks at work: a model's ONNX graph on onnxruntime, without torch."""

from __future__ import annotations

from typing import Any

from .errors import InputError
from .weights import Card


def session(card: Card, threads: int) -> Any:
    """The `onnxruntime.InferenceSession` of the graph of a model that `weights.verify` has passed.

    Raises InputError for a model without a graph, and for a graph that can't be run.
    """
    import onnxruntime

    graph = card.path.with_suffix(".onnx")
    if graph.name not in card.files:
        raise InputError(f"{card.path}: field 'files' has no {graph.name!r}")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(graph), options, ["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common base but this
        reason = " ".join(str(error).split())
        raise InputError(f"{graph}: onnxruntime cannot run it: {reason}") from None
