"""The lower half of the Go page: game records opened, saved and reviewed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import altair as alt
import streamlit as st

from core.errors import InputError
from domains.go import review as reviews
from domains.go import sgf

from . import CAPTION, view
from .session import Game, games

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from domains.go.player import GoPlayer

MOST_MEGABYTES = 5


def files(game: Game, network: str) -> None:
    """An upload that opens a record, and the download of the game."""
    st.file_uploader(
        f"A game record, SGF, at most {MOST_MEGABYTES} MB",
        type=["sgf"],
        max_upload_size=MOST_MEGABYTES,
        key="sgf",
        on_change=lambda: _uploaded(game),
    )
    good, bad, problem = st.session_state.get("found", ([], [], ""))
    if problem:
        st.error("This file can't be read as a game record.")
        st.text(problem)
    if len(good) > 1:
        st.selectbox(
            f"The file has {len(good)} games",
            range(len(good)),
            key="chosen",
            format_func=lambda index: f"{index + 1}. {view.about(good[index])}",
            on_change=lambda: _open(game, good[st.session_state["chosen"]]),
        )
    if bad:
        st.warning(f"Games that can't be read: {len(bad)}")
        st.dataframe({"what is wrong": list(map(str, bad))}, hide_index=True)
    if game.opened:
        st.text(view.about(game.record))
    _download("Save SGF", "game.sgf", lambda: sgf.write(game.saved(network)))


def _uploaded(game: Game) -> None:
    """Reads the file and opens its first game."""
    upload = st.session_state["sgf"]
    st.session_state["found"] = [], [], ""
    st.session_state.pop("chosen", None)
    if upload is None:
        return
    try:
        good, bad = games(upload.getvalue(), upload.name)
    except InputError as error:
        st.session_state["found"] = [], [], str(error)
        return
    st.session_state["found"] = good, bad, ""
    _open(game, good[0])


def _open(game: Game, record: sgf.GameRecord) -> None:
    good, bad, _ = st.session_state["found"]
    try:
        game.open(record)
        st.session_state["found"] = good, bad, ""
    except InputError as error:
        st.session_state["found"] = good, bad, str(error)


def review(game: Game, player: GoPlayer | None) -> None:
    """Match rates, the surprise graph and the moves that were expected least."""
    if player is None:
        st.info("There is no network to review the game with.")
        return
    done: reviews.Review | None = st.session_state.get("review")
    if done is None or done.record is not game.record:
        st.markdown("How often does each player choose the network's move? Which surprise it?")
        if not game.record.moves:
            st.info("No move yet: open a record, or play.", icon=":material/edit:")
        elif st.button("Review this game", type="primary"):
            st.session_state["review"] = _reviewed(game, player)
            st.rerun()
        return
    st.html(
        view.lines(
            f"{done.model}: {CAPTION}",
            "Surprise in bits: 1 for a move of 50 %, 2 for 25 %, 3 for 12.5 % and so on.",
        )
    )
    st.dataframe(view.rates(done), hide_index=True)
    st.altair_chart(
        _surprise_graph(done), key="surprise", on_select=lambda: _jump(game), selection_mode="move"
    )
    st.markdown("**The moves that the network expected least**")
    st.dataframe(view.most_surprising(done), hide_index=True)
    record = game.saved(done.model)
    _download(
        "Save SGF with comments",
        "review.sgf",
        lambda: sgf.write(reviews.commented(replace(done, record=record))),
    )


def _reviewed(game: Game, player: GoPlayer) -> reviews.Review:
    bar = st.progress(0.0, "Reviewing …")

    def shown(moves: reviews.Moves) -> Iterator[tuple[int, int]]:
        for number, move in enumerate(moves, 1):
            yield move
            bar.progress(number / len(moves), f"Reviewing … move {number} of {len(moves)}")

    return reviews.review(game.record, player.policy, progress=shown)


def _jump(game: Game) -> None:
    """Shows the move that was clicked in the surprise graph."""
    if chosen := st.session_state["surprise"]["selection"].get("move"):
        game.go_to(int(chosen[0]["move"]))


def _surprise_graph(done: reviews.Review) -> alt.Chart:
    bars = alt.Chart(alt.InlineData(view.surprises(done)), height=320).mark_bar()
    click = alt.selection_point(name="move", fields=["move"], nearest=True, empty=False)
    chart: alt.Chart = bars.add_params(click).encode(
        x=alt.X("move:Q", title="move (click one to see it)"),
        y=alt.Y("surprise (bits):Q", title="surprise (bits)"),
        color=alt.Color(
            "player:N",
            title=None,
            scale=alt.Scale(domain=["Black", "White"], range=["#2f7fd6", "#e08a1e"]),
            legend=alt.Legend(orient="top"),
        ),
        tooltip=["move:Q", "player:N", "played:N", "rank:Q", "probability:N"],
    )
    return chart


def _download(label: str, name: str, data: Callable[[], bytes]) -> None:
    st.download_button(
        label,
        data,
        file_name=name,
        mime="application/x-go-sgf",
        on_click="ignore",
        icon=":material/download:",
    )
