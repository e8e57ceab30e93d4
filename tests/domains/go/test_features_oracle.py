"""The planes against `slow_planes` on random and real games, and under all that must not matter."""

import numpy as np
import pytest
import slow_planes
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data import folder
from domains.go import archives, features, sgf, symmetry
from domains.go.ladders import new_scratch
from domains.go.rules import BLACK, PASS, WHITE, legal, new_state, place, play

REAL = folder() / "go" / "kgs-2017_01.tar.gz"


def fast(state, colour):
    size = int(len(state.colour) ** 0.5)
    out = np.full((48, size * size), 7, np.uint8)
    features.fill(state, colour, new_scratch(size), out)
    return out.reshape(48, size, size)


def compare(size, setup, moves, every):
    """Plays a game on both boards; how often each plane was set."""
    state, slow = new_state(size), slow_planes.Position.of(size, black=setup)
    for point in setup:
        place(state, point, BLACK)
    total = np.zeros(48, int)
    for number, (colour, point) in enumerate(moves):
        if number % every == 0:
            for seen_by in (BLACK, WHITE):
                planes = fast(state, seen_by)
                expected = slow_planes.planes(slow, seen_by)
                wrong = np.argwhere(planes != expected).tolist()
                assert not wrong, (number, seen_by, wrong)
                total += planes.sum((1, 2), dtype=int)
        play(state, point, colour)
        slow = slow.play(None if point == PASS else divmod(point, size), colour)
        assert slow is not None
    return total


def random_moves(size, seed, count):
    """Mostly beside other stones and seldom into eyes, so that chains grow, fight and are taken."""
    rng, state, colour = np.random.default_rng(seed), new_state(size), BLACK
    for _ in range(count):
        allowed = [
            point
            for point in range(size * size)
            if legal(state, point, colour) and not features.is_eye(state, point, colour)
        ]
        beside = [p for p in allowed if state.colour[state.neighbours[p]].any()]
        choices = beside if beside and rng.random() < 0.8 else allowed
        point = int(rng.choice(choices)) if choices and rng.random() < 0.98 else PASS
        yield colour, point
        play(state, point, colour)
        colour = -colour


@pytest.mark.parametrize(
    ("size", "moves"), [(2, 30), (3, 40), (5, 80), (9, 150), (13, 220), (19, 320)]
)
def test_random_games(size, moves):
    total = sum(compare(size, [], list(random_moves(size, seed, moves)), 17) for seed in range(2))
    assert size < 9 or np.count_nonzero(total) >= 44, "too few planes were put to the test"


@pytest.mark.skipif(not REAL.is_file(), reason="RECEPTIVE_DATA has no games")
def test_real_games():
    records = (record for source, data in archives.read([REAL]) for record in sgf.parse(data))
    long = (r for r in records if isinstance(r, sgf.GameRecord) and len(r.moves) > 150)
    for record, _ in zip(long, range(4), strict=False):
        total = compare(19, record.setup_black, record.moves, 31)
        assert total[features.LADDER_CAPTURE] and total[features.LADDER_ESCAPE]


@settings(max_examples=100, deadline=None)
@given(
    st.integers(2, 9),
    st.lists(st.integers(0, 10**6), max_size=120),
    st.sampled_from(symmetry.SYMMETRIES),
    st.sampled_from([BLACK, WHITE]),
)
def test_a_turned_position_with_the_colours_swapped_has_turned_planes(size, dice, turn, seen_by):
    table = symmetry.table(size)[turn]
    state, turned, colour = new_state(size), new_state(size), BLACK
    for die in dice:
        allowed = [point for point in range(size * size) if legal(state, point, colour)]
        point = allowed[die % len(allowed)] if allowed else PASS
        play(state, point, colour)
        play(turned, PASS if point == PASS else int(table[point]), -colour)
        colour = -colour
    expected = symmetry.apply(fast(state, seen_by), turn)
    assert np.array_equal(fast(turned, -seen_by), expected)
