"""`receptive app`: the pages, in a browser."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
import webbrowser
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from core.errors import InputError

from ..models.runs import RUNS

HOME = Path(__file__).parents[1] / "home.py"

app = typer.Typer(add_completion=False)


@app.command(name="app")
def open_app(
    page: Annotated[str, typer.Argument(help="The page to open.")] = "home",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only serve, open no browser.")
    ] = False,
    runs: Annotated[
        Path,
        typer.Option(
            envvar=RUNS, exists=True, file_okay=False, help="Where the Models page finds trainings."
        ),
    ] = Path(),
) -> None:
    """Open the pages in a browser; Ctrl-C ends them."""
    if page not in pages():
        raise typer.BadParameter(f"no page called {page!r}; pages: {', '.join(pages())}")
    if not host:
        raise typer.BadParameter("--host is empty; 0.0.0.0 listens on every address")
    check_free(host, port)
    if not no_browser:
        threading.Thread(target=_browse, args=(host, port, page), daemon=True).start()

    os.environ[RUNS] = str(runs.resolve())

    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.web.cli import main

    PagesManager.uses_pages_directory = False  # or a deep link on a fresh server passes home.py by
    with redirect_stdout(sys.stderr):
        main(arguments(host, port), prog_name="streamlit", standalone_mode=False)


def pages() -> list[str]:
    """The names of the pages, home first."""
    files = sorted((HOME.parent / "pages").glob("[!_]*.py"))
    return ["home", *(file.stem for file in files if file.stem != "welcome")]


def arguments(host: str, port: int) -> list[str]:
    """What `streamlit` is called with, besides apps/.streamlit/config.toml."""
    settings = {"server.address": host, "server.port": port, "server.headless": "true"}
    return ["run", str(HOME), *(f"--{name}={value}" for name, value in settings.items())]


def check_free(host: str, port: int) -> None:
    """Raises InputError if nothing can listen on that port of that address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise InputError(f"cannot listen on {host} port {port}: {error.strerror}") from error


def _browse(host: str, port: int, page: str) -> None:
    """Opens the page as soon as the server listens."""
    path = "" if page == "home" else page
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    for _ in range(300):
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            webbrowser.open(f"http://{f'[{host}]' if ':' in host else host}:{port}/{path}")
            return
