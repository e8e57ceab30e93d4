"""The Speech page: the words in a sound recorded, uploaded or chosen, and what gave them away."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, NamedTuple

import altair as alt
import streamlit as st

from apps.released import released
from apps.speech import ONE_WORD, around, view
from apps.speech.picture import drawn
from core.errors import InputError
from domains.speech.audio import SAMPLE_RATE
from domains.speech.explanation import explain
from domains.speech.recordings import open_recording

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from domains.speech.detections import Detection
    from domains.speech.recogniser import KeywordRecogniser

MODEL = "keywords"
MOST_MEGABYTES = 20
MOST_SECONDS = 300
COLUMNS = {
    "word": "word",
    "start": "start (s)",
    "end": "end (s)",
    "probability": "probability (%)",
}
SAMPLES = {
    "yes": "yes",
    "no": "no",
    "up": "up",
    "left": "left",
    "stop": "stop",
    "go": "go",
    "an unknown word": "piano",
    "silence": "silence",
    "a sentence": "sentence",
}


class Heard(NamedTuple):
    """A recording, and the words in it if it is longer than one word."""

    waveform: NDArray[np.float32]
    cut: bool
    detections: list[Detection] | None


def load() -> KeywordRecogniser:
    from domains.speech.recogniser import KeywordRecogniser

    return released("speech", MODEL, KeywordRecogniser.load)


def sources() -> view.Sound | None:
    """What was last recorded, uploaded or chosen."""
    recording, upload = st.columns(2)
    recording.audio_input(
        "Say a word, or several", key="recorded", on_change=take, args=("recorded",)
    )
    upload.file_uploader(
        f"Upload a sound; its first {MOST_SECONDS // 60} minutes are heard",
        key="uploaded",
        on_change=take,
        args=("uploaded",),
        max_upload_size=MOST_MEGABYTES,
    )
    st.caption("Or choose a sample, spoken by a synthesiser:")
    with st.container(horizontal=True, gap="xsmall"):
        for label, name in SAMPLES.items():
            st.button(label, on_click=choose, args=(name,))
    sound: view.Sound | None = st.session_state.get("sound")
    return sound


def take(widget: str) -> None:
    file = st.session_state[widget]
    st.session_state["sound"] = file and view.Sound(file.name, file.getvalue())


def choose(name: str) -> None:
    st.session_state["sound"] = view.sample(name)


def heard(recogniser: KeywordRecogniser, sound: view.Sound) -> Heard:
    """Kept in this session until there is another sound."""
    if st.session_state.get("heard", (None,))[0] is not sound:
        with (
            st.spinner("Listening …"),
            open_recording(io.BytesIO(sound.data), sound.name) as recording,
        ):
            waveform, cut = view.beginning(recording.blocks(), MOST_SECONDS)
            detections = None
            if len(waveform) > ONE_WORD * SAMPLE_RATE:
                detections = list(recogniser.listen([waveform]))
        st.session_state["heard"] = (sound, Heard(waveform, cut, detections))
    found: Heard = st.session_state["heard"][1]
    return found


def show(recogniser: KeywordRecogniser, sound: view.Sound) -> None:
    """A sound, to be played, and what was heard in it."""
    try:
        found = heard(recogniser, sound)
    except InputError as error:
        st.error("This sound can't be answered.")
        st.text(str(error))
        return
    st.text(sound.name)
    st.audio(view.wav(found.waveform))
    if found.cut:
        st.warning(f"Only the first {MOST_SECONDS // 60} minutes were heard.")
    if found.detections is None:
        show_word(recogniser, found.waveform)
    else:
        show_words(recogniser, found.waveform, found.detections)


def show_word(recogniser: KeywordRecogniser, waveform: NDArray[np.float32]) -> None:
    """One word: what it is, what else it might be, and what the network looked at."""
    [recognition] = recogniser.predict([waveform])
    st.html(view.answer(recognition))
    st.altair_chart(probabilities(view.bars(recognition)))
    st.image(
        drawn(explain(recogniser, waveform)),
        width="stretch",
        alt="The waveform, its log-mel spectrogram, and what the network looked at in it",
    )


def probabilities(bars: list[dict[str, Any]]) -> alt.Chart:
    chart: alt.Chart = alt.Chart(alt.InlineData(bars), height=34 * len(bars) + 50).mark_bar(size=20)
    return chart.encode(
        x=alt.X("percent:Q", title="probability (%)", scale=alt.Scale(domain=[0, 100])),
        y=alt.Y("label:N", title=None, sort=None),
        tooltip=alt.Tooltip("label:N"),
    )


def show_words(
    recogniser: KeywordRecogniser, waveform: NDArray[np.float32], detections: list[Detection]
) -> None:
    """The words of a recording along its time, and a closer look at one."""
    st.markdown(f"**Words heard: {len(detections)}**")
    seconds = len(waveform) / SAMPLE_RATE
    st.altair_chart(waveform_chart(view.envelope(waveform), seconds))
    if not detections:
        return
    words = view.timeline(detections)
    st.altair_chart(timeline_chart(words, seconds))
    with st.expander("As a table"):
        st.dataframe(words, hide_index=True, column_config=COLUMNS)
    chosen = st.selectbox(
        "Look closer at",
        range(len(detections)),
        format_func=lambda index: view.named(index + 1, detections[index]),
    )
    word = detections[chosen]
    start, end = around(word.start, word.end, recogniser.window / SAMPLE_RATE)
    show_word(recogniser, waveform[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)])


def waveform_chart(rows: list[dict[str, Any]], seconds: float) -> alt.Chart:
    chart: alt.Chart = alt.Chart(alt.InlineData(rows), height=110).mark_area()
    return chart.encode(
        x=along("second", seconds, title=None),
        y=alt.Y("low:Q", title=None, scale=alt.Scale(domain=[-1, 1]), axis=beside(values=[-1, 1])),
        y2="high:Q",
    )


def timeline_chart(rows: list[dict[str, Any]], seconds: float) -> alt.Chart:
    words = len({row["word"] for row in rows})
    chart: alt.Chart = alt.Chart(alt.InlineData(rows), height=28 * words + 50).mark_bar(size=18)
    return chart.encode(
        x=along("start", seconds, title="seconds"),
        x2="end:Q",
        y=alt.Y("word:N", title=None, sort=None, axis=beside()),
        tooltip=[alt.Tooltip(f"{name}:N", title=title) for name, title in COLUMNS.items()],
    )


def along(name: str, seconds: float, title: str | None) -> alt.X:
    return alt.X(f"{name}:Q", scale=alt.Scale(domain=[0, seconds], nice=False), title=title)


def beside(**more: Any) -> alt.Axis:
    """An axis as wide as that of the other chart, so that the seconds of both line up."""
    return alt.Axis(minExtent=60, maxExtent=60, ticks=False, labelPadding=8, **more)


st.title("Speech")
st.markdown("Which words are said, and what gives them away in the picture of the sound?")
try:
    recogniser = load()
except InputError as error:
    st.error("The model can't be loaded.")
    st.text(str(error))
    st.stop()
st.html(view.model_line(recogniser.card))
if sound := sources():
    show(recogniser, sound)
else:
    st.info("No sound yet. Record or upload one, or click a sample.", icon=":material/mic:")
