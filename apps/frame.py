"""What all pages have in common: their head, the line on who answers, and how a refusal is told."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from apps.figures import headline, meaning

if TYPE_CHECKING:
    from core.errors import InputError
    from core.weights import Card

STYLE = """<style>
:root {--accent: light-dark(#0065a2, #55b0ea); --quiet: light-dark(#565b63, #a9b0ba);
  --line: rgba(128, 128, 128, .35)}
.stMainBlockContainer {max-width: 75rem; padding-top: 4.25rem; padding-bottom: 4rem}
.note {font-size: .875rem; line-height: 1.7; overflow-wrap: anywhere}
.quiet, .stApp [data-testid=stCaptionContainer] {color: var(--quiet); opacity: 1}
.stMain [data-testid=stPageLink] a * {color: var(--accent)}
body [data-testid^=stBaseButton-primary]:not(:disabled) {color: light-dark(#fff, #0b1d2a)}
.stApp [data-tag] {background: #0065a2}
.verdict {font-size: 1.5rem; line-height: 1.4; overflow-wrap: anywhere}
.bars {border-collapse: collapse; font-size: .9rem; margin: 0; width: 100%}
.bars td {border: 0; padding: .15rem .6rem .15rem 0; white-space: nowrap}
.bars td:nth-child(2) {font-variant-numeric: tabular-nums; text-align: right}
.bars td:last-child {padding-right: 0; width: 99%}
.bars td div {background: var(--accent); border-radius: 3px; height: .6rem; min-width: 2px}
</style>
"""


def head(title: str, question: str) -> None:
    """The title of a page, and the question that it answers in one sentence."""
    st.html(STYLE)
    st.title(title, anchor=False)
    st.markdown(question)


def answered_by(card: Card, *more: str) -> None:
    """One line: which model answers, what it reached on its test, and the way to its card."""
    said = " · ".join(filter(None, (headline(card), *more)))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(
            f'<div class="note">Answered by <b>{escape(card.name)}</b>: {escape(said)}</div>',
            width="content",
        )
        st.page_link(
            "pages/models.py",
            label="Its card",
            icon=":material/badge:",
            help=meaning(card) or None,
            query_params={"model": card.name},
        )


def refuse(what: str, error: InputError) -> None:
    """What can't be done, and why: the reason may hold a user's own text."""
    st.error(what, icon=":material/error:")
    st.text(str(error))
