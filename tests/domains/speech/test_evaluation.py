"""Figures by hand, on recognisers that answer as they are told."""

import numpy as np
import pytest
import torch
from tiny_model import noise, silence, sine

from core.errors import InputError
from domains.speech import evaluation
from domains.speech.data import Clips, to_int16
from domains.speech.evaluation import by_telephone, in_noise, validate, validation_set
from domains.speech.recogniser import Recognition

LABELS = ("yes", "no", "unknown", "silence")
RATE = 16_000


class Told:
    """Answers a clip with the label whose number its first sample says, in hundredths."""

    labels = LABELS

    def __init__(self):
        self.heard = []

    def predict(self, waveforms):
        self.heard += waveforms
        answers = [round(float(waveform[0]) * 100) for waveform in waveforms]
        return [Recognition(LABELS[answer], {label: 0.7 if number == answer else 0.1
                                             for number, label in enumerate(LABELS)})
                for answer in answers]  # fmt: skip


def said(*pairs):
    """Clips of a class each, and what the recogniser is to answer to it."""
    waveforms = [to_int16(np.full(200, LABELS.index(answer) / 100)) for _, answer in pairs]
    return Clips(LABELS, waveforms, [LABELS.index(truth) for truth, _ in pairs])


PAIRS = (
    [("yes", "yes")] * 6 + [("yes", "no")] * 2 + [("no", "no")] * 1 + [("no", "yes")] * 3
    + [("unknown", "unknown")] * 2 + [("unknown", "silence")] * 3 + [("silence", "silence")] * 3
)  # fmt: skip


def test_figures_by_hand():
    figures = evaluation.evaluate(Told(), said(*PAIRS))
    assert figures.pop("clips_per_second") > 0
    assert figures.pop("ece") == pytest.approx(abs(0.7 - 12 / 20), abs=1e-6)
    assert figures.pop("confusions")[:2] in (
        [["no", "yes", 3], ["unknown", "silence", 3]],
        [["unknown", "silence", 3], ["no", "yes", 3]],
    )
    assert figures.pop("recall") == pytest.approx(
        {"yes": 6 / 8, "no": 1 / 4, "unknown": 2 / 5, "silence": 1.0}
    )
    assert figures == pytest.approx(
        {"accuracy": 12 / 20, "words": 7 / 12, "unknown": 2 / 5, "silence": 1.0, "n": 20},
        abs=1e-4,
    )


def test_confusions_are_pairs_most_often_first():
    found = evaluation.evaluate(Told(), said(*PAIRS))["confusions"]
    assert {(truth, answer): count for truth, answer, count in found} == {
        ("no", "yes"): 3, ("unknown", "silence"): 3, ("yes", "no"): 2,
    }  # fmt: skip
    assert [count for *_, count in found] == [3, 3, 2]


def test_only_what_is_there_is_scored():
    figures = evaluation.evaluate(Told(), said(("yes", "yes"), ("yes", "silence")))
    assert figures["accuracy"] == figures["words"] == 0.5
    assert figures["recall"] == {"yes": 0.5}
    assert not {"unknown", "silence"} & set(figures)
    assert figures["confusions"] == [["yes", "silence", 1]]


def test_more_clips_than_a_batch_are_heard_in_order():
    rng = np.random.default_rng(0)
    pairs = [(LABELS[truth], LABELS[answer]) for truth, answer in rng.integers(0, 4, (300, 2))]
    figures = evaluation.evaluate(Told(), said(*pairs))
    assert figures["n"] == 300
    assert figures["accuracy"] == pytest.approx(np.mean([a == b for a, b in pairs]), abs=1e-4)


def test_clips_are_made_worse_before_they_are_heard():
    recogniser = Told()
    figures = evaluation.evaluate(recogniser, said(("yes", "no")), lambda clip: clip * 0)
    assert figures["accuracy"] == 1  # 0 says yes
    assert not recogniser.heard[0].any()


def test_no_clip():
    with pytest.raises(InputError, match="no clip of any word that the model knows"):
        evaluation.evaluate(Told(), said())


def level(waveform):
    return float(np.sqrt(np.mean(np.square(waveform, dtype=np.float64))))


