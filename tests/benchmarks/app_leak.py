"""Does the app's server grow, however many games are played on it?

    .venv/bin/python tests/benchmarks/app_leak.py [--games N] [--json]

A thousand people, four at a time, open the Go page, play three moves against the network and leave;
they speak Streamlit's protocol, without a browser. The server's resident memory is read after each
game. The first half fills what is bounded: Streamlit keeps up to 128 people's games for two minutes
after they have left. A line is fitted to the second half. Takes about 5 minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from time import perf_counter

import numpy as np
from report import markdown, verdict
from visitors import machine, megabytes, server, visit

AT_ONCE, MOVES = 4, 3
TOLERANCE = 20  # MB that 1,000 games may add: 20 kB a game, half of what one weighs


async def play(address: str, games: int, memory: Callable[[], float]) -> list[float]:
    """Memory after each game."""

    async def people() -> None:
        for seed in seeds:
            async with visit(address, seed) as visitor:
                for _ in range(MOVES):
                    await visitor.play()
                    await visitor.answer()
            found.append(memory())

    seeds: Iterator[int] = iter(range(games))
    found: list[float] = []
    await asyncio.gather(*(people() for _ in range(AT_ONCE)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Memory of the app's server, game after game.")
    parser.add_argument("--games", type=int, default=1000)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    print(f"This takes minutes: about {options.games // 200} or more.", file=sys.stderr)
    started = perf_counter()
    with server() as (address, process):
        found = asyncio.run(play(address, options.games, lambda: megabytes(process)))
    seconds = perf_counter() - started
    half = len(found) // 2
    growth = 1000 * float(np.polyfit(np.arange(half, len(found)), found[half:], 1)[0])
    met = growth < TOLERANCE
    if options.json:
        print(json.dumps({"memory_mb": found, "growth_mb_per_1000": growth, "target_met": met}))
        return
    at = [1, *(len(found) * tenth // 10 for tenth in range(1, 11))]
    print(markdown(("games", "memory, MB"), [(f"{n:,}", f"{found[n - 1]:.1f}") for n in at]))
    print(
        f"\nSecond half: {growth:+.1f} MB per 1,000 games, asked at most {TOLERANCE}: "
        f"{verdict(met)}.\n{len(found):,} games of {MOVES} moves and answers in {seconds:.0f} s; "
        f"{machine()}"
    )


if __name__ == "__main__":
    main()
