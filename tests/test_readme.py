"""README tells the truth: its commands exist, its table of models is the cards'."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from apps.cli import app
from domains import weight_folders

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"^    (?:.*\| )?((?:\S*/)?receptive .*)$", README, re.MULTILINE)))


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_and_option_exists(line):
    words = shlex.split(line.split(" | ")[0], comments=True)[1:]
    command = typer.main.get_command(app)
    context = command.make_context("receptive", [], resilient_parsing=True)
    while words and hasattr(command, "get_command"):
        found = command.get_command(context, words.pop(0))
        assert found is not None, line
        command = found
        context = command.make_context(command.name, [], parent=context, resilient_parsing=True)
    known = {name for parameter in command.params for name in parameter.opts}
    assert {word.split("=")[0] for word in words if word.startswith("--")} <= known


def test_the_table_of_released_models_is_made_from_their_cards():
    table = CliRunner().invoke(app, ["models", "list", "--format", "markdown"]).stdout
    assert all(f"| {card.stem} |" in table for folder in weight_folders().values()
               for card in folder.glob("*.toml"))  # fmt: skip
    assert table.strip() in README
