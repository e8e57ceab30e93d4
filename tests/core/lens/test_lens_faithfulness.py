"""Whether relevant places are relevant: networks of which it is known."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from core.blocks import Flatten, FullyConnected
from core.lens import faithfulness as module
from core.lens.faithfulness import area, deletion, faithfulness, insertion
from core.lens.subject import Subject


def subject(network: nn.Module, shape: tuple[int, ...], neutral: Tensor | None = None) -> Subject:
    return Subject(
        name="small",
        network=network.eval().requires_grad_(False),
        shape=shape,
        labels=("a", "b"),
        neutral=torch.zeros(shape) if neutral is None else neutral,
        lowest=torch.tensor(0.0),
        highest=torch.tensor(1.0),
    )


class Weighing(nn.Module):
    """Logits 0 and the weighted sum of all values, those of both channels."""

    def __init__(self, weights):
        super().__init__()
        self.weights = torch.tensor(weights)

    def forward(self, x):
        total = (x * self.weights).flatten(1).sum(1)
        return torch.stack([torch.zeros_like(total), total], 1)


def test_both_curves_by_hand():
    weights = [2.0, 0.0, 1.0, -1.0]
    one = subject(Weighing(weights), (1, 4))
    x, relevance = torch.ones(1, 4), torch.tensor(weights)
    # Places go 0, 2, 1, 3: the logit is 2, 0, -1, -1, 0, and the other way 0, 2, 3, 3, 2.
    down = deletion(one, x, relevance, 1, steps=4)
    up = insertion(one, x, relevance, 1, steps=4)
    assert down.tolist() == pytest.approx(torch.tensor([2.0, 0, -1, -1, 0]).sigmoid().tolist())
    assert up.tolist() == pytest.approx(torch.tensor([0.0, 2, 3, 3, 2]).sigmoid().tolist())


def test_a_place_goes_with_all_its_channels():
    neutral = torch.tensor([[0.5, 0.0], [0.0, 0.0]])
    one = subject(Weighing([[1.0, 1.0], [3.0, 3.0]]), (2, 2), neutral)
    curve = deletion(one, torch.ones(2, 2), torch.tensor([1.0, 0.0]), 1, steps=2)
    assert curve.logit().tolist() == pytest.approx([8, 4.5, 0.5], rel=1e-3)


def test_area_by_hand():
    assert area(torch.tensor([1.0, 0.0])) == 0.5
    assert area(torch.tensor([1.0, 0.5, 0.0, 0.0, 0.0])) == pytest.approx(0.25)
    assert area(torch.ones(7)) == pytest.approx(1.0)


def random_network(shape, seed):
    torch.manual_seed(seed)
    network = nn.Sequential(Flatten(), FullyConnected(torch.Size(shape).numel(), 6, "tanh"),
                            FullyConnected(6, 3))  # fmt: skip
    return subject(network, shape, torch.rand(shape))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 50), st.integers(0, 9))
def test_a_curve_is_what_one_change_after_another_gives(height, width, steps, seed):
    shape = (2, height, width)
    one = random_network(shape, seed)
    x, relevance = torch.rand(shape), torch.rand(height, width)
    places = height * width
    order = sorted(range(places), key=lambda at: -float(relevance.flatten()[at]))
    steps = min(steps, places)
    expected = []
    for step in range(steps + 1):
        changed = x.clone().flatten(1)
        for at in order[: places * step // steps]:
            changed[:, at] = one.neutral.flatten(1)[:, at]
        expected.append(float(one.network(changed.reshape(1, *shape)).softmax(1)[0, 2]))
    assert deletion(one, x, relevance, 2, steps).tolist() == pytest.approx(expected, abs=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99))
def test_insertion_walks_the_way_of_deletion_backwards(seed):
    """Deleting the most relevant first leaves what inserting the least relevant first puts in."""
    one = random_network((1, 4, 4), seed)
    x, relevance = torch.rand(1, 4, 4), torch.rand(4, 4)
    there = deletion(one, x, relevance, 0, steps=16)
    back = insertion(one, x, -relevance, 0, steps=16)
    assert torch.allclose(there, back.flip(0), atol=1e-6)


def test_no_more_inputs_at_once_than_a_batch():
    sizes = []

    class Counting(Weighing):
        def forward(self, x):
            sizes.append(len(x))
            return super().forward(x)

    one = subject(Counting([1.0] * 200), (1, 200))
    assert len(deletion(one, torch.ones(1, 200), torch.rand(200), 1, steps=100)) == 101
    assert max(sizes) == module.BATCH
    assert sum(sizes) == 101


def test_the_truth_beats_a_random_order_and_its_opposite_does_not():
    weights = torch.linspace(-0.2, 0.2, 64)
    one = subject(Weighing(weights.tolist()), (1, 64))
    x = torch.ones(1, 64)
    right, wrong = (faithfulness(one, x, sign * weights, 1) for sign in (1, -1))
    assert right.deletion_margin > 0.1
    assert right.insertion_margin > 0.1
    assert wrong.deletion_margin < -0.1
    assert wrong.insertion_margin < -0.1
    assert right.deletion == area(deletion(one, x, weights, 1))
    assert (right.random_deletion, right.random_insertion) == (
        wrong.random_deletion, wrong.random_insertion,
    )  # fmt: skip
