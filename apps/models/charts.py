"""The curves of training runs, a colour each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import accumulate
from typing import Any

import altair as alt

from .logs import RunLog
from .metrics import named, shown

COLOURS = ["#2f7fd6", "#d9622b", "#1f9a6b", "#b457c4", "#a8801a", "#d1477a"]
"""As many as there are runs on a chart; each has a contrast of 3 and more to both grounds."""
HEIGHT = 280  # pixels
SMOOTHED = 25  # the mean is taken over so small a part of a run

Row = dict[str, Any]


def loss(logs: Sequence[RunLog]) -> Any:
    """Faint as it was, and bold the mean over a twenty-fifth of the run around each point."""
    rows: list[Row] = []
    for log in logs:
        points = [point for point in log.steps.all() if "loss" in point]
        means = smoothed([point["loss"] for point in points])
        rows += [
            {"run": log.run.name, "step": point["step"], "value": point["loss"], "mean": mean}
            for point, mean in zip(points, means, strict=True)
        ]
    base = _base(rows, logs, "step", "loss")
    mean = alt.Y("mean:Q", title="loss", scale=alt.Scale(zero=False))
    return alt.layer(
        base.mark_line(opacity=0.3, strokeWidth=1), base.mark_line(strokeWidth=2).encode(y=mean)
    )


def of_steps(logs: Sequence[RunLog], key: str) -> Any:
    """The learning rate or the speed over the steps."""
    rows = [
        {"run": log.run.name, "step": point["step"], "value": point[key]}
        for log in logs
        for point in log.steps.all()
        if key in point
    ]
    return _base(rows, logs, "step", named(key).heading, zero=True).mark_line(strokeWidth=1.5)


def validation(logs: Sequence[RunLog], metric: str) -> Any:
    """A metric over the epochs, counted from 1."""
    rows = [
        {"run": log.run.name, "epoch": point["epoch"] + 1, "value": shown(metric, point[metric])}
        for log in logs
        for point in log.validations.all()
        if metric in point
    ]
    base = _base(rows, logs, "epoch", named(metric).heading)
    return base.mark_line(strokeWidth=2, point={"size": 25})


def legend(logs: Sequence[RunLog]) -> str:
    """HTML: which colour is which run's in all charts, and how far it is."""
    items = (
        f'<span style="border-left: 4px solid {colour}; padding-left: .5rem">'
        f'{escape(log.run.name)}<br><span class="quiet">{escape(log.state())}</span></span>'
        for log, colour in zip(logs, COLOURS, strict=False)
    )
    return (
        '<div class="note" style="display: flex; flex-wrap: wrap; gap: .75rem 2rem">'
        f"{''.join(items)}</div>"
    )


def smoothed(values: Sequence[float]) -> list[float]:
    """At each place the mean of its surroundings, cut where the values end."""
    reach = len(values) // (2 * SMOOTHED)
    sums = [0.0, *accumulate(values)]
    spans = [(max(i - reach, 0), min(i + reach + 1, len(values))) for i in range(len(values))]
    return [(sums[end] - sums[start]) / (end - start) for start, end in spans]


def _base(
    rows: Iterable[Row], logs: Sequence[RunLog], x: str, title: str, zero: bool = False
) -> alt.Chart:
    names = [log.run.name for log in logs]
    chart: alt.Chart = alt.Chart(alt.InlineData(list(rows)), height=HEIGHT).encode(
        x=alt.X(f"{x}:Q", title=x, axis=alt.Axis(tickMinStep=1, format=",d")),
        y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=zero)),
        color=alt.Color(
            "run:N",
            scale=alt.Scale(domain=names, range=COLOURS[: len(names)]),
            legend=None,
        ),
        tooltip=[
            alt.Tooltip("run:N"),
            alt.Tooltip(f"{x}:Q", format=",d"),
            alt.Tooltip("value:Q", title=title, format=".4~g"),
        ],
    )
    return chart
