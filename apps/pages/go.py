"""The Go page: play the policy network, see its first instinct, open, review and save records."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import streamlit as st

from apps import frame
from apps.go import CAPTION, records, view
from apps.go.compiling import compile_rules
from apps.go.goban import clicked, goban
from apps.go.session import Game, You
from apps.released import released
from core.errors import InputError
from domains.go import board, features
from domains.go.komi import usual_komi
from domains.go.player import STRENGTHS, GoPlayer
from domains.go.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL = "go-policy"
SIZES = (19, 13, 9)
PACE = 0.6  # seconds between moves where the network plays both sides
HINTS, NO_HINTS, PLANES = "Hints", "No hints", "Input planes"
STEPS = {"−10": -10, "Back": -1, "Next": 1, "+10": 10}
HELP = {
    "you": "The network makes the other moves, and never yours.",
    "strength": "Full plays the likeliest move. Relaxed, casual and careless draw one by its "
    "probability, from ever more of the likely moves.",
    "overlay": "A policy network gives each point the probability that a strong player moves "
    "there: its hints. It sees the board as 48 input planes: stones, liberties, captures, ladders.",
    "plane": "A plane is a board of zeros and ones; its ones are drawn.",
    "handicap": "Black stones that stand on the board before White's first move, to make up for "
    "a difference in strength.",
    "komi": "Points that White gets because Black moves first, or fewer where Black has handicap "
    "stones.",
    "count": "Area counts a side's stones and the points they surround; territory those points "
    "and the stones captured. Click a chain of stones to mark it dead or alive.",
}


def load() -> Policy | None:
    """The network; without one, people can still play each other, and the page says why."""
    try:
        return released("go", MODEL, Policy.load)
    except InputError as error:
        frame.refuse("The network can't be loaded; you play both colours.", error)
        return None


def button(label: str, action: Callable[..., None], *args: Any, **more: Any) -> None:
    st.button(label, on_click=action, args=args, **more)


def playing(game: Game, player: GoPlayer | None) -> None:
    """The board and the panel: a fragment, so that after a click on them the rest of the page is
    not drawn again unless the record has changed."""
    left, right = st.columns([4, 3], gap="medium")
    with left:
        table(game, player)
    with right:
        panel(game, player)
    if st.session_state["drawn"]:  # else all of the page is being drawn, and goes on below
        go_on(game, player)


def go_on(game: Game, player: GoPlayer | None) -> None:
    """The network's move, if it is its turn; all that shows the record is then drawn again."""
    if player and game.network_to_move:
        if game.you is You.neither:
            time.sleep(PACE)
        game.reply(player)
    if game.record is not st.session_state["drawn"]:
        st.rerun()


def table(game: Game, player: GoPlayer | None) -> None:
    """The board, and the buttons that lead through the record."""
    shown = st.session_state["overlay"]
    moves, plane = [], None
    if shown == HINTS and player and not game.network_to_move and game.dead is None:
        moves = game.instinct(player)[: st.session_state["most"]]
    elif shown == PLANES:
        plane = features.planes(game.board)[st.session_state["plane"] - 1]
    goban(view.picture(game, moves, plane), key="goban", on_click=lambda: click(game))
    with st.container(horizontal=True, horizontal_alignment="center", gap="xsmall"):
        button("First", game.go_to, 0, disabled=game.cursor == 0)
        for name, step in STEPS.items():
            beyond = game.cursor == 0 if step < 0 else game.at_end
            button(name, game.go_to, game.cursor + step, disabled=beyond)
        button("Last", game.go_to, len(game.record.moves), disabled=game.at_end)
        if not game.at_end:
            button("Play from here", game.take_up, help="Drops the record's later moves.")
    if comment := game.record.comments.get(game.cursor):
        with st.container(border=True, height=160):
            st.text(comment)


def click(game: Game) -> None:
    if click := clicked("goban"):
        game.click(*click)


