"""What a process of the command line costs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from time import perf_counter

MB = 1_000_000
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes


def peak_memory(*arguments: str) -> tuple[float, float]:
    """Peak resident memory in MB and seconds of `receptive` with these arguments.

    The kernel counts what a child shares with its parent before exec, so this one stays small.
    """
    program = str(Path(sys.executable).with_name("receptive"))
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    started = perf_counter()
    process = os.posix_spawn(program, [program, *arguments], os.environ, file_actions=quiet)
    _, status, usage = os.wait4(process, 0)
    if code := os.waitstatus_to_exitcode(status):
        sys.exit(f"receptive {arguments[0]} ended with exit code {code}")
    return usage.ru_maxrss * MAXRSS_UNIT / MB, perf_counter() - started
