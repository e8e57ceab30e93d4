"""The other side of the Go Text Protocol: a program that answers its commands, as a subprocess."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
import threading
import time
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import IO

from core.errors import InputError

GAMES = "/usr/games"  # where Debian puts GNU Go, often not on root's PATH
PATIENCE = 2.0  # seconds that a program has to end once it is told to

KINDS = ("crash", "timeout", "no GTP", "refused", "illegal move")


class EngineError(InputError):
    """A program that does not do its part. `kind`, one of KINDS: it ended, took too long, sent what
    is no answer, refused a command, played an illegal move.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class GtpClient:
    """A program that speaks GTP on its standard streams. Leaving the `with` block ends it.

    Raises InputError where the command can't be started, EngineError where it then doesn't answer.
    """

    def __init__(self, command: str, timeout: float) -> None:
        self.command, self.timeout = command, timeout
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            program, *arguments = shlex.split(command) or [""]
            path = os.pathsep.join([*os.get_exec_path(), GAMES])
            self._process = subprocess.Popen(
                [shutil.which(program, path=path) or program, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
            )
        except ValueError as error:
            raise InputError(f"{command}: no command: {error}") from None
        except OSError as error:
            raise InputError(f"{command}: cannot be started: {error.strerror}") from None
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        try:
            self.commands = set(self.ask("list_commands").split())
            self.name = f"{self.ask('name')} {self.ask('version')}".strip()
        except EngineError:
            self.close()
            raise

    def __enter__(self) -> GtpClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def ask(self, command: str) -> str:
        """What the program answers. Raises EngineError if it doesn't, or refuses."""
        assert self._process.stdin
        try:
            self._process.stdin.write(f"{command}\n".encode())
            self._process.stdin.flush()
        except OSError:
            raise self._ended(command) from None
        lines = self._answer(command)
        if not lines[0].startswith(("=", "?")):
            raise EngineError("no GTP", f"{self.command}: no GTP: {lines[0][:60]!r}")
        text = "\n".join([lines[0][1:].strip(), *lines[1:]]).strip()
        if lines[0].startswith("?"):
            raise EngineError("refused", f"{self.command}: {command}: {' '.join(text.split())}")
        return text

    def close(self) -> None:
        """Ends the program, by force if it doesn't quit."""
        assert self._process.stdin
        try:
            self._process.stdin.write(b"quit\n")
            self._process.stdin.close()
        except OSError:
            pass  # it has ended
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._complaints.close()

    def _answer(self, command: str) -> list[str]:
        """Lines up to the empty one that ends an answer; those before the answer are skipped."""
        deadline = time.monotonic() + self.timeout
        lines: list[str] = []
        while True:
            try:
                line = self._lines.get(timeout=max(0, deadline - time.monotonic()))
            except Empty:
                raise EngineError(
                    "timeout", f"{self.command}: {command}: no answer in {self.timeout:g} seconds"
                ) from None
            if line is None:
                raise self._ended(command)
            if line:
                lines.append(line)
            elif lines:
                return lines

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._lines.put(line.decode("utf-8", "replace").strip())
        self._lines.put(None)

    def _ended(self, command: str) -> EngineError:
        self._complaints.seek(0)
        said = self._complaints.read().decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(said) if line.strip()), "")
        message = f"{self.command}: {command}: ended without an answer"
        return EngineError("crash", f"{message}: {last[:200]}" if last else message)
