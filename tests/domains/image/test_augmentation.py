"""Pictures moved and warped: by hand, and what must stay as it is."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from domains.image.augmentation import Augmentation, moved, warped


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def row(*values):
    """A picture whose rows are all these values."""
    return torch.tensor([[[values] * len(values)]], dtype=torch.uint8)


def test_nothing_is_changed_unless_asked():
    pictures = torch.rand(4, 3, 9, 9, generator=generator())
    assert torch.equal(moved(pictures, Augmentation(), generator()), pictures)
    assert torch.equal(warped(pictures, Augmentation(), generator()), pictures)


def test_a_flip_is_the_mirror_image_every_second_time():
    pictures = torch.arange(16, dtype=torch.uint8).reshape(1, 1, 4, 4).expand(400, 1, 4, 4)
    seen = moved(pictures, Augmentation(flip=True), generator())
    turned = (seen == pictures.flip(3)).flatten(1).all(1)
    assert ((seen == pictures).flatten(1).all(1) ^ turned).all()
    assert 140 < int(turned.sum()) < 260


def test_a_shift_brings_in_the_mirror_image():
    pictures = row(1, 2, 3, 4).expand(200, 1, 4, 4)
    seen = {
        tuple(one[0, 0].tolist()) for one in moved(pictures, Augmentation(shift=2), generator())
    }
    assert seen == {
        (3, 2, 1, 2), (2, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 3), (3, 4, 3, 2),
    }  # fmt: skip


def test_a_shift_as_large_as_the_picture_is_refused():
    with pytest.raises(InputError, match="a shift of 4 on 4 x 4 pixels"):
        moved(row(1, 2, 3, 4), Augmentation(shift=4), generator())


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 3), st.booleans(), st.integers(0, 2**32))
def test_moves_take_each_pixel_as_it_is(shift, flip, seed):
    pictures = torch.randint(256, (5, 3, 8, 8), generator=generator(seed), dtype=torch.uint8)
    seen = moved(pictures, Augmentation(flip=flip, shift=shift), generator(seed))
    assert seen.dtype == torch.uint8 and seen.shape == pictures.shape
    for before, after in zip(pictures, seen, strict=True):
        assert {*map(tuple, after.flatten(1).T.tolist())} <= {
            *map(tuple, before.flatten(1).T.tolist())
        }


def spot(size=33, at=(16, 16)):
    picture = torch.zeros(1, 1, size, size)
    picture[0, 0, at[0], at[1]] = 1.0
    return picture


def where(picture):
    """Centre of mass, (row, column), and the mass."""
    mass = picture[0].double()
    rows, columns = torch.meshgrid(*map(torch.arange, mass.shape), indexing="ij")
    return (
        float((mass * rows).sum() / mass.sum()),
        float((mass * columns).sum() / mass.sum()),
        float(mass.sum()),
    )


def test_rotation_turns_around_the_middle():
    right = spot(at=(16, 26)).expand(300, 1, 33, 33)
    angles = []
    for one in warped(right, Augmentation(rotation=30), generator()):
        down, across, _ = where(one)
        assert np.hypot(down - 16, across - 16) == pytest.approx(10, abs=0.2)
        angles.append(np.rad2deg(np.arctan2(down - 16, across - 16)))
    assert min(angles) == pytest.approx(-30, abs=1) and max(angles) == pytest.approx(30, abs=1)
    assert np.mean(angles) == pytest.approx(0, abs=3)


def test_zoom_moves_a_point_from_the_middle_or_to_it():
    below = spot(at=(26, 16)).expand(300, 1, 33, 33)
    distances = [where(one)[0] - 16 for one in warped(below, Augmentation(zoom=0.2), generator())]
    assert min(distances) == pytest.approx(8, abs=0.2)
    assert max(distances) == pytest.approx(12, abs=0.2)


def test_shear_slides_rows_and_leaves_them_in_their_place():
    below = spot(at=(26, 16)).expand(300, 1, 33, 33)
    places = [where(one)[:2] for one in warped(below, Augmentation(shear=0.3), generator())]
    assert all(down == pytest.approx(26, abs=0.1) for down, _ in places)
    assert min(across for _, across in places) == pytest.approx(13, abs=0.2)
    assert max(across for _, across in places) == pytest.approx(19, abs=0.2)


def test_elastic_distortion_pushes_neighbours_alike_and_no_further_than_said():
    pictures = spot().expand(300, 1, 33, 33)
    ends = [where(one) for one in warped(pictures, Augmentation(elastic=2.0), generator())]
    pushes = np.array([[down - 16, across - 16] for down, across, _ in ends])
    assert np.abs(pushes).max() < 3
    assert np.abs(pushes).max() > 1
    plain = torch.full((8, 1, 33, 33), 0.7)
    torch.testing.assert_close(
        warped(plain, Augmentation(elastic=2.0, rotation=20, zoom=0.2), generator()), plain
    )


def test_cutout_makes_one_square_grey():
    pictures = torch.ones(200, 3, 20, 20)
    for one in warped(pictures, Augmentation(cutout=6), generator()):
        hole = one[0] == 0
        rows, columns = hole.any(1).nonzero().ravel(), hole.any(0).nonzero().ravel()
        assert 3 <= len(rows) <= 6 and 3 <= len(columns) <= 6
        assert int(hole.sum()) == len(rows) * len(columns)
        assert torch.equal(one[0], one[1]) and set(one.unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize(("name", "value"), [("shift", -1), ("zoom", 1.0), ("rotation", -0.5)])
def test_amounts_that_make_no_sense_are_refused(name, value):
    with pytest.raises(InputError, match=f"augmentation: {name} cannot be {value}"):
        Augmentation(**{name: value})
