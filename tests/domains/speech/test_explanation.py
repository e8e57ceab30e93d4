import numpy as np
import pytest
import tiny_model
from tiny_model import LABELS, SAMPLE_RATE, TONES, WINDOW, clip, silence, sine

from core.errors import InputError
from domains.speech.audio import MELS, frames
from domains.speech.explanation import explain
from domains.speech.recogniser import KeywordRecogniser


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory):
    return KeywordRecogniser.load(str(tiny_model.save(tmp_path_factory.mktemp("tones"))))


@pytest.mark.parametrize("word", LABELS)
def test_it_explains_the_answer_that_predict_gives(recogniser, word):
    waveform = clip(word)
    explanation = explain(recogniser, waveform)
    [answer] = recogniser.predict([waveform])
    assert explanation.label == answer.label == word
    assert explanation.probability == pytest.approx(answer.probability)
    np.testing.assert_array_equal(explanation.waveform, waveform)
    assert explanation.log_mel.shape == explanation.relevance.shape == (MELS, frames(WINDOW))
    assert np.isfinite(explanation.relevance).all()


@pytest.mark.parametrize("word", TONES)
def test_what_counts_is_the_band_and_the_time_of_the_word(recogniser, word):
    explanation = explain(recogniser, clip(word, seconds=0.4))
    band = int(explanation.log_mel.mean(1).argmax())
    by_band, by_time = explanation.relevance.mean(1), explanation.relevance.mean(0)
    assert by_band.argmax() == pytest.approx(band, abs=4)
    assert by_time.argmax() == pytest.approx(frames(WINDOW) / 2, abs=10)
    assert by_time[:15].max() < by_time.max() / 20 and by_time[-15:].max() < by_time.max() / 20


def test_what_speaks_against_the_answer_is_below_zero(recogniser):
    both = clip("no") + sine(TONES["down"], 1.0, amplitude=0.02)
    explanation = explain(recogniser, both)
    assert explanation.label == "no"
    rival = int(explain(recogniser, clip("down")).log_mel.mean(1).argmax())
    assert explanation.relevance[rival].mean() < 0


def test_nothing_matters_in_silence(recogniser):
    explanation = explain(recogniser, silence(1))
    assert explanation.label == "silence"
    assert np.abs(explanation.relevance).max() < 1e-4


def test_of_a_longer_clip_the_window_that_speaks_for_it_is_shown(recogniser):
    longer = np.concatenate([silence(0.5), clip("up")])
    explanation = explain(recogniser, longer)
    assert explanation.label == "up"
    assert len(explanation.waveform) == WINDOW
    assert np.abs(explanation.waveform).sum() == pytest.approx(np.abs(longer).sum(), rel=0.01)


def test_another_sample_rate_is_resampled(recogniser):
    eight = np.repeat(sine(TONES["no"], 0.25), 2)  # half as high, twice as long, at 8 kHz as it was
    explanation = explain(recogniser, eight, sample_rate=2 * SAMPLE_RATE)
    assert explanation.label == "no" and len(explanation.waveform) == WINDOW


def test_what_has_no_answer_has_no_explanation(recogniser):
    with pytest.raises(InputError, match="not a finite number"):
        explain(recogniser, np.array([np.inf], np.float32))
