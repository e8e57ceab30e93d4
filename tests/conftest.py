"""What several test files share: the command line in this process, and a tiny text model."""

import csv
import io
import json
import os
import random
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")  # many small networks

import pytest

WORDS = {
    "negative": ["awful", "boring", "clumsy", "dreadful", "dull", "lifeless", "tedious", "unfunny"],
    "neutral": ["delayed", "filed", "moved", "planned", "posted", "printed", "scheduled", "signed"],
    "positive": ["charming", "clever", "delightful", "funny", "great", "lovely", "moving", "warm"],
}
SUBJECTS = ["film", "story", "script", "cast", "meeting", "report", "ending", "scene"]


class Done(NamedTuple):
    code: int
    out: str
    err: str


def run(*arguments):
    """`receptive ARGUMENTS` in this process."""
    from apps import cli

    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["receptive", *map(str, arguments)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            cli.main()
    except SystemExit as end:
        return Done(end.code or 0, out.getvalue(), err.getvalue())
    finally:
        sys.argv = before
    return Done(0, out.getvalue(), err.getvalue())


def sentences(number, seed, labels=tuple(WORDS)):
    """(label, text) pairs that a network learns at once: a few words tell the label."""
    rng = random.Random(seed)
    made = []
    for index in range(number):
        label = labels[index % len(labels)]
        one, two = rng.sample(WORDS[label], 2)
        filler = " really" * rng.randrange(3)
        text = f"The {rng.choice(SUBJECTS)} was{filler} {one} and the {rng.choice(SUBJECTS)} {two}."
        made.append((label, text))
    return made


def write_rows(path, rows, header=True, short=False):
    """(label, text) rows as the suffix says; `short` labels are neg, neu and pos."""
    rows = [(label[:3] if short else label, text) for label, text in rows]
    if path.suffix == ".jsonl":
        lines = [json.dumps({"label": label, "text": text}) for label, text in rows]
        path.write_text("\n".join(lines) + "\n")
    else:
        with path.open("w", newline="") as file:
            quoting = csv.QUOTE_NONE if path.suffix == ".tsv" else csv.QUOTE_MINIMAL
            delimiter = "\t" if path.suffix == ".tsv" else ","
            writer = csv.writer(file, delimiter=delimiter, quoting=quoting, quotechar=None
                                if path.suffix == ".tsv" else '"')  # fmt: skip
            writer.writerows([("label", "text"), *rows] if header else rows)
    return path


@pytest.fixture(scope="session")
def command():
    return run


@pytest.fixture(scope="session")
def made_up():
    """`sentences` and `write_rows`."""
    return SimpleNamespace(sentences=sentences, write=write_rows, words=WORDS)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A multichannel text CNN of three classes, trained by the command line in seconds."""
    folder = tmp_path_factory.mktemp("tiny")
    train = write_rows(folder / "train.csv", sentences(240, 1), short=True)
    dev = write_rows(folder / "dev.tsv", sentences(60, 2), header=False)
    test = write_rows(folder / "test.jsonl", sentences(60, 3))
    settings = [
        "epochs=6", "learning_rate=0.02", "batch_size=32", "dimensions=12", "filters=6",
        "widths=[2, 3]", 'pools=["max", "mean"]', "channels=multichannel",
    ]  # fmt: skip
    arguments = ["text", "train", "--data", train, "--dev", dev, "--test", test]
    arguments += [part for setting in settings for part in ("--set", setting)]
    done = run(*arguments, "--out", folder / "tiny")
    assert done.code == 0, done.err
    return SimpleNamespace(
        card=folder / "tiny.toml", arguments=arguments, train=train, dev=dev, test=test, done=done,
        folder=Path(folder),
    )  # fmt: skip
