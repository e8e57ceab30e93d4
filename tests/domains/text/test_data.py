import json
import os

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data import folder
from core.errors import InputError
from domains.text.data import (
    Example,
    TextData,
    canonical,
    count_words,
    key,
    loss,
    read,
    without,
)
from domains.text.tokens import SPECIAL, Vocabulary

CLASSES = ["negative", "neutral", "positive"]


def file(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("neg", "negative"), ("negative", "negative"), ("NEG", "negative"), (" pos ", "positive"),
        ("Positive", "positive"), ("POSITIVE", "positive"), ("neu", "neutral"),
        ("Neutral", "neutral"), ("spam", "spam"), ("Spam", "Spam"), ("3", "3"),
    ],
)  # fmt: skip
def test_spellings_of_labels(written, meant):
    assert canonical(written) == meant


CONTENTS = {
    "header.tsv": 'label\ttext\nneg\tbad "film"\npositive\tgood film\nneu\ta, film\n',
    "no_header.tsv": 'neg\tbad "film"\npositive\tgood film\nneu\ta, film\n',
    "header.csv": 'text,label\n"bad ""film""",negative\ngood film,pos\n"a, film",neutral\n',
    "no_header.csv": 'neg,"bad ""film"""\npositive,good film\nneu,"a, film"\n',
    "rows.jsonl": '{"label": "negative", "text": "bad \\"film\\""}\n'
    '{"text": "good film", "label": "pos"}\n{"text": "a, film", "label": "neu", "id": 3}\n',
}


@pytest.mark.parametrize("name", CONTENTS)
def test_every_form_of_file_reads_the_same(tmp_path, name):
    labels, examples = read(file(tmp_path, name, CONTENTS[name]))
    assert labels == CLASSES
    assert examples == [
        Example('bad "film"', (1.0, 0.0, 0.0), (True, True, True)),
        Example("good film", (0.0, 0.0, 1.0), (True, True, True)),
        Example("a, film", (0.0, 1.0, 0.0), (True, True, True)),
    ]


def test_any_set_of_labels(tmp_path):
    path = file(tmp_path, "mail.csv", "label,text\nspam,win now\nham,see you\nnews,today\n")
    labels, examples = read(path)
    assert labels == ["ham", "news", "spam"]
    assert [labels[example.target.index(1.0)] for example in examples] == ["spam", "ham", "news"]


def test_numbers_as_labels_in_jsonl(tmp_path):
    path = file(tmp_path, "stars.jsonl", '{"label": 1, "text": "bad"}\n{"label": 5, "text": "ok"}')
    assert read(path)[0] == ["1", "5"]


def test_a_two_class_file_does_not_choose_neutral(tmp_path):
    path = file(tmp_path, "two.tsv", "neg\tbad\npos\tgood\n")
    _, examples = read(path, CLASSES)
    assert [example.among for example in examples] == [(True, False, True)] * 2
    assert examples[1].target == (0.0, 0.0, 1.0)


@pytest.mark.parametrize("there", [["pos"], ["neg"], ["neu"], ["neu", "pos"]])
def test_other_files_choose_among_all_labels(tmp_path, there):
    """A file that happens to lack a class is no two-class set: nothing is given away."""
    rows = "".join(f"{label}\tgood {label}\n" for label in there)
    _, examples = read(file(tmp_path, "some.tsv", rows), CLASSES)
    assert {example.among for example in examples} == {(True, True, True)}


def test_a_mapping_says_what_labels_mean_and_leaves_rows_out(tmp_path):
    rows = "label\ttext\n0\tawful\n1\tbad\n2\tso so\n3\tgood\n4\tgreat\n"
    path = file(tmp_path, "sst5.tsv", rows)
    two = {"0": "negative", "1": "negative", "2": "", "3": "positive", "4": "positive"}
    labels, examples = read(path, mapping=two)
    assert labels == ["negative", "positive"]
    assert [example.text for example in examples] == ["awful", "bad", "good", "great"]
    _, examples = read(path, CLASSES, {**two, "2": "neutral"})
    assert [example.target.index(1.0) for example in examples] == [0, 0, 1, 2, 2]
    with pytest.raises(InputError, match=r"sst5\.tsv: no texts"):
        read(path, mapping=dict.fromkeys("01234", ""))


