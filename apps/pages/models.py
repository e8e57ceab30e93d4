"""The Models page: the cards of models, the architectures of networks, the curves of trainings."""

from __future__ import annotations

import streamlit as st

from apps.frame import head
from apps.models import page_cards, page_networks, page_runs

CARDS = "Cards"
PARTS = {
    CARDS: page_cards.show,
    "Architectures": page_networks.show,
    "Training runs": page_runs.show,
}

head("Models", "What is each network made of, what was it trained on, and what did it reach?")
asked = st.query_params.get("part")
part = st.segmented_control(
    "What to look at",
    list(PARTS),
    default=asked if asked in PARTS else CARDS,
    key="part",
    required=True,
    label_visibility="collapsed",
)
if part != CARDS:
    st.query_params["part"] = part
elif asked:
    del st.query_params["part"]
PARTS[part]()
