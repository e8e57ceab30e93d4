"""The networks for sounds: sizes as published, and what each direction can and cannot see."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from core import registry
from core.errors import InputError
from domains.speech import model
from domains.speech.model import BroadcastedResidual, SubSpectralNorm

NETWORKS = ["speech-direction", "speech-resnet", "bc-resnet"]
DIRECTIONS = ["frequency", "limited", "time", "both"]
MELS, FRAMES = 40, 98


def built(name, **config):
    torch.manual_seed(0)
    return registry.build(name, config).eval()


def parameters(network):
    return sum(p.numel() for p in network.parameters())


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(NETWORKS), st.integers(1, 20), st.integers(22, 150), st.integers(1, 3))
def test_pictures_to_logits(name, classes, frames, batch):
    network = built(name, classes=classes, frames=frames)
    assert network(torch.zeros(batch, 1, MELS, frames)).shape == (batch, classes)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_picture_is_judged_for_itself(name):
    network = built(name)
    pictures = torch.randn(5, 1, MELS, FRAMES)
    with torch.no_grad():
        together = network(pictures)
        alone = torch.cat([network(one[None]) for one in pictures])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)
    assert together.std(0).min() > 0


@pytest.mark.parametrize("name", NETWORKS)
def test_the_examples_for_summaries_fit(name):
    network = built(name, frames=48)
    assert network(*model.example_inputs({"frames": 48})).shape == (1, 12)
    assert model.example_inputs({})[0].shape == (1, 1, MELS, FRAMES)


# The lecture notes' directions


def layers(direction):
    return list(built("speech-direction", direction=direction, filters=3)[0])


@pytest.mark.parametrize(
    ("direction", "kernel", "shapes"),
    [
        ("frequency", (8, 98), [(33, 1), (11, 1), (8, 1), (4, 1)]),
        ("limited", (8, 14), [(33, 7), (11, 7), (8, 7), (4, 7)]),
        ("time", (40, 8), [(1, 91), (1, 30), (1, 27), (1, 13)]),
        ("both", (8, 8), [(33, 91), (11, 30), (8, 27), (4, 13)]),
    ],
)
def test_kernels_and_maps(direction, kernel, shapes):
    _, first, *rest, _ = layers(direction)
    assert first.conv.weight.shape == (3, 1, *kernel)
    x, found = torch.zeros(2, 1, MELS, FRAMES), []
    for layer in [first, *rest]:
        x = layer(x)
        found.append(tuple(x.shape[2:]))
    assert found == shapes


def seen_by(direction):
    """For each unit of the last map, the bands and the spectra that reach it: a NaN spreads."""
    layers_before_the_end = nn.Sequential(*layers(direction)[:-1])
    pictures = torch.zeros(MELS + FRAMES, 1, MELS, FRAMES)
    for band in range(MELS):
        pictures[band, 0, band] = torch.nan
    for spectrum in range(FRAMES):
        pictures[MELS + spectrum, 0, :, spectrum] = torch.nan
    reached = layers_before_the_end(pictures)[:, 0].isnan()
    return {
        (row, column): (np.flatnonzero(reached[:MELS, row, column]).tolist(),
                        np.flatnonzero(reached[MELS:, row, column]).tolist())
        for row in range(reached.shape[1]) for column in range(reached.shape[2])
    }  # fmt: skip


def stretch(start, length):
    return list(range(start, start + length))


def test_along_frequency_a_filter_sees_all_of_the_time_and_some_bands():
    for (row, column), (bands, spectra) in seen_by("frequency").items():
        assert column == 0
        assert bands == stretch(6 * row, 22)
        assert spectra == stretch(0, FRAMES)


def test_limited_in_time_it_sees_a_seventh_and_no_two_see_the_same():
    for (row, column), (bands, spectra) in seen_by("limited").items():
        assert bands == stretch(6 * row, 22)
        assert spectra == stretch(14 * column, 14)


def test_along_time_it_sees_all_bands_and_some_spectra():
    for (row, column), (bands, spectra) in seen_by("time").items():
        assert row == 0
        assert bands == stretch(0, MELS)
        assert spectra == stretch(6 * column, 22)


def test_in_both_directions_it_sees_a_patch():
    for (row, column), (bands, spectra) in seen_by("both").items():
        assert bands == stretch(6 * row, 22)
        assert spectra == stretch(6 * column, 22)


@pytest.mark.parametrize(
    ("direction", "axis", "by", "moved"),
    [("frequency", 2, 3, 3), ("limited", 2, 3, 3), ("limited", 3, 28, 2), ("time", 3, 5, 5),
     ("both", 2, 4, 4), ("both", 3, 7, 7)],
)  # fmt: skip
def test_what_moves_in_the_picture_moves_in_the_map(direction, axis, by, moved):
    first = layers(direction)[1]
    picture = torch.randn(1, 1, MELS, FRAMES)
    here, there = first(picture), first(picture.roll(by, axis))
    size = here.shape[axis] - moved
    torch.testing.assert_close(
        there.narrow(axis, moved, size), here.narrow(axis, 0, size), atol=1e-5, rtol=1e-4
    )


def test_a_higher_voice_gives_the_same_answer_only_where_pooling_is_along_frequency():
    """A patch moved by what two poolings take in, to where the last map's units see the same."""
    picture = torch.zeros(1, 1, MELS, FRAMES)
    picture[0, 0, 9:12] = torch.randn(3, FRAMES)
    whole = nn.Sequential(*layers("frequency")[:-1])
    quiet = whole(torch.zeros_like(picture))
    low, high = (whole(picture.roll(by, 2)) - quiet for by in (0, 6))
    torch.testing.assert_close(low[:, :, :3], high[:, :, 1:], atol=1e-5, rtol=1e-4)
    assert low.abs().max() > 1e-3


