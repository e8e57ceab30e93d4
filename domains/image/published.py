"""Networks of the zoo with weights that others trained on ImageNet and published."""

from __future__ import annotations

import warnings
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from core import registry
from core.errors import InputError

from .key_maps import LAYERS, key_map

CHECKPOINTS = ("state_dict", "model")
"""Under what name training scripts keep the state dict, beside the optimizer's and others."""
PARALLEL = "module."  # before each key where a network was saved inside DistributedDataParallel


def load_published(path: Path, arch: str) -> nn.Module:
    """The network `arch` in eval mode with the weights in a .pth or .safetensors file.

    The file is a state dict with the published names, see `key_maps`, or a checkpoint with one in
    it, see `CHECKPOINTS`. Of a pickle only tensors and plain values are read, so that none of its
    code runs. Raises InputError for an `arch` without a key map, for a file that can't be read or
    holds another network's weights, and for a weight that is no finite number.
    """
    if arch not in LAYERS:
        raise InputError(f"no published weights fit {arch!r}; known: {', '.join(LAYERS)}")
    state = _read(path)
    config = {}
    if arch == "googlenet-bn":
        config["auxiliary"] = False
        state = {key: value for key, value in state.items() if not key.startswith("aux")}
    with torch.device("meta"):  # the weights come from the file
        network = registry.build(arch, config)
    keys, ours = key_map(arch, network), network.state_dict()
    if others := [key for key in state if key not in keys]:
        raise InputError(f"{path}: not weights of {arch}, which has no {others[0]!r}")
    for key, name in keys.items():
        if key.endswith("num_batches_tracked"):  # of no use here, and old files don't have it
            ours[name] = torch.tensor(0)
        elif key not in state:
            raise InputError(f"{path}: not weights of {arch}: {key!r} is missing")
        elif state[key].shape != ours[name].shape:
            found, right = ("x".join(map(str, tensor.shape)) for tensor in (state[key], ours[name]))
            raise InputError(f"{path}: not weights of {arch}: {key!r} is {found}, not {right}")
        elif not state[key].isfinite().all():
            raise InputError(f"{path}: {key!r} has weights that are NaN or infinite")
        else:
            ours[name] = state[key].float()
    network.load_state_dict(ours, assign=True)
    return network.eval()


def preprocessing(arch: str) -> dict[str, Any]:
    """What the published weights of `arch` want, as on a released model's card."""
    if arch == "efficientnet-lite0":
        mean, std = [127 / 255] * 3, [128 / 255] * 3
    elif arch == "googlenet-bn":  # ported from TensorFlow
        mean, std = [0.5] * 3, [0.5] * 3
    else:  # of ImageNet's training pictures
        mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    return {"channels": 3, "size": 224, "resize": 256, "fit": "crop", "mean": mean, "std": std}


def _read(path: Path) -> Mapping[str, Tensor]:
    if path.suffix not in (".pth", ".safetensors"):
        raise InputError(f"{path}: published weights are a .pth or .safetensors file")
    try:
        with (
            path.open("rb") as file,
            warnings.catch_warnings(action="ignore"),  # of odd pickles
            torch.serialization.safe_globals([Namespace]),  # torchvision's scripts keep options so
        ):
            state = (
                load_file(path)
                if path.suffix == ".safetensors"
                else torch.load(file, map_location="cpu", weights_only=True)
            )
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except Exception:  # what damaged files raise has no common base
        raise InputError(f"{path}: damaged, or holds other things than tensors") from None
    inner = [state[name] for name in CHECKPOINTS if isinstance(state, Mapping) and name in state]
    state = inner[0] if inner else state
    if not isinstance(state, Mapping) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in state.items()
    ):
        raise InputError(f"{path}: no state dict: not tensors by their names")
    return {key.removeprefix(PARALLEL): value for key, value in state.items()}
