"""The Models page's part on training runs: their curves, side by side, and as they grow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from apps.frame import refuse
from core.errors import InputError

from . import charts
from .logs import SPEED, RunLog, read_on, summary
from .metrics import named
from .runs import Run, example_runs, find_runs, runs_folder

MOST_RUNS = len(charts.COLOURS)
EVERY = 2  # seconds between two looks at a log that grows
COLUMNS: dict[str, Any] = {
    "steps": st.column_config.NumberColumn(
        format="localized", help="A step moves the weights once, by the examples of one batch."
    ),
    "loss": st.column_config.NumberColumn(
        format="%.4f", help="What training makes small: the mean over the last fiftieth."
    ),
    "peak learning rate": st.column_config.NumberColumn(
        format="%.3g", help="How far a step moves the weights, where it was largest."
    ),
    "batch": st.column_config.NumberColumn(help="Examples a step."),
    "examples/s": st.column_config.NumberColumn(
        format="localized", help="Training examples a second, the median."
    ),
}


_walk: Any = st.cache_data(ttl=10, show_spinner=False)(find_runs)  # over many folders


def runs_found(root: Path) -> list[Run]:
    """As `find_runs`; new ones are seen after ten seconds at most."""
    return [run for run in _walk(root) if run.folder.is_dir()]


def show() -> None:
    own, examples = runs_found(runs_folder()), example_runs()
    runs = {run.name: run for run in [*own, *examples]}
    kept = st.session_state.get("runs", [])
    st.session_state["runs"] = [name for name in kept if name in runs]
    names = st.multiselect(
        "Trainings",
        list(runs),
        key="runs",
        max_selections=MOST_RUNS,
        select_all=False,
        persist_state="session",
        placeholder="Choose one, or several to compare",
        help="Every folder with a log.jsonl, in or below the one that the app was started in, or "
        "that `--runs` names; the newest first.",
    )
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            "Example: four networks on MNIST",
            icon=":material/stacked_line_chart:",
            on_click=_choose,
            args=([run.name for run in examples],),
        )
        st.button("Look for new trainings", icon=":material/refresh:", on_click=_walk.clear)
    if not names:
        found = f"{len(own)} found. Choose one above" if own else "No training found here yet"
        st.info(f"{found}, or click the example.", icon=":material/show_chart:")
        return
    chosen = [runs[name] for name in names]
    is_live = any(log.is_live for log in read(chosen, silent=True))
    st.fragment(show_curves, run_every=EVERY if is_live else None)(chosen, is_live)


def _choose(names: list[str]) -> None:
    st.session_state["runs"] = names


def read(runs: Sequence[Run], silent: bool = False) -> list[RunLog]:
    """The logs of these runs, read on; one that can't be read is told of and left out."""
    before: dict[Run, RunLog] = st.session_state.get("logs", {})
    logs = {}
    for run in runs:
        try:
            logs[run] = read_on(before.get(run) or RunLog(run))
        except InputError as error:
            if not silent:
                refuse("A log can't be read.", error)
    st.session_state["logs"] = logs
    return list(logs.values())


def show_curves(runs: Sequence[Run], was_live: bool) -> None:
    logs = read(runs)
    if was_live and not any(log.is_live for log in logs):
        st.rerun()
    if not logs:
        return
    st.html(charts.legend(logs))
    st.dataframe(list(map(summary, logs)), hide_index=True, column_config=COLUMNS, placeholder="")
    metrics = list(dict.fromkeys(metric for log in logs for metric in log.best))
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Loss**, faint as it was, bold its mean over a twenty-fifth of the run")
        st.altair_chart(charts.loss(logs), alt="Loss over the steps")
    if metrics:
        with right:
            st.markdown("**Validation** after each epoch")
            metric = metrics[0]
            if len(metrics) > 1:
                metric = st.selectbox(
                    "Metric",
                    metrics,
                    format_func=lambda key: named(key).title,
                    label_visibility="collapsed",
                )
            st.altair_chart(charts.validation(logs, metric), alt="Validation over the epochs")
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Learning rate**")
        st.altair_chart(charts.of_steps(logs, "lr"), alt="Learning rate over the steps")
    with right:
        st.markdown("**Speed**")
        st.altair_chart(charts.of_steps(logs, SPEED), alt="Examples a second over the steps")
