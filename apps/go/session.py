"""The Go page's game, in plain Python: what each click and button does to it.

A game is a record, the number of the move that is shown, and the board there. What a person does
wrong is answered by a sentence in `message`, never by an exception.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from core.errors import InputError
from domains.go import scoring, sgf
from domains.go.board import Board, IllegalMove, fixed_handicap
from domains.go.komi import KOMI, compensation
from domains.go.review import legal_part
from domains.go.rules import BLACK, EMPTY, PASS, WHITE
from domains.go.sgf import GameRecord, Rejected
from domains.go.vertices import colour_name

if TYPE_CHECKING:
    from domains.go.player import GoPlayer

Moves = list[tuple[int, float]]
"""(point, probability) over the legal moves, best first."""

MOST_INSTINCTS = 8
"""So many positions' moves are kept: 361 of them take 40 kB."""

MOST_GAMES = 200
"""So many games of an SGF collection are offered to choose from."""


class You(StrEnum):
    """Whose moves you make; the network makes the others."""

    black = "Black"
    white = "White"
    both = "Both"
    neither = "Neither"

    def plays(self, colour: int) -> bool:
        return self is You.both or self is (You.black if colour == BLACK else You.white)


class Game:
    """`turn` changes with whatever is shown, so that a click on an older picture can be told.

    `dead`: the stones marked so while the score is counted, else None.
    """

    dead: set[int] | None

    def __init__(
        self, size: int = 19, handicap: int = 0, komi: float = KOMI, you: You = You.black
    ) -> None:
        self.turn = 0
        self.you = you
        self.start(size, handicap, komi)

    def start(self, size: int, handicap: int = 0, komi: float = KOMI) -> None:
        """A new game; with handicap stones on their fixed points, White moves first."""
        stones = tuple(fixed_handicap(size, handicap)) if handicap else ()
        record = GameRecord(
            size=size,
            komi=komi,
            handicap=handicap,
            date=datetime.date.today().isoformat(),
            rules="Chinese",
            setup_black=stones,
            first=WHITE if handicap else BLACK,
        )
        self._take(record)
        self.opened = False

    def open(self, record: GameRecord) -> None:
        """A recorded game, at its last legal move; the network plays nothing until it is told to.

        Raises InputError for setup stones that can't be.
        """
        record = legal_part(record)
        self._take(record)
        self.opened = True
        self.you = You.both
        if record.cut:
            self.message = f"The record is read up to move {len(record.moves)}: {record.cut}."

    def _take(self, record: GameRecord) -> None:
        self.record = record
        self.territory = record.rules.lower().startswith(("jap", "kor"))
        self.instincts: dict[tuple[int, int], Moves] = {}
        self.go_to(len(record.moves))

    @property
    def komi(self) -> float:
        """0 where a record doesn't say."""
        return self.record.komi or 0.0

    @property
    def compensation(self) -> int:
        """White's points for handicap stones, where area is counted."""
        return 0 if self.territory else compensation(self.record.handicap)

    @property
    def at_end(self) -> bool:
        """Whether the last move is shown."""
        return self.cursor == len(self.record.moves)

    @property
    def over(self) -> bool:
        """Whether the last move is shown and nothing follows it: resigned, or both passed."""
        return self.at_end and bool(self.record.result or self.board.passes >= 2)

    @property
    def network_to_move(self) -> bool:
        return self._going_on and not self.you.plays(self.board.to_play)

    @property
    def yours_to_move(self) -> bool:
        return self._going_on and self.you.plays(self.board.to_play)

    @property
    def _going_on(self) -> bool:
        return self.at_end and not self.over and self.dead is None

    @property
    def can_undo(self) -> bool:
        played = any(self.you.plays(colour) for colour, _ in self.record.moves)
        return self.at_end and (played or bool(self.record.result))

    def click(self, point: int, turn: int) -> None:
        """Plays there, or marks a chain dead while the score is counted."""
        if turn != self.turn or not 0 <= point < self.record.size**2:
            return
        if self.dead is not None:
            self._mark_dead(point)
        elif self._may_play():
            try:
                self._play(point)
            except IllegalMove as error:
                self.message = f"{error}."

    def pass_(self) -> None:
        if self._may_play():
            self._play(PASS)

    def resign(self) -> None:
        """The side to move gives up, or yours where it is the network's turn."""
        if not self.at_end or self.over:
            return
        loser = self.board.to_play
        if not self.you.plays(loser) and self.you is not You.neither:
            loser = -loser
        self._end(loser)

    def undo(self) -> None:
        """Takes back a resignation, or else your last move and what the network played since."""
        if not self.can_undo:
            return
        moves = self.record.moves
        if not self.record.result:
            last = max(n for n, (colour, _) in enumerate(moves) if self.you.plays(colour))
            moves = moves[:last]
        self.record = replace(self.record, moves=moves, result="")
        self._forget(len(moves))
        self.go_to(len(moves))

    def reply(self, player: GoPlayer) -> None:
        """The network's move, if it is its turn."""
        if not self.network_to_move:
            return
        colour = self.board.to_play
        komi = self.komi + self.compensation
        move = player.genmove(self.board, colour, komi, self.instinct(player))
        if move.resign:
            self._end(colour)
        else:
            self._play(move.point)

    def go_to(self, number: int) -> None:
        """Shows the position after so many moves."""
        self.cursor = min(max(number, 0), len(self.record.moves))
        self.board: Board = sgf.board_at(self.record, self.cursor)
        self.board.superko = True  # for moves made here; recorded ones may differ
        self._changed()
        if self.board.passes >= 2 and self.over:
            self.count()

    def take_up(self) -> None:
        """Play goes on from the position that is shown; the record's later moves are dropped."""
        self.record = replace(self.record, moves=self.record.moves[: self.cursor], result="")
        self._forget(self.cursor)
        self._changed()

    def count(self) -> None:
        """Begins counting, with the stones that look dead marked so; a click changes a chain."""
        self._changed()
        self.dead = set(scoring.dead_stones(self.board))

    def stop_counting(self) -> None:
        self._changed()

    @property
    def score(self) -> float:
        """Black's points minus White's, which komi is among, without the stones marked dead."""
        dead = self.dead or ()
        if self.territory:
            return scoring.territory(self.board, dead) - self.komi
        return scoring.area_score(self.board, dead, self.komi, self.record.handicap)

    @property
    def result(self) -> str:
        """As the record has it, or as counted; "" where there is none yet."""
        if self.record.result or self.dead is None:
            return self.record.result
        return scoring.format_result(self.score)

    def saved(self, network: str) -> GameRecord:
        """The record with its result; `network` names the player of the moves that are not yours,
        where the game was played here."""
        record = replace(self.record, result=self.result)
        if self.opened:
            return record
        black, white = ("You" if self.you.plays(colour) else network for colour in (BLACK, WHITE))
        return replace(record, black=black, white=white)

    def to_judge(self) -> list[int]:
        """The moves just played, by number: the one before the position that is shown, and yours
        before it where that was the network's reply."""
        numbers = [n for n in (self.cursor - 1, self.cursor) if n > 0]
        replied = len(numbers) == 2 and self.at_end and self.you in (You.black, You.white)
        if replied and not self.you.plays(self.record.moves[self.cursor - 1][0]):
            return numbers
        return numbers[-1:]

    def instinct(self, player: GoPlayer, number: int | None = None) -> Moves:
        """The network's moves after move `number` (that which is shown if None); it is not asked
        again about any of the last few positions."""
        number = self.cursor if number is None else number
        moves = self.record.moves
        colour = moves[number][0] if number < len(moves) else self.board.to_play
        if (number, colour) not in self.instincts:
            shown = number == self.cursor
            board = self.board if shown else sgf.board_at(self.record, number)
            self.instincts[number, colour] = player.moves(board, colour)
            if len(self.instincts) > MOST_INSTINCTS:
                del self.instincts[next(iter(self.instincts))]
        return self.instincts[number, colour]

    def _may_play(self) -> bool:
        self.message = ""
        if not self.at_end:
            self.message = (
                f"This is move {self.cursor} of {len(self.record.moves)}. "
                'Go to the last move to play on, or press "Play from here".'
            )
        elif self.over:
            self.message = "The game is over. Undo, or start a new one, to play on."
        elif not self.you.plays(self.board.to_play):
            to_play = colour_name(self.board.to_play).capitalize()
            self.message = f"It is {to_play}'s turn, whom the network plays."
        return not self.message

    def _play(self, point: int) -> None:
        colour = self.board.to_play
        captured = self.board.play(point, colour)
        self.record = replace(self.record, moves=(*self.record.moves, (colour, point)))
        self.cursor += 1
        self._changed()
        if point == PASS:
            self.message = f"{colour_name(colour).capitalize()} passes."
        elif captured:
            stones = "a stone" if captured == 1 else f"{captured} stones"
            self.message = f"{colour_name(colour).capitalize()} captures {stones}."
        if self.board.passes >= 2:
            self.count()

    def _end(self, loser: int) -> None:
        self.record = replace(self.record, result="W+R" if loser == BLACK else "B+R")
        self._changed()
        self.message = f"{colour_name(loser).capitalize()} resigns."

    def _mark_dead(self, point: int) -> None:
        if self.dead is None or self.board.stones.flat[point] == EMPTY:
            return
        chain = self._chain(point)
        self.dead = self.dead - chain if point in self.dead else self.dead | chain
        self.turn += 1

    def _chain(self, point: int) -> set[int]:
        heads = self.board.state.chain
        return {other for other in range(len(heads)) if heads[other] == heads[point]}

    def _forget(self, number: int) -> None:
        """The network's moves after a position that is no longer in the record."""
        self.instincts = {key: moves for key, moves in self.instincts.items() if key[0] <= number}

    def _changed(self) -> None:
        self.turn += 1
        self.message = ""
        self.dead = None


def games(data: bytes, name: str) -> tuple[list[GameRecord], list[Rejected]]:
    """The games of an SGF file, at most MOST_GAMES, and those that can't be played back.

    Raises InputError, one sentence, where there is no game at all.
    """
    found: Iterator[GameRecord | Rejected] = sgf.parse(data, name)
    read = list(islice(found, MOST_GAMES))
    good = [game for game in read if isinstance(game, GameRecord)]
    bad = [game for game in read if isinstance(game, Rejected)]
    if not good:
        raise InputError(f"{bad[0].source}: {bad[0].detail}" if bad else f"{name}: no game in it")
    return good, bad
