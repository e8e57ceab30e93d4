"""Overlap, non-maximum suppression and average precision, by hand and against definitions."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domains.image.boxes import average_precision, covered, overlap, suppress

SIDES = st.tuples(*[st.integers(0, 9)] * 2, *[st.integers(1, 9)] * 2)
BOXES = st.lists(SIDES.map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])), max_size=6)


def boxes(*rows):
    return np.array(rows, float).reshape(-1, 4)


def test_overlap_is_intersection_over_union():
    [[same, half, apart]] = overlap(
        boxes((0, 0, 10, 10)), boxes((0, 0, 10, 10), (5, 0, 15, 10), (10, 0, 20, 10))
    )
    assert (same, half, apart) == (1, pytest.approx(50 / 150), 0)


@settings(deadline=None)
@given(BOXES, BOXES)
def test_overlap_counts_pixels(one, other):
    def pixels(box):
        return {(x, y) for x in range(box[0], box[2]) for y in range(box[1], box[3])}

    shares, parts = overlap(boxes(*one), boxes(*other)), covered(boxes(*one), boxes(*other))
    assert shares.shape == parts.shape == (len(one), len(other))
    for i, a in enumerate(map(pixels, one)):
        for j, b in enumerate(map(pixels, other)):
            assert shares[i, j] == pytest.approx(len(a & b) / len(a | b))
            assert parts[i, j] == pytest.approx(len(a & b) / min(len(a), len(b)))


def test_the_surest_of_boxes_on_one_thing_stays():
    found = boxes((0, 0, 10, 10), (1, 0, 11, 10), (30, 30, 40, 40), (0, 8, 10, 18))
    kept = suppress(found, np.array([0.8, 0.9, 0.5, 0.6]), 0.5)
    assert kept.tolist() == [1, 3, 2]


def test_neither_a_part_nor_a_whole_stays_beside_what_is_surer():
    found = boxes((0, 0, 40, 40), (5, 5, 15, 15), (100, 0, 140, 40), (105, 5, 115, 15))
    kept = suppress(found, np.array([0.9, 0.8, 0.6, 0.7]), 0.5)
    assert kept.tolist() == [0, 3]


@settings(deadline=None)
@given(BOXES, st.data())
def test_what_suppression_keeps_is_apart_and_what_it_drops_is_not(found, data):
    number = len(found)
    scores = np.array(data.draw(st.permutations(range(number))), float)
    all_boxes = boxes(*found)
    kept = suppress(all_boxes, scores, 0.5)
    shares = covered(all_boxes, all_boxes)
    assert all(shares[a, b] <= 0.5 for a in kept for b in kept if a != b)
    for dropped in set(range(number)) - set(kept.tolist()):
        assert any(shares[dropped, a] > 0.5 and scores[a] > scores[dropped] for a in kept)


def test_average_precision_by_hand():
    """Right, wrong, right, found twice; one of three digits is never found.

    Recall 1/3 at precision 1, recall 2/3 at precision 2/3: 1/3 * 1 + 1/3 * 2/3 = 5/9.
    """
    truth = [boxes((0, 0, 10, 10), (20, 0, 30, 10)), boxes((0, 0, 10, 10))]
    found = [
        (
            boxes((0, 0, 10, 10), (50, 50, 60, 60), (20, 0, 30, 9), (21, 0, 31, 10)),
            np.array([0.9, 0.8, 0.7, 0.6]),
        ),
        (boxes(), np.array([])),
    ]
    assert average_precision(found, truth) == pytest.approx(5 / 9)


def test_precision_that_rises_again_counts_from_where_it_was_lower():
    """Wrong, then right: precision is 1/2 at all recalls."""
    found = [(boxes((50, 50, 60, 60), (0, 0, 10, 10)), np.array([0.9, 0.8]))]
    assert average_precision(found, [boxes((0, 0, 10, 10))]) == pytest.approx(0.5)


def test_order_is_by_score_over_all_pictures():
    """The wrong box of the second picture is surer than the right one of the first."""
    found = [(boxes((0, 0, 9, 9)), np.array([0.5])), (boxes((40, 40, 50, 50)), np.array([0.6]))]
    truth = [boxes((0, 0, 9, 9)), boxes()]
    assert average_precision(found, truth) == pytest.approx(0.5)


def test_half_an_overlap_is_not_enough():
    truth = [boxes((0, 0, 10, 10))]
    assert average_precision([(boxes((0, 0, 10, 5)), np.ones(1))], truth) == 0
    assert average_precision([(boxes((0, 0, 10, 5.1)), np.ones(1))], truth) == 1


@settings(deadline=None)
@given(BOXES)
def test_the_truth_itself_is_perfect(real):
    unique = boxes(*sorted(set(real)))
    precision = average_precision([(unique, np.ones(len(unique)))], [unique])
    assert precision == 1 if real else math.isnan(precision)
