"""The Text page: the sentiment of texts typed, pasted or uploaded, and what decided it."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from itertools import islice, starmap
from typing import TYPE_CHECKING

import altair as alt
import streamlit as st

from apps import textview
from apps.formats import Jsonl
from apps.released import released
from core.errors import InputError
from domains.text.files import TEXT_COLUMNS, column_names, rows

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from apps.textview import Answer
    from domains.text.classifier import Sentiment, SentimentClassifier

MODEL = "sentiment"
MOST_LINES = 100
MOST_ROWS = 50_000
MOST_MEGABYTES = 20
BATCH = 512
MOST_SHOWN = 200

EXAMPLES = {
    "A review": "A warm, funny film that never outstays its welcome.",
    "Negation": "Not bad at all.\nHardly a triumph.\nI can't recommend it enough.",
    "Tweets": "@friend best concert of my LIFE!!!\nthe 8:15 is late again :(\nPolls open at 7 am.",
}


def load() -> SentimentClassifier:
    from domains.text.classifier import SentimentClassifier

    return released("text", MODEL, SentimentClassifier.load)


def type_or_paste(model: SentimentClassifier) -> None:
    with st.container(horizontal=True):
        for name, example in EXAMPLES.items():
            st.button(name, on_click=st.session_state.__setitem__, args=("typed", example))
    with st.form("typing", border=False):
        typed = st.text_area(
            "Texts, one a line",
            key="typed",
            max_chars=20_000,
            height=130,
            placeholder="Type or paste here, or click an example above.",
        )
        st.form_submit_button("Answer", type="primary")
    texts = textview.texts(typed)
    if not texts:
        st.info("No text yet. Type one above, or click an example.", icon=":material/edit:")
        return
    if len(texts) > MOST_LINES:
        st.warning(
            f"These are the first {MOST_LINES} of {len(texts):,} lines. "
            "Upload a file to have them all answered."
        )
        texts = texts[:MOST_LINES]
    sentiments = model.predict(texts, explain=True)
    st.html(textview.LEGEND + "".join(map(textview.answer, texts, sentiments)))
    chosen = 0
    if len(texts) > 1:
        chosen = st.selectbox(
            "Look closer at",
            range(len(texts)),
            format_func=lambda index: f"{index + 1}. {shortened(texts[index])}",
        )
    look_closer(sentiments[chosen])


def shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]} …"


def look_closer(sentiment: Sentiment) -> None:
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.markdown("**Probabilities**")
        st.altair_chart(probabilities(sentiment.scores))
    with right:
        st.markdown(f"**What the filters found**, strongest first, for *{sentiment.label}*")
        found = textview.ngrams(sentiment, most=10)
        st.dataframe(
            found,
            hide_index=True,
            column_config={"adds (logits)": st.column_config.NumberColumn(format="%+.2f")},
        )


def probabilities(scores: dict[str, float]) -> alt.Chart:
    bars = [
        {"label": f"{label} {textview.percent(score)}", "percent": 100 * score}
        for label, score in scores.items()
    ]
    chart: alt.Chart = alt.Chart(alt.InlineData(bars), height=40 * len(bars) + 50).mark_bar(size=20)
    return chart.encode(
        x=alt.X("percent:Q", title="probability (%)", scale=alt.Scale(domain=[0, 100])),
        y=alt.Y("label:N", title=None, sort=None),
        tooltip=alt.Tooltip("label:N"),
    )


def from_file(model: SentimentClassifier) -> None:
    upload = st.file_uploader(
        f"A file with a column of texts, at most {MOST_ROWS:,} rows",
        type=["csv", "tsv", "jsonl"],
        max_upload_size=MOST_MEGABYTES,
    )
    if upload is None:
        st.session_state.pop("answered", None)
        return
    try:
        names = column_names(io.BytesIO(upload.getvalue()), upload.name)
        usual = next((name for name in TEXT_COLUMNS if name in names), None)
        column = st.selectbox(
            "Column with the texts", names, index=names.index(usual) if usual else 0
        )
        answers, problems, more = answered(model, upload, column)
    except InputError as error:
        st.error("This file can't be read.")
        st.text(str(error))
        return
    if more:
        st.warning(f"Only the first {MOST_ROWS:,} rows were read.")
    if answers:
        show_answers(answers, model.labels)
    if problems:
        st.warning(f"Bad rows, not answered: {len(problems):,}")
        st.dataframe({"file:line: what is wrong": problems}, hide_index=True)


def answered(
    model: SentimentClassifier, upload: UploadedFile, column: str | None
) -> tuple[list[Answer], list[str], bool]:
    """The answered rows, what is wrong with the others, and whether there are more rows still.

    Kept in this session until another file or column is chosen.
    """
    key = (upload.file_id, column)
    if st.session_state.get("answered", (None,))[0] != key:
        source = rows(io.BytesIO(upload.getvalue()), upload.name, column)
        read = list(islice(source, MOST_ROWS))
        more = next(source, None) is not None
        good = [row for row in read if not isinstance(row, InputError)]
        problems = [str(row) for row in read if isinstance(row, InputError)]
        answers: list[Answer] = []
        bar = st.progress(0.0, "Answering …")
        for start in range(0, len(good), BATCH):
            batch = good[start : start + BATCH]
            answers += zip(batch, model.predict([row.text for row in batch]), strict=True)
            share = len(answers) / len(good)
            bar.progress(share, f"Answering … {len(answers):,} of {len(good):,} texts")
        bar.empty()
        st.session_state["answered"] = (key, answers, problems, more)
    _, answers, problems, more = st.session_state["answered"]
    return answers, problems, more


def show_answers(answers: list[Answer], labels: Sequence[str]) -> None:
    counts = Counter(sentiment.label for _, sentiment in answers)
    shares = ", ".join(
        f"{label} {textview.percent(counts[label] / len(answers))}" for label in labels
    )
    st.markdown(f"**Texts answered: {len(answers):,}** · {shares}")
    st.dataframe(
        textview.preview(answers[:MOST_SHOWN], labels),
        hide_index=True,
        column_config={
            f"{label} (%)": st.column_config.NumberColumn(format="%.1f") for label in labels
        },
    )
    if len(answers) > MOST_SHOWN:
        st.markdown(f"The first {MOST_SHOWN} are shown; the downloads have them all.")
    with st.container(horizontal=True):
        st.download_button(
            "Download csv",
            lambda: textview.as_csv(answers, labels),
            file_name="answers.csv",
            mime="text/csv",
            on_click="ignore",
        )
        st.download_button(
            "Download jsonl",
            lambda: "".join(starmap(Jsonl(), answers)),
            file_name="answers.jsonl",
            mime="application/jsonl",
            on_click="ignore",
        )


def nearest_words(model: SentimentClassifier) -> None:
    word = st.text_input("A word", max_chars=60, placeholder="for example: wonderful").strip()
    if not word:
        st.info("The words that the network treats most alike.", icon=":material/hub:")
        return
    try:
        near = model.nearest(word)
    except InputError:
        st.info("The model doesn't know this word. Try a common English one.")
        return
    st.dataframe(
        [{"word": neighbour, "cosine (1 = same direction)": cosine} for neighbour, cosine in near],
        hide_index=True,
        column_config={"cosine (1 = same direction)": st.column_config.NumberColumn(format="%.2f")},
    )


st.title("Text")
st.markdown("Is a text negative, neutral or positive, and which words say so?")
try:
    model = load()
except InputError as error:
    st.error("The model can't be loaded.")
    st.text(str(error))
    st.stop()
st.html(textview.STYLE)
st.html(textview.model_line(model.card))
typing, file, words = st.tabs(["Type or paste", "Upload a file", "Nearest words"])
with typing:
    type_or_paste(model)
with file:
    from_file(model)
with words:
    nearest_words(model)
