"""`receptive go prepare`: game records in SGF become the one file that training reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...options import make_room
from ...terminal import complain, visible_lines


def prepare(
    paths: Annotated[list[Path], typer.Argument(help="SGF files, folders, zip and tar archives.")],
    out: Annotated[Path, typer.Option(help="The file of games to write.")],
    size: Annotated[int, typer.Option(min=2, max=25, help="Games on this board.")] = 19,
) -> None:
    """Read game records where they lie and write compact ones, checked move by move, for training.

    Reports the games read, kept and dropped, and those cut at an illegal move, with the reasons
    and three examples each. An archive that is not safe to read is refused whole and named on
    stderr: absolute or `..` names, links and devices, or more than it may unpack to.
    """
    from domains.go import games

    make_room(out)
    report = games.prepare(paths, out, size)
    print(visible_lines(str(report)))
    for error in report.refused:
        complain(error)
    if report.refused:
        raise typer.Exit(1)
