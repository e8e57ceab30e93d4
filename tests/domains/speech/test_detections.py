import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.speech.detections import THRESHOLD, detections

LABELS = ("yes", "no", "unknown", "silence")
HOP = 0.25


def found(text, threshold=THRESHOLD, probability=0.96, labels=LABELS):
    """Detections of a window a letter: y, n, u(nknown), "." for silence."""
    windows = []
    for index, letter in enumerate(text):
        row = np.full(len(labels), (1 - probability) / (len(labels) - 1))
        row["ynu.".index(letter)] = probability
        windows.append((index * HOP, row))
    return list(detections(windows, labels, 1.0, threshold))


def words(text, **settings):
    return [detection.label for detection in found(text, **settings)]


def test_a_word_seen_in_windows_in_a_row_is_one_detection_where_these_overlap():
    [detection] = found("....yyy....")
    assert detection.label == "yes"
    assert (detection.start, detection.end) == pytest.approx((1.5, 2.0), abs=HOP)
    assert detection.probability == pytest.approx(0.96)


def test_words_are_in_their_order():
    assert words("..yyy...nnn...uuu..yyy") == ["yes", "no", "unknown", "yes"]


def test_silence_is_no_word_and_nothing_is_nothing():
    assert words("........") == []
    assert words("") == []


@pytest.mark.parametrize("text", ["y", "yy", "n"])
def test_a_recording_of_one_or_two_windows(text):
    [detection] = found(text)
    assert 0 <= detection.start < detection.end <= 1 + HOP * (len(text) - 1)


def test_half_a_known_word_in_the_window_is_no_unknown_one():
    assert words("...uyyyu...") == ["yes"]
    assert words("...uyyy....") == ["yes"]
    assert words("...yyyu....") == ["yes"]


def test_a_glimpse_is_no_word():
    assert words("....y.....") == []
    assert words("...ynyn....") == []


def test_a_word_that_fades_for_a_moment_is_one_detection():
    """The first window of a recording has no neighbour to be averaged with."""
    [detection] = found("y.yy....")
    assert (detection.start, detection.end) == pytest.approx((0.5, 1.0), abs=HOP)
    assert words("y.nn....") == ["yes", "no"]
    assert words("..yyyy..yyyy..") == ["yes", "yes"]


def test_a_word_that_goes_on_is_a_stretch():
    [detection] = found("." * 8 + "u" * 40 + "." * 8)
    assert detection.start == pytest.approx(2.25, abs=0.3)
    assert detection.end == pytest.approx(12.5, abs=0.3)


def test_the_threshold_is_held():
    assert words("...yyyy...", probability=0.7, threshold=0.8) == []
    assert words("...yyyy...", probability=0.9, threshold=0.8) == ["yes"]


def test_labels_without_unknown_and_silence():
    assert words("yyyynnnn", labels=("yes", "no")) == ["yes", "no"]


def test_answers_come_before_the_end():
    endless = ((index * HOP, np.eye(4)[[3, 0, 0, 0, 3][index % 5]]) for index in itertools.count())
    assert [word.label for word in itertools.islice(detections(endless, LABELS, 1.0), 50)] == (
        ["yes"] * 50
    )


@given(st.lists(st.lists(st.floats(0.01, 1), min_size=4, max_size=4), max_size=60))
def test_detections_are_in_order_within_the_recording_and_above_the_threshold(rows):
    windows = [(index * HOP, np.array(row) / sum(row)) for index, row in enumerate(rows)]
    answers = list(detections(windows, LABELS, 1.0, 0.4))
    assert [answer.start for answer in answers] == sorted(answer.start for answer in answers)
    for answer in answers:
        assert answer.label != "silence"
        assert 0.4 <= answer.probability <= 1
        assert 0 <= answer.start < answer.end <= 1 + HOP * (len(rows) - 1)
