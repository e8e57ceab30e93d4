"""A game of Go in the terminal: what each typed line does."""

from __future__ import annotations

import dataclasses
import itertools
import operator
import sys
import tempfile
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from core.errors import InputError
from core.weights import atomic_write
from domains.go import sgf
from domains.go.komi import compensation, in_words, usual_komi
from domains.go.player import GoPlayer
from domains.go.rules import BLACK, PASS, WHITE
from domains.go.scoring import area_score, dead_stones, format_result
from domains.go.vertices import colour_name, name, parse

from ..terminal import has_colour, visible, visible_lines
from . import CAPTION
from .drawing import drawn

HINTS = 5
HELP = """\
q16         play there: a column's letter (there is no I) and a row's number
pass        pass; two passes in a row end the game, and it is scored
resign      give the game up
undo        take your last move back, and the network's answer to it
hint        the network's first five choices
score       who would win by the stones as they lie, an estimate
save FILE   write the game as SGF
help        these lines
quit        leave; so does the end of input or Ctrl-C"""


class Game:
    """A game between those who type, who play the colours `people`, and the network.

    `record` is what the game began with, its komi the usual one if it has none, and `loaded` the
    file that holds that and no other game, if any. `save` is a file that has the game after each
    move. No file is written over that was there before, but the one `loaded`.
    """

    def __init__(
        self,
        player: GoPlayer,
        record: sgf.GameRecord,
        people: Collection[int],
        hints: bool = False,
        save: Path | None = None,
        loaded: Path | None = None,
    ) -> None:
        self.player, self.record, self.people = player, record, people
        self.komi = usual_komi(record.handicap) if record.komi is None else record.komi
        self.compensation = compensation(record.handicap)
        self.hints, self.file = hints, save
        self.own = {place(str(loaded))} if loaded else set()
        self.unsaved = True
        self.board = sgf.board_at(record)
        self.board.superko = True
        self.result = record.result
        self.over = self.board.passes >= 2
        self.left = False
        self.changed = True
        self.colour = has_colour(sys.stdout)
        self.console = Console(
            color_system="auto" if self.colour else None, markup=False, highlight=False
        )

    def run(self) -> None:
        """Until the game is left: `quit`, the end of input, or Ctrl-C. Raises InputError where the
        file cannot be written, before the first move if that shows by then."""
        if self.file and place(str(self.file)) in self.own:
            self.unsaved = False
            check_folder(self.file)
        self.keep()
        try:
            self.greet()
            while not self.left:
                self.turn()
        except (EOFError, KeyboardInterrupt):
            self.say("")
        finally:
            self.keep()

    def greet(self) -> None:
        """Who plays, and how to go on."""
        black, white = self.record.black or "unknown", self.record.white or "unknown"
        size = f"{self.board.size}x{self.board.size}"
        self.say(f"Black: {black}; White: {white}; {size}, komi {self.komi:g}.")
        if self.people:
            self.say("Type a point such as c3 to play there, or help for all commands.")

    def turn(self) -> None:
        """A move of the network, or a line of those who type."""
        mine = self.over or self.board.to_play in self.people
        if self.changed and (mine or not self.people):
            self.show(self.hints and not self.over)
            self.changed = False
        if not mine:
            self.answer()
            return
        player = colour_name(self.board.to_play).capitalize()
        try:
            self.obey(ask("game over> " if self.over else f"{player} to play> "))
        except InputError as error:
            self.say(f"{error}.")

    def obey(self, line: str) -> None:
        """What a typed line asks for. Raises InputError where that cannot be."""
        first, *rest = line.split(maxsplit=1) or [""]
        match [first.lower(), *rest]:
            case [""]:
                pass
            case ["help"]:
                self.say(HELP)
            case ["quit"]:
                self.left = True
            case ["score"]:
                self.say(self.score()[1])
            case ["undo"]:
                self.undo()
            case ["save"]:
                raise InputError("save needs the name of a file, as in: save game.sgf")
            case ["save", file]:
                self.save(place(file.strip()))
                self.say(f"Saved in {file.strip()}.")
            case _ if self.over:
                raise InputError("the game is over: undo, save FILE or quit")
            case ["pass"]:
                self.play(PASS)
            case ["resign"]:
                self.resign()
            case ["hint"]:
                self.show(hints=True)
            case _:
                self.play(self.vertex(line.strip()))

    def vertex(self, text: str) -> int:
        """The point that a typed line names. Raises InputError where it names none."""
        try:
            return parse(text, self.board.size)
        except InputError:
            corner = name(self.board.size - 1, self.board.size)
            raise InputError(
                f"{text[:20]!r} is neither a point from A1 to {corner} nor a command; "
                "help lists the commands"
            ) from None

    def play(self, point: int) -> None:
        """A move; the second pass in a row ends the game. Raises IllegalMove."""
        self.board.play(point)
        self.result = ""
        self.update()
        if self.board.passes >= 2:
            self.finish()

    def answer(self) -> None:
        """The network's move."""
        colour = colour_name(self.board.to_play).capitalize()
        move = self.player.genmove(self.board, komi=self.komi + self.compensation)
        played = "passes" if move.point == PASS else f"plays {name(move.point, self.board.size)}"
        self.say(f"{colour} ({self.player.name}) {played}.")
        self.play(move.point)

    def resign(self) -> None:
        """The player to move gives up."""
        winner = -self.board.to_play
        self.result = "B+R" if winner == BLACK else "W+R"
        self.say(f"{colour_name(winner).capitalize()} wins by resignation.")
        self.over = True
        self.update()

    def finish(self) -> None:
        """The game is over and scored."""
        self.result, words = self.score()
        self.say(f"The game is over. {words}")
        self.over = True
        self.update()

    def undo(self) -> None:
        """Takes back a resignation, or the last move of those who type and what came after it."""
        if not self.over or self.board.passes >= 2:
            moves = enumerate(self.board.moves)
            mine = [turn for turn, (colour, _) in moves if colour in self.people]
            if not mine:
                raise InputError("there is no move of yours to take back")
            while len(self.board.moves) > mine[-1]:
                self.board.undo()
        self.result, self.over = "", False
        self.update()

    def score(self) -> tuple[str, str]:
        """The result as the stones lie, as SGF has it and in words."""
        dead = dead_stones(self.board)
        score = area_score(self.board, dead, self.komi, self.record.handicap)
        result = format_result(score)
        taken = " ".join(name(point, self.board.size) for point in dead) or "none"
        return result, (
            f"{result} by area, {in_words(self.komi, self.compensation)}: an estimate, in which "
            f"random playouts tell the dead stones ({taken})."
        )

    def update(self) -> None:
        """After the position or the result changed: the board is to be drawn, the game kept."""
        self.changed = self.unsaved = True
        self.keep()

    def keep(self) -> None:
        """The file that was asked for gets the game as it stands, unless it has it."""
        if self.file and self.unsaved:
            self.save(self.file)
            self.unsaved = False

    def save(self, path: Path) -> None:
        """Writes the game as SGF. Raises InputError where that cannot be."""
        if is_file(path) and place(str(path)) not in self.own:
            raise InputError(
                f"{path}: is there already and not this game's alone; name another file"
            )
        moves = tuple(self.board.moves)
        kept = sum(itertools.takewhile(bool, map(operator.eq, moves, self.record.moves)))
        comments = {turn: text for turn, text in self.record.comments.items() if turn <= kept}
        record = dataclasses.replace(
            self.record, komi=self.komi, moves=moves, result=self.result, comments=comments
        )
        with atomic_write(path, "wb") as file:
            file.write(sgf.write(record))
        self.own.add(place(str(path)))

    def show(self, hints: bool) -> None:
        """The board and what was captured, with the network's first choices if wanted."""
        choices = self.player.moves(self.board)[:HINTS] if hints else []
        marks = {point: str(rank) for rank, (point, _) in enumerate(choices, 1)}
        self.console.print(drawn(self.board, marks, self.colour), soft_wrap=True)
        took = {colour: self.board.captured(-colour) for colour in (BLACK, WHITE)}
        self.say(
            f"Move {len(self.board.moves)}; captured by Black {took[BLACK]}, by White "
            f"{took[WHITE]}; komi {self.komi:g}"
        )
        for rank, (point, probability) in enumerate(choices, 1):
            self.say(f"  {rank}  {name(point, self.board.size):<4} {100 * probability:5.1f} %")
        if choices:
            self.say(f"  ({CAPTION})")

    def say(self, text: str) -> None:
        """Lines to read."""
        self.console.print(visible_lines(text), soft_wrap=True)


def place(file: str) -> Path:
    """The path of a file that someone types. Raises InputError where there can be none."""
    try:
        return Path(file).expanduser().resolve()
    except (OSError, RuntimeError, ValueError):
        raise InputError(f"no file can be called {file!r}") from None


def is_file(path: Path) -> bool:
    """Whether there is such a file. Raises InputError where nobody may know."""
    try:
        return path.is_file()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None


def check_folder(path: Path) -> None:
    """Raises InputError where no file can be written beside that one."""
    try:
        with tempfile.TemporaryFile(dir=path.resolve().parent):
            pass
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None


def ask(prompt: str) -> str:
    """A line from stdin; one that is not typed at a terminal is shown after its prompt. Raises
    EOFError at the end."""
    if sys.stdin.isatty():
        with suppress(ImportError):
            import readline  # noqa: F401  makes `input` edit lines
        return input(prompt)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    print(f"{prompt}{visible(line.rstrip())}", flush=True)
    return line
