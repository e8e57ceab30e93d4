import itertools
import shutil

import numpy as np
import pytest
import tiny_model
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_model import LABELS, TONES, clip, noise, silence, sine

from core.errors import InputError
from domains.speech.audio import SAMPLE_RATE
from domains.speech.recogniser import KeywordRecogniser
from domains.speech.torchaudio_import import torchaudio

words = st.sampled_from(LABELS)


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return tiny_model.save(tmp_path_factory.mktemp("tones"))


@pytest.fixture(scope="module")
def recogniser(card):
    return KeywordRecogniser.load(str(card))


def sentence(*parts):
    """Clips of the words, and silence of so many seconds where a part is a number."""
    return np.concatenate([clip(p) if isinstance(p, str) else silence(p) for p in parts])


def heard(recogniser, sound):
    return [detection.label for detection in recogniser.listen([sound])]


def test_every_label_is_recognised_in_order(recogniser):
    answers = recogniser.predict([clip(word) for word in LABELS])
    assert [answer.label for answer in answers] == LABELS
    assert recogniser.predict([]) == []


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(words, st.floats(0.05, 2)), max_size=6))
def test_a_batch_answers_as_each_waveform_alone(recogniser, drawn):
    waveforms = [clip(word)[: round(length * SAMPLE_RATE)] for word, length in drawn]
    for waveform, answer in zip(waveforms, recogniser.predict(waveforms), strict=True):
        [alone] = recogniser.predict([waveform])
        assert answer.scores == pytest.approx(alone.scores, abs=1e-5)
        assert sum(answer.scores.values()) == pytest.approx(1)
        assert answer.probability == answer.scores[answer.label] == max(answer.scores.values())


def test_the_top_labels_are_the_likeliest_first(recogniser):
    [answer] = recogniser.predict([clip("no")])
    top = answer.top(3)
    assert len(top) == 3 and top[0] == (answer.label, answer.probability)
    assert [score for _, score in top] == sorted(answer.scores.values(), reverse=True)[:3]
    assert len(answer.top(99)) == len(LABELS)


