"""The Go Text Protocol, version 2 (Farnebäck 2002): lines come in, framed answers go out.

Knows the protocol and no game: what the commands do is `gtp_commands`.
"""

from __future__ import annotations

import inspect
import math
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import IO, NamedTuple

from core.errors import InputError

PROTOCOL_VERSION = "2"

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_ID = re.compile(r"[0-9]{1,10}(?= |$)")
_UNSEEN = re.compile(r"[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\U0010ffff]")


class Command(NamedTuple):
    id: str  # digits, or empty
    name: str
    arguments: list[str]


@dataclass(frozen=True)
class Analysis:
    """An answer that lasts until the next input: its text is sent at once, and again every so many
    seconds (never, if None)."""

    text: str
    interval: float | None


Handler = Callable[..., str | Analysis]


def parse(line: str) -> Command | None:
    """A line as a command; None where nothing is left once comments and control characters go."""
    line = _CONTROL.sub("", line).replace("\t", " ").partition("#")[0].strip(" ")
    if not line:
        return None
    found = _ID.match(line)
    number = found[0] if found else ""
    name, *arguments = line.removeprefix(number).split() or [""]
    return Command(number, name, arguments)


def answer(number: str, text: str, failed: bool = False) -> str:
    """A framed answer: `=ID text` or `?ID text`, ended by the only empty line in it."""
    visible = re.sub("\n{2,}", "\n", _UNSEEN.sub("?", text)).rstrip("\n")
    return f"{'?' if failed else '='}{number} {visible}".rstrip(" ") + "\n\n"


def serve(handlers: Mapping[str, Handler], lines: Iterable[bytes], output: IO[str]) -> None:
    """Answers every line until `quit` or the end of the input.

    A handler takes the command's arguments, and raises InputError where the command fails. The
    commands about the protocol itself are added here.
    """
    commands: dict[str, Handler] = dict(handlers)

    def known_command(command: str = "") -> str:
        return "true" if command in commands else "false"

    commands["protocol_version"] = lambda: PROTOCOL_VERSION
    commands["list_commands"] = lambda: "\n".join(commands)
    commands["known_command"] = known_command
    commands["quit"] = lambda: ""
    pending = _read(lines)
    line = pending.get()
    while line is not None:
        command = parse(line)
        if command is not None:
            try:
                found = run(commands, command)
            except InputError as error:
                output.write(answer(command.id, str(error), failed=True))
            else:
                if isinstance(found, Analysis):
                    line = _analyse(command.id, found, pending, output)
                    continue
                output.write(answer(command.id, found))
                if command.name == "quit":
                    break
            output.flush()
        line = pending.get()
    output.flush()


def run(commands: Mapping[str, Handler], command: Command) -> str | Analysis:
    """What a command answers. Raises InputError where there is no such command, where its arguments
    are too few or too many, and where it fails.
    """
    handler = commands.get(command.name)
    if handler is None:
        raise InputError("unknown command")
    signature = inspect.signature(handler)
    try:
        signature.bind(*command.arguments)
    except TypeError:
        usage = " ".join([command.name, *map(_usage, signature.parameters.values())])
        raise InputError(f"syntax error: {usage}") from None
    return handler(*command.arguments)


def integer(text: str) -> int:
    """A number of at most ten digits. Raises InputError where it is none."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10):
        raise InputError("syntax error: an integer expected")
    return int(text)


def decimal(text: str) -> float:
    """A finite number. Raises InputError where it is none."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError("syntax error: a number expected")
    return value


def _usage(parameter: inspect.Parameter) -> str:
    name = parameter.name.upper()
    if parameter.kind is parameter.VAR_POSITIONAL:
        return f"[{name} ...]"
    return name if parameter.default is parameter.empty else f"[{name}]"


def _read(lines: Iterable[bytes]) -> SimpleQueue[str | None]:
    """The lines, then None, read by a thread so that an analysis hears of the next one."""
    pending: SimpleQueue[str | None] = SimpleQueue()

    def read() -> None:
        for line in lines:
            pending.put(line.decode("utf-8", "replace"))
        pending.put(None)

    threading.Thread(target=read, daemon=True).start()
    return pending


def _analyse(
    number: str, found: Analysis, pending: SimpleQueue[str | None], output: IO[str]
) -> str | None:
    """Sends an analysis until there is a next line, which is returned: None at the end."""
    output.write(f"={number}\n")
    while True:
        if found.text:
            output.write(f"{found.text}\n")
        output.flush()
        try:
            line = pending.get(timeout=found.interval)
        except Empty:
            continue
        output.write("\n")
        return line
