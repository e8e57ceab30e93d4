"""How long until `receptive go gtp` answers, and how long does a move take?

    .venv/bin/python tests/benchmarks/go_gtp_speed.py [--model go-policy] [--json]

A session is a new process each time, from its start to the answer to its first command; a move is
`genmove`, averaged over eight symmetries, in one session that plays both sides. The kernels are
compiled before. Takes about 20 seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from time import perf_counter

from report import markdown, verdict

from domains.go.gtp_client import GtpClient

SESSIONS, MOVES = 5, 60
START_TARGET, MOVE_TARGET = 3.0, 0.1  # seconds


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of the GTP engine.")
    parser.add_argument("--model", default="go-policy")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    command = f"{sys.executable} -m apps.cli go gtp --model {options.model}"
    with GtpClient(command, timeout=300) as warm:
        warm.ask("genmove b")
    starts, moves = [], []
    for _ in range(SESSIONS):
        started = perf_counter()
        with GtpClient(command, timeout=60) as engine:
            starts.append(perf_counter() - started)
            engine.ask("genmove b")
    with GtpClient(command, timeout=60) as engine:
        for number in range(MOVES):
            started = perf_counter()
            engine.ask(f"genmove {'bw'[number % 2]}")
            moves.append(perf_counter() - started)
    start, move = statistics.median(starts), statistics.median(moves)
    slowest = max(moves[1:])
    met = {"start": start <= START_TARGET, "move": move <= MOVE_TARGET}
    if options.json:
        print(json.dumps({"start": start, "move": move, "slowest": slowest, "met": met}))
        return
    rows = [
        ("start of a session", f"{start:.2f}", verdict(met["start"])),
        ("genmove, median", f"{move:.3f}", verdict(met["move"])),
        (f"genmove, slowest of {MOVES - 1}", f"{slowest:.3f}", ""),
    ]
    print(markdown(("seconds", "", f"targets {START_TARGET:g} and {MOVE_TARGET:g}"), rows))
    print(f"\n{os.cpu_count()} cores; load average {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
