import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import accuracy_score, f1_score, recall_score
from torch.nn.functional import cross_entropy

from core.metrics import classification, temperature

LABELS = ["a", "b", "c", "d"]


def test_a_worked_example():
    scores = torch.tensor(
        [[0.9, 0.1, 0.0], [0.4, 0.6, 0.0], [0.2, 0.8, 0.0], [0.0, 0.3, 0.7], [0.6, 0.0, 0.4]]
    )
    found = classification(scores, torch.tensor([0, 0, 1, 2, 2]), ["neg", "neu", "pos"])
    assert found["accuracy"] == pytest.approx(3 / 5)
    assert found["recall"] == pytest.approx({"neg": 1 / 2, "neu": 1.0, "pos": 1 / 2})
    assert found["macro_recall"] == pytest.approx((1 / 2 + 1 + 1 / 2) / 3)
    # F1: neg 1 of 2 said and 1 of 2 there; neu 1 of 2 said, 1 of 1 there; pos 1 of 1, 1 of 2
    assert found["macro_f1"] == pytest.approx((1 / 2 + 2 / 3 + 2 / 3) / 3)
    # said with .9 right, .8 right, .7 right, and with .6 twice, both wrong
    assert found["ece"] == pytest.approx((0.1 + 0.2 + 0.3 + 2 * 0.6) / 5, abs=1e-6)
    assert found["n"] == 5


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 40))
def test_against_scikit_learn(data, number):
    raw = data.draw(arrays.arrays(np.float32, (number, 4), elements=st.floats(0, 4, width=32)))
    scores = torch.from_numpy(raw).softmax(1)
    classes = torch.tensor(data.draw(st.lists(st.integers(0, 3), min_size=number, max_size=number)))
    found = classification(scores, classes, LABELS)
    there, answers = np.unique(classes), scores.argmax(1).numpy()
    assert found["accuracy"] == pytest.approx(accuracy_score(classes, answers))
    settings = {"labels": there, "average": "macro", "zero_division": 0}
    recall = recall_score(classes, answers, **settings)
    assert found["macro_recall"] == pytest.approx(recall, abs=1e-6)
    assert found["macro_f1"] == pytest.approx(f1_score(classes, answers, **settings), abs=1e-6)
    each = recall_score(classes, answers, labels=there, average=None, zero_division=0)
    assert list(found["recall"]) == [LABELS[index] for index in there]
    np.testing.assert_allclose(list(found["recall"].values()), each, atol=1e-6)
    assert found["ece"] == pytest.approx(_ece(scores.numpy(), classes.numpy()), abs=1e-5)


def _ece(scores, classes, bins=15):
    """Guo and others 2017, equation 3: mean over bins of |accuracy - confidence|, by their size."""
    confidence, right = scores.max(1), scores.argmax(1) == classes
    number = np.minimum((confidence * bins).astype(int), bins - 1)
    return sum(
        abs(right[number == b].mean() - confidence[number == b].mean()) * (number == b).mean()
        for b in range(bins)
        if (number == b).any()
    )


def test_a_class_that_does_not_occur_counts_for_nothing():
    scores = torch.tensor([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]])
    found = classification(scores, torch.tensor([0, 2]), ["negative", "neutral", "positive"])
    assert found["recall"] == {"negative": 1.0, "positive": 1.0}
    assert found["macro_recall"] == found["macro_f1"] == found["accuracy"] == 1.0


@pytest.mark.parametrize("wanted", [0.4, 1.0, 2.5])
def test_temperature_recovers_what_logits_were_multiplied_by(wanted):
    generator = torch.Generator().manual_seed(1)
    honest = 2 * torch.randn(20_000, 3, generator=generator)
    classes = torch.multinomial(honest.softmax(1), 1, generator=generator).squeeze(1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a user would see them
        found = temperature(wanted * honest, classes)
    assert found == pytest.approx(wanted, rel=0.05)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.2, 5))
def test_temperature_never_raises_the_negative_log_likelihood(seed, factor):
    generator = torch.Generator().manual_seed(seed)
    logits = factor * torch.randn(200, 3, generator=generator)
    classes = torch.randint(3, (200,), generator=generator)
    classes[:120] = logits[:120].argmax(1)  # better than chance
    found = temperature(logits, classes)
    assert found > 0
    assert cross_entropy(logits / found, classes) <= cross_entropy(logits, classes) + 1e-6


@pytest.mark.parametrize("knows", [torch.argmax, torch.argmin])
@pytest.mark.parametrize("factor", [0.1, 1, 10])
def test_temperature_stays_within_reason(knows, factor):
    """A set that is separated, or gainsaid, asks for 0 or for infinity; neither is an answer."""
    logits = factor * torch.randn(60, 3, generator=torch.Generator().manual_seed(1))
    assert 0.01 < temperature(logits, knows(logits, 1)) < 100


def test_temperature_of_masked_labels():
    """A label left out of the choice has a logit of -1e4 and no part in the answer."""
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(500, 3, generator=generator)
    classes = torch.multinomial((logits[:, [0, 2]]).softmax(1), 1, generator=generator).squeeze(1)
    without = temperature(logits[:, [0, 2]], classes)
    logits[:, 1] = -1e4
    assert temperature(logits, 2 * classes) == pytest.approx(without, rel=1e-3)
