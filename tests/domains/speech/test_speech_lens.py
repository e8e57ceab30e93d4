"""The lens on the speech network: what it sees of a sound, and how that sounds again."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from tiny_model import noise, silence, sine
from tone_words import write

from core.errors import InputError
from domains.speech import lens
from domains.speech.audio import SAMPLE_RATE, LogMel
from domains.speech.recogniser import KeywordRecogniser
from domains.speech.recordings import read

SAMPLES = Path(__file__).parents[3] / "apps" / "speech" / "samples"
WORDS = ["go", "left", "no", "stop", "up", "yes"]


@pytest.fixture(scope="module")
def subject():
    return lens.subject()


@pytest.fixture(scope="module")
def recogniser():
    return KeywordRecogniser.load(threads=1)


@pytest.fixture
def tone(tmp_path):
    """The file of a tone of a third of a second."""
    soundfile.write(tmp_path / "tone.wav", sine(800, 0.3), SAMPLE_RATE)
    return tmp_path / "tone.wav"


@pytest.mark.parametrize("sample", ["yes", "sentence"])
def test_it_answers_as_the_recogniser_does(subject, recogniser, sample):
    file = SAMPLES / f"{sample}.ogg"
    log_mel = lens.read(file, subject)
    assert log_mel.shape == subject.shape == (1, 40, 98)
    found = subject.network(log_mel[None]).softmax(1)[0]
    (right,) = recogniser.predict([read(file)])
    assert subject.labels == recogniser.labels
    np.testing.assert_allclose(found, list(right.scores.values()), atol=1e-4)


def test_silence_is_neutral(subject, tmp_path):
    soundfile.write(tmp_path / "silence.wav", silence(1), SAMPLE_RATE)
    torch.testing.assert_close(lens.read(tmp_path / "silence.wav", subject), subject.neutral)
    assert subject.labels[int(subject.network(subject.neutral[None]).argmax())] == "silence"


def test_no_sound_is_beyond_the_bounds_and_a_full_tone_is_near_the_highest(subject):
    tones = [sine(hertz, 1, amplitude=1) for hertz in np.geomspace(50, 7500, 150)]
    square = np.sign(sine(700, 1))
    sounds = np.stack([*tones, square, noise(1, 1.0), np.sign(noise(1)), silence(1)])
    log_mel = LogMel()(torch.from_numpy(sounds.astype(np.float32)))
    assert (log_mel <= subject.highest).all()
    assert (log_mel >= subject.lowest - 1e-4).all()
    loudest = log_mel.amax((0, 3))[0]
    assert (loudest > subject.highest[:, 0] - 2).all()


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_still_that_word_when_heard_again(subject, recogniser, word):
    log_mel = lens.read(SAMPLES / f"{word}.ogg", subject)
    wave = lens.sound(log_mel)
    assert wave.shape == (SAMPLE_RATE,) and wave.dtype == np.float32
    (heard,) = recogniser.predict([wave])
    assert heard.label == word
    assert heard.probability > 0.8
    assert (lens.sound(log_mel) == wave).all()


def test_a_tone_comes_back_at_its_pitch_and_its_place(subject, tone):
    wave = lens.sound(lens.read(tone, subject))
    spectrum = np.abs(np.fft.rfft(wave))
    assert spectrum.argmax() == pytest.approx(800, abs=60)  # Hz: a second has 1 Hz a step
    middle = slice(5600, 10400)
    assert np.square(wave[middle]).sum() > 0.97 * np.square(wave).sum()


def test_what_is_too_loud_is_softened(subject):
    wave = lens.sound(subject.highest.expand(subject.shape))
    assert np.abs(wave).max() == pytest.approx(1, abs=1e-3)


def test_real_clips_are_those_to_train_on(subject, tmp_path):
    folder = write(tmp_path / "words", ["yes", "no", "bird"], speakers=4)
    clips = torch.cat(list(lens.real(subject, folder)))
    assert clips.shape == (3 * 2, 1, 40, 98)
    files = [folder / word / f"speaker{n}_nohash_0.wav" for word in ("yes", "no", "bird")
             for n in (2, 3)]  # fmt: skip
    right = [lens.read(file, subject) for file in files]
    assert all(any(clip.equal(one) for one in right) for clip in clips)
    assert torch.cat(list(lens.real(subject, folder, most=4))).equal(clips[:4])
    assert not torch.cat(list(lens.real(subject, folder, seed=1))).equal(clips)


def test_bad_input_is_named(subject, tmp_path):
    with pytest.raises(InputError, match=r"gone\.wav: no such file"):
        lens.read(tmp_path / "gone.wav", subject)
    with pytest.raises(InputError, match="no folder of sounds in it"):
        next(lens.real(subject, tmp_path))
    with pytest.raises(InputError, match="not a speech model"):
        lens.subject("domains/image/weights/digits.toml")
