"""What the strokes of a pen look like."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.image.drawing import PEN, SIDE, drawn
from domains.image.pictures import digit


def ink(strokes):
    """Where the paper is black, `(SIDE, SIDE)`."""
    return np.asarray(drawn(strokes)) < 128


def test_a_point_is_a_round_dot_as_wide_as_the_pen():
    dot = ink([[(100, 60)]])
    rows, columns = np.nonzero(dot)
    assert np.ptp(columns) + 1 == np.ptp(rows) + 1
    assert abs(np.ptp(columns) + 1 - PEN) <= 1
    assert (columns.mean(), rows.mean()) == (100, 60)
    assert abs(dot.sum() / (np.pi * PEN**2 / 4) - 1) < 0.1


def test_a_line_goes_from_point_to_point():
    line = ink([[(40, 100), (200, 100)]])
    columns = np.flatnonzero(line.any(0))
    assert (columns.min(), columns.max()) == (40 - PEN // 2, 200 + PEN // 2)
    assert line[100, 40:201].all()
    assert abs(line[:, 120].sum() - PEN) <= 1


def test_strokes_do_not_touch_one_another():
    assert not ink([[(40, 40), (200, 40)], [(40, 200), (200, 200)]])[100:140].any()


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(*[st.floats(0, SIDE)] * 2), min_size=1), min_size=1, max_size=4))
def test_any_strokes_leave_ink(strokes):
    assert ink(strokes).any()


def test_the_line_is_as_thick_as_those_of_mnist():
    """A one from top to bottom, 20 pixels high: the ink of MNIST's is 2 to 4 pixels wide."""
    one = np.asarray(digit(drawn([[(140, 40), (140, 240)]]).convert("RGB"))) / 255
    assert one.any(1).sum() == 20
    assert 2 <= one[14].sum() <= 4
