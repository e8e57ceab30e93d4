"""What receptive is, and the way to its pages."""

import streamlit as st

st.title("receptive")
st.markdown(
    "Small convolutional networks, trained on real data, that show what they look at.\n\n"
    "One set of blocks (convolution, pooling, fully connected) makes every network here. "
    "Each comes with its trained weights and a card: what it was trained on, how it was measured "
    "and the command that made it. It answers on this machine, without the internet."
)

st.subheader("Pages")
with st.container(border=True):
    st.page_link("pages/go.py", label="**Go**", icon=":material/grid_on:")
    st.markdown(
        "Play the policy network, see its first instinct on the board, open and review records."
    )
with st.container(border=True):
    st.page_link("pages/text.py", label="**Text**", icon=":material/notes:")
    st.markdown(
        "Is a review or a tweet negative, neutral or positive, and which words say so? "
        "Type, paste or upload a file."
    )
with st.container(border=True):
    st.page_link("pages/speech.py", label="**Speech**", icon=":material/mic:")
    st.markdown(
        "Which words are said in a recording, and what the network looked at in its spectrogram? "
        "Record, upload or choose a sample."
    )
with st.container(border=True):
    st.page_link("pages/image.py", label="**Image**", icon=":material/image:")
    st.markdown(
        "Which digit is drawn, what is in a picture, and what does each layer make of it? "
        "Draw, upload or choose a sample."
    )

st.subheader("On the command line")
st.code('receptive sentiment --explain "A warm, funny film."', language="bash", wrap_lines=True)
