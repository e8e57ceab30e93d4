"""The part of the Image page that looks into a network: feature maps, and its layers as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ..layers import cells
from . import view
from .activations import MOST, activations, tiles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .networks import Network

MAP = (
    "What one filter of a layer answers to, pixel by pixel: bright where it found what it looks "
    "for."
)
COLUMNS = {
    "parameters": "Numbers that are learned: weights and biases.",
    "multiply-adds": "Multiplications, each with an addition, for a picture; twice as many FLOPs.",
    "output": "Channels × height × width of what comes out, in values.",
    "sees": "The receptive field: the pixels of the picture, height × width, that one value "
    "depends on at most.",
}


def show(network: Network, prepared: NDArray[np.float32]) -> None:
    """Tabs on what each layer makes of a prepared picture, `(C, H, W)`, and on the layers."""
    maps, layers = st.tabs(["What each layer makes of it", "The network's layers"])
    with maps:
        show_maps(network, prepared)
    with layers:
        show_layers(network)


def show_maps(network: Network, prepared: NDArray[np.float32]) -> None:
    found = activations(network.network, prepared)
    beside, pictures = st.columns([2, 3], gap="large")
    with beside:
        number = st.slider("Layer, from the picture to the answer", 1, len(found), help=view.LAYERS)
        name, maps = found[number - 1]
        st.markdown(f"**{view.layer(name)}**, layer {number} of {len(found)}")
        st.caption(view.maps(maps.shape, MOST), help=MAP)
        st.caption("Black is 0, orange to white above 0, blue below, relative to the strongest.")
    pictures.image(
        tiles(maps), width="stretch", alt=f"What comes out of layer {name}, a tile a map"
    )


def show_layers(network: Network) -> None:
    numbers = ("parameters", "multiply-adds")
    st.dataframe(
        list(map(cells, network.layers)),
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(help=hint, format="localized")
            if name in numbers
            else st.column_config.TextColumn(help=hint)
            for name, hint in COLUMNS.items()
        },
    )
    st.caption(
        "Output is channels × height × width; sees is the receptive field, the pixels of the "
        "picture that one value depends on at most."
    )
