"""The Streamlit pages, one file a page; `apps/home.py` leads to them."""