def test_a_mapping_of_short_labels(tmp_path):
    path = file(tmp_path, "two.tsv", "neg\tbad\npos\tgood\n")
    assert read(path, mapping={"negative": "down", "pos": "up"})[0] == ["down", "up"]


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("a.tsv", "label\ttext\nneg\tbad\nwhat\tgood\n", r"a\.tsv:3: .*'what'"),
        ("a.csv", 'label,text\nneg,"two\nlines"\nwhat,good\n', r"a\.csv:4: .*'what'"),
        ("a.jsonl", '{"label": "neg", "text": "x"}\n{"label": "what", "text": "x"}\n',
         r"a\.jsonl:2: .*'what'"),
        ("b.tsv", "label\ttext\nneg\t\n", r"b\.tsv:2: empty text"),
        ("b.tsv", "label\ttext\n\tgood\n", r"b\.tsv:2: empty label"),
        ("b.tsv", "label\ttext\nneg\tone\ttoo many\n", r"b\.tsv:2: 3 fields"),
        ("b.jsonl", '{"label": "neg", "text": "x"}\n{"label": "neg"}\n', r"b\.jsonl:2: .*'text'"),
        ("b.jsonl", '{"label": "neg", "text": "x"}\n{oops\n', r"b\.jsonl:2: not valid JSON"),
        ("b.jsonl", '{"label": null, "text": "x"}\n', r"b\.jsonl:1: the label is not a string"),
        ("c.csv", "text,stars\nx,3\n", r"c\.csv.*label"),
        ("empty.csv", "", r"empty\.csv"),
        ("header.csv", "label,text\n", r"header\.csv: no texts"),
        ("d.txt", "neg good\n", r"d\.txt: labels are read from"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named(tmp_path, name, content, place):
    with pytest.raises(InputError, match=place) as caught:
        read(file(tmp_path, name, content), CLASSES)
    assert "\n" not in str(caught.value)


def test_scores_are_learned_in_the_labels_place(tmp_path):
    scores = {"negative": 0.1, "neutral": 0.2, "positive": 0.7}
    rows = [{"text": "good", "label": "positive", "scores": scores}, {"text": "x", "label": "neg"}]
    path = file(tmp_path, "soft.jsonl", "\n".join(map(json.dumps, rows)))
    _, examples = read(path, CLASSES, soft=True)
    assert [example.target for example in examples] == [(0.1, 0.2, 0.7), (1.0, 0.0, 0.0)]
    _, examples = read(path, CLASSES)  # to measure on, the label counts
    assert [example.target for example in examples] == [(0.0, 0.0, 1.0), (1.0, 0.0, 0.0)]


@pytest.mark.parametrize("labels", [CLASSES, None])
def test_scores_of_something_else(tmp_path, labels):
    row = json.dumps({"text": "good", "label": "positive", "scores": {"joy": 1.0}})
    path = file(tmp_path, "soft.jsonl", row)
    with pytest.raises(InputError, match=r"soft\.jsonl:1: .*'joy'"):
        read(path, labels, soft=True)
    assert read(path, labels)[1][0].target[-1] == 1.0


def test_repeats_and_held_out_texts_are_dropped():
    texts = ["Good film!", "bad film", "good   film", "A new one", "BAD film."]
    assert without(texts, []) == [0, 1, 3]
    assert without(texts, ["bad-film"]) == [0, 3]
    assert without(["!!!", "???", "!!!"], []) == [0, 1]
    hidden = "@user Dark &amp; late: Souls"
    assert without(["@Real_Name Dark & late: Souls https://t.co/V3r"], [hidden]) == []


@given(st.lists(st.text(max_size=5), max_size=12), st.lists(st.text(max_size=5), max_size=6))
def test_what_is_kept_is_new(texts, held_out):
    kept = [key(texts[number]) for number in without(texts, held_out)]
    assert len(set(kept)) == len(kept)
    assert set(kept) == {key(text) for text in texts} - {key(text) for text in held_out}


def test_words_are_counted_as_tokens():
    examples = [Example(text, (1.0,), (True,)) for text in ("Isn't it good", "GOOD it is")]
    assert count_words(examples) == {"is": 2, "not": 1, "it": 2, "good": 2}


VOCABULARY = Vocabulary([*SPECIAL, *(f"w{n}" for n in range(300))])


def texts_of(lengths, weight=1.0):
    return [
        Example(" ".join(f"w{(row + n) % 300}" for n in range(length)), (1.0, 0.0), (True, True),
                weight)
        for row, length in enumerate(lengths)
    ]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=200), st.integers(1, 17))
