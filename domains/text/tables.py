"""From the files of the public sets, as they are published, to the tables that the recipes read.

One function a set: from the folder of its unpacked files to (table name, rows), a row being a
label and a text. `core.data.get` writes the tables, each run of white space as one space.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.errors import InputError

Row = tuple[str, str]
Tables = Iterator[tuple[str, Iterable[Row]]]

_TWO = {"0": "neg", "1": "pos"}
_THREE = {"0": "neg", "1": "neu", "2": "pos"}
_PART = re.compile(r"[()]|[^()\s]+")

EMOTIONS = {
    "admiration": "pos", "amusement": "pos", "anger": "neg", "annoyance": "neg", "approval": "pos",
    "caring": "pos", "confusion": "", "curiosity": "", "desire": "pos", "disappointment": "neg",
    "disapproval": "neg", "disgust": "neg", "embarrassment": "neg", "excitement": "pos",
    "fear": "neg", "gratitude": "pos", "grief": "neg", "joy": "pos", "love": "pos",
    "nervousness": "neg", "optimism": "pos", "pride": "pos", "realization": "", "relief": "pos",
    "remorse": "neg", "sadness": "neg", "surprise": "", "neutral": "neu",
}  # fmt: skip
"""GoEmotions' emotions in the order of their numbers, with the polarity that its authors give them
(its emotions.txt and sentiment_dict.json); four are ambiguous."""


def sst(files: Path) -> Tables:
    """Stanford Sentiment Treebank: {train,dev,test}.txt, a labelled tree a line.

    The sentences bear their root's label; the phrases are the training trees' other nodes, each
    text once.
    """
    for split in ("train", "dev", "test"):
        trees = [list(nodes(line)) for line in _lines(_file(files, f"{split}.txt")) if line.strip()]
        yield f"sst5_{split}", [tree[-1] for tree in trees]
        if split == "train":
            phrases: dict[str, str] = {}
            for tree in trees:
                for label, text in tree[:-1]:
                    phrases.setdefault(text, label)
            yield "sst5_train_phrases", [(label, text) for text, label in phrases.items()]


def nodes(tree: str) -> Iterator[Row]:
    """The label and text of each node of a tree in Penn Treebank form, children before parents.

    >>> list(nodes("(3 (2 not) (1 bad))"))
    [('2', 'not'), ('1', 'bad'), ('3', 'not bad')]
    """
    open_nodes: list[list[str]] = []  # of each its label, then its words
    for part in _PART.findall(tree):
        if part == "(":
            open_nodes.append([])
        elif part == ")":
            label, *words = open_nodes.pop()
            yield label, " ".join(words)
            if open_nodes:
                open_nodes[-1] += words
        else:
            word = part.replace("-LRB-", "(").replace("-RRB-", ")").replace("\\/", "/")
            open_nodes[-1].append(word)


def mr(files: Path) -> Tables:
    """Movie Review sentences: rt-polarity.{neg,pos}, Latin-1, one a line."""
    yield (
        "mr",
        [
            (label, line)
            for label in ("neg", "pos")
            for line in _lines(_file(files, f"rt-polarity.{label}"), "latin-1")
        ],
    )


def imdb(files: Path) -> Tables:
    """Large Movie Review Dataset: {train,test}/{neg,pos,unsup}/*.txt, one review a file.

    Line breaks, written as <br />, become spaces.
    """
    yield "imdb_train", _reviews(files, "train", {"neg": "neg", "pos": "pos"})
    yield "imdb_test", _reviews(files, "test", {"neg": "neg", "pos": "pos"})
    yield "imdb_unsup", _reviews(files, "train", {"unsup": "unk"})


def _reviews(files: Path, split: str, labels: dict[str, str]) -> Iterator[Row]:
    for name, label in labels.items():
        for path in sorted(_file(files, f"aclImdb/{split}/{name}").glob("*.txt")):
            yield label, path.read_bytes().decode().replace("<br />", " ")


def tweeteval(files: Path) -> Tables:
    """TweetEval sentiment: {train,val,test}_text.txt and _labels.txt, line by line."""
    for split in ("train", "val", "test"):
        texts = _lines(_file(files, f"{split}_text.txt"))
        labels = _lines(_file(files, f"{split}_labels.txt"))
        rows = [(_THREE[label], text) for label, text in zip(labels, texts, strict=True)]
        yield f"tweeteval_{split}", rows


def goemotions(files: Path) -> Tables:
    """GoEmotions: {train,dev,test}.tsv, lines of text, emotion numbers and id.

    Comments of both polarities are left out, and ambiguous ones of neither.
    """
    polarities = list(EMOTIONS.values())
    for split in ("train", "dev", "test"):
        rows = []
        for line in _lines(_file(files, f"{split}.tsv")):
            text, numbers, _ = line.rsplit("\t", 2)
            found = {polarities[int(number)] for number in numbers.split(",")}
            polar = found & {"neg", "pos"} or found
            if len(polar) == 1 and polar != {""}:
                rows.append((polar.pop(), text))
        yield f"goemotions_{split}", rows


def newsmtsc(files: Path) -> Tables:
    """NewsMTSC: train.jsonl, a sentence and one person's polarity (-1, 0, 1) a line.

    Sentences that judge all their persons alike, each once.
    """
    judged: dict[str, set[str]] = {}
    for line in _lines(_file(files, "train.jsonl")):
        row = json.loads(line)
        polarity = {-1: "neg", 0: "neu", 1: "pos"}[row["polarity"]]
        judged.setdefault(row["sentence"], set()).add(polarity)
    alike = [(found.pop(), text) for text, found in judged.items() if len(found) == 1]
    yield "newsmtsc_train", alike


def tweet_extraction(files: Path) -> Tables:
    """Tweet Sentiment Extraction: train.jsonl, `text` and `label_text` a line."""
    short = {"negative": "neg", "neutral": "neu", "positive": "pos"}
    rows = [json.loads(line) for line in _lines(_file(files, "train.jsonl"))]
    yield "tweet_extraction", [(short[row["label_text"]], row["text"] or "") for row in rows]


def fdu_mtl(files: Path) -> Tables:
    """FDU-MTL: CATEGORY.task.train, lines of 0 or 1 and a text, for the 14 kinds of products.

    Lines of another form are left out, as the set's own reader does. Not all files are UTF-8:
    they are read as Latin-1.
    """
    rows = []
    folder = _file(files, "apparel.task.train").parent
    for path in sorted(folder.glob("*.task.train")):
        if path.name.split(".")[0] not in ("imdb", "MR"):
            for line in _lines(path, "latin-1"):
                label, _, text = line.partition("\t")
                if label in _TWO and "\t" not in text:
                    rows.append((_TWO[label], text))
    yield "fdu_amazon14_train", rows


def uci3000(files: Path) -> Tables:
    """Sentiment Labelled Sentences: {yelp,amazon_cells,imdb}_labelled.txt, text and 0 or 1."""
    rows = []
    for source in ("yelp", "amazon_cells", "imdb"):
        for line in _lines(_file(files, f"{source}_labelled.txt")):
            text, label = line.rsplit("\t", 1)
            rows.append((_TWO[label.strip()], text))
    yield "uci3000", rows


def _file(files: Path, name: str) -> Path:
    """The file or folder of that name, at whatever depth the archive has it."""
    found = sorted(files.rglob(name))
    if not found:
        raise InputError(f"{name}: not among the files fetched")
    return found[0]


def _lines(path: Path, encoding: str = "utf-8") -> list[str]:
    """The lines of a file, ended by \\n alone: texts hold Unicode's other line ends."""
    return path.read_bytes().decode(encoding).removesuffix("\n").split("\n")
