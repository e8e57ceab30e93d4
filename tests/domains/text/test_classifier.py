import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import InputError
from domains.text.classifier import WEIGHTS, SentimentClassifier
from domains.text.tokens import spans

ROOT = Path(__file__).parents[3]
LABELS = ("negative", "neutral", "positive")
ODD = ["", " ", "\n", "!!!", "😀", "\x00", "a", "not", "İİ", "don’t", "x" * 5000, "funny " * 3000]
words = st.sampled_from(["the", "film", "was", "not", "funny", "dull", "moved", ",", "n't", "qwzx"])
texts = st.lists(words, min_size=1, max_size=30).map(" ".join) | st.text(max_size=20)
quick = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def classifier(tiny):
    return SentimentClassifier.load(str(tiny.card))


@pytest.fixture
def copied(tiny, tmp_path):
    """The path of a copy of the tiny model's card, to spoil."""
    for suffix in (".toml", ".safetensors", ".onnx"):
        shutil.copy(tiny.card.with_suffix(suffix), tmp_path)
    return tmp_path / tiny.card.name


def test_it_learned_what_the_words_say(classifier, made_up):
    rows = made_up.sentences(90, seed=77)
    answers = classifier.predict([text for _, text in rows])
    right = sum(answer.label == label for answer, (label, _) in zip(answers, rows, strict=True))
    assert right >= 81


def test_no_text_no_answer(classifier):
    assert classifier.predict([]) == []


@quick
@given(st.lists(texts, max_size=8))
def test_scores_are_probabilities_and_the_label_is_the_likeliest(classifier, texts):
    answers = classifier.predict(texts)
    assert len(answers) == len(texts)
    for answer in answers:
        assert tuple(answer.scores) == LABELS
        assert all(0 <= score <= 1 for score in answer.scores.values())
        assert sum(answer.scores.values()) == pytest.approx(1, abs=1e-9)
        assert answer.scores[answer.label] == max(answer.scores.values())
        assert answer.explanation is None


@quick
@given(st.lists(texts | st.sampled_from(ODD), max_size=12))
def test_a_batch_answers_as_each_text_alone_in_order(classifier, texts):
    for text, answer in zip(texts, classifier.predict(texts), strict=True):
        [alone] = classifier.predict([text])
        assert answer.scores == pytest.approx(alone.scores, abs=1e-5)


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_have_answers_and_explanations(classifier, text):
    [plain] = classifier.predict([text])
    [explained] = classifier.predict([text], explain=True)
    assert explained.scores == pytest.approx(plain.scores, abs=1e-5)
    assert math.isfinite(sum(explained.scores.values()))
    assert all(math.isfinite(word.weight) for word in explained.explanation.words)


@quick
@given(texts, st.sampled_from([("positive", "negative"), ("negative", "neutral"), LABELS]))
def test_among_leaves_classes_out_of_the_choice(classifier, text, among):
    [whole], [chosen] = classifier.predict([text]), classifier.predict([text], among=among)
    total = sum(whole.scores[label] for label in among)
    assert chosen.label in among
    assert chosen.scores == pytest.approx(
        {label: whole.scores[label] / total for label in among}, abs=1e-5
    )


def test_among_labels_that_there_are_not(classifier):
    with pytest.raises(InputError, match=r"'joy'.*negative, neutral, positive"):
        classifier.predict(["good"], among=["joy", "positive"])


@quick
@given(texts)
def test_explanations_point_at_the_words(classifier, text):
    [answer] = classifier.predict([text], explain=True)
    found = answer.explanation
    assert [(word.start, word.end) for word in found.words] == spans(text)
    assert all(word.text == text[word.start : word.end] for word in found.words)
    for ngram in found.ngrams:
        assert ngram.text == text[ngram.start : ngram.end]
        within = [w for w in found.words if ngram.start <= w.start and w.end <= ngram.end]
        assert (within[0].start, within[-1].end) == (ngram.start, ngram.end)
        assert ngram.width in (2, 3)
        assert 1 <= len(within) <= ngram.width
    sizes = [abs(ngram.weight) for ngram in found.ngrams]
    assert sizes == sorted(sizes, reverse=True)
    assert len({(ngram.width, ngram.filter) for ngram in found.ngrams}) == len(found.ngrams) <= 12