@pytest.mark.parametrize("seconds", [0.25, 0.5, 0.99])
def test_a_short_waveform_stands_in_the_middle_of_a_silent_window(recogniser, seconds):
    short = sine(TONES["up"], seconds)
    rest = SAMPLE_RATE - len(short)
    by_hand = np.pad(short, (rest // 2, rest - rest // 2))
    [one, other] = recogniser.predict([short, by_hand])
    assert one.label == "up"
    assert one.scores == pytest.approx(other.scores, abs=1e-6)


@pytest.mark.parametrize("before", [0, 0.1, 0.27, 0.5])
@pytest.mark.parametrize("word", [*TONES, "unknown"])
def test_a_word_is_found_anywhere_in_a_longer_clip(recogniser, word, before):
    [answer] = recogniser.predict([sentence(before, word, 0.5 - before)])
    assert answer.label == word


def test_a_longer_clip_is_judged_by_its_loudest_second(recogniser):
    quiet, loud = 0.1 * sentence("yes", 1.0), sentence("no", 1.0)
    assert recogniser.predict([np.concatenate([quiet, loud, quiet])])[0].label == "no"
    assert recogniser.predict([np.concatenate([quiet, 0.01 * loud])])[0].label == "yes"


def test_a_longer_clip_without_a_word_is_silence(recogniser):
    assert recogniser.predict([silence(1.5)])[0].label == "silence"


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_another_sample_rate_is_resampled(recogniser, rate):
    waveforms = [
        torchaudio.functional.resample(tiny_model.torch.from_numpy(clip(word)), 16_000, rate)
        for word in TONES
    ]
    answers = recogniser.predict([waveform.numpy() for waveform in waveforms], sample_rate=rate)
    assert [answer.label for answer in answers] == list(TONES)


@pytest.mark.parametrize("samples", [1, 2, 80, 479, 480])
def test_a_click_is_silence(recogniser, samples):
    assert recogniser.predict([np.full(samples, 1e-4, np.float32)])[0].label == "silence"


def test_samples_far_beyond_full_scale_have_an_answer(recogniser):
    [answer] = recogniser.predict([clip("no").astype(np.float64) * 1e300])
    assert np.isfinite(list(answer.scores.values())).all()


def test_what_is_no_waveform_is_refused(recogniser):
    with pytest.raises(InputError, match="without a sample"):
        recogniser.predict([clip("no"), np.zeros(0, np.float32)])
    with pytest.raises(InputError, match="not a finite number"):
        recogniser.predict([np.array([0, np.nan], np.float32)])
    with pytest.raises(TypeError, match="one channel of floating-point samples"):
        recogniser.predict([np.zeros((100, 2), np.float32)])
    with pytest.raises(TypeError, match="one channel of floating-point samples"):
        recogniser.predict([np.zeros(100, np.int16)])


@settings(max_examples=20, deadline=None)
@given(
    st.lists(words, min_size=1, max_size=3),
    st.integers(1, SAMPLE_RATE),
    st.lists(st.integers(0, 30_000), max_size=5),
    st.sampled_from([0.1, 0.25, 0.333, 1.0]),
)
def test_a_stream_answers_window_by_window_as_clips_do(recogniser, said, more, cuts, hop):
    recording = np.concatenate([sentence(*said), noise(1, 0.05)[:more]])
    got = list(recogniser.windows(np.split(recording, sorted(cuts)), hop))
    last = len(recording) - SAMPLE_RATE
    starts = list(range(0, last + 1, round(hop * SAMPLE_RATE)))
    starts += [last] if starts[-1] != last else []
    assert [start for start, _ in got] == [start / SAMPLE_RATE for start in starts]
    answers = recogniser.predict([recording[start : start + SAMPLE_RATE] for start in starts])
    for (_, probabilities), answer in zip(got, answers, strict=True):
        scores = dict(zip(LABELS, probabilities, strict=True))
        assert scores == pytest.approx(answer.scores, abs=1e-5)


def test_a_stream_shorter_than_a_window_is_one(recogniser):
    short = sine(TONES["yes"], 0.4)
    [(start, probabilities)] = recogniser.windows(np.array_split(short, 7))
    assert start == 0
    assert dict(zip(LABELS, probabilities, strict=True)) == pytest.approx(
        recogniser.predict([short])[0].scores, abs=1e-5
    )
    assert list(recogniser.windows([])) == []


def test_words_are_heard_where_they_were_said(recogniser):
    recording = sentence(1.0, "yes", 0.4, "up", "unknown", 2.0, "no", 1.13)
    detections = list(recogniser.listen([recording]))
    assert [detection.label for detection in detections] == ["yes", "up", "unknown", "no"]
    for detection, (start, end) in zip(
        detections, [(1.2, 1.8), (2.6, 3.2), (3.6, 4.2), (6.6, 7.2)], strict=True
    ):
        assert detection.start == pytest.approx(start, abs=0.4)
        assert detection.end == pytest.approx(end, abs=0.4)


def test_nothing_is_heard_in_silence(recogniser):
    assert heard(recogniser, silence(5)) == []


@pytest.mark.parametrize("after", np.arange(0, 0.25, 0.03))
def test_a_word_is_heard_once_wherever_the_windows_fall(recogniser, after):
    assert heard(recogniser, sentence(1 + after, "down", 1)) == ["down"]


def test_words_are_heard_before_the_recording_ends(recogniser):
    endless = (sentence("no", 1.0) for _ in itertools.count())
    first = itertools.islice(recogniser.listen(endless), 20)
    assert [detection.label for detection in first] == ["no"] * 20


def test_threads_do_not_change_the_answers(card, recogniser):
    single = KeywordRecogniser.load(str(card), threads=1)
    recording = [sentence("yes", 0.5, "no", "unknown", 1.0)]
    assert list(single.listen(recording)) == pytest.approx(list(recogniser.listen(recording)))


def test_models_that_are_none_are_refused(card, tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        KeywordRecogniser.load("nowhere")
    for changes, reason in (
        ({"domain": "text"}, "a model of domain 'text', not a speech model"),
        ({"preprocessing": {}}, "field 'preprocessing'"),
        ({"preprocessing": {"samples": SAMPLE_RATE, "mels": 64}}, "field 'preprocessing'"),
    ):
        with pytest.raises(InputError, match=reason):
            KeywordRecogniser.load(str(tiny_model.save(tmp_path, **changes)))
    for suffix in (".toml", ".safetensors", ".onnx"):
        shutil.copy(card.with_suffix(suffix), tmp_path)
    altered = (tmp_path / card.name).with_suffix(".onnx")
    altered.write_bytes(altered.read_bytes() + b"\0")
    with pytest.raises(InputError, match="sha256"):
        KeywordRecogniser.load(str(tmp_path / card.name))
