"""Loops that numpy has no function for, compiled to machine code by numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

_njit: Any = numba.njit  # whose stubs leave out some options, and the types of what it returns


def compiled(**options: Any) -> Callable[[Kernel], Kernel]:
    """Decorates what is compiled on the first call; the code is kept on disk for later processes.

    `options` are those of `numba.njit`.
    """
    decorator: Callable[[Kernel], Kernel] = _njit(cache=True, **options)
    return decorator