@pytest.mark.parametrize("snr", [20, 10, 0])
def test_noise_lies_so_many_decibels_below_the_clip(snr):
    worsen = in_noise([to_int16(noise(3, 0.5)), to_int16(sine(50, 3, 0.01))], snr)
    for clip in (sine(440, 1.0, 0.2), sine(440, 0.4, 0.02), noise(1.3, 0.1, seed=5)):
        worse = worsen(clip)
        assert worse.shape == clip.shape
        assert worse.dtype == np.float32
        found = 20 * np.log10(level(clip) / level(worse - clip))
        assert found == pytest.approx(snr, abs=0.1)


def test_noise_is_the_same_in_each_evaluation():
    clips = [sine(440, 1.0), silence(0.5), noise(1.0, 1.0)]
    first, second = (in_noise([to_int16(noise(3))], 5) for _ in range(2))
    for clip in clips:
        one, two = first(clip), second(clip)
        np.testing.assert_array_equal(one, two)
        assert np.isfinite(one).all()
        assert np.abs(one).max() <= 1


@pytest.mark.parametrize("hertz", [400, 1000, 3000])
def test_a_telephone_lets_speech_through(hertz):
    tone = sine(hertz, 1.0, 0.5)
    heard = by_telephone(tone)
    assert heard.shape == tone.shape
    assert 10 < 20 * np.log10(level(tone) / level(heard - tone)) < 60  # in 256 steps


@pytest.mark.parametrize("hertz", [50, 200, 3700, 5000, 7000])
def test_a_telephone_takes_what_is_beside_its_band(hertz):
    assert level(by_telephone(sine(hertz, 1.0, 0.5))) < 1e-3


@pytest.mark.parametrize("samples", [1, 2, 333, 16_001])
def test_a_clip_is_as_long_after_the_telephone(samples):
    heard = by_telephone(noise(2.0)[:samples])
    assert heard.shape == (samples,)
    assert np.isfinite(heard).all()


# While training


def test_validation_hears_each_clip_in_the_middle_and_some_silence():
    short, long = np.full(4000, 99, np.int16), np.full(20_000, 77, np.int16)
    clips = Clips(LABELS, [short, long] * 20, [0, 1] * 20)
    waveforms, classes = validation_set(clips, [to_int16(noise(1.5))], RATE)
    assert waveforms.shape == (45, RATE)
    assert classes.tolist() == [0, 1] * 20 + [3] * 5
    heard = np.flatnonzero(waveforms[0])
    assert (heard[0], heard[-1]) == (6000, 9999)
    assert (waveforms[1] == np.float32(77 / 32768)).all()
    again, _ = validation_set(clips, [to_int16(noise(1.5))], RATE)
    np.testing.assert_array_equal(waveforms, again)


def test_validation_without_noise_or_without_the_label_has_no_silence_of_its_own():
    clips = Clips(LABELS, [np.ones(9, np.int16)] * 2, [0, 1])
    assert validation_set(clips, [], RATE)[1].tolist() == [0, 1]
    clips = Clips(("yes", "no"), clips.waveforms, clips.classes)
    assert validation_set(clips, [to_int16(noise(1))], RATE)[1].tolist() == [0, 1]


class ByLoudness(torch.nn.Module):
    """Noise is "yes", what is silent "silence"."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, seen):
        quiet = seen.mean((1, 2, 3)) < -10
        return torch.stack([~quiet, quiet & False, quiet & False, quiet], 1).float() + self.weight


def test_the_score_is_the_mean_over_the_kinds():
    """4 of 5 words, 0 of 1 unknown, 2 of 2 of silence, in more than one batch's worth."""
    kinds = [noise(0.1)] * 5 + [noise(0.1)] + [silence(0.1)] * 2
    classes = [0, 0, 0, 0, 1, 2, 3, 3]
    found = validate(ByLoudness(), np.stack(kinds * 40), np.array(classes * 40), LABELS)
    assert found == pytest.approx(
        {"score": (4 / 5 + 0 + 1) / 3, "words": 4 / 5, "unknown": 0, "silence": 1}
    )
    only = validate(ByLoudness(), np.stack(kinds[:5]), np.array(classes[:5]), LABELS)
    assert only == pytest.approx({"score": 4 / 5, "words": 4 / 5})