@quick
@given(texts)
def test_the_weights_of_the_words_add_up_to_the_labels_lead(classifier, text):
    """But for the last layer's biases, which no word brought, nothing is lost or added."""
    [answer] = classifier.predict([text], explain=True)
    if not answer.explanation.words:
        return
    best = LABELS.index(answer.label)
    others = [index for index in range(3) if index != best]
    logits = classifier.logits([text])[0] - classifier.tensors["head.linear.bias"]
    lead = logits[best] - logits[others].mean()
    assert sum(word.weight for word in answer.explanation.words) == pytest.approx(lead, abs=1e-3)


def test_each_filters_ngram_is_where_its_value_is_highest(classifier):
    text = "the script was funny and the ending really clever , but the cast was dull"
    tensors = classifier.tensors
    tables = [array.astype(np.float32) for name, array in tensors.items() if ".tables." in name]
    vectors = sum(table[classifier.vocabulary.ids(text, 99)] for table in tables)
    [answer] = classifier.predict([text], explain=True)
    places = spans(text)
    assert len(answer.explanation.ngrams) > 6
    for ngram in answer.explanation.ngrams:
        layer = classifier.card.config["widths"].index(ngram.width)
        kernel = tensors[f"convolutions.{layer}.conv.weight"][ngram.filter]
        bias = tensors[f"convolutions.{layer}.conv.bias"][ngram.filter]
        values = []
        for t in range(len(places)):
            seen = [(t - ngram.width // 2 + n, n) for n in range(ngram.width)]
            seen = [(at, n) for at, n in seen if 0 <= at < len(places)]
            value = bias + sum(kernel[:, n] @ vectors[at] for at, n in seen)
            values.append((float(value), places[seen[0][0]][0], places[seen[-1][0]][1]))
        highest = max(values)[0]
        assert highest > 0
        assert (ngram.start, ngram.end) in [
            (start, end) for value, start, end in values if value > highest - 1e-4
        ]


def test_the_words_that_tell_are_named(classifier, made_up):
    right = 0
    for label in LABELS:
        word = made_up.words[label][2]
        [answer] = classifier.predict([f"The film was {word}."], explain=True)
        strongest = max(answer.explanation.words, key=lambda part: part.weight)
        right += answer.label == label and strongest.text == word
    assert right >= 2


def test_nearest_words_are_by_cosine(classifier):
    found = classifier.nearest("funny", n=5)
    table = sum(
        array.astype(np.float64) for name, array in classifier.tensors.items() if ".tables." in name
    )
    unit = table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-9)
    cosines = unit @ unit[classifier.vocabulary.id("funny")]
    order = [index for index in np.argsort(-cosines) if index > 1]
    words = [classifier.vocabulary.words[index] for index in order[1:6]]
    assert [word for word, _ in found] == words
    assert [cosine for _, cosine in found] == pytest.approx(cosines[order[1:6]], abs=1e-4)
    assert classifier.nearest(" FUNNY ", n=5) == found


def test_nearest_gives_words_only_and_never_the_word_itself(classifier):
    found = classifier.nearest("funny", n=10_000)
    words = [word for word, _ in found]
    assert len(words) == len(set(words)) == len(classifier.vocabulary) - 3
    assert not {"funny", "<pad>", "<unk>"} & set(words)
    assert all(-1.001 <= cosine <= 1.001 for _, cosine in found)


@pytest.mark.parametrize("word", ["qwzxv", "", "  ", "two words", "<unk>", "<pad>"])
def test_nearest_of_what_is_no_known_word(classifier, word):
    with pytest.raises(InputError, match="not among"):
        classifier.nearest(word)


def test_an_unknown_model_lists_the_known_ones(tmp_path):
    with pytest.raises(InputError) as caught:
        SentimentClassifier.load(str(tmp_path / "none"))
    assert "none" in str(caught.value)
    for card in WEIGHTS.glob("*.toml"):
        assert card.stem in str(caught.value)


@pytest.mark.parametrize("with_suffix", [True, False])
def test_a_model_by_its_path(copied, with_suffix):
    model = SentimentClassifier.load(str(copied if with_suffix else copied.with_suffix("")))
    assert model.labels == LABELS


@pytest.mark.parametrize("suffix", [".safetensors", ".onnx"])
def test_an_altered_file_is_refused(copied, suffix):
    path = copied.with_suffix(suffix)
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(path.name) + ".*sha256"):
        SentimentClassifier.load(str(copied))


