"""Deep Dream: a layer sees more in the picture, whatever the picture's size."""

import pytest
import torch
from torch import nn

from core.blocks import Conv, Flatten, FullyConnected, MaxPool
from core.errors import InputError
from core.lens.activations import activations
from core.lens.dream import dream, reach

LOWEST, HIGHEST = torch.tensor(-1.0), torch.tensor(1.5)


@pytest.fixture
def network():
    """Its head takes 16x16 and nothing else."""
    torch.manual_seed(4)
    return nn.Sequential(
        Conv(3, 8, 3, padding=1),
        MaxPool(2),
        Conv(8, 6, 3, padding=1, activation="silu"),
        Flatten(),
        FullyConnected(6 * 8 * 8, 5),
    ).eval()


def picture(height=20, width=27):
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(1))


def last(frames):
    return list(frames)[-1]


def strength(network, seen, layer, unit=None):
    values = activations(network[:3], seen[None], layer)
    return float(values.square().mean() if unit is None else values[:, unit].mean())


@pytest.mark.parametrize("unit", [None, 0, 5])
@pytest.mark.parametrize("layer", ["0", "2"])
def test_the_layer_or_the_unit_sees_more(network, layer, unit):
    x = picture()
    dreamed = last(dream(network, x, layer, LOWEST, HIGHEST, unit=unit)).picture
    before, after = (strength(network, seen, layer, unit) for seen in (x, dreamed))
    assert after > before + 0.3 * abs(before)


def test_strength_is_what_the_step_began_with(network):
    x = picture()
    frames = list(dream(network, x, "2", LOWEST, HIGHEST, octaves=1, steps=6))
    assert [frame.step for frame in frames] == [1, 2, 3, 4, 5, 6]
    # Shifts put seams elsewhere, so it is only about that of the picture as it stands.
    assert frames[0].strength == pytest.approx(strength(network, x, "2"), rel=0.2)
    assert frames[5].strength == pytest.approx(strength(network, frames[4].picture, "2"), rel=0.2)
    strengths = [frame.strength for frame in frames]
    assert strengths == sorted(strengths)


def test_frames_are_as_large_as_the_picture_and_stay_in_the_box(network):
    x = 3 * picture() - 1
    low, high = torch.tensor([-1.0, -0.5, 0.0])[:, None, None], HIGHEST
    frames = list(dream(network, x, "0", low, high, octaves=3, steps=4, rate=0.5))
    assert [frame.step for frame in frames] == list(range(1, 13))
    assert {frame.steps for frame in frames} == {12}
    for frame in frames:
        assert frame.picture.shape == x.shape
        assert (frame.picture >= low).all()
        assert (frame.picture <= high).all()


def test_a_step_is_as_long_as_asked(network):
    x = 0.2 * picture()
    (frame,) = dream(network, x, "2", LOWEST, HIGHEST, octaves=1, steps=1, rate=0.04)
    assert float((frame.picture - x).abs().mean()) == pytest.approx(0.04, rel=1e-4)


def test_what_changes_is_where_the_layer_sees_something(network):
    x = torch.zeros(3, 32, 32)
    x[:, 3:9, 20:26] = 1.0
    network[0] = Conv(3, 4, 1, bias=False, activation=None)
    for seed in range(3):
        (frame,) = dream(network, x, "0", LOWEST, HIGHEST, octaves=1, steps=1, seed=seed)
        change = (frame.picture - x).abs().mean(0)
        assert change[3:9, 20:26].mean() > 3 * change.mean()


def test_an_octave_goes_on_from_the_one_before(network):
    x = 0.5 * picture(64, 64)
    frames = list(dream(network, x, "0", LOWEST, HIGHEST, octaves=2, steps=8, rate=0.03))
    moved = [float((frame.picture - x).abs().mean()) for frame in frames]
    assert moved[8] > 2 * 0.03  # more than the octave's first step


def test_the_same_seed_dreams_the_same(network):
    def dreamed(seed):
        return last(dream(network, picture(), "2", LOWEST, HIGHEST, tile=9, seed=seed)).picture

    assert torch.equal(dreamed(3), dreamed(3))
    assert not torch.equal(dreamed(3), dreamed(4))


def test_tiles_are_seen_one_at_a_time_and_bound_the_memory(network):
    seen = []
    network[0].register_forward_pre_hook(lambda _module, x: seen.append(x[0].shape[2:]))
    last(dream(network, picture(50, 70), "2", LOWEST, HIGHEST, octaves=2, steps=1, tile=16))
    assert max(max(size) for size in seen) <= 16
    assert min(min(size) for size in seen) >= 8
    assert len(seen) == 3 * 4 + 4 * 5  # of 36x50, and of 50x70


def test_the_tiles_size_changes_only_what_is_at_their_edges(network):
    """A filter of 1x1 has no edges: any tiles give the same dream."""
    network[0] = Conv(3, 8, 1).eval()

    def dreamed(tile):
        return last(dream(network, picture(), "0", LOWEST, HIGHEST, tile=tile)).picture

    assert torch.allclose(dreamed(100), dreamed(7), atol=1e-4)


@pytest.mark.parametrize("size", [(16, 16), (9, 40), (41, 13)])
def test_pictures_of_any_size_up_to_the_layers_before_the_head(network, size):
    frame = last(dream(network, picture(*size), "2", LOWEST, HIGHEST, octaves=1, steps=1))
    assert frame.picture.shape == (3, *size)


def test_a_neuron_of_the_head_takes_pictures_of_its_size(network):
    frames = list(dream(network, picture(16, 16), "4", LOWEST, HIGHEST, unit=2, octaves=1))
    assert frames[-1].strength > frames[0].strength
    with pytest.raises(InputError, match=r"no layer called '4' that takes 20x27; known: 0, 1, 2$"):
        last(dream(network, picture(), "4", LOWEST, HIGHEST, octaves=1))


def test_wrong_layers_and_units(network):
    with pytest.raises(InputError, match=r"no layer called 'nine' that takes .*; known: 0, 1, 2$"):
        last(dream(network, picture(), "nine", LOWEST, HIGHEST))
    with pytest.raises(InputError, match="layer '2' has units 0 to 5: no 6"):
        last(dream(network, picture(), "2", LOWEST, HIGHEST, unit=6))


def test_a_picture_too_small_for_any_layer():
    network = nn.Sequential(Conv(3, 2, 5))
    with pytest.raises(InputError, match="takes 3x3; known: none"):
        reach(network, torch.zeros(1, 3, 3, 3), ["0"])


def test_weights_and_picture_stay_as_they_are(network):
    x = picture()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    last(dream(network, x, "2", LOWEST, HIGHEST, steps=2))
    assert torch.equal(x, picture())
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert all(weight.grad is None for weight in network.parameters())
    assert not any(module._forward_hooks for module in network.modules())


def test_reach_runs_no_further_than_it_must(network):
    ran = []
    network[3].register_forward_hook(lambda *_: ran.append("flatten"))
    x = picture()[None]
    found = reach(network, x, ["2", "0"])
    assert torch.equal(found["0"], network[0](x))
    assert torch.equal(found["2"], network[:3](x))
    assert not ran
