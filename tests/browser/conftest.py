"""The pages in the system's Chromium, against a running server."""

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

import apps

CHROMIUM = shutil.which("chromium")


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
def server():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    home = Path(apps.__file__).with_name("home.py")
    options = ["--server.address=127.0.0.1", f"--server.port={address.split(':')[1]}"]
    command = [sys.executable, "-m", "streamlit", "run", str(home), "--server.headless=true"]
    process = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL)
    try:
        wait_for(f"http://{address}/_stcore/health", process)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def wait_for(url, process, seconds=60):
    for _ in range(seconds * 5):
        try:
            urlopen(url).close()
            return
        except URLError:
            assert process.poll() is None, "the server has stopped"
            time.sleep(0.2)
    pytest.fail("the server does not answer")
