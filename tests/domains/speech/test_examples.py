"""What an epoch is made of."""

import math
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_model import noise, sine

from domains.speech import augmentation, examples
from domains.speech.audio import LogMel
from domains.speech.data import Clips, to_int16
from domains.speech.examples import MADE_UP, SILENT, Loss, SpeechData, picture

LABELS = ("yes", "no", "unknown", "silence")
NOISE = [to_int16(noise(1.5, 0.05))]


def clips(yes=30, no=20, unknown=40, labels=LABELS):
    classes = [0] * yes + [1] * no + [2] * unknown
    tones = [to_int16(sine(300 + 500 * number, 0.3)) for number in range(3)]
    return Clips(labels, [tones[number] for number in classes], classes)


def generator(seed=0):
    return np.random.default_rng(seed)


@settings(max_examples=60, deadline=None)
@given(
    yes=st.integers(1, 50),
    unknown=st.integers(0, 50),
    shares=st.tuples(st.floats(0, 0.4), st.floats(0, 0.25), st.floats(0, 0.25)),
    batch_size=st.integers(1, 40),
    seed=st.integers(0, 99),
)
def test_each_known_clip_once_an_epoch_and_the_shares_of_the_rest(
    yes, unknown, shares, batch_size, seed
):
    heard = clips(yes, 9, unknown)
    names = ("unknown", "made_up", "silence")
    data = SpeechData(heard, NOISE, 8000, **dict(zip(names, shares, strict=True)))
    plan = data.plan(0, batch_size, generator(seed))
    assert [len(batch) for batch in plan[:-1]] == [batch_size] * (len(plan) - 1)
    assert 1 <= len(plan[-1]) <= batch_size
    indices = Counter(index for batch in plan for index in batch)
    assert [indices.pop(known) for known in range(yes + 9)] == [1] * (yes + 9)
    total = (yes + 9) / (1 - sum(shares))
    assert indices.pop(MADE_UP, 0) == round(total * shares[1])
    assert indices.pop(SILENT, 0) == round(total * shares[2])
    assert all(heard.classes[index] == 2 for index in indices)
    assert indices.total() == (round(total * shares[0]) if unknown else 0)


def test_unknown_words_are_others_in_another_epoch():
    data = SpeechData(clips(), NOISE, 8000, unknown=0.3)
    first, again, second = (data.plan(0, 16, generator(seed)) for seed in (1, 1, 2))
    assert first == again != second
    drawn = [
        {index for batch in plan for index in batch if index >= 50} for plan in (first, second)
    ]
    assert drawn[0] != drawn[1]


def test_words_are_mixed_in_an_epoch():
    [order] = SpeechData(clips(), NOISE, 8000).plan(0, 1000, generator())
    assert sorted(order) == list(range(50)) != order


def test_a_batch_is_a_function_of_its_generator():
    data = SpeechData(clips(), NOISE, 8000)
    indices = [0, 35, 60, MADE_UP, SILENT, 35]
    waveforms, classes = data.batch(indices, generator(3))
    assert waveforms.shape == (6, 8000)
    assert waveforms.dtype == torch.float32
    assert classes.tolist() == [0, 1, 2, 2, 3, 1]
    assert waveforms.abs().max() <= 1
    again, _ = data.batch(indices, generator(3))
    other, _ = data.batch(indices, generator(4))
    assert torch.equal(waveforms, again)
    assert not torch.equal(waveforms, other)
    assert not torch.equal(waveforms[1], waveforms[5])  # the same clip, varied anew


def test_made_up_words_are_of_two_different_words(monkeypatch):
    """A clip in which each sample says which label it is of."""
    heard = Clips(LABELS, [np.full(900, 100 * n, np.int16) for n in (1, 2, 3, 3)], [0, 1, 2, 2])
    joined = []
    monkeypatch.setattr(
        examples.augmentation,
        "join",
        lambda first, second, rng: joined.append((first, second)) or first,
    )
    SpeechData(heard, [], 8000).batch([MADE_UP] * 100, generator())
    pairs = {(round(float(first[0]) * 32768), round(float(second[0]) * 32768))
             for first, second in joined}  # fmt: skip
    assert pairs == {(a, b) for a in (100, 200, 300) for b in (100, 200, 300) if a != b}


def silence(monkeypatch, hum, disturbed=0.0, telephone=0.0):
    monkeypatch.setattr(augmentation, "DISTURBED", disturbed)
    monkeypatch.setattr(augmentation, "TELEPHONE", telephone)
    waveforms, _ = SpeechData(clips(), [hum], 8000).batch([SILENT] * 50, generator())
    return waveforms


CONSTANT = np.full(9000, 3000, np.int16)


def test_silence_is_background_noise(monkeypatch):
    waveforms = silence(monkeypatch, CONSTANT)
    assert ((waveforms == waveforms[:, :1]).all(1)).all()
    assert len(set(waveforms[:, 0].tolist())) > 20  # at as many levels


def test_silence_may_have_sounds_in_it_that_are_no_word(monkeypatch):
    waveforms = silence(monkeypatch, CONSTANT, disturbed=1.0)
    assert (waveforms != waveforms[:, :1]).any(1).float().mean() > 0.9


def test_silence_comes_through_a_telephone_too(monkeypatch):
    assert silence(monkeypatch, CONSTANT, telephone=1.0).abs().max() < 1e-6


class Same(torch.nn.Module):
    """Keeps what it sees; all labels alike but for the first, which has a lead."""

    def forward(self, seen):
        self.seen = seen
        return torch.tensor([[2.0, 0.0, 0.0, 0.0]]).expand(len(seen), -1)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_the_mean_cross_entropy(smoothing):
    network = Same()
    batch = torch.from_numpy(np.stack([noise(0.5), sine(500, 0.5)])), torch.tensor([0, 1])
    total = math.exp(2) + 3
    right, wrong = -math.log(math.exp(2) / total), -math.log(1 / total)
    each = [right, wrong]
    even = (right + 3 * wrong) / 4
    expected = sum((1 - smoothing) * one + smoothing * even for one in each) / 2
    assert Loss(smoothing)(network, batch).item() == pytest.approx(expected, rel=1e-5)


def test_the_network_is_trained_on_log_mels_partly_hidden():
    torch.manual_seed(1)
    network = Same()
    waveforms = torch.from_numpy(np.stack([noise(0.5, seed=seed) for seed in range(8)]))
    Loss(0.0)(network, (waveforms, torch.zeros(8, dtype=torch.long)))
    whole = LogMel()(waveforms)
    assert network.seen.shape == whole.shape == (8, 1, 40, 48)
    hidden = (network.seen - whole).abs() > 1e-4
    assert 0.05 < hidden.float().mean() < 0.8


def test_a_picture_is_as_exact_in_mixed_precision():
    waveforms = torch.from_numpy(noise(0.3)[None])
    with torch.autocast("cpu", torch.bfloat16):
        mixed = picture(LogMel(), waveforms)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, LogMel()(waveforms), atol=1e-4, rtol=0)
