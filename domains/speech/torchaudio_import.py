"""torchaudio beside any torch.

Its compiled part is made for CUDA and for one version of torch, and where it can't be loaded the
import fails. Nothing here needs that part, so it is then left out. Where torchaudio is used, it is
imported from here.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


def load() -> Any:
    """The module `torchaudio`, with its compiled part where that can be loaded."""
    try:
        return importlib.import_module("torchaudio")
    except (OSError, ImportError):
        for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
            del sys.modules[name]  # what the failed import left behind
    stand_in: Any = ModuleType("torchaudio._extension")
    stand_in._IS_TORCHAUDIO_EXT_AVAILABLE = False
    stand_in._IS_ALIGN_AVAILABLE = False
    stand_in.fail_if_no_align = lambda function: function
    sys.modules[stand_in.__name__] = stand_in
    return importlib.import_module("torchaudio")


torchaudio = load()