# Residual networks


@pytest.mark.parametrize(
    ("scale", "published"),
    [(1.0, 9.2), (1.5, 17.2), (2.0, 27.3), (3.0, 54.2), (6.0, 188), (8, 321)],
)
def test_bc_resnets_are_as_large_as_the_paper_says(scale, published):
    """Kim and others 2021, table 2: thousands of parameters."""
    thousands = parameters(built("bc-resnet", scale=scale)) / 1000
    assert thousands == pytest.approx(published, abs=0.05 if published < 100 else 0.5)


def test_bc_resnets_maps_are_as_large_as_the_paper_says():
    """Its table 1, from 40 bands."""
    network = built("bc-resnet")
    shapes = [(16, 20), *[(8, 20)] * 2, *[(12, 10)] * 2, *[(16, 5)] * 4, *[(20, 5)] * 4, (20, 1),
              (32, 1)]  # fmt: skip
    x, found = torch.zeros(1, 1, MELS, FRAMES), []
    for layer in list(network)[:-2]:
        x = layer(x)
        found.append(tuple(x.shape[1:3]))
        assert x.shape[3] == FRAMES
    assert found == shapes


@pytest.mark.parametrize("dilation", [1, 2, 8])
def test_a_broadcast_reaches_all_bands_at_three_spectra(dilation):
    block = BroadcastedResidual(5, 5, 1, dilation, 0.1).eval()
    x = torch.randn(1, 5, 10, 40)
    before = block(x)
    x[0, 2, 4, 20] += 100
    changed = (block(x) != before).any(1)[0]
    assert set(np.flatnonzero(changed.any(0))) == {20 - dilation, 20, 20 + dilation}
    assert changed[:, 20 + dilation].all() or changed[:, 20 - dilation].all()


def test_a_block_without_weights_passes_its_input_on():
    block = BroadcastedResidual(4, 4, 1, 1, 0.0).eval()
    for parameter in block.parameters():
        nn.init.zeros_(parameter)
    x = torch.randn(2, 4, 10, 7)
    torch.testing.assert_close(block(x), x.clamp(min=0))
    entering = BroadcastedResidual(3, 4, 2, 1, 0.0).eval()
    for parameter in entering.parameters():
        nn.init.zeros_(parameter)
    assert torch.equal(entering(torch.randn(2, 3, 10, 7)), torch.zeros(2, 4, 5, 7))


def test_sub_spectral_norm_is_a_batch_norm_a_group_of_bands():
    x = torch.randn(6, 3, 20, 9) * torch.arange(1.0, 21)[:, None] + 5
    y = SubSpectralNorm(3, 5)(x)
    assert y.shape == x.shape
    for start in range(0, 20, 4):
        group = nn.BatchNorm2d(3)(x[:, :, start : start + 4])
        torch.testing.assert_close(y[:, :, start : start + 4], group, atol=1e-5, rtol=1e-5)


def test_a_residual_network_halves_the_picture_in_each_block_but_the_first():
    network = built("speech-resnet", widths=[8, 16, 24, 32])
    x, found = torch.zeros(1, 1, MELS, FRAMES), []
    for layer in list(network)[1:5]:
        x = layer(x)
        found.append(tuple(x.shape[1:]))
    assert found == [(8, 20, 49), (16, 20, 49), (24, 10, 25), (32, 5, 13)]


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("speech-direction", {"direction": "up"}, "'up': frequency, limited, time, both"),
        ("speech-direction", {"direction": "limited", "frames": 6}, "cannot see 6 spectra"),
        ("speech-direction", {"direction": "time", "frames": 21}, "cannot see 21 spectra"),
        ("speech-direction", {"direction": "both", "frames": 21}, "cannot see 21 spectra"),
        ("speech-direction", {"filters": 0}, "filters cannot be 0"),
        ("speech-resnet", {"widths": [32, 0]}, "widths cannot be (32, 0)"),
        ("speech-resnet", {"widths": []}, "widths cannot be ()"),
        ("speech-resnet", {"widths": [16, 20]}, "reduction 8 does not divide 20"),
        ("speech-resnet", {"dropout": 1.0}, "dropout cannot be 1.0"),
        ("bc-resnet", {"scale": -1.0}, "scale cannot be -1.0"),
        ("bc-resnet", {"classes": 0}, "classes cannot be 0"),
        ("bc-resnet", {"dropout": -0.1}, "dropout cannot be -0.1"),
    ],
)
def test_settings_that_make_no_network(name, config, message):
    with pytest.raises(InputError, match=re.escape(message)):
        built(name, **config)


@pytest.mark.parametrize("name", NETWORKS)
def test_no_dropout_is_a_setting(name):
    assert built(name, dropout=0)(torch.zeros(1, 1, MELS, FRAMES)).shape == (1, 12)


@pytest.mark.parametrize(
    ("direction", "fewest"), [("frequency", 1), ("limited", 7), ("time", 22), ("both", 22)]
)
def test_the_fewest_spectra_of_each_direction(direction, fewest):
    network = built("speech-direction", direction=direction, frames=fewest, filters=2, hidden=2)
    assert network(torch.zeros(1, 1, MELS, fewest)).shape == (1, 12)
