"""How long do the 48 planes of a position take? Every fifth position of 200 games, on one core.

    .venv/bin/python tests/benchmarks/go_planes_speed.py [--json]

Each position is timed by itself, once, the calls in turn; the planes of a first one are drawn
before, so that all is compiled. Takes some seconds, and a minute more where nothing is compiled.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator
from itertools import islice
from time import perf_counter

import numpy as np
from report import markdown, verdict

from core.data import folder
from domains.go import archives, features, ladders, rules, sgf

TARGET = 60.0  # microseconds, the median
GAMES, EVERY = 200, 5
SIZE = 19


def real_games() -> Iterator[sgf.GameRecord]:
    for _, data in archives.read([folder() / "go" / "kgs-2017_01.tar.gz"]):
        for record in sgf.parse(data):
            if isinstance(record, sgf.GameRecord) and record.size == SIZE:
                yield record


def random_games() -> Iterator[sgf.GameRecord]:
    rng, state = np.random.default_rng(1), rules.new_state(SIZE)
    while True:
        rules.clear(state)
        moves, colour = [], rules.BLACK
        for point in rng.permutation(SIZE * SIZE)[:240].tolist():
            if rules.legal(state, point, colour):
                rules.play(state, point, colour)
                moves.append((colour, point))
                colour = -colour
        yield sgf.GameRecord(size=SIZE, moves=tuple(moves))


def measure(games: Iterator[sgf.GameRecord]) -> dict[str, np.ndarray]:
    """Microseconds of each position."""
    state, scratch = rules.new_state(SIZE), ladders.new_scratch(SIZE)
    out, marks = np.zeros((48, SIZE * SIZE), np.uint8), np.zeros((2, SIZE * SIZE), np.uint8)

    def both_ladders(colour: int) -> None:
        marks[:] = 0
        ladders.mark_captures(state, colour, scratch, marks[0])
        ladders.mark_escapes(state, colour, scratch, marks[1])

    calls: dict[str, Callable[[int], object]] = {
        "48 planes": lambda colour: features.fill(state, colour, scratch, out),
        "of them the two of ladders": both_ladders,
        "nothing: the call from Python": lambda colour: rules.legal(state, 0, colour),
    }
    for call in calls.values():
        call(rules.BLACK)
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for record in games:
        rules.clear(state)
        for point in record.setup_black:
            rules.place(state, point, rules.BLACK)
        for number, (colour, point) in enumerate(record.moves):
            if number % EVERY == 0:
                for name, call in calls.items():
                    started = perf_counter()
                    call(colour)
                    taken[name].append(1e6 * (perf_counter() - started))
            if point != rules.PASS and not rules.legal(state, point, colour):
                break
            rules.play(state, point, colour)
    return {name: np.array(times) for name, times in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of the 48 planes.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    real = (folder() / "go" / "kgs-2017_01.tar.gz").is_file()
    kind = "KGS games of January 2017" if real else "random games (RECEPTIVE_DATA has none)"
    taken = measure(islice(real_games() if real else random_games(), GAMES))
    figures = {
        name: {"median": np.median(times), "p90": np.percentile(times, 90)}
        for name, times in taken.items()
    }
    median, count = figures["48 planes"]["median"], len(taken["48 planes"])
    met = bool(median <= TARGET)
    if options.json:
        found = {"games": kind, "positions": count, "cores": os.cpu_count()}
        print(json.dumps({**found, "microseconds": figures, "target_met": met}))
        return
    print(
        markdown(
            ("microseconds a position", "median", "ratio", "90 %"),
            [
                (
                    name,
                    f"{f['median']:.1f}",
                    f"{f['median'] / median:.2f}",
                    f"{f['p90']:.1f}",
                )
                for name, f in figures.items()
            ],
        )
    )
    print(f"\n{count:,} positions of {kind}; load average {os.getloadavg()[0]:.1f}.")
    print(f"48 planes, target at most {TARGET:.0f} µs at the median: {verdict(met)}.")


if __name__ == "__main__":
    main()
