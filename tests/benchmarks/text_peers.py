"""How often is an answer right? The released model beside its peers, on texts new to all of them.

    .venv/bin/python tests/benchmarks/text_peers.py [--model NAME] [--limit N] [--json]

Three classes: macro recall. Two classes, neutral never chosen: accuracy. The test sets and the
training texts lie in RECEPTIVE_DATA. The logistic regression learns here, from the labelled texts
that the released model learns from; its settings are chosen on dev sets. Takes about 15 minutes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from itertools import product

import numpy as np
from peers import LABELS, LEXICONS, LINEAR, Labeller, linear, network, vectoriser
from report import markdown
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, recall_score
from tqdm import tqdm

from core.data import folder
from domains.text.data import Example, read
from domains.text.recipe import LabelledFile, Ready, Recipe, prepare

SST3 = dict(zip("01234", ("negative", "negative", "neutral", "positive", "positive"), strict=True))
SST2 = {**SST3, "2": ""}


def source(name: str, labels: dict[str, str] | None = None) -> LabelledFile:
    return LabelledFile(folder() / "text" / f"{name}.tsv.xz", labels=labels or {})


# The texts of recipes/sentiment.toml that people labelled. Files of two classes just say nothing of
# the neutral one.
TRAIN = (
    source("sst5_train", SST3),
    source("sst5_train_phrases", SST3),
    source("semeval2013_2016_all"),
    source("goemotions_train"),
    source("tweet_extraction"),
    source("newsmtsc_train"),
    source("fdu_amazon14_train"),
    source("uci3000_elements"),
    source("imdb_train"),
)
DEV = (source("sst5_dev", SST3), source("tweeteval_val"), source("goemotions_dev"))
TESTS = {
    "SST-3": source("sst5_test", SST3),
    "SST-2": source("sst5_test", SST2),
    "TweetEval": source("tweeteval_test"),
    "GoEmotions": source("goemotions_test"),
    "IMDB": source("imdb_test"),
}
SETTINGS = [
    {"C": strength, "class_weight": weight}
    for strength, weight in product((1.0, 4.0), (None, "balanced"))
]


def thinned(examples: Sequence[Example], limit: int | None) -> list[Example]:
    """At most `limit` of the examples, evenly spread."""
    return list(examples[:: -(-len(examples) // limit)] if limit else examples)


def label(example: Example) -> str:
    return LABELS[int(np.argmax(example.target))]


def score(labeller: Labeller, examples: Sequence[Example]) -> float:
    """Macro recall in percent; accuracy where the set has two classes."""
    among = [name for name, may in zip(LABELS, examples[0].among, strict=True) if may]
    answers = labeller([example.text for example in examples], among)
    labels = [label(example) for example in examples]
    if len(among) == 2:
        return 100 * float(accuracy_score(labels, answers))
    return 100 * float(recall_score(labels, answers, average="macro"))


def best_linear(ready: Ready, progress: tqdm) -> tuple[dict[str, object], Labeller]:
    """The logistic regression with the highest mean score on the dev sets, and its settings."""
    vectors = vectoriser()
    texts = vectors.fit_transform([example.text for example in ready.train])
    labels = [label(example) for example in ready.train]
    found = []
    for settings in SETTINGS:
        regression = LogisticRegression(**settings, max_iter=300).fit(texts, labels)
        labeller = linear(vectors, regression)
        dev = float(np.mean([score(labeller, examples) for examples in ready.dev]))
        found.append((dev, settings, labeller))
        progress.update()
    dev, settings, labeller = max(found, key=lambda entry: entry[0])
    return {**settings, "dev": dev, "texts": len(labels)}, labeller


def main() -> None:
    parser = argparse.ArgumentParser(description="Accuracy of sentiment, beside its peers.")
    parser.add_argument("--model", default="sentiment", help="name or path of a released model")
    parser.add_argument("--limit", type=int, help="texts of each set at most, training too")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    labellers = {options.model: network(options.model)}
    labellers |= {name: load() for name, load in LEXICONS.items()}
    steps = len(SETTINGS) + len(TESTS) * (len(labellers) + 1)
    with tqdm(total=steps, disable=None) as progress:
        held_out = tuple(TESTS.values())
        ready = prepare(Recipe(data=TRAIN, dev=DEV, held_out=held_out, labels=LABELS))
        ready.train = thinned(ready.train, options.limit)
        chosen, labellers[LINEAR] = best_linear(ready, progress)
        found: dict[str, dict[str, float]] = {}
        sizes = {}
        for name, test in TESTS.items():
            examples = thinned(read(test.path, LABELS, test.labels)[1], options.limit)
            sizes[name], found[name] = len(examples), {}
            for contestant, labeller in labellers.items():
                found[name][contestant] = score(labeller, examples)
                progress.update()
    if options.json:
        print(json.dumps({"model": options.model, "n": sizes, "percent": found, LINEAR: chosen}))
        return
    print(
        markdown(
            ("test set", "texts", *labellers),
            [
                (name, f"{sizes[name]:,}", *(f"{value:.1f}" for value in figures.values()))
                for name, figures in found.items()
            ],
        )
    )
    print(
        "\nMacro recall in percent; for SST-2 and IMDB accuracy, neutral never chosen. "
        f"{LINEAR}: C={chosen['C']}, class_weight={chosen['class_weight']}, chosen on dev sets "
        f"({chosen['dev']:.1f}); learnt from {chosen['texts']:,} texts."
    )


if __name__ == "__main__":
    main()
