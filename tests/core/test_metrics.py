import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import accuracy_score, f1_score, recall_score
from torch.nn.functional import nll_loss

from core.metrics import classification, negative_log_likelihood

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


def test_negative_log_likelihood():
    scores = torch.tensor([[0.5, 0.5, 0.0], [0.25, 0.0, 0.75], [1.0, 0.0, 0.0]])
    classes = torch.tensor([1, 0, 0])
    assert negative_log_likelihood(scores, classes) == pytest.approx((np.log(2) + np.log(4)) / 3)
    likely = torch.randn(50, 4, generator=torch.Generator().manual_seed(1)).softmax(1)
    classes = torch.arange(50) % 4
    expected = nll_loss(likely.log(), classes).item()
    assert negative_log_likelihood(likely, classes) == pytest.approx(expected, rel=1e-5)


def test_what_was_held_impossible_costs_much_but_not_all():
    found = negative_log_likelihood(torch.tensor([[1.0, 0.0]]), torch.tensor([1]))
    assert 80 < found < 100
