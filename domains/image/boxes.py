"""Boxes and how well they are found. A box is left, top, right, bottom, in pixels: (n, 4)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
Scores = NDArray[np.float64]  # (n,)


def overlap(one: Boxes, other: Boxes) -> NDArray[np.float64]:
    """Intersection over union of each box of `one` with each of `other`: (n, m)."""
    shared, area, other_area = _areas(one, other)
    shares: NDArray[np.float64] = shared / (area[:, None] + other_area - shared)
    return shares


def covered(one: Boxes, other: Boxes) -> NDArray[np.float64]:
    """Intersection over the smaller of each box of `one` and each of `other`: (n, m).

    It is 1 where one lies within the other.
    """
    shared, area, other_area = _areas(one, other)
    shares: NDArray[np.float64] = shared / np.minimum(area[:, None], other_area)
    return shares


def _areas(one: Boxes, other: Boxes) -> tuple[NDArray[np.float64], ...]:
    """Of the intersections, (n, m), and of the boxes, (n,) and (m,)."""
    start = np.maximum(one[:, None, :2], other[None, :, :2])
    end = np.minimum(one[:, None, 2:], other[None, :, 2:])
    area, other_area = (np.prod(boxes[:, 2:] - boxes[:, :2], 1) for boxes in (one, other))
    return (end - start).clip(0).prod(2), area, other_area


def suppress(boxes: Boxes, scores: Scores, most: float) -> NDArray[np.int64]:
    """Non-maximum suppression: the indices of the boxes kept, the highest score first.

    A box goes if more than `most` of it is within one that is kept, of a higher score, or of that
    one within it. Girshick and others (CVPR 2014, section 2.2) go by intersection over union, which
    leaves a part of a digit beside the whole.
    """
    left = np.argsort(-scores, kind="stable")
    kept = []
    while len(left):
        kept.append(left[0])
        left = left[1:][covered(boxes[left[:1]], boxes[left[1:]])[0] <= most]
    return np.array(kept, np.int64)


def average_precision(
    found: Sequence[tuple[Boxes, Scores]], truth: Sequence[Boxes], least: float = 0.5
) -> float:
    """Of one class, from the boxes found and the true ones, picture by picture.

    As in PASCAL VOC since 2010 (Everingham and others, IJCV 2015, section 3.2): from the highest
    score down, a box is right if, of all true boxes of its picture, the one that it overlaps most
    is overlapped by more than `least` and has not been found before; the answer is the area under
    the curve of precision by recall, precision made to fall monotonically. NaN where no box is
    true.
    """
    number = sum(map(len, truth))
    if not number:
        return float("nan")
    scores, right = [], []
    for (boxes, marks), real in zip(found, truth, strict=True):
        taken = np.zeros(len(real), bool)
        shares = overlap(boxes, real)
        for index in np.argsort(-marks, kind="stable"):
            nearest = shares[index].argmax() if len(real) else -1
            hit = len(real) > 0 and shares[index, nearest] > least and not taken[nearest]
            if hit:
                taken[nearest] = True
            scores.append(marks[index])
            right.append(hit)
    order = np.argsort(-np.array(scores), kind="stable")
    hits = np.cumsum(np.array(right, float)[order])
    recall = np.concatenate([[0.0], hits / number])
    precision = hits / np.arange(1, len(hits) + 1)
    best_after = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall) * best_after))
