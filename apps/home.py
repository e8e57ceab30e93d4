"""The Streamlit app: `receptive app`, or `streamlit run apps/home.py`."""

from pathlib import Path

import streamlit as st

st.set_page_config(
    page_title="receptive", page_icon=Path(__file__).with_name("icon.svg"), layout="wide"
)
st.navigation(
    [
        st.Page("pages/welcome.py", title="Home", icon=":material/home:", default=True),
        st.Page("pages/go.py", title="Go", icon=":material/grid_on:"),
        st.Page("pages/text.py", title="Text", icon=":material/notes:"),
        st.Page("pages/speech.py", title="Speech", icon=":material/mic:"),
        st.Page("pages/image.py", title="Image", icon=":material/image:"),
        st.Page("pages/models.py", title="Models", icon=":material/badge:"),
    ],
    position="top",
).run()
