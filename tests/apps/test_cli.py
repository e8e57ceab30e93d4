import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from apps.cli import COMMANDS
from apps.terminal import visible

ROOT = Path(__file__).parents[2]


def receptive(*arguments):
    command = [sys.executable, "-m", "apps.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_help_names_every_command():
    done = receptive("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f" {command} " in done.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_no_completion_options(command):
    done = receptive(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage" in done.stdout and "completion" not in done.stdout


def test_version_is_that_of_the_distribution():
    try:
        version = metadata.version("receptive")
    except metadata.PackageNotFoundError:
        pytest.skip("receptive is not installed")
    assert receptive("--version").stdout == f"receptive {version}\n"


@pytest.mark.parametrize("arguments", [["nonsense"], ["sentiment", "--nonsense"], ["app", "nope"]])
def test_wrong_usage_is_2(arguments):
    done = receptive(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("module", ["apps.cli", *(f"apps.commands.{name}" for name in COMMANDS)])
def test_commands_are_cheap_to_import(module):
    code = (
        f"import {module}, sys; "
        "print({'torch', 'gensim', 'streamlit', 'onnx', 'rich.console'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


@pytest.mark.skipif(os.name == "nt", reason="needs a shell's pipe")
def test_a_closed_pipe_ends_quietly():
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "apps.cli", "--help"]
    done = subprocess.run(command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [["--help"], ["models", "list"]])
def test_a_full_disk_is_one_error(arguments):
    command = [sys.executable, "-m", "apps.cli", *arguments]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == "receptive: error: No space left on device\n"


def test_visible_text_steers_no_terminal():
    assert visible("naïve 👩‍🚀 \x1b[2J\r\n\u202e") == r"naïve 👩‍🚀 \x1b[2J\r\n\u202e"