def panel(game: Game, player: GoPlayer | None) -> None:
    """Who plays, what they may do, and what the network thinks."""
    st.html(view.players(game) + view.lines(view.status(game), game.message))
    with st.container(horizontal=True, gap="xsmall"):
        button("Pass", game.pass_, disabled=not game.yours_to_move)
        button("Undo", game.undo, disabled=not game.can_undo, help="Your move and the network's.")
        button("Resign", game.resign, disabled=not game.at_end or game.over)
        if game.dead is None:
            button("Count", game.count, help="Score this position; click the stones that are dead.")
        else:
            button("Stop counting", game.stop_counting)
        new_game(game)
    if game.dead is not None:
        count_by(game)
    with st.container(horizontal=True, gap="small"):
        play_settings(game, player)
    st.segmented_control(
        "On the board",
        [HINTS, NO_HINTS, PLANES],
        key="overlay",
        required=True,
        persist_state="session",
        help=HELP["overlay"],
    )
    if st.session_state["overlay"] == HINTS and player:
        hints(game, player)
    elif st.session_state["overlay"] == PLANES:
        number = st.slider(
            "Plane", 1, features.COUNT, key="plane", persist_state="session", help=HELP["plane"]
        )
        st.html(view.plane(number - 1))


def new_game(game: Game) -> None:
    def start() -> None:
        game.start(size, stones, komi)
        st.session_state["new game"] = False

    with st.popover("New game", key="new game", on_change="rerun"):
        size = st.segmented_control(
            "Board",
            SIZES,
            key="size",
            required=True,
            format_func=lambda size: f"{size} × {size}",
            persist_state="session",
        )
        stones = st.selectbox(
            "Handicap",
            [0, *range(2, board.maximum_handicap(size) + 1)],
            format_func=lambda stones: f"{stones} stones" if stones else "none",
            help=HELP["handicap"],
        )
        komi = st.number_input(
            "Komi (points)", -400.0, 400.0, usual_komi(stones), step=0.5, help=HELP["komi"]
        )
        button("Start", start, type="primary")


def count_by(game: Game) -> None:
    def choose() -> None:
        game.territory = st.session_state["territory"]

    st.session_state["territory"] = game.territory
    st.segmented_control(
        "Count by",
        [False, True],
        key="territory",
        required=True,
        format_func=lambda territory: "Territory" if territory else "Area",
        on_change=choose,
        help=HELP["count"],
    )


def play_settings(game: Game, player: GoPlayer | None) -> None:
    def choose() -> None:
        game.you = You(st.session_state["you"])

    st.session_state["you"] = game.you
    st.segmented_control(
        "You play",
        list(You),
        key="you",
        required=True,
        on_change=choose,
        disabled=player is None,
        help=HELP["you"],
    )
    if player:
        strength = st.selectbox(
            "Network's strength",
            list(STRENGTHS),
            key="strength",
            format_func=str.capitalize,
            persist_state="session",
            help=HELP["strength"],
        )
        player.strength = STRENGTHS[strength]


def hints(game: Game, player: GoPlayer) -> None:
    """The network's first choices, and what it thought of the moves just played."""
    st.slider("Choices on the board", 3, 10, key="most", persist_state="session")
    choices, judged = "", []
    if not game.network_to_move:
        choices = view.choices(game.instinct(player), game.record.size)
        for number in game.to_judge():
            before, move = game.instinct(player, number - 1), game.record.moves[number - 1]
            judged.append(view.judgement(move, number, before, game.record.size))
    caption = view.lines(f"The network's {CAPTION}.")
    st.html(f'<div class="hints">{caption}{choices}</div>{view.lines(*judged)}')


game: Game = st.session_state.setdefault("game", Game())
for name, value in {"overlay": HINTS, "most": 5, "plane": 1, "size": 19}.items():
    st.session_state.setdefault(name, value)
st.session_state["drawn"] = None

frame.head("Go", "Play the network, or open a game's record: which moves come to its mind first?")
st.html(view.STYLE)
once = st.cache_resource(show_spinner="Compiling the rules of Go, once after an install …")
once(compile_rules)()
policy = load()
player = None
if policy and policy.size_ok(game.record.size):
    player = GoPlayer(policy)
else:
    game.you = You.both
    if policy:
        st.info(f"The network doesn't play on {game.record.size} × {game.record.size}.")
st.fragment(playing)(game, player)
if policy:
    frame.answered_by(policy.card)
records.records(game, player, MODEL)
st.session_state["drawn"] = game.record
go_on(game, player)
