"""Selective search: where in a picture something might be (Uijlings and others, IJCV 2013).

A picture is segmented into small regions by brightness (Felzenszwalb and Huttenlocher, IJCV 2004);
then the two neighbours that are most alike become one, again and again, till one is left. The box
of every region that ever was is a proposal. This is repeated for a few scales of segmentation.

Of the paper's measures of likeness, colour (here: grey), size and fill are used (section 3.2);
texture is left out, as pictures here are of strokes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from core.compiling import compiled

from .boxes import Boxes

SCALES = (25.0, 100.0)  # of segmentation, with brightness from 0 to 255: k of the paper
SMALLEST = 12  # pixels of a region
MOST = 3000  # regions of a picture; in a large one the smallest has more pixels
BLUR = 0.8  # pixels: the standard deviation of the filter before segmentation
BINS = 25  # of the histogram of brightness
SHORTEST = 8  # pixels of the longer side of a proposal


def propose(picture: NDArray[np.uint8]) -> Boxes:
    """The boxes of a grey picture (H, W), each once."""
    blurred = Image.fromarray(picture).filter(ImageFilter.GaussianBlur(BLUR))
    smooth = np.asarray(blurred, np.float32)
    found = np.concatenate([group(picture, segment(smooth, scale)) for scale in SCALES])
    sides = found[:, 2:] - found[:, :2]
    return np.unique(found[sides.max(1) >= SHORTEST], axis=0).astype(float)


def segment(picture: NDArray[np.float32], scale: float) -> NDArray[np.int32]:
    """The number of each pixel's region, (H, W), from 0.

    Felzenszwalb and Huttenlocher, section 4: neighbouring pixels are joined in the order of their
    difference, unless it is larger than the differences within both regions and scale / pixels.
    Then small regions are joined to a neighbour.
    """
    height, width = picture.shape
    pixel = np.arange(height * width, dtype=np.int32).reshape(height, width)
    pairs = (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1], np.s_[1:]),
        (np.s_[:-1, :-1], np.s_[1:, 1:]),
        (np.s_[:-1, 1:], np.s_[1:, :-1]),
    )
    one = np.concatenate([pixel[a].ravel() for a, _ in pairs])
    other = np.concatenate([pixel[b].ravel() for _, b in pairs])
    difference = np.concatenate([np.abs(picture[a] - picture[b]).ravel() for a, b in pairs])
    order = np.argsort(difference, kind="stable")
    smallest = max(SMALLEST, pixel.size // MOST)
    roots = _joined(one[order], other[order], difference[order], pixel.size, scale, smallest)
    return np.unique(roots, return_inverse=True)[1].reshape(height, width).astype(np.int32)


def group(picture: NDArray[np.uint8], regions: NDArray[np.int32]) -> NDArray[np.int32]:
    """The boxes of the regions, and of all that they grow together to: (2n - 1, 4)."""
    number = int(regions.max()) + 1
    flat = regions.ravel()
    sizes = np.bincount(flat)
    bins = flat * BINS + picture.ravel() * np.int64(BINS) // 256
    histograms = np.bincount(bins, minlength=number * BINS).reshape(number, BINS)
    rows, columns = np.indices(regions.shape, np.int32)
    boxes = np.empty((2 * number - 1, 4), np.int32)
    boxes[:, :2], boxes[:, 2:] = regions.size, 0
    for side, place in enumerate((columns, rows)):
        np.minimum.at(boxes[:, side], flat, place.ravel())
        np.maximum.at(boxes[:, side + 2], flat, place.ravel() + 1)
    touching = np.zeros((number, number), np.bool_)
    for one, other in ((regions[:, :-1], regions[:, 1:]), (regions[:-1], regions[1:])):
        touching[one, other] = touching[other, one] = True
    np.fill_diagonal(touching, False)
    _grow(touching, boxes, sizes.astype(float), histograms / sizes[:, None])
    return boxes


@compiled()
def _joined(
    one: NDArray[np.int32],
    other: NDArray[np.int32],
    difference: NDArray[np.float32],
    pixels: int,
    scale: float,
    smallest: int,
) -> NDArray[np.int32]:
    """The root of each pixel's region, from pairs of pixels in order of their difference."""
    root = np.arange(pixels).astype(np.int32)
    size = np.ones(pixels, np.int32)
    bound = np.full(pixels, scale)  # of a difference over which a region still grows
    for join_small in (False, True):
        for i in range(len(difference)):
            a, b = _find(root, one[i]), _find(root, other[i])
            if a == b:
                continue
            if join_small:
                joins = min(size[a], size[b]) < smallest
            else:
                joins = difference[i] <= min(bound[a], bound[b])
            if joins:
                root[b] = a
                size[a] += size[b]
                bound[a] = difference[i] + scale / size[a]
    for i in range(pixels):
        root[i] = _find(root, i)
    return root


@compiled()
def _find(root: NDArray[np.int32], pixel: int) -> int:
    while root[pixel] != pixel:
        root[pixel] = root[root[pixel]]
        pixel = root[pixel]
    return pixel


@compiled()
def _grow(
    touching: NDArray[np.bool_],
    boxes: NDArray[np.int32],
    sizes: NDArray[np.float64],
    histograms: NDArray[np.float64],
) -> None:
    """Joins the regions of most likeness till one is left; each new box comes behind the others.

    A joined region takes the place of one of the two.
    """
    number = len(sizes)
    area = sizes.sum()
    box = boxes[:number].copy()
    likeness = np.full((number, number), -1.0)
    best = np.full(number, -1)  # the neighbour most like each region
    for a in range(number):
        for b in range(number):
            if touching[a, b]:
                likeness[a, b] = _likeness(a, b, box, sizes, histograms, area)
        best[a] = likeness[a].argmax()
    for new in range(number, 2 * number - 1):
        a, highest = 0, -1.0
        for region in range(number):
            if likeness[region, best[region]] > highest:
                a, highest = region, likeness[region, best[region]]
        b = best[a]
        share = sizes[a] / (sizes[a] + sizes[b])
        histograms[a] = histograms[a] * share + histograms[b] * (1 - share)
        sizes[a] += sizes[b]
        box[a, :2] = np.minimum(box[a, :2], box[b, :2])
        box[a, 2:] = np.maximum(box[a, 2:], box[b, 2:])
        boxes[new] = box[a]
        touching[a] |= touching[b]
        touching[a, a] = touching[a, b] = False
        touching[b] = False
        likeness[b] = -1.0
        for c in range(number):
            touching[c, a], touching[c, b] = touching[a, c], False
            likeness[c, b] = -1.0
            if touching[a, c]:
                likeness[a, c] = likeness[c, a] = _likeness(a, c, box, sizes, histograms, area)
                best[c] = likeness[c].argmax()
        best[a], best[b] = likeness[a].argmax(), 0


@compiled()
def _likeness(
    a: int,
    b: int,
    box: NDArray[np.int32],
    sizes: NDArray[np.float64],
    histograms: NDArray[np.float64],
    area: float,
) -> float:
    """Of two regions, by brightness, size and fill: Uijlings and others, equations 1, 4 and 5."""
    colour = np.minimum(histograms[a], histograms[b]).sum()
    width = max(box[a, 2], box[b, 2]) - min(box[a, 0], box[b, 0])
    height = max(box[a, 3], box[b, 3]) - min(box[a, 1], box[b, 1])
    both = sizes[a] + sizes[b]
    likeness: float = colour + (1 - both / area) + (1 - (width * height - both) / area)
    return likeness
