"""Is an hour of sound heard in constant memory, and how much faster than it was spoken?

    .venv/bin/python tests/benchmarks/speech_streaming.py [--minutes N] [--model NAME] [--json]

Peak resident memory and time of `receptive speech recognise FILE --format jsonl` on a second and on
an hour of stereo at 44.1 kHz, so that decoding and resampling count. The files, bursts of noise,
are made up in the temporary folder, and removed. Takes about a minute.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from process import peak_memory
from report import markdown, verdict

MEMORY_BOUND = 100  # MB that the long file may take more than the short one
SPEED_BOUND = 100  # seconds of sound a second
RATE, CHANNELS = 44_100, 2


def write(path: Path, seconds: int) -> None:
    """Fills a sound file with that much: every other second of it is noise."""
    rng = np.random.default_rng(0)
    noise = [np.zeros((RATE, CHANNELS)), rng.uniform(-0.3, 0.3, (RATE, CHANNELS))]
    with soundfile.SoundFile(path, "w", RATE, CHANNELS) as file:
        for second in range(seconds):
            file.write(noise[second % 2])


def main() -> None:
    parser = argparse.ArgumentParser(description="Memory and speed of speech on a long file.")
    parser.add_argument("--minutes", type=int, default=60, help="length of the long file")
    parser.add_argument("--model", default="keywords", help="name or path of a released model")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for length in (1, options.minutes * 60):
            path = Path(folder) / f"{length}.flac"
            write(path, length)
            peak, seconds = peak_memory(
                "speech", "recognise", str(path), "--format", "jsonl", "--model", options.model
            )
            found.append({"length": length, "peak_mb": peak, "seconds": seconds})
    difference = found[1]["peak_mb"] - found[0]["peak_mb"]
    speed = found[1]["length"] / found[1]["seconds"]
    met = {"memory": difference <= MEMORY_BOUND, "speed": speed >= SPEED_BOUND}
    if options.json:
        figures = {"files": found, "difference_mb": difference, "times_real_time": speed}
        print(json.dumps({**figures, "targets_met": met}))
        return
    print(
        markdown(
            ("length, s", "peak memory, MB", "time, s"),
            [
                (f"{file['length']:,}", f"{file['peak_mb']:.0f}", f"{file['seconds']:.1f}")
                for file in found
            ],
        )
    )
    print(
        f"\nDifference {difference:.0f} MB, target at most {MEMORY_BOUND} MB: "
        f"{verdict(met['memory'])}."
        f"\n{speed:.0f} times real time, the start of the program included, target at least "
        f"{SPEED_BOUND}: {verdict(met['speed'])}."
    )


if __name__ == "__main__":
    main()
