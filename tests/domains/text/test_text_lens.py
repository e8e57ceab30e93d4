"""The lens on the text CNN: from words to vectors, and from what excites it back to words."""

import csv
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from core.errors import InputError
from domains.text import lens, nearest
from domains.text.classifier import SentimentClassifier
from domains.text.tokens import Vocabulary

TEXTS = [
    "Not bad at all!",
    "I don't like this film, it is a waste of time.",
    "The meeting was moved to Tuesday.",
    "great",
]


@pytest.fixture(scope="module")
def subject():
    return lens.subject()


@pytest.fixture(scope="module")
def classifier():
    return SentimentClassifier.load(threads=1)


def small(subject, words):
    """The subject with the first words alone."""
    vocabulary = Vocabulary(subject.vocabulary.words[:words])
    return replace(subject, vocabulary=vocabulary, vectors=subject.vectors[:words])


def test_it_answers_as_the_classifier_does(subject, classifier):
    for text, right in zip(TEXTS, classifier.logits(TEXTS), strict=True):
        vectors = lens.read(text, subject)
        assert vectors.shape == (100, len(lens.words(text, subject)))
        np.testing.assert_allclose(subject.network(vectors[None])[0], right, atol=1e-4)


def test_words_are_those_that_the_vectors_stand_for(subject):
    assert lens.words("I don't know", subject) == ["i", "do", "not", "know"]
    assert lens.read("I don't know", subject)[:, 2].equal(lens.read("not", subject)[:, 0])
    assert lens.words("", subject) == ["<unk>"]
    assert lens.read("", subject).shape == (100, 1)


def test_the_network_has_the_layers_of_the_trained_one_and_no_copy(subject):
    names = [name for name, _ in subject.network.named_parameters()]
    assert names[0] == "convolutions.0.conv.weight" and names[-1] == "head.linear.bias"
    assert not any("embedding" in name for name in names)
    assert not any(weight.requires_grad for weight in subject.network.parameters())


def test_all_word_vectors_lie_within_the_bounds(subject):
    vectors = subject.vectors[2:].T
    assert ((subject.lowest <= vectors) & (vectors <= subject.highest)).all()
    longer = lens.of_length(subject, 23)
    assert longer.shape == longer.neutral.shape == (100, 23)
    assert not longer.neutral.any()
    assert subject.shape == subject.neutral.shape == (100, 10)


def test_words_are_nearest_to_their_own_vectors(subject, classifier):
    text = "a truly awful film"
    found = nearest.nearest(subject, 3 * lens.read(text, subject), 4)
    assert [place[0][0] for place in found] == text.split()
    assert all(place[0][1] == pytest.approx(1) for place in found)
    right = classifier.nearest("awful", 3)
    assert [word for word, _ in found[2][1:]] == [word for word, _ in right]


@pytest.mark.parametrize("width, number", [(1, 3), (2, 0), (3, 100)])
def test_nearest_ngrams_are_the_best_of_all(subject, width, number):
    few = small(subject, 22)
    layer = subject.network.convolutions[width - 1].conv
    every = {
        " ".join(few.vocabulary.words[n] for n in ngram): float(
            (layer.weight[number] * few.vectors[list(ngram)].T).sum() + layer.bias[number]
        )
        for ngram in product(range(2, 22), repeat=width)
    }
    right = sorted(every.items(), key=lambda item: -item[1])[:7]
    found = nearest.nearest_ngrams(few, width, number, 7)
    assert [ngram for ngram, _ in found] == [ngram for ngram, _ in right]
    assert [value for _, value in found] == pytest.approx([value for _, value in right], abs=1e-5)


