"""The pages in the system's Chromium, against `receptive app`."""

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from apps.go.compiling import compile_rules

CHROMIUM = shutil.which("chromium")


def pytest_addoption(parser):
    parser.addoption("--pictures", type=Path, help="The folder that test_pictures.py writes to.")


@pytest.fixture(autouse=True, scope="session")
def _chromium():
    pytest.importorskip("pytest_playwright", reason="needs pytest-playwright")
    if CHROMIUM is None:
        pytest.skip("needs the system's chromium")


@pytest.fixture(scope="session")
def browser_type_launch_args():
    return {
        "executable_path": CHROMIUM,
        "args": ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    }


@pytest.fixture(scope="session")
def browser_context_args():
    return {"viewport": {"width": 1200, "height": 900}, "color_scheme": "light"}


@pytest.fixture(scope="session")
def process(tmp_path_factory):
    """The server, and the address it listens on: "127.0.0.1:PORT"."""
    compile_rules()  # which takes a minute after an install
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "apps.cli", "app", "--no-browser", f"--port={port}"]
    started = subprocess.Popen(
        command,
        cwd=tmp_path_factory.mktemp("server"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/_stcore/health", started)
        yield started, f"127.0.0.1:{port}"
    finally:
        started.kill()
        started.wait()


@pytest.fixture(scope="session")
def server(process):
    return process[1]


def wait_for(url, process, seconds=60):
    for _ in range(seconds * 5):
        try:
            urlopen(url).close()
            return
        except URLError:
            assert process.poll() is None, "the server has stopped"
            time.sleep(0.2)
    pytest.fail("the server does not answer")
