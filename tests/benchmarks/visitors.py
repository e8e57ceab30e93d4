"""The app's server, and people at its Go page who speak Streamlit's protocol without a browser."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from time import sleep
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

START = 60  # seconds that a server may take to start
MB = 1_000_000

Board = dict[str, Any]
"""What `apps.go.picture.Picture` has."""


@contextmanager
def server() -> Iterator[tuple[str, psutil.Process]]:
    """A server of the app of its own: its address and its process."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "apps.cli", "app", "--no-browser", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"127.0.0.1:{port}"
    try:
        for _ in range(START * 10):
            try:
                urlopen(f"http://{address}/_stcore/health").close()
                break
            except URLError:
                sleep(0.1)
        else:
            sys.exit(f"no answer from a server after {START} seconds")
        yield address, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(20)


def megabytes(process: psutil.Process) -> float:
    """Resident memory."""
    resident: int = process.memory_info().rss
    return resident / MB


def machine() -> str:
    """What stands under a table."""
    return f"{os.cpu_count()} cores; load average {os.getloadavg()[0]:.1f} at the end."


class Visitor:
    """Someone at the Go page, with the board as it was last drawn. Make one with `visit`."""

    def __init__(self, connection: ClientConnection, seed: int) -> None:
        self.board: Board = {}
        self._connection = connection
        self._dice = random.Random(seed)
        self._page = self._component = self._fragment = ""

    async def open(self) -> None:
        """Opens the page, where a new game begins."""
        message = BackMsg()
        message.rerun_script.page_name = "go"
        await self._connection.send(message.SerializeToString())
        while not await self._drawn():
            pass

    async def play(self) -> None:
        """Clicks any point that is legal and waits until Black's stone is drawn there."""
        point = self._dice.choice([p for p, free in enumerate(self.board["playable"]) if free])
        click = {"event": "click", "value": {"point": point, "turn": self.board["turn"]}}
        message = BackMsg()
        state = message.rerun_script
        state.page_script_hash, state.fragment_id = self._page, self._fragment
        state.widget_states.widgets.add(
            id=f"$$STREAMLIT_INTERNAL_KEY_{self._component}__events",
            json_trigger_value=json.dumps([click]),
        )
        await self._connection.send(message.SerializeToString())
        await self._until(lambda board: board["stones"][point] == "X")

    async def answer(self) -> None:
        """Waits until the network's stone is drawn, and what it would do in Black's place."""
        await self._until(lambda board: any(board["playable"]))

    async def _until(self, wanted: Callable[[Board], bool]) -> None:
        while not wanted(self.board):
            await self._drawn()

    async def _drawn(self) -> bool:
        """Takes in the server's next message; whether that says that all is drawn."""
        message = ForwardMsg.FromString(await self._connection.recv())
        kind = message.WhichOneof("type")
        if kind == "navigation":
            self._page = message.navigation.page_script_hash
        elif kind == "delta" and message.delta.new_element.HasField("bidi_component"):
            component = message.delta.new_element.bidi_component
            self.board = json.loads(component.json)
            self._component, self._fragment = component.id, message.delta.fragment_id
        return bool(kind == "script_finished")


@asynccontextmanager
async def visit(address: str, seed: int = 0) -> AsyncIterator[Visitor]:
    """Opens the Go page, and leaves it at the end."""
    url = f"ws://{address}/_stcore/stream"
    async with connect(url, subprotocols=[Subprotocol("streamlit")], max_size=None) as connection:
        visitor = Visitor(connection, seed)
        await visitor.open()
        yield visitor
