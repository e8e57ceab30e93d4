"""The Text page: the sentiment of texts typed, pasted or uploaded, and what decided it."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from itertools import islice, starmap
from typing import TYPE_CHECKING

import streamlit as st

from apps import textview
from apps.figures import bars
from apps.formats import Jsonl
from apps.frame import answered_by, head, refuse
from apps.released import released
from core.errors import InputError
from domains.text.files import TEXT_COLUMNS, column_names, rows

if TYPE_CHECKING:
    from apps.textview import Answer
    from domains.text.classifier import Sentiment, SentimentClassifier

MODEL = "sentiment"
MOST_LINES = 100
MOST_ROWS = 50_000
MOST_MEGABYTES = 20
BATCH = 512
MOST_SHOWN = 200


def load() -> SentimentClassifier:
    from domains.text.classifier import SentimentClassifier

    return released("text", MODEL, SentimentClassifier.load)


def type_or_paste(model: SentimentClassifier) -> None:
    with st.container(horizontal=True):
        for name, example in textview.EXAMPLES.items():
            st.button(name, on_click=st.session_state.__setitem__, args=("typed", example))
    with st.form("typing", border=False):
        typed = st.text_area(
            "Texts, one a line",
            key="typed",
            max_chars=20_000,
            height=130,
            placeholder="Type or paste here, or click an example above.",
            persist_state="session",
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
    answers = "".join(map(textview.answer, texts, sentiments))
    st.html(f'{textview.LEGEND}<div class="answers" role="status">{answers}</div>')
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
        st.markdown("**Probabilities**", help=textview.CALIBRATED)
        st.html(bars(sentiment.scores.items()))
    with right:
        st.markdown(
            f"**What the filters found** for *{sentiment.label}*, strongest first",
            help=textview.FILTERS,
        )
        found = textview.ngrams(sentiment, most=10)
        st.dataframe(
            found,
            hide_index=True,
            column_config={
                "n-gram": st.column_config.TextColumn(help="Words that stand in a row."),
                "words": st.column_config.NumberColumn(help="How many words the filter sees."),
                "filter": st.column_config.NumberColumn(help="Its number among those as wide."),
                "adds (logits)": st.column_config.NumberColumn(
                    format="%+.2f", help=textview.LOGITS
                ),
            },
        )


def from_file(model: SentimentClassifier) -> None:
    with st.container(horizontal=True):
        st.button(
            "Try a sample file", on_click=st.session_state.update, args=({"file": textview.SAMPLE},)
        )
    st.file_uploader(
        f"A file with a column of texts, at most {MOST_ROWS:,} rows",
        type=["csv", "tsv", "jsonl"],
        key="uploaded",
        on_change=take,
        max_upload_size=MOST_MEGABYTES,
        help="csv, tsv, or jsonl: one JSON object a line. The file stays on this machine.",
    )
    file: textview.File | None = st.session_state.get("file")
    if file is None:
        st.session_state.pop("answered", None)
        st.info("No file yet. Upload one above, or try the sample.", icon=":material/table:")
        return
    st.text(file.name)
    try:
        names = column_names(io.BytesIO(file.data), file.name)
        usual = next((name for name in TEXT_COLUMNS if name in names), None)
        column = st.selectbox(
            "Column with the texts", names, index=names.index(usual) if usual else 0
        )
        answers, problems, more = answered(model, file, column)
    except InputError as error:
        refuse("This file can't be read.", error)
        return
    if more:
        st.warning(f"Only the first {MOST_ROWS:,} rows were read.")
    if answers:
        show_answers(answers, model.labels)
    if problems:
        st.warning(f"Bad rows, not answered: {len(problems):,}")
        st.dataframe({"file:line: what is wrong": problems}, hide_index=True)


def take() -> None:
    upload = st.session_state["uploaded"]
    st.session_state["file"] = upload and textview.File(upload.name, upload.getvalue())


def answered(
    model: SentimentClassifier, file: textview.File, column: str | None
) -> tuple[list[Answer], list[str], bool]:
    """The answered rows, what is wrong with the others, and whether there are more rows still.

    Kept in this session until another file or column is chosen.
    """
    key = (file, column)
    if st.session_state.get("answered", (None,))[0] != key:
        source = rows(io.BytesIO(file.data), file.name, column)
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
    st.markdown(f"**Texts answered: {len(answers):,}**")
    st.html(bars((label, counts[label] / len(answers)) for label in labels))
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
    with st.container(horizontal=True):
        for example in textview.WORDS:
            st.button(example, on_click=st.session_state.update, args=({"word": example},))
    word = st.text_input(
        "A word", key="word", max_chars=60, placeholder="Type one, or click an example above."
    ).strip()
    if not word:
        st.info(
            "No word yet. Its nearest are those that the network treats most alike.",
            icon=":material/hub:",
        )
        return
    try:
        near = model.nearest(word)
    except InputError:
        st.info("The model doesn't know this word. Try a common English one.")
        return
    st.dataframe(
        [{"word": neighbour, "cosine": cosine} for neighbour, cosine in near],
        width="content",
        hide_index=True,
        column_config={
            "cosine": st.column_config.NumberColumn(format="%.2f", help=textview.COSINE)
        },
    )
    st.caption(f"Cosine: {textview.COSINE}")


head("Text", "Is a text negative, neutral or positive, and which words say so?")
try:
    model = load()
except InputError as error:
    refuse("The model can't be loaded.", error)
    st.stop()
st.html(textview.STYLE)
answered_by(model.card, f"reads the first {model.card.preprocessing['max_words']:,} words")
typing, file, words = st.tabs(["Type or paste", "Upload a file", "Nearest words"])
with typing:
    type_or_paste(model)
with file:
    from_file(model)
with words:
    nearest_words(model)
