"""Selective search: regions, what they grow to, and that digits are among the proposals."""

import numpy as np
import pytest
from font_digits import digits
from hypothesis import given, settings
from hypothesis import strategies as st

from domains.image import proposals
from domains.image.boxes import overlap
from domains.image.proposals import group, propose, segment
from domains.image.scenes import Scenes, scenes


def naive_segments(picture, scale):
    """Felzenszwalb and Huttenlocher's algorithm 1 as it is written, with sets of pixels."""
    height, width = picture.shape
    regions = {(y, x): {(y, x)} for y in range(height) for x in range(width)}
    inner = {id(region): 0.0 for region in regions.values()}
    edges = sorted(
        (abs(picture[y, x] - picture[y + down, x + across]), (y, x), (y + down, x + across))
        for y in range(height)
        for x in range(width)
        for down, across in ((0, 1), (1, 0), (1, 1), (1, -1))
        if y + down < height and 0 <= x + across < width
    )
    for difference, a, b in edges:
        one, other = regions[a], regions[b]
        if one is not other and difference <= min(
            inner[id(r)] + scale / len(r) for r in (one, other)
        ):
            one |= other
            inner[id(one)] = difference
            for pixel in other:
                regions[pixel] = one
    return {frozenset(region) for region in regions.values()}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([(1, 1), (1, 5), (4, 4), (5, 7)]))
def test_segmentation_is_the_papers(seed, shape):
    picture = np.random.default_rng(seed).uniform(0, 255, shape).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proposals, "SMALLEST", 0)
        found = segment(picture, 100.0)
    regions = {
        frozenset(zip(*map(tuple, np.nonzero(found == number)), strict=True))
        for number in range(found.max() + 1)
    }
    assert regions == naive_segments(picture, 100.0)


def test_small_regions_are_joined_to_a_neighbour():
    picture = np.zeros((20, 20), np.float32)
    picture[5:8, 5:8] = 255  # 9 pixels
    assert segment(picture, 50.0).max() == 0
    picture[5:9, 5:9] = 255  # 16
    assert segment(picture, 50.0).max() == 1


def test_likest_neighbours_are_joined_first():
    """Stripes of 10, 12 and 200: the dark ones come together, then all."""
    picture = np.repeat(np.array([10, 12, 200], np.uint8), 10)[None].repeat(10, 0)
    regions = np.repeat(np.arange(3, dtype=np.int32), 10)[None].repeat(10, 0)
    assert group(picture, regions).tolist() == [
        [0, 0, 10, 10], [10, 0, 20, 10], [20, 0, 30, 10], [0, 0, 20, 10], [0, 0, 30, 10],
    ]  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_all_grows_to_one(seed):
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (24, 31)).astype(np.uint8)
    regions = segment(picture.astype(np.float32), 50.0)
    found = group(picture, regions)
    assert len(found) == 2 * (regions.max() + 1) - 1
    assert found[-1].tolist() == [0, 0, 31, 24]
    for number in range(regions.max() + 1):
        rows, columns = np.nonzero(regions == number)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert found[number].tolist() == box


def test_a_bright_patch_is_proposed():
    picture = np.full((60, 80), 30, np.uint8)
    picture[20:40, 50:62] = 220
    shares = overlap(np.array([[50.0, 20, 62, 40]]), propose(picture))
    assert shares.max() > 0.8


def test_nearly_all_digits_of_scenes_are_proposed():
    drawn = scenes(Scenes(*digits("0123456789", 100)), 30, 0)
    best = [overlap(scene.boxes, propose(scene.picture)).max(1) for scene in drawn]
    assert (np.concatenate(best) > 0.5).mean() > 0.95


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (7, 7)])
def test_pictures_too_small_for_much(shape):
    found = propose(np.zeros(shape, np.uint8))
    assert found.tolist() == ([[0, 0, shape[1], shape[0]]] if max(shape) >= 8 else [])


def test_noise_has_a_bounded_number_of_regions():
    noise = np.random.default_rng(0).integers(0, 256, (300, 300)).astype(np.float32)
    assert segment(noise, 1.0).max() < proposals.MOST
