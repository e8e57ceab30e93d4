"""The networks for images: `zoo` declares them, one file a case study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from . import zoo  # noqa: F401  registers them


def example_inputs(config: Mapping[str, Any]) -> tuple[Tensor, ...]:
    """One black picture, for summaries and exports; of a network for volumes, one volume."""
    slices = [config["slices"]] if "slices" in config else []
    return (torch.zeros(1, config["channels"], *slices, config["size"], config["size"]),)
