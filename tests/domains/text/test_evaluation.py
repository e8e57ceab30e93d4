import numpy as np
import pytest
import torch

from domains.text import evaluation
from domains.text.data import Example


class Vocabulary:
    """The number of a word is the word."""

    def ids(self, text, limit):
        return [int(word) for word in text.split()][:limit]


class Sees(torch.nn.Module):
    """Notes the shape of each batch; the logits of a text are its first two words."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.shapes = []

    def forward(self, words):
        self.shapes.append(tuple(words.shape))
        return words[:, :2].float() + self.weight


def example(*words, among=(True, True)):
    return Example(" ".join(map(str, words)), (0.0, 1.0), among)


def test_a_files_class_that_it_lacks_is_not_chosen():
    """A two-class file answered by a three-class network: neutral has no probability."""

    class Neutral(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, words):
            return torch.tensor([[0.0, 9.0, 1.0]]).expand(len(words), -1) + self.weight

    examples = [Example("5 6 7", (0.0, 0.0, 1.0), (True, False, True)),
                Example("5", (0.0, 0.0, 1.0), (True, True, True))]  # fmt: skip
    scores = evaluation.logits(Neutral(), Vocabulary(), examples).softmax(1)
    assert scores.argmax(1).tolist() == [2, 1]
    assert scores[0, 1] == 0


def test_batches_are_bounded_by_words_and_the_answers_in_order():
    """A batch of long texts would take a gigabyte if it were as many as short ones."""
    rng = np.random.default_rng(1)
    lengths = [*rng.integers(2, 40, 700), *rng.integers(1500, 2048, 60), 2, 3]
    rng.shuffle(lengths)
    examples = [example(number, 7, *[1] * (length - 2)) for number, length in enumerate(lengths)]
    network = Sees()
    answers = evaluation.logits(network, Vocabulary(), examples)
    assert answers[:, 0].tolist() == list(range(len(examples)))
    assert sum(texts for texts, _ in network.shapes) == len(examples)
    for texts, words in network.shapes:
        assert texts <= 256
        assert texts * words <= 16_384


def test_of_a_long_text_the_first_words_count():
    """As in the released network, which reads no more."""
    answers = evaluation.logits(Sees(), Vocabulary(), [example(*range(3000, 8000))])
    assert answers.tolist() == [[3000.0, 3001.0]]


def test_dev_figures_are_means_over_the_files():
    right, wrong = example(0, 5), example(5, 0)
    ready = evaluation.Ready(["a", "b"], [], [[right], [right, wrong, wrong, wrong]])
    assert evaluation.dev_figures(Sees(), Vocabulary(), ready)["accuracy"] == pytest.approx(0.625)
