"""What the Speech page shows, as plain data."""

import io
import re
from html import unescape
from itertools import count

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from apps.speech import ONE_WORD, around, view
from domains.speech.audio import SAMPLE_RATE
from domains.speech.detections import Detection

WINDOW = SAMPLE_RATE


def ramp(samples):
    """Each sample says where it is."""
    return np.arange(samples, dtype=np.float32)


@given(st.lists(st.integers(0, 9_000), max_size=8))
def test_the_beginning_is_all_of_a_short_recording(lengths):
    pieces = np.split(ramp(sum(lengths)), np.cumsum(lengths)[:-1]) if lengths else []
    waveform, more = view.beginning(pieces, 1.0)
    assert waveform.tolist() == ramp(min(sum(lengths), SAMPLE_RATE)).tolist()
    assert more == (sum(lengths) > SAMPLE_RATE)


def test_no_more_than_the_beginning_is_read():
    blocks = (np.full(1_000, number, np.float32) for number in count())
    waveform, more = view.beginning(blocks, 0.5)
    assert more
    assert len(waveform) == 8_000
    assert next(blocks)[0] == 9


@given(st.floats(0, 100), st.floats(0, ONE_WORD))
def test_a_word_lies_in_what_is_looked_at_around_it(start, seconds):
    first, last = around(start, start + seconds, 1.0)
    assert 0 <= first <= start + 1e-9 and start + seconds <= last + 1e-9
    assert last - first <= ONE_WORD + 1e-9
    assert last - first >= 1 - 1e-9 or first == 0


def test_of_what_is_longer_than_a_word_the_middle_is_looked_at():
    assert around(10.0, 20.0, 1.0) == (14.25, 15.75)


def test_a_quiet_sound_stays_quiet_when_it_is_played():
    quiet = 0.01 * np.sin(ramp(1_000)).astype(np.float32)
    played, rate = soundfile.read(io.BytesIO(view.wav(quiet)), dtype="float32")
    assert rate == SAMPLE_RATE
    assert played == pytest.approx(quiet, abs=2**-15)


@given(st.integers(24_000, 80_000), st.integers(0, 2**32 - 1))
def test_the_envelope_holds_every_sample(samples, seed):
    waveform = np.random.default_rng(seed).uniform(-1, 1, samples).astype(np.float32)
    rows = view.envelope(waveform)
    assert len(rows) == 400
    starts = [row["second"] for row in rows]
    assert starts == sorted(starts)
    assert starts[0] == 0
    assert starts[-1] < samples / SAMPLE_RATE
    assert max(row["high"] for row in rows) == pytest.approx(waveform.max(), abs=0.001)
    assert min(row["low"] for row in rows) == pytest.approx(waveform.min(), abs=0.001)
    assert all(row["low"] <= row["high"] for row in rows)


def test_a_click_is_seen_where_it_is():
    waveform = np.zeros(300 * SAMPLE_RATE, np.float32)
    waveform[120 * SAMPLE_RATE] = 0.5
    [click] = [row["second"] for row in view.envelope(waveform) if row["high"] > 0]
    assert click == pytest.approx(120, abs=300 / 400)


def test_words_are_told_in_their_order_and_as_text():
    said = [Detection(label, n, n + 1, 0.9) for n, label in enumerate(("go", "<b>no</b>", "up"))]
    html = view.heard(said)
    assert "<b>no" not in html
    words = unescape(re.sub("<[^>]*>", "", html))
    assert words == "go · <b>no</b> · up"
    assert "No word was heard." in view.heard([])


def test_the_words_that_are_known_are_named_without_the_other_answers():
    known = view.known(["yes", "no", "unknown", "silence"])
    assert known == "It knows 2 words: yes, no."
