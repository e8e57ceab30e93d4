"""The Models page's part on architectures: any network of the suite, layer by layer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from apps.frame import refuse
from core.errors import InputError

from ..layers import about, by, cells, default_config, layers, networks, volume_of
from . import formulas

if TYPE_CHECKING:
    from core.arithmetic import LayerRow

WALK = {
    "LeNet-5": "lenet5",
    "AlexNet": "alexnet",
    "VGG-16": "vgg16",
    "GoogLeNet": "googlenet",
    "ResNet-50": "resnet50",
    "U-Net": "unet",
}
COLUMNS: dict[str, Any] = {
    name: st.column_config.NumberColumn(format="localized")
    for name in ("parameters", "multiply-adds")
} | {
    "layer": st.column_config.TextColumn(width=190),
    "sees": st.column_config.TextColumn(
        help="The receptive field: how many inputs along each axis one output depends on at most."
    ),
}


def show() -> None:
    names = networks()
    st.caption("Case studies of the lecture:")
    with st.container(horizontal=True, gap="xsmall"):
        for label, name in WALK.items():
            st.button(label, on_click=_choose, args=(name,))
    name = st.selectbox(
        "Architecture",
        names,
        index=names.index("lenet5"),
        key="architecture",
        bind="query-params",
        width=400,
        help="Every network of the suite, those of the lecture's case studies among them.",
    )
    first, _, more = about(name).partition("\n\n")
    st.markdown(first)
    if more:
        with st.expander("More about it"):
            st.markdown(more)
    try:
        rows = layers_of(name, default_config(name))
        own = by(rows[0].input_shape)
        if len(rows[0].input_shape) > 2:
            volume = st.text_input(
                "Input volume, channels x height x width",
                own,
                max_chars=24,
                key=f"volume of {name}",
                width=400,
                help="Another picture size, say: the table is worked out for it.",
            )
            if volume != own:
                rows = layers_of(name, default_config(name), volume.strip())
    except InputError as error:
        refuse("This network can't be laid out so.", error)
        return
    total = rows[-1]
    st.markdown(
        f"**{total.parameters:,}** parameters, **{total.multiply_adds:,}** multiply-adds an input"
    )
    show_layers(rows)
    show_formulas(
        [row for row in rows if row.output_shape and (row.kernel or row.kind == "Linear")]
    )


def show_formulas(rows: Sequence[LayerRow]) -> None:
    if not rows:
        return
    index = st.selectbox(
        "The sums of one layer",
        range(len(rows)),
        format_func=lambda i: f"{rows[i].name}, {rows[i].kind}",
        width=400,
        help="How large its output is, and how many parameters it has.",
    )
    row = rows[index]
    lines = [f"Output: {line}" for line in formulas.output_size(row)]
    if line := formulas.parameters(row):
        lines.append(f"Parameters: {line}")
    st.text("\n".join(lines))
    st.caption(
        "N: length of the input along an axis; F: of the filter, as wide as it lies; P: padding at "
        "each end; S: stride. Parameters: the filter's size, times the input's channels, times the "
        "filters, and a bias each; of a fully connected layer, inputs times outputs, and biases."
    )


def _choose(name: str) -> None:
    st.session_state["architecture"] = name


def show_layers(rows: Sequence[LayerRow]) -> None:
    st.dataframe(list(map(cells, rows)), hide_index=True, column_config=COLUMNS)
    st.caption(
        "Output: channels x height x width. Sees: the receptive field, the inputs along each axis "
        "that one output depends on at most."
    )


def layers_of(name: str, config: Mapping[str, Any], volume: str = "") -> list[LayerRow]:
    """A network's rows, a total last. Raises InputError as `layers` and `volume_of` do."""
    size = volume_of(volume) if volume else ()
    networks()  # registers them
    rows: list[LayerRow] = _layers(name, json.dumps(config, sort_keys=True), size)
    return rows


def _traced(name: str, config: str, volume: tuple[int, ...]) -> list[LayerRow]:
    return layers(name, json.loads(config), volume)[1]


_layers: Any = st.cache_data(show_spinner="Working out the layers …", max_entries=100)(_traced)
