"""The game behind the Go Text Protocol: a board, a komi and a player that answer its commands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.errors import InputError
from core.weights import atomic_write

from . import archives, gtp_analysis, scoring, sgf, vertices
from .board import Board, IllegalMove, fixed_handicap, free_handicap
from .gtp import Analysis, Handler, decimal, integer
from .komi import KOMI, compensation
from .player import STRENGTHS, GoPlayer, Move
from .rules import BLACK, LARGEST, PASS, WHITE

SIZE = 19


class Engine:
    """A game that commands change, `commands` by name; each raises InputError where it fails."""

    def __init__(self, player: GoPlayer, version: str) -> None:
        self.player = player
        self.komi = KOMI
        self.board = Board(SIZE)
        self.commands: Mapping[str, Handler] = {
            "name": lambda: "receptive",
            "version": lambda: version,
            "boardsize": self.boardsize,
            "clear_board": self.clear_board,
            "komi": self.set_komi,
            "play": self.play,
            "genmove": self.genmove,
            "reg_genmove": self.reg_genmove,
            "undo": self.undo,
            "gg-undo": self.undo,
            "showboard": self.showboard,
            "fixed_handicap": self.fixed_handicap,
            "place_free_handicap": self.place_free_handicap,
            "set_free_handicap": self.set_free_handicap,
            "final_score": self.final_score,
            "final_status_list": self.final_status_list,
            "loadsgf": self.loadsgf,
            "printsgf": self.printsgf,
            "time_settings": self.time_settings,
            "time_left": self.time_left,
            "set_random_seed": self.set_random_seed,
            "gogui-analyze_commands": gtp_analysis.gogui_commands,
            "gogui-play_sequence": self.play_sequence,
            "policy": self.policy,
            "planes": self.planes,
            "player": self.settings,
            "kata-raw-nn": self.raw_network,
            "lz-analyze": self.lz_analyze,
            "kata-analyze": self.kata_analyze,
            "analyze": self.kata_analyze,
        }

    def boardsize(self, size: str) -> str:
        """An empty board of another size; the komi stays."""
        points = integer(size)
        if not 2 <= points <= LARGEST or not self.player.policy.size_ok(points):
            raise InputError("unacceptable size")
        self.board = Board(points)
        return ""

    def clear_board(self) -> str:
        self.board = Board(self.board.size)
        return ""

    def set_komi(self, komi: str) -> str:
        self.komi = decimal(komi)
        return ""

    def play(self, colour: str, vertex: str) -> str:
        played = vertices.parse_colour(colour)
        self._play(self.board, played, vertices.parse(vertex, self.board.size))
        return ""

    def play_sequence(self, *moves: str) -> str:
        """Colours and vertices in turn; all are played, or none."""
        if len(moves) % 2:
            raise InputError("syntax error: pairs of COLOUR VERTEX expected")
        board = self.board.copy()
        for colour, vertex in zip(moves[::2], moves[1::2], strict=True):
            self._play(board, vertices.parse_colour(colour), vertices.parse(vertex, board.size))
        self.board = board
        return ""

    def genmove(self, colour: str) -> str:
        played = vertices.parse_colour(colour)
        move = self._choice(played)
        if move.resign:
            return "resign"
        self.board.play(move.point, played)
        return vertices.name(move.point, self.board.size)

    def reg_genmove(self, colour: str) -> str:
        """The move that `genmove` would play; the board stays."""
        move = self._choice(vertices.parse_colour(colour))
        return "resign" if move.resign else vertices.name(move.point, self.board.size)

    def undo(self, moves: str = "1") -> str:
        count = integer(moves)
        if not 0 <= count <= len(self.board.moves):
            raise InputError("cannot undo")
        for _ in range(count):
            self.board.undo()
        return ""

    def showboard(self) -> str:
        return diagram(self.board)

    def fixed_handicap(self, stones: str) -> str:
        return self._handicap(fixed_handicap(self._empty().size, integer(stones)))

    def place_free_handicap(self, stones: str) -> str:
        return self._handicap(free_handicap(self._empty().size, integer(stones)))

    def set_free_handicap(self, *stones: str) -> str:
        size = self._empty().size
        points = [vertices.parse(stone, size) for stone in stones]
        if len(points) < 2 or PASS in points or len(set(points)) < len(points):
            raise InputError("bad vertex list")
        self._handicap(points)
        return ""

    def final_score(self) -> str:
        """By Chinese rules, once the stones that random games find dead are lifted."""
        dead = scoring.dead_stones(self.board)
        return scoring.format_result(scoring.area_score(self.board, dead, self.komi, self.handicap))

    def final_status_list(self, status: str) -> str:
        """One chain a line. No chain is ever held to be in seki: random games can't tell."""
        if status not in ("alive", "dead", "seki"):
            raise InputError("syntax error: alive, dead or seki expected")
        dead = set(scoring.dead_stones(self.board))
        chains: dict[int, list[str]] = {}
        for point, head in enumerate(self.board.state.chain.tolist()):
            if head >= 0 and status == ("dead" if point in dead else "alive"):
                chains.setdefault(head, []).append(vertices.name(point, self.board.size))
        return "\n".join(" ".join(chain) for chain in chains.values())

    def loadsgf(self, file: str, move: str = "") -> str:
        """The first game of a file: the position before that move, or after the last one."""
        try:
            source, data = next(archives.read([Path(file)]))
        except (OSError, ValueError):
            raise InputError("cannot load file") from None
        record = next(sgf.parse(data, source))
        if isinstance(record, sgf.Rejected):
            raise InputError(f"cannot load file: {record.reason}: {record.detail}")
        if not self.player.policy.size_ok(record.size):
            raise InputError("cannot load file: unacceptable size")
        before = min(max(integer(move) - 1, 0), len(record.moves)) if move else None
        self.board = sgf.board_at(record, before)
        self.board.superko = True
        self.komi = self.komi if record.komi is None else record.komi
        return ""

    def printsgf(self, file: str = "") -> str:
        """The game as SGF, to a file if one is named."""
        board = self.board
        black = tuple(point for colour, point in board.setup if colour == BLACK)
        white = tuple(point for colour, point in board.setup if colour == WHITE)
        record = sgf.GameRecord(
            size=board.size,
            komi=self.komi,
            handicap=self.handicap,
            setup_black=black,
            setup_white=white,
            first=board.moves[0][0] if board.moves else board.to_play,
            moves=tuple(board.moves),
        )
        written = sgf.write(record)
        if not file:
            return written.decode()
        try:
            with atomic_write(Path(file), "wb") as stream:
                stream.write(written)
        except (OSError, ValueError):
            raise InputError("cannot write file") from None
        return ""

    def time_settings(self, main: str, byo_yomi: str, stones: str) -> str:
        """Noted by nobody: a move takes a fraction of a second, whatever time there is."""
        if min(integer(main), integer(byo_yomi), integer(stones)) < 0:
            raise InputError("syntax error: negative time")
        return ""

    def time_left(self, colour: str, time: str, stones: str) -> str:
        """Noted by nobody, as `time_settings`."""
        vertices.parse_colour(colour)
        integer(time), integer(stones)
        return ""

    def set_random_seed(self, seed: str) -> str:
        if integer(seed) < 0:
            raise InputError("syntax error: negative seed")
        self.player.reseed(integer(seed))
        return ""

    def policy(self) -> str:
        return gtp_analysis.gogui_policy(self.player, self.board)

    def planes(self, plane: str = "0") -> str:
        return gtp_analysis.gogui_plane(self.board, integer(plane))

    def settings(self, name: str = "", value: str = "") -> str:
        """GoGui's parameter dialog: no argument lists the player's settings, two change one."""
        if not name:
            strengths = "/".join(STRENGTHS)
            return (
                f"[list/{strengths}] strength {self.player.strength.name}\n"
                f"[bool] resign {int(self.player.resigns)}"
            )
        if name == "strength" and value in STRENGTHS:
            self.player.strength = STRENGTHS[value]
        elif name == "resign" and value in ("0", "1"):
            self.player.resigns = value == "1"
        else:
            raise InputError("no such setting, or no such value")
        return ""

    def raw_network(self, symmetry: str = "0") -> str:
        wanted = range(8) if symmetry == "all" else [integer(symmetry)]
        if not 0 <= wanted[0] < 8:
            raise InputError("syntax error: a symmetry is 0 to 7, or all")
        return "\n".join(gtp_analysis.raw_network(self.player, self.board, s) for s in wanted)

    def lz_analyze(self, *arguments: str) -> Analysis:
        return gtp_analysis.analyse(self.player, self.board, arguments, gtp_analysis.lz_line)

    def kata_analyze(self, *arguments: str) -> Analysis:
        return gtp_analysis.analyse(self.player, self.board, arguments, gtp_analysis.kata_line)

    @property
    def handicap(self) -> int:
        """Black's stones before the first move; 0 for one, and where White has some too."""
        colours = [colour for colour, _ in self.board.setup]
        return len(colours) if len(colours) > 1 and WHITE not in colours else 0

    def _choice(self, colour: int) -> Move:
        komi = self.komi + compensation(self.handicap)
        return self.player.genmove(self.board, colour, komi)

    def _play(self, board: Board, colour: int, point: int) -> None:
        try:
            board.play(point, colour)
        except IllegalMove:
            raise InputError("illegal move") from None

    def _empty(self) -> Board:
        """The board. Raises InputError if there is anything on it."""
        if self.board.moves or self.board.setup:
            raise InputError("board not empty")
        return self.board

    def _handicap(self, points: list[int]) -> str:
        self.board.place(black=points)
        self.board.to_play = WHITE
        return " ".join(vertices.name(point, self.board.size) for point in points)


def diagram(board: Board) -> str:
    """The board with its coordinates, whose turn it is, and what was captured."""
    columns = " ".join(vertices.COLUMNS[: board.size])
    marks = {0: ".", BLACK: "X", WHITE: "O"}
    lines = [f"\n   {columns}"]
    for index, row in enumerate(board.stones.tolist()):
        label = board.size - index
        lines.append(f"{label:2} {' '.join(marks[colour] for colour in row)} {label}")
    lines.append(f"   {columns}")
    lines.append(
        f"{vertices.colour_name(board.to_play)} to play; captured black stones "
        f"{board.captured(BLACK)}, white stones {board.captured(WHITE)}"
    )
    return "\n".join(lines)
