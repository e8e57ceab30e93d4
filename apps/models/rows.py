"""Tables as HTML: their cells are text of any length, in lines as long as there is room."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

STYLE = """<style>
.rows {border-collapse: collapse; font-size: .875rem; margin: 0}
.rows th, .rows td {border: 0; border-bottom: 1px solid var(--line); min-width: 8ch;
  overflow-wrap: anywhere; padding: .3rem 1.25rem .3rem 0; text-align: left; vertical-align: top}
.rows th {color: var(--quiet); font-weight: 400; overflow-wrap: normal}
.rows .number {font-variant-numeric: tabular-nums; min-width: 0; text-align: right;
  white-space: nowrap}
[data-testid=stMetricLabel] * {white-space: normal}
[data-testid=stMetricValue] {font-size: 1.75rem}
</style>
"""


def table(found: Sequence[dict[str, Any]]) -> str:
    """HTML of a table whose cells are text of any length."""
    head = "".join(f"<th>{escape(column)}</th>" for column in found[0])
    body = "".join(f"<tr>{''.join(map(_cell, row.values()))}</tr>" for row in found)
    return f'<table class="rows"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _cell(value: Any) -> str:
    if isinstance(value, float | int):
        return f'<td class="number">{value:,.6g}</td>'
    return f"<td>{escape(str('' if value is None else value))}</td>"
