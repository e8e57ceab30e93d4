"""The Speech page: the words in a sound recorded, uploaded or chosen, and what gave them away."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, NamedTuple

import altair as alt
import streamlit as st

from apps import frame
from apps.figures import answer, bars
from apps.released import released
from apps.speech import ONE_WORD, around, panels, view
from core.errors import InputError
from domains.speech.audio import SAMPLE_RATE
from domains.speech.explanation import Explanation, explain
from domains.speech.recordings import open_recording

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from domains.speech.detections import Detection
    from domains.speech.recogniser import KeywordRecogniser, Recognition

MODEL = "keywords"
MOST_MEGABYTES = 20
MOST_SECONDS = 300
COLUMNS = {
    "word": "word",
    "start": "start (s)",
    "end": "end (s)",
    "probability": "probability (%)",
}
EXAMPLE = "yes"
SAMPLES = {
    "yes": EXAMPLE,
    "no": "no",
    "up": "up",
    "left": "left",
    "stop": "stop",
    "go": "go",
    "an unknown word": "piano",
    "silence": "silence",
    "a sentence": "sentence",
}
KNOWN = (
    "The answer `unknown` stands for any other word or noise, `silence` for a sound in which "
    "nobody speaks."
)
PROBABILITY = (
    "Softmax turns the network's outputs into shares that add up to 100 %: how sure it is of each "
    "answer, not how often it is right."
)
PANELS = {
    "**Waveform**: the sound itself": (
        "The pressure of the air over time, drawn as high as its loudest moment.",
        panels.waveform,
    ),
    "**Log-mel spectrogram**: quiet is dark, loud is bright": (
        "How loud each band of frequencies is, 100 times a second: 40 bands spaced as the ear "
        "tells them apart (mel), on a logarithmic scale. It is all that the network gets.",
        panels.log_mel,
    ),
    "**What it looked at**: orange for the answer, blue against it": (
        "Occlusion sensitivity: parts of the spectrogram are covered one after another. The more "
        "of the answer's log-odds is lost, the stronger the orange; the more is won, the blue.",
        panels.relevance,
    ),
}


class Heard(NamedTuple):
    """A recording, and the words in it if it is longer than one word."""

    waveform: NDArray[np.float32]
    cut: bool
    detections: list[Detection] | None


class Word(NamedTuple):
    """A second of sound, its answer, and why."""

    recognition: Recognition
    explanation: Explanation


def load() -> KeywordRecogniser:
    from domains.speech.recogniser import KeywordRecogniser

    return released("speech", MODEL, KeywordRecogniser.load)


def sources() -> view.Sound | None:
    """What was last recorded, uploaded or chosen; first of all, an example."""
    st.audio_input("Say a word, or several", key="recorded", on_change=take, args=("recorded",))
    st.file_uploader(
        "Or upload a sound",
        key="uploaded",
        on_change=take,
        args=("uploaded",),
        max_upload_size=MOST_MEGABYTES,
        help="WAV, FLAC, Ogg, MP3 and more, at any sample rate. The first "
        f"{MOST_SECONDS // 60} minutes are heard.",
    )
    st.caption("Or choose a sample, spoken by a synthesiser:")
    with st.container(horizontal=True, gap="xsmall"):
        for label, name in SAMPLES.items():
            st.button(label, on_click=choose, args=(name,))
    sound: view.Sound | None = st.session_state.setdefault("sound", view.sample(EXAMPLE))
    return sound


def take(widget: str) -> None:
    file = st.session_state[widget]
    st.session_state["sound"] = file and view.Sound(file.name, file.getvalue())


def choose(name: str) -> None:
    st.session_state["sound"] = view.sample(name)


def heard(recogniser: KeywordRecogniser, sound: view.Sound) -> Heard:
    """Kept in this session until there is another sound."""
    if st.session_state.get("heard", (None,))[0] is not sound:
        with open_recording(io.BytesIO(sound.data), sound.name) as recording:
            waveform, cut = view.beginning(recording.blocks(), MOST_SECONDS)
        detections = None
        if len(waveform) > ONE_WORD * SAMPLE_RATE:
            detections = list(recogniser.listen([waveform]))
        st.session_state["heard"] = (sound, Heard(waveform, cut, detections))
        st.session_state.pop("word", None)
    found: Heard = st.session_state["heard"][1]
    return found


def word(recogniser: KeywordRecogniser, waveform: NDArray[np.float32], number: int) -> Word:
    """Kept in this session until another word of the sound is looked at."""
    if st.session_state.get("word", (None,))[0] != number:
        [recognition] = recogniser.predict([waveform])
        found = Word(recognition, explain(recogniser, waveform))
        st.session_state["word"] = (number, found)
    kept: Word = st.session_state["word"][1]
    return kept


def show(recogniser: KeywordRecogniser, sound: view.Sound) -> None:
    """What was heard in a sound; beside it, the sound to be played."""
    try:
        with right, st.spinner("Listening …"):
            found = heard(recogniser, sound)
    except InputError as error:
        with right:
            frame.refuse("This sound can't be answered.", error)
        return
    with left:
        st.text(sound.name)
        st.audio(view.wav(found.waveform))
    with right:
        if found.cut:
            st.warning(f"Only the first {MOST_SECONDS // 60} minutes were heard.")
        if found.detections is None:
            show_word(recogniser, found.waveform)
        else:
            show_words(recogniser, found.waveform, found.detections)


def show_word(
    recogniser: KeywordRecogniser, waveform: NDArray[np.float32], number: int = 0
) -> None:
    """One word: what it is, what else it might be, and what the network looked at."""
    with st.spinner("Working out what the network looked at …"):
        recognition, explanation = word(recogniser, waveform, number)
    with st.container(gap="xsmall"):
        st.html(answer(recognition.label, recognition.probability))
        st.markdown("**Probabilities**", help=PROBABILITY)
        st.html(bars(recognition.top()))
        st.html(panels.STYLE)
        for title, (hint, drawn) in PANELS.items():
            st.markdown(title, help=hint)
            st.html(drawn(explanation))


def show_words(
    recogniser: KeywordRecogniser, waveform: NDArray[np.float32], detections: list[Detection]
) -> None:
    """The words of a recording along its time, and a closer look at one."""
    st.markdown(f"Words heard: {len(detections)}")
    st.html(view.heard(detections))
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
    part = waveform[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
    show_word(recogniser, part, chosen)


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


frame.head("Speech", "Which words are said, and what gives them away in the picture of the sound?")
try:
    recogniser = load()
except InputError as error:
    frame.refuse("The model can't be loaded.", error)
    st.stop()
frame.answered_by(recogniser.card)
left, right = st.columns([2, 3], gap="large")
with left:
    sound = sources()
    st.caption(view.known(recogniser.labels), help=KNOWN)
if sound:
    show(recogniser, sound)
else:
    right.info("No sound yet. Record or upload one, or click a sample.", icon=":material/mic:")
