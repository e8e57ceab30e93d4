"""How well a detector finds the digits of scenes: mean average precision."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from .boxes import average_precision, overlap
from .proposals import propose
from .rcnn import Detector
from .scenes import Scene

LEAST = 0.01  # probability of what still counts for average precision


def evaluate(detector: Detector, drawn: Sequence[Scene]) -> dict[str, Any]:
    """Figures of a detector's answers on scenes, an overlap of more than 0.5 being right.

    mean_average_precision; average_precision: by label; proposed: share of the digits that a
    proposal overlaps so; n: digits; scenes; scenes_per_second.
    """
    answers, proposed, seconds = [], [], 0.0
    for scene in tqdm(drawn, unit=" scenes", disable=None, delay=2):
        started = time.perf_counter()
        answers.append(detector.find(scene.picture, LEAST))
        seconds += time.perf_counter() - started
        shares = overlap(scene.boxes, propose(scene.picture))
        proposed.append(shares.max(1, initial=0) > 0.5)
    precisions = {
        label: average_precision(
            [(found.boxes[found.classes == number], found.scores[found.classes == number])
             for found in answers],
            [scene.boxes[scene.classes == number] for scene in drawn],
        )
        for number, label in enumerate(detector.labels)
    }  # fmt: skip
    there = {label: round(value, 4) for label, value in precisions.items() if value == value}
    return {
        "mean_average_precision": round(float(np.mean(list(there.values()))), 4),
        "average_precision": there,
        "proposed": round(float(np.concatenate(proposed).mean()), 4),
        "n": sum(len(scene.boxes) for scene in drawn),
        "scenes": len(drawn),
        "scenes_per_second": round(len(drawn) / seconds, 1),
    }
