"""The Models page's part on cards: a released model, or one trained on this machine."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import streamlit as st

from apps.frame import refuse
from core.errors import InputError
from core.weights import Card, read_card
from domains import weight_folders

from .. import figures
from . import cards
from .metrics import named, shown, sorted_keys
from .page_networks import layers_of, show_layers
from .page_runs import runs_found
from .rows import STYLE, table
from .runs import cards_of, runs_folder

if TYPE_CHECKING:
    from core.arithmetic import LayerRow

PAGES = {"go": "Go", "text": "Text", "speech": "Speech", "image": "Image"}


def show() -> None:
    st.html(STYLE)
    root = runs_folder()
    known = {
        path.stem: path for f in weight_folders().values() for path in sorted(f.glob("*.toml"))
    }
    known |= cards_of(runs_found(root), root)
    asked = st.query_params.get("model")
    lost = asked is not None and asked not in known
    if lost:
        refuse("There is no such model.", InputError(f"{asked!r}; there are: {', '.join(known)}"))
    name = st.selectbox(
        "Model",
        list(known),
        index=None if lost else 0,
        key="model",
        bind="query-params",
        placeholder="Choose a model",
        width=400,
        help="The released ones, and those trained in or below the folder that the app runs in.",
    )
    if name is None:
        return
    try:
        card = read_card(known[name])
        rows = layers_of(card.architecture, card.config)
    except InputError as error:
        refuse("This card can't be shown.", error)
        return
    show_card(card, rows)


def show_card(card: Card, rows: list[LayerRow]) -> None:
    st.text(card.description)
    keys = cards.key_figures(card, rows[-1].parameters)
    for column, key in zip(st.columns(len(keys)), keys, strict=True):
        column.metric(key.label, key.value, help=key.meaning, border=True)
    into, out = st.columns(2)
    into.html(f'<div class="note"><b>It takes</b><br>{escape(cards.takes(card))}</div>')
    out.html(f'<div class="note"><b>It answers</b><br>{escape(cards.answers(card))}</div>')
    if card.domain in PAGES and card.path.parent == weight_folders()[card.domain]:
        st.page_link(
            f"pages/{card.domain}.py",
            label=f"Try it on the {PAGES[card.domain]} page",
            icon=":material/arrow_forward:",
        )
    layered, measured, made, kept = st.tabs(["Layers", "Figures", "Training", "Files"])
    with layered:
        st.text(f"{card.architecture}: {cards.words(card.config)}")
        show_layers(rows)
    with measured:
        show_figures(cards.measured(card))
    with made:
        show_training(card)
    with kept:
        show_files(card)


def show_figures(found: list[cards.Measured]) -> None:
    if not found:
        st.info("The card has no figures.", icon=":material/info:")
        return
    keys = sorted_keys({key for one in found for key in one.figures})
    st.dataframe(
        [
            {"set": one.name}
            | {named(k).heading: shown(k, v) if (v := one.figures.get(k)) is not None else None
               for k in keys}
            for one in found
        ],
        hide_index=True,
        column_config={
            named(key).heading: st.column_config.NumberColumn(
                format="%.1f" if named(key).unit == "%" else "localized",
                help=named(key).meaning or None,
            )
            for key in keys
        },
        placeholder="",
    )  # fmt: skip
    closer = [one for one in found if one.by_class or one.confusions or one.notes]
    if not closer:
        return
    first = next((i for i, one in enumerate(closer) if "test" in one.name), 0)
    one = st.selectbox(
        "A closer look at", closer, index=first, format_func=lambda one: one.name, width=400
    )
    left, right = st.columns(2, gap="large")
    for key, by_class in one.by_class.items():
        left.caption(f"{named(key).title.capitalize()} of each class", help=named(key).meaning)
        left.html(figures.bars(by_class.items()))
    if one.confusions:
        right.caption("What it takes for what most often")
        right.html(
            table([{"is": a, "taken for": b, "times": times} for a, b, times in one.confusions])
        )
    if one.notes:
        right.html(table([{"field": key, "as measured": said} for key, said in one.notes.items()]))


def show_training(card: Card) -> None:
    st.caption("The command that made it")
    st.code(card.command, language="bash", wrap_lines=True)
    said = {**cards.training(card), "licence": card.licence}
    st.html(table([{"field": key, "as recorded": value} for key, value in said.items()]))
    if rows := cards.data(card):
        st.caption("The data")
        st.html(table(rows))


def show_files(card: Card) -> None:
    if wrong := _differs(card, cards.stamp(card)):
        refuse("This model isn't whole.", InputError(wrong))
    else:
        st.success("Whole: each file is as its sha256 says.", icon=":material/verified:")
    st.html(table(cards.files(card)))
    st.caption(f"`receptive models verify {card.name}` checks the same on the command line.")


def _checked(_card: Card, stamp: tuple[Any, ...]) -> str:
    return cards.differs(_card)  # the cache's key is the stamp of its files


_differs: Any = st.cache_data(show_spinner="Checking the files …", max_entries=100)(_checked)
