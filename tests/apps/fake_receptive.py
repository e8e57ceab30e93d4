"""`receptive` with a classifier that anyone can foresee: run as a script, or take `FakeClassifier`.

A text is positive if it says "good", negative if it says "bad", else neutral.
"""

import re
import sys
from itertools import pairwise

import domains.text.classifier
from core.errors import InputError
from domains.text.classifier import Sentiment
from domains.text.explanation import Explanation, Ngram, Word

LABELS = ("negative", "neutral", "positive")


class FakeClassifier:
    labels = LABELS

    @classmethod
    def load(cls, name="sentiment", threads=None):
        if name != "sentiment":
            raise InputError(f"no model called {name!r}; known: sentiment")
        return cls()

    def predict(self, texts, explain=False, among=None):
        return [self._answer(text, explain) for text in texts]

    def _answer(self, text, explain):
        label = "positive" if "good" in text else "negative" if "bad" in text else "neutral"
        scores = {name: 0.8 if name == label else 0.1 for name in LABELS}
        if not explain:
            return Sentiment(label, scores)
        spans = [match.span() for match in re.finditer(r"\w+", text)]
        words = [
            Word(text[start:end], start, end, {"good": 1.5, "bad": -1.0}.get(text[start:end], 0.01))
            for start, end in spans
        ]
        ngrams = [
            Ngram(text[start:end], start, end, 2, number, weight)
            for number, weight in ((0, 0.25), (1, 0.5))
            for (start, _), (_, end) in pairwise(spans)
        ]
        return Sentiment(label, scores, Explanation(words, ngrams))


if __name__ == "__main__":
    from apps.cli import main

    domains.text.classifier.SentimentClassifier = FakeClassifier
    sys.argv[0] = "receptive"
    main()