def test_an_epoch_shows_every_example_once(lengths, batch_size):
    data = TextData(texts_of(lengths), VOCABULARY)
    plan = data.plan(0, batch_size, np.random.default_rng(1))
    assert sorted(index for batch in plan for index in batch) == list(range(len(lengths)))
    assert max(map(len, plan)) <= batch_size
    assert len(plan) == -(-len(lengths) // batch_size)


def test_a_weight_says_how_often_an_epoch_shows_an_example():
    examples = texts_of([5] * 400, 2.0) + texts_of([5] * 400, 0.5) + texts_of([5] * 400)
    data = TextData(examples, VOCABULARY)
    shown = np.zeros((3, 1200), dtype=int)
    for epoch in range(3):
        for batch in data.plan(epoch, 32, np.random.default_rng(epoch)):
            np.add.at(shown[epoch], batch, 1)
    assert (shown[:, :400] == 2).all()
    assert (shown[:, 800:] == 1).all()
    assert set(np.unique(shown[:, 400:800])) == {0, 1}
    assert 150 < shown[0, 400:800].sum() < 250
    assert (shown[0] != shown[1]).any()  # each epoch others


def test_batches_hold_texts_of_like_length_in_an_order_of_chance():
    data = TextData(texts_of(list(range(1, 101)) * 2), VOCABULARY)
    plan = data.plan(0, 10, np.random.default_rng(1))
    spread = [np.ptp(data.lengths[batch]) for batch in plan]
    assert max(spread) < 20
    means = [data.lengths[batch].mean() for batch in plan]
    assert means != sorted(means)
    assert plan == data.plan(0, 10, np.random.default_rng(1))
    assert plan != data.plan(0, 10, np.random.default_rng(2))


def test_a_batch_is_padded_to_its_longest_text():
    examples = [
        Example("w1 w2 w3", (0.0, 1.0), (True, True)),
        Example("w7 strange", (0.5, 0.5), (True, False)),
    ]
    data = TextData(examples, VOCABULARY)
    words, target, among = data.batch([0, 1], np.random.default_rng(1))
    assert words.tolist() == [[3, 4, 5], [9, 1, 0]]
    assert words.dtype == torch.int64
    assert target.tolist() == [[0.0, 1.0], [0.5, 0.5]]
    assert among.tolist() == [[True, True], [True, False]]


def test_a_long_text_gives_stretches_of_itself():
    data = TextData(texts_of([50]), VOCABULARY, crop=8)
    starts = set()
    for seed in range(200):
        words, _, _ = data.batch([0], np.random.default_rng(seed))
        assert words.shape == (1, 8)
        first = int(words[0, 0])
        assert words[0].tolist() == list(range(first, first + 8))
        starts.add(first - 2)
    assert min(starts) == 0
    assert max(starts) == 42


def test_beyond_its_limit_a_text_is_not_known():
    data = TextData(texts_of([50]), VOCABULARY, crop=8, limit=8)
    for seed in range(20):
        words, _, _ = data.batch([0], np.random.default_rng(seed))
        assert words.tolist() == [list(range(2, 10))]


def test_hidden_words_are_unknown_ones():
    data = TextData(texts_of([40] * 50 + [1] * 10), VOCABULARY, unknown=0.3)
    words, _, _ = data.batch(range(60), np.random.default_rng(1))
    assert 0.25 < (words[:50] == 1).float().mean() < 0.35
    assert (words[50:, 1:] == 0).all()  # padding stays padding


class Bias(torch.nn.Module):
    """The same logits for every text."""

    def __init__(self, *logits):
        super().__init__()
        self.logits = torch.nn.Parameter(torch.tensor(logits))

    def forward(self, words):
        return self.logits.expand(len(words), -1)


def test_loss_is_the_mean_cross_entropy():
    model = Bias(1.0, 2.0, -1.0)
    target = torch.tensor([[0.0, 1.0, 0.0], [0.2, 0.3, 0.5]])
    words, among = torch.ones(2, 4, dtype=torch.long), torch.ones(2, 3, dtype=torch.bool)
    logs = np.log(np.exp([1, 2, -1]) / np.exp([1, 2, -1]).sum())
    expected = -(logs[1] + np.dot([0.2, 0.3, 0.5], logs)) / 2
    assert loss(model, (words, target, among)).item() == pytest.approx(expected, rel=1e-5)


def test_a_two_class_text_says_nothing_of_neutral():
    model = Bias(1.0, 5.0, 0.5)
    target, among = torch.tensor([[0.0, 0.0, 1.0]]), torch.tensor([[True, False, True]])
    found = loss(model, (torch.ones(1, 2, dtype=torch.long), target, among))
    found.backward()
    assert found.item() == pytest.approx(np.log(1 + np.exp(0.5)), rel=1e-5)
    assert model.logits.grad[1] == 0
    assert model.logits.grad[0] == pytest.approx(-model.logits.grad[2])
    assert model.logits.grad[2] < 0


needs_data = pytest.mark.skipif(
    not os.environ.get("RECEPTIVE_DATA"), reason="RECEPTIVE_DATA does not name the training data"
)


@needs_data
def test_the_treebank_as_three_classes_and_two():
    path = folder() / "text" / "sst5_dev.tsv.xz"
    labels, examples = read(path)
    assert labels == ["0", "1", "2", "3", "4"]
    assert len(examples) == 1_101
    three = {"0": "neg", "1": "neg", "2": "neu", "3": "pos", "4": "pos"}
    labels, examples = read(path, mapping=three)
    assert (labels, len(examples)) == (CLASSES, 1_101)
    labels, examples = read(path, mapping={**three, "2": ""})
    assert (labels, len(examples)) == (["negative", "positive"], 872)


@needs_data
def test_validation_tweets_are_taken_out_of_the_training_tweets():
    """All of tweeteval_val stands in semeval2013_2016_all, there with its names and addresses."""
    _, training = read(folder() / "text" / "semeval2013_2016_all.tsv.xz", CLASSES)
    _, dev = read(folder() / "text" / "tweeteval_val.tsv.xz", CLASSES)
    kept = without([example.text for example in training], [example.text for example in dev])
    held_out = {key(example.text) for example in dev}
    assert not held_out & {key(training[number].text) for number in kept}
    known = {key(example.text) for example in training}
    assert sum(example in known for example in held_out) > 0.98 * len(held_out)
