"""What a network is trained on: numbers around 0, batches, the loss."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from domains.image.augmentation import Augmentation
from domains.image.examples import ImageData, Loss, Normaliser


def some(count=50, channels=3, size=8):
    rng = np.random.default_rng(0)
    return rng.integers(256, size=(count, channels, size, size), dtype=np.uint8)


def test_numbers_have_mean_0_and_variance_1():
    pictures = some()
    pictures[:, 1] //= 4
    mean, std = Normaliser.of(pictures)
    seen = Normaliser(mean, std)(torch.from_numpy(pictures))
    torch.testing.assert_close(seen.mean((0, 2, 3)), torch.zeros(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(seen.std((0, 2, 3)), torch.ones(3), atol=1e-3, rtol=0)


def test_pictures_of_one_shade_are_no_reason_to_divide_by_zero():
    plain = np.full((4, 1, 3, 3), 128, np.uint8)
    seen = Normaliser(*Normaliser.of(plain))(torch.from_numpy(plain))
    assert seen.isfinite().all() and seen.abs().max() < 1


def data(**most):
    pictures = torch.from_numpy(some())
    classes = torch.arange(50) % 7
    return ImageData(pictures, classes, Normaliser([0.5] * 3, [0.25] * 3), Augmentation(**most))


def test_an_epoch_has_each_picture_once_in_another_order():
    plans = [data().plan(epoch, 16, np.random.default_rng(epoch)) for epoch in range(2)]
    for plan in plans:
        assert [len(indices) for indices in plan] == [16, 16, 16, 2]
        assert sorted(index for indices in plan for index in indices) == list(range(50))
    assert plans[0] != plans[1]


def test_no_batch_has_one_picture():
    plan = data().plan(0, 7, np.random.default_rng(0))
    assert [len(indices) for indices in plan] == [7] * 6 + [8]


def test_a_batch_is_the_pictures_asked_for():
    pictures, classes = data().batch([3, 40], np.random.default_rng(0))
    assert pictures.shape == (2, 3, 8, 8) and pictures.dtype == torch.float32
    assert pictures.is_contiguous(memory_format=torch.channels_last)
    assert classes.tolist() == [3, 40 % 7]
    expected = (torch.from_numpy(some())[[3, 40]] / 255 - 0.5) / 0.25
    torch.testing.assert_close(pictures, expected, atol=1e-5, rtol=1e-5)


def test_a_batch_varies_with_its_randomness_alone():
    varied = data(flip=True, shift=2, rotation=10, elastic=1.0, cutout=3)
    first, again, other = (varied.batch([1, 2, 3], np.random.default_rng(s))[0] for s in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


class Fixed(nn.Module):
    def __init__(self, *answers):
        super().__init__()
        self.answers = answers

    def forward(self, x):
        return self.answers if len(self.answers) > 1 else self.answers[0]


LEAD = torch.tensor([[2.0, 0.0]])  # for class 0
BATCH = (torch.zeros(1, 1, 2, 2), torch.tensor([0]))
RIGHT = math.log(1 + math.exp(-2))


def test_the_loss_is_cross_entropy_smoothed():
    assert Loss(0.0)(Fixed(LEAD), BATCH).item() == pytest.approx(RIGHT)
    assert Loss(0.2)(Fixed(LEAD), BATCH).item() == pytest.approx(0.9 * RIGHT + 0.1 * (RIGHT + 2))


def test_auxiliary_heads_add_three_tenths_of_theirs():
    found = Loss(0.0)(Fixed(LEAD, -LEAD, LEAD), BATCH).item()
    assert found == pytest.approx(RIGHT + 0.3 * (RIGHT + 2) + 0.3 * RIGHT)
