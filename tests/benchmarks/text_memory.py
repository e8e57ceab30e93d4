"""Does memory stay constant, however long the file?

    .venv/bin/python tests/benchmarks/text_memory.py [--megabytes N] [--json]

Peak resident memory of `receptive sentiment FILE --format jsonl` on 1 MB and on 1 GB of short
texts. The files are made up in the temporary folder, and removed. Takes about a quarter of an hour.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import made_up
from report import markdown, verdict

BOUND = 150  # MB that the large file may take more than the small one
MB = 1_000_000
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes


def write(path: Path, megabytes: int) -> int:
    """Fills a jsonl file with that much; the number of its rows."""
    written = rows = 0
    with path.open("w", encoding="utf-8") as file:
        for rows, text in enumerate(made_up.texts(), 1):
            row = {"id": rows, "source": "made up", "text": text}
            written += file.write(json.dumps(row) + "\n")
            if written >= megabytes * MB:
                break
    return rows


def measure(path: Path, model: str) -> tuple[float, float]:
    """Peak resident memory in MB and seconds of one process.

    The kernel counts what a child shares with its parent before exec, so this one stays small.
    """
    program = str(Path(sys.executable).with_name("receptive"))
    command = [program, "sentiment", str(path), "--format", "jsonl", "--model", model]
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    started = perf_counter()
    process = os.posix_spawn(program, command, os.environ, file_actions=quiet)
    _, status, usage = os.wait4(process, 0)
    if code := os.waitstatus_to_exitcode(status):
        sys.exit(f"receptive sentiment ended with exit code {code}")
    return usage.ru_maxrss * MAXRSS_UNIT / MB, perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description="Peak memory of sentiment on a long file.")
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the large file")
    parser.add_argument("--model", default="sentiment", help="name or path of a released model")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    print("This takes minutes: about 15 for a file of 1 GB.", file=sys.stderr)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for megabytes in (1, options.megabytes):
            path = Path(folder) / f"{megabytes}.jsonl"
            rows = write(path, megabytes)
            peak, seconds = measure(path, options.model)
            found.append(
                {"megabytes": megabytes, "rows": rows, "peak_mb": peak, "seconds": seconds}
            )
    difference = found[1]["peak_mb"] - found[0]["peak_mb"]
    met = difference <= BOUND
    if options.json:
        print(json.dumps({"files": found, "difference_mb": difference, "target_met": met}))
        return
    print(
        markdown(
            ("file, MB", "rows", "peak memory, MB", "rows/s"),
            [
                (
                    f"{file['megabytes']:,}",
                    f"{file['rows']:,}",
                    f"{file['peak_mb']:.0f}",
                    f"{file['rows'] / file['seconds']:,.0f}",
                )
                for file in found
            ],
        )
    )
    print(f"\nDifference {difference:.0f} MB, target at most {BOUND} MB: {verdict(met)}.")


if __name__ == "__main__":
    main()