@pytest.mark.parametrize("suffix", [".safetensors", ".onnx"])
def test_a_missing_file_is_named(copied, suffix):
    copied.with_suffix(suffix).unlink()
    with pytest.raises(InputError, match=re.escape(copied.with_suffix(suffix).name)):
        SentimentClassifier.load(str(copied))


def test_a_model_of_another_domain_is_refused(copied):
    card = copied.read_text().replace('domain = "text"', 'domain = "go"')
    copied.write_text(card)
    with pytest.raises(InputError, match=r"tiny\.toml.*'go'"):
        SentimentClassifier.load(str(copied))


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".pkl"])
def test_a_pickle_is_refused(tmp_path, suffix):
    path = tmp_path / f"model{suffix}"
    path.write_bytes(b"\x80\x04.")
    with pytest.raises(InputError, match="pickle"):
        SentimentClassifier.load(str(path))


def test_answers_need_neither_torch_nor_gensim(tiny):
    code = """
import sys
from domains.text.classifier import SentimentClassifier
model = SentimentClassifier.load(sys.argv[1], threads=1)
[answer] = model.predict(["The film was funny."], explain=True)
model.nearest("funny")
sys.argv = ["receptive", "sentiment", "--model", sys.argv[1], "--format", "label", "funny film"]
from apps.cli import main
try:
    main()
except SystemExit:
    pass
heavy = {"torch", "gensim", "streamlit", "onnx", "lightning_fabric", "sklearn", "pandas"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tiny.card)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() in LABELS


@pytest.fixture(scope="module")
def sentiment():
    return SentimentClassifier.load("sentiment")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("A warm, funny film.", "positive"),
        ("A tedious, unfunny mess.", "negative"),
        ("The meeting is on Tuesday.", "neutral"),
        ("Not bad at all.", "positive"),
        ("It doesn't work and nobody answers.", "negative"),
        ("It does n't work and nobody answers .", "negative"),
        ("I LOOOOVE this :)", "positive"),
        ("What a waste of time!!!!", "negative"),
        ("The train leaves from platform 4.", "neutral"),
    ],
)
def test_the_released_model_reads_plain_texts_as_a_reader_would(sentiment, text, label):
    assert sentiment.predict([text])[0].label == label


def test_hardly_a_triumph(sentiment):
    [answer] = sentiment.predict(["Hardly a triumph."])
    assert answer.scores["positive"] < 0.5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Not bad at all", {"Not", "bad"}),
        ("The film is not funny", {"not", "funny"}),
        ("I would never recommend this", {"never", "recommend"}),
        ("It wasn't good", {"n't", "good"}),
        ("A complete lack of charm", {"lack"}),
        ("Hardly a triumph", {"Hardly"}),
        ("There is nothing to like here", {"nothing"}),
        ("You won't regret it", {"n't", "regret"}),
        ("I can't say I enjoyed it", {"n't", "enjoyed"}),
        ("Without doubt the best of the year", {"best"}),
    ],
)
def test_explanations_of_negation_name_the_words_that_a_reader_would(sentiment, text, words):
    [answer] = sentiment.predict([text], explain=True)
    ranked = sorted(answer.explanation.words, key=lambda word: -abs(word.weight))
    assert words <= {word.text for word in ranked[:3]}, [(w.text, w.weight) for w in ranked]


def test_the_released_model_is_small_and_calibrated(sentiment):
    size = sum((WEIGHTS / name).stat().st_size for name in sentiment.card.files)
    assert size <= 16_000_000
    assert sentiment.labels == LABELS
    assert sentiment.card.metrics["temperature"] > 0
    dev = [found for name, found in sentiment.card.metrics.items() if name.startswith("dev ")]
    assert dev
    assert all(found["ece"] < 0.1 for found in dev)


def test_the_released_model_knows_like_words(sentiment):
    near = {word for word, _ in sentiment.nearest("terrible", n=10)}
    assert near & {"horrible", "awful", "dreadful", "bad", "atrocious", "horrendous"}
