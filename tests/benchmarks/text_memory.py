"""Does memory stay constant, however long the file?

    .venv/bin/python tests/benchmarks/text_memory.py [--megabytes N] [--json]

Peak resident memory of `receptive sentiment FILE --format jsonl` on 1 MB and on 1 GB of short
texts. The files are made up in the temporary folder, and removed. Takes about a quarter of an hour.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import made_up
from process import MB, peak_memory
from report import markdown, verdict

BOUND = 150  # MB that the large file may take more than the small one


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
            peak, seconds = peak_memory(
                "sentiment", str(path), "--format", "jsonl", "--model", options.model
            )
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
