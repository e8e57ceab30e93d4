"""How fast is an answer? One text in a cold process; many texts in a warm one.

    .venv/bin/python tests/benchmarks/text_speed.py [--json]

The contestants take turns; each figure is the median of its turns, the first left out. A cold
process starts the interpreter anew, though its files may lie in the system's cache. A warm one
never sees a text twice. Takes about a minute.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import fmean, median
from time import perf_counter

import made_up
from peers import LABELS, LEXICONS, LINEAR, Labeller, linear, network, vectoriser
from report import markdown, verdict

from core.data import folder
from domains.text.files import Row, rows

COLD_TARGET, WARM_TARGET = 0.5, 20_000  # seconds, texts a second
TURNS = 7
TEXTS_A_TURN = 2500
FILES = ("sst5_train", "sst5_test", "tweeteval_test")

TEXT = "A warm, funny film."
PROGRAMS = {
    "vaderSentiment": "from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer as S\n"
    f"print(S().polarity_scores({TEXT!r}))",
    "textblob": f"from textblob import TextBlob\nprint(TextBlob({TEXT!r}).polarity)",
}


def medians(contestants: Mapping[str, Callable[[int], object]]) -> dict[str, float]:
    """Median seconds of each contestant's turns after turn 0."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(TURNS + 1):
        for name, run in contestants.items():
            started = perf_counter()
            run(turn)
            seconds[name].append(perf_counter() - started)
    return {name: median(taken[1:]) for name, taken in seconds.items()}


def cold(model: str) -> dict[str, float]:
    """Seconds from the start of a process to its end, one text answered."""
    command = [str(Path(sys.executable).with_name("receptive")), "sentiment", TEXT]
    commands = {"receptive": [*command, "--model", model]}
    for name, program in PROGRAMS.items():
        commands[name] = [sys.executable, "-c", program]

    def process(command: list[str], turn: int) -> None:
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    return medians({name: partial(process, command) for name, command in commands.items()})


def warm(model: str, texts: list[str]) -> dict[str, float]:
    """Texts a second of loaded contestants, all of them answering the same."""
    labellers = {"receptive": network(model)}
    labellers |= {name: load() for name, load in LEXICONS.items()}
    labellers[LINEAR] = any_linear(texts[:TEXTS_A_TURN])

    def batch(label: Labeller, turn: int) -> None:
        label(texts[turn * TEXTS_A_TURN : (turn + 1) * TEXTS_A_TURN], LABELS)

    seconds = medians({name: partial(batch, label) for name, label in labellers.items()})
    return {name: TEXTS_A_TURN / taken for name, taken in seconds.items()}


def any_linear(texts: list[str]) -> Labeller:
    """A logistic regression: what it learns makes no difference to its speed."""
    from sklearn.linear_model import LogisticRegression

    vectors = vectoriser()
    labels = [LABELS[number % len(LABELS)] for number in range(len(texts))]
    return linear(vectors, LogisticRegression().fit(vectors.fit_transform(texts), labels))


def short_texts() -> tuple[str, list[str]]:
    """What they are, and enough of them for all turns: public ones, else made up."""
    wanted = TEXTS_A_TURN * (TURNS + 1)
    paths = [folder() / "text" / f"{name}.tsv.xz" for name in FILES]
    if not all(path.is_file() for path in paths):
        return "made-up texts (RECEPTIVE_DATA has none)", list(islice(made_up.texts(), wanted))
    texts = [row.text for path in paths for row in rows(path, path.name) if isinstance(row, Row)]
    return "SST sentences and TweetEval tweets", random.Random(1).sample(texts, wanted)


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of sentiment, beside its peers.")
    parser.add_argument("--model", default="sentiment", help="name or path of a released model")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    kind, texts = short_texts()
    latency, rate = cold(options.model), warm(options.model, texts)
    ours = latency["receptive"], rate["receptive"]
    met = ours[0] <= COLD_TARGET, ours[1] >= WARM_TARGET
    words = fmean(len(text.split()) for text in texts)
    if options.json:
        found = {"texts": kind, "words_a_text": round(words, 1), "cores": os.cpu_count()}
        figures = {"cold_seconds": latency, "texts_per_second": rate, "targets_met": met}
        print(json.dumps({**found, **figures}))
        return
    print(
        markdown(
            ("contestant", "cold process, s", "ratio", "warm, texts/s", "ratio"),
            [
                (
                    name,
                    f"{latency[name]:.2f}" if name in latency else "",
                    f"{latency[name] / ours[0]:.2f}" if name in latency else "",
                    f"{rate[name]:,.0f}",
                    f"{rate[name] / ours[1]:.2f}",
                )
                for name in rate
            ],
        )
    )
    print(f"\nRatios to receptive. {os.cpu_count()} cores; {kind}, {words:.0f} words on average.")
    print(f"Cold process, target at most {COLD_TARGET} s: {verdict(met[0])}.")
    print(f"Warm, target at least {WARM_TARGET:,} texts/s: {verdict(met[1])}.")


if __name__ == "__main__":
    main()
