import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest
import typer

from apps.commands import app as command
from apps.models.runs import RUNS, runs_folder
from core.errors import InputError

ROOT = Path(__file__).parents[2]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def calls(monkeypatch):
    """What streamlit and the browser were called with; no server runs."""
    found = {"browser": []}
    monkeypatch.delenv(RUNS, raising=False)

    def streamlit(arguments, **_):
        found["arguments"] = arguments
        port = next(int(a.split("=")[1]) for a in arguments if a.startswith("--server.port="))
        with socket.create_server(("127.0.0.1", port)):
            for _ in range(1000):
                if not found["browser"]:
                    time.sleep(0.01)

    monkeypatch.setattr("streamlit.web.cli.main", streamlit)
    monkeypatch.setattr("webbrowser.open", found["browser"].append)
    return found


@pytest.mark.parametrize(("arguments", "path"), [(["text"], "text"), (["home"], ""), ([], "")])
def test_page_opens_when_the_server_listens(calls, arguments, path):
    port = free_port()
    command.open_app(*arguments, port=port)
    assert calls["browser"] == [f"http://127.0.0.1:{port}/{path}"]


def test_streamlit_is_told_to_stay_local_and_quiet():
    assert command.arguments("127.0.0.1", 8600) == [
        "run",
        str(ROOT / "apps" / "home.py"),
        "--server.address=127.0.0.1",
        "--server.port=8600",
        "--server.headless=true",
    ]


def test_an_unknown_page_lists_those_there():
    with pytest.raises(typer.BadParameter, match=r"no page called 'nope'; pages: home, .*\btext\b"):
        command.open_app("nope")


def test_an_empty_address_is_wrong_usage():
    with pytest.raises(typer.BadParameter, match="--host is empty"):
        command.open_app(host="")


def test_trainings_are_looked_for_where_it_is_said(calls, tmp_path, monkeypatch):
    monkeypatch.setenv(RUNS, "elsewhere")
    command.open_app(port=free_port(), runs=tmp_path)
    assert runs_folder() == tmp_path


def test_a_folder_of_trainings_that_is_none_is_wrong_usage(command, tmp_path):
    done = command("app", "--runs", tmp_path / "missing")
    assert done.code == 2
    assert "--runs" in done.err and "missing" in done.err


def test_a_taken_port_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(InputError, match=f"^cannot listen on 127.0.0.1 port {port}: "):
            command.open_app(port=port)


def test_an_unknown_address_is_an_error():
    with pytest.raises(InputError, match=r"^cannot listen on 203\.0\.113\.7 port 8600: "):
        command.open_app(host="203.0.113.7", port=8600)


def test_the_server_answers_and_ends_on_interrupt():
    port = free_port()
    call = [sys.executable, "-m", "apps.cli", "app", "--no-browser", "--port", str(port)]
    server = subprocess.Popen(call, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    browser = build_opener(ProxyHandler({}))
    answer = b""
    try:
        for _ in range(600):
            try:
                answer = browser.open(f"http://127.0.0.1:{port}/_stcore/health").read()
                break
            except OSError:
                assert server.poll() is None
                time.sleep(0.1)
    finally:
        server.send_signal(signal.SIGINT)
        out, err = server.communicate(timeout=60)
    assert answer == b"ok"
    assert out == b""
    assert b"Traceback" not in err
    assert server.returncode == 0
