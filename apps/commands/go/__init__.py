"""`receptive go`: game records, training, and a player for the terminal and for Go programs."""

from __future__ import annotations

import typer

from . import engine, playing, prepare, training

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Play Go against a policy network, review games, train on records.",
)
for command in (playing.play, playing.review, engine.gtp, engine.match, prepare.prepare):
    app.command()(command)
app.command()(training.train)
app.command("eval")(training.evaluate)
