"""The lower half of the Go page: game records opened, saved and reviewed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import altair as alt
import streamlit as st

from core.errors import InputError
from domains.go import review as reviews
from domains.go import sgf

from ..frame import refuse
from . import CAPTION, view
from .session import Game, games

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from domains.go.player import GoPlayer

    Found = tuple[list[sgf.GameRecord], list[sgf.Rejected], InputError | None]

MOST_MEGABYTES = 5
SAMPLE = Path(__file__).with_name("samples") / "ear-reddening.sgf"
NO_GAME: Found = ([], [], None)
HELP = {
    "sample": "The ear-reddening game of 1846: Honinbo Shusaku, 17 years old, against Inoue Gennan "
    "Inseki, one of the strongest of his time.",
    "review": "How often does each player choose the network's move, and which moves surprise it?",
    "match rate": "The share of the player's moves that were the network's first choice.",
    "surprise": "How unlikely the network held a move: 1 bit for 50 %, 2 for 25 %, 3 for 12.5 % "
    "and so on.",
    "rank": "1 is the network's first choice.",
}


def records(game: Game, player: GoPlayer | None, network: str) -> None:
    """An upload and a sample that open a record, the download of the game, its review."""
    st.subheader("Game records", anchor=False)
    upload, buttons = st.columns([4, 3], gap="medium", vertical_alignment="bottom")
    upload.file_uploader(
        f"Open a record: SGF, at most {MOST_MEGABYTES} MB",
        type=["sgf"],
        max_upload_size=MOST_MEGABYTES,
        key="sgf",
        on_change=lambda: _uploaded(game),
    )
    with buttons.container(horizontal=True, gap="xsmall"):
        st.button("Open a sample game", on_click=_sample, args=(game,), help=HELP["sample"])
        _download("Save SGF", "game.sgf", lambda: sgf.write(game.saved(network)))
    _opened(game)
    if player:
        _review(game, player)


def _opened(game: Game) -> None:
    """What was found in the file, and which of its games stands on the board."""
    good, bad, problem = st.session_state.get("found", NO_GAME)
    if problem:
        refuse("This file can't be read as a game record.", problem)
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


def _uploaded(game: Game) -> None:
    """Reads the file and opens its first game."""
    upload = st.session_state["sgf"]
    if upload is None:
        st.session_state["found"] = NO_GAME
    else:
        _read(game, upload.getvalue(), upload.name)


def _sample(game: Game) -> None:
    _read(game, SAMPLE.read_bytes(), SAMPLE.name)


def _read(game: Game, data: bytes, name: str) -> None:
    st.session_state.pop("chosen", None)
    try:
        good, bad = games(data, name)
    except InputError as error:
        st.session_state["found"] = [], [], error
        return
    st.session_state["found"] = good, bad, None
    _open(game, good[0])


def _open(game: Game, record: sgf.GameRecord) -> None:
    good, bad, _ = st.session_state["found"]
    problem = None
    try:
        game.open(record)
    except InputError as error:
        problem = error
    st.session_state["found"] = good, bad, problem


def _review(game: Game, player: GoPlayer) -> None:
    """Match rates, the surprise graph and the moves that were expected least."""
    done: reviews.Review | None = st.session_state.get("review")
    if done is None or done.record is not game.record:
        if not game.record.moves:
            st.caption("No move yet: play, or open a record, and it can be reviewed here.")
        elif st.button("Review this game", type="primary", help=HELP["review"]):
            st.session_state["review"] = _reviewed(game, player)
            st.rerun()
        return
    st.subheader("Review", anchor=False)
    st.html(view.lines(f"{done.model}: {CAPTION}."))
    st.dataframe(
        view.rates(done),
        hide_index=True,
        column_config={
            "match rate": st.column_config.Column(help=HELP["match rate"]),
            "surprise (bits a move)": _bits(),
        },
    )
    st.altair_chart(
        _surprise_graph(done), key="surprise", on_select=lambda: _jump(game), selection_mode="move"
    )
    st.markdown("**The moves that the network expected least**")
    st.dataframe(
        view.most_surprising(done),
        hide_index=True,
        column_config={
            "rank": st.column_config.Column(help=HELP["rank"]),
            "surprise (bits)": _bits(),
        },
    )
    record = game.saved(done.model)
    _download(
        "Save SGF with comments",
        "review.sgf",
        lambda: sgf.write(reviews.commented(replace(done, record=record))),
    )


def _bits() -> Any:
    return st.column_config.NumberColumn(format="%.2f", help=HELP["surprise"])


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
        x=alt.X(
            "move:Q",
            title="move (click one to see it)",
            scale=alt.Scale(domain=[0, len(done.moves) + 1], nice=False),
        ),
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
