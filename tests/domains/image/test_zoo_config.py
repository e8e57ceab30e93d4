"""What a network's fully connected layers get, and settings that make no network."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from core.blocks import Conv, MaxPool
from core.errors import InputError
from domains.image.zoo.config import ImageConfig, flat_features


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.integers(7, 40), st.integers(1, 5), st.integers(1, 3))
def test_features_are_what_flatten_leaves(channels, size, kernel, stride):
    layers = nn.Sequential(Conv(channels, 5, kernel, stride=stride), MaxPool(2, padding=1))
    flat = layers(torch.zeros(1, channels, size, size)).flatten(1)
    assert flat_features(layers, ImageConfig(10, channels, size)) == flat.shape[1]


def test_the_layer_that_does_not_fit_is_named():
    layers = nn.Sequential(Conv(1, 6, 5), MaxPool(2), Conv(6, 16, 5))
    message = "a picture of 11x11 is too small: layer 2 doesn't fit on 6x3x3"
    with pytest.raises(InputError, match=re.escape(message)):
        flat_features(layers, ImageConfig(10, 1, 11))


@pytest.mark.parametrize("setting", ["classes", "channels", "size"])
@pytest.mark.parametrize("value", [0, -3])
def test_settings_that_make_no_network(setting, value):
    with pytest.raises(InputError, match=f"{setting} cannot be {value}"):
        ImageConfig(**{setting: value})
