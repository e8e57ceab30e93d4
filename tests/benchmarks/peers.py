"""The contestants: what else answers offline, on a CPU, whether a text is positive.

Each is a function from texts, and the labels to choose among, to one label a text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from domains.text.classifier import SentimentClassifier

LABELS = ("negative", "neutral", "positive")

Labeller = Callable[[Sequence[str], Sequence[str]], list[str]]


def network(name: str) -> Labeller:
    """A released model of this project."""
    classifier = SentimentClassifier.load(name)
    return lambda texts, among: [answer.label for answer in classifier.predict(texts, among=among)]


def vader() -> Labeller:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyser = SentimentIntensityAnalyzer()
    return _by_sign(lambda text: analyser.polarity_scores(text)["compound"], 0.05)


def textblob() -> Labeller:
    from textblob import TextBlob

    return _by_sign(lambda text: TextBlob(text).polarity, 1e-9)


def afinn() -> Labeller:
    from afinn import Afinn

    return _by_sign(Afinn().score, 1e-9)


LEXICONS = {"vaderSentiment": vader, "textblob": textblob, "afinn": afinn}


def _by_sign(score: Callable[[str], float], least: float) -> Labeller:
    """A lexicon's label: neutral below `least`, either way; where it can't be, 0 is positive."""

    def label(texts: Sequence[str], among: Sequence[str]) -> list[str]:
        bound = least if "neutral" in among else 0.0
        scores = map(score, texts)
        return [
            "positive" if found >= bound else "negative" if found <= -bound else "neutral"
            for found in scores
        ]

    return label


LINEAR = "tf-idf + LR"


def vectoriser() -> Any:
    """tf-idf of words, one-letter ones too (the n and t of n't), and of pairs, sublinear."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, min_df=2, token_pattern=r"(?u)\b\w+\b"
    )


def linear(vectors: Any, regression: Any) -> Labeller:
    """A fitted logistic regression over fitted tf-idf vectors."""

    def label(texts: Sequence[str], among: Sequence[str]) -> list[str]:
        columns = [list(regression.classes_).index(name) for name in among]
        logits = regression.decision_function(vectors.transform(texts))[:, columns]
        return [among[best] for best in logits.argmax(1)]

    return label
