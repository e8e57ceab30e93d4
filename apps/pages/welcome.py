"""What receptive is, with a live example of each sense, and the way to its pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from apps import textview
from apps.frame import head, refuse
from apps.released import released
from apps.welcome import examples
from core.errors import InputError

if TYPE_CHECKING:
    from apps.welcome.examples import Example

STYLE = """<style>
.st-key-senses {display: grid; gap: 1rem; grid-auto-rows: minmax(17rem, auto);
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr))}
.st-key-senses > * {height: 100%}
.st-key-senses figure {margin: 0}
.st-key-senses img {border-radius: .5rem; display: block; width: 100%}
.st-key-senses figcaption {color: var(--quiet); font-size: .8rem; line-height: 1.4;
  margin-top: .4rem}
.stMain [data-testid=stPageLink] a {padding-left: 0}
.st-key-speech-example img {aspect-ratio: 8 / 5; image-rendering: pixelated}
</style>
"""
COMMANDS = """receptive go play --hints
receptive sentiment --explain "A warm, funny film."
receptive image classify photo.jpg"""


class Sense(NamedTuple):
    """A card: a page, what one does there, and the model and the function that make its example."""

    name: str
    icon: str
    invitation: str
    model: str
    example: Callable[[str], Example]


SENSES = [
    Sense("go", "grid_on", "play against it", "go-policy", examples.go),
    Sense("text", "notes", "ask about a sentence", "sentiment", examples.text),
    Sense("speech", "mic", "say a word", "keywords", examples.speech),
    Sense("image", "image", "draw, or show it a picture", "objects", examples.image),
]


def show(sense: Sense) -> None:
    """The example; where there is none, why."""
    try:
        example = released(sense.name, sense.model, sense.example)
    except InputError as error:
        refuse("The network can't be asked.", error)
        return
    seen, told = st.columns([2, 3])
    with seen:
        st.html(example.shown)
        if example.sound:
            st.audio(example.sound)
    with told:
        st.html(example.answer)
        st.markdown(example.reached, help=example.hint)
        st.caption(example.limit)


head(
    "receptive",
    "One convolutional core, four senses: small networks of the same blocks that play Go, read, "
    "listen and look. Their answers below are live.",
)
st.html(STYLE + textview.STYLE)
with st.container(key="senses"):
    cards = [st.container(border=True, gap="small") for _ in SENSES]
for card, sense in zip(cards, SENSES, strict=True):
    card.page_link(
        f"pages/{sense.name}.py",
        label=f"**{sense.name.capitalize()}** · {sense.invitation}",
        icon=f":material/{sense.icon}:",
    )
st.markdown("The same on the command line:")
st.code(COMMANDS, language=None, wrap_lines=True)
st.markdown("Each network has a card: what it is made of, what it learned from, what it reached.")
st.page_link("pages/models.py", label="**Models** · read the cards", icon=":material/badge:")
for card, sense in zip(cards, SENSES, strict=True):
    with card, st.container(key=f"{sense.name}-example"):
        show(sense)
