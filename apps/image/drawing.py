"""A drawing: strokes of a round pen on square paper, and the picture that they make."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

SIDE = 280  # of the paper: ten units to a pixel of MNIST's digits
PEN = 28  # how wide the pen's line is
PAPER, INK = 255, 0

Point = Sequence[float]  # across and down, from 0 to SIDE
Stroke = Sequence[Point]


def drawn(strokes: Sequence[Stroke]) -> Image.Image:
    """The strokes in black on white, a grey picture of SIDE x SIDE; one point makes a dot."""
    picture = Image.new("L", (SIDE, SIDE), PAPER)
    pen = ImageDraw.Draw(picture)
    for stroke in strokes:
        points = [(float(x), float(y)) for x, y in stroke]
        pen.line(points, INK, PEN)
        for point in points:
            pen.circle(point, PEN / 2, INK)
    return picture