def test_rare_words_count_if_they_are_asked_for(subject):
    common = nearest.nearest_ngrams(subject, 2, 5, 1, common=1_000)[0]
    every = nearest.nearest_ngrams(subject, 2, 5, 1, common=len(subject.vocabulary))[0]
    assert all(subject.vocabulary.id(word) < 1_000 for word in common[0].split())
    assert every[1] > common[1]


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_ngrams_of_texts_are_where_the_filter_has_its_maximum(subject, width):
    found = nearest.nearest_ngrams(subject, width, 7, 50, texts=TEXTS)
    read = [" ".join(lens.words(text, subject)) for text in TEXTS]
    assert all(any(ngram in text for text in read) for ngram, _ in found)
    values = [value for _, value in found]
    assert values == sorted(values, reverse=True)
    layer = subject.network.convolutions[width - 1]
    maps = [layer(lens.read(text, subject)[None])[0, 7, : len(lens.words(text, subject))]
            for text in TEXTS]  # fmt: skip
    assert max(values[0], 0) == pytest.approx(float(max(m.max() for m in maps)), abs=1e-5)
    assert nearest.nearest_ngrams(subject, width, 7, 3, texts=TEXTS) == found[:3]


def test_a_filter_that_is_none(subject):
    with pytest.raises(InputError, match="no filters over 9 words; there are: 1, 2, 3, 4"):
        nearest.nearest_ngrams(subject, 9, 0)
    with pytest.raises(InputError, match="0 to 127, no 128"):
        nearest.nearest_ngrams(subject, 2, 128)


@pytest.mark.parametrize("label", ["negative", "positive"])
def test_a_sentence_is_as_surely_of_a_label_as_can_be(subject, classifier, label):
    found = nearest.most(subject, label, 6, common=5_000)
    assert nearest.most(subject, label, 6, common=5_000) == found
    chosen = found.text.split()
    assert len(set(chosen)) == 6
    assert all(2 <= subject.vocabulary.id(word) < 5_000 for word in chosen)
    assert found.probability > 0.999
    (right,) = classifier.predict([found.text])
    assert right.label == label
    assert right.scores[label] == pytest.approx(found.probability, abs=1e-4)


def test_no_other_word_makes_a_sentence_surer(subject):
    few = small(subject, 60)
    found = nearest.most(few, "negative", 3)
    usable = [word for word in few.vocabulary.words[2:] if word.isalpha()]
    chosen = found.text.split()
    for place, word in product(range(3), usable):
        if word not in chosen:
            other = " ".join([*chosen[:place], word, *chosen[place + 1 :]])
            answer = few.network(lens.read(other, few)[None]).softmax(1)[0, 0]
            assert answer <= found.probability + 1e-6


def test_a_sentence_that_cannot_be(subject):
    with pytest.raises(InputError, match="'happy' is not one of: negative, neutral, positive"):
        nearest.most(subject, "happy")
    with pytest.raises(InputError, match="a sentence of 0 words: 1 to"):
        nearest.most(subject, "positive", 0)


@pytest.fixture
def table(tmp_path):
    """A csv of 30 texts of 8 to 14 words."""
    words = [f"{word} film" for word in ("good", "bad", "dull", "fine", "odd", "new", "old")]
    texts = [" ".join(words[n % 7 :] + words[: n % 7])[: 60 + n] for n in range(30)]
    with (tmp_path / "texts.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["text"], *([text] for text in texts), ["too short"]])
    return tmp_path / "texts.csv", texts


def test_real_inputs_are_stretches_of_the_texts(subject, table):
    file, texts = table
    found = torch.cat(list(lens.real(subject, file)))
    long = [text for text in texts if len(lens.words(text, subject)) >= 10]
    assert found.shape == (len(long), *subject.shape)
    for vectors in found:
        stretch = " ".join(place[0][0] for place in nearest.nearest(subject, vectors))
        assert any(stretch in text for text in texts)
    few = torch.cat(list(lens.real(lens.of_length(subject, 2), file, most=5, seed=3)))
    assert few.shape == (5, 100, 2)


def test_a_network_without_filters_and_a_file_without_texts(subject, tmp_path):
    with pytest.raises(InputError, match="not a text model"):
        lens.subject("domains/image/weights/digits.toml")
    with pytest.raises(InputError, match="no such file"):
        next(lens.real(subject, tmp_path / "gone.csv"))
