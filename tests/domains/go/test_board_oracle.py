"""The rules against sgfmill's board and brute force, on random games and on real ones."""

import os
import random
import tarfile
from pathlib import Path

import numpy as np
import pytest
import sgfmill.boards
import sgfmill.sgf

from domains.go import rules
from domains.go.board import Board
from domains.go.rules import BLACK, EMPTY, PASS, WHITE

COLOURS = {None: EMPTY, "b": BLACK, "w": WHITE}
LETTERS = {BLACK: "b", WHITE: "w"}


class Oracle:
    """sgfmill's board, which allows suicide and tells of simple ko, and brute force around it."""

    def __init__(self, size):
        self.size, self.board = size, sgfmill.boards.Board(size)
        self.barred = (None, None)
        self.past = [self.stones()]

    def stones(self):
        return [COLOURS[cell] for row in reversed(self.board.board) for cell in row]

    def coordinates(self, point):
        row, column = divmod(point, self.size)
        return self.size - 1 - row, column

    def play(self, point, colour):
        """A move; how many stones of the opponent are gone then."""
        self.barred = (None, None)
        if point == PASS:
            return 0
        before = self.past[-1].count(-colour)
        ko = self.board.play(*self.coordinates(point), LETTERS[colour])
        after = self.stones()
        if ko is not None:
            self.barred = ((self.size - 1 - ko[0]) * self.size + ko[1], -colour)
        self.past.append(after)
        return before - after.count(-colour)

    def legal(self, point, colour, superko):
        """By trying: the stone must stay, and the position be new."""
        if self.board.get(*self.coordinates(point)) is not None:
            return False
        if (point, colour) == self.barred:
            return False
        trial = Oracle.__new__(Oracle)
        trial.size, trial.board, trial.past = self.size, self.board.copy(), self.past[-1:]
        trial.play(point, colour)
        after = trial.past[-1]
        return after[point] == colour and not (superko and after in self.past)


def check_chains(state):
    """Chains, their stones and liberties, against flood fill."""
    colour, neighbours = state.colour.tolist(), state.neighbours.tolist()
    seen = set()
    for start, own in enumerate(colour):
        if own == EMPTY:
            assert state.chain[start] == -1
        if own == EMPTY or start in seen:
            continue
        chain, liberties, waiting = {start}, set(), [start]
        while waiting:
            for beside in neighbours[waiting.pop()]:
                if beside >= 0 and colour[beside] == EMPTY:
                    liberties.add(beside)
                elif beside >= 0 and colour[beside] == own and beside not in chain:
                    chain.add(beside)
                    waiting.append(beside)
        seen |= chain
        head = int(state.chain[start])
        circle = [start]
        while (following := int(state.next[circle[-1]])) != start:
            circle.append(following)
        bits = np.unpackbits(state.liberties[head].view(np.uint8), bitorder="little")
        assert head in chain
        assert {int(state.chain[stone]) for stone in chain} == {head}
        assert sorted(circle) == sorted(chain)
        assert state.stones[head] == len(chain)
        assert set(np.flatnonzero(bits).tolist()) == liberties
        assert state.liberty_count[head] == len(liberties)


def random_move(rng, state, colour):
    """A random legal point; now and then a pass, and at the end always."""
    for _ in range(40):
        point = rng.randrange(len(state.colour))
        if rules.legal(state, point, colour):
            return point
    return PASS


@pytest.mark.parametrize("size", range(2, 26))
def test_random_games(size):
    """After each of some 5,000 moves a size the same stones, captures and ko."""
    rng = random.Random(size)
    length, moves = size * size * 3 // 2, 0
    while moves < 5_000:
        state, oracle, colour = rules.new_state(size), Oracle(size), BLACK
        taken = {BLACK: 0, WHITE: 0}
        for _ in range(length):
            point = random_move(rng, state, colour)
            captured = rules.play(state, point, colour)
            assert captured == oracle.play(point, colour)
            taken[-colour] += captured
            assert state.colour.tolist() == oracle.past[-1]
            ko, barred = state.scalars[[rules.KO, rules.KO_COLOUR]].tolist()
            assert ((ko, barred) if ko >= 0 else (None, None)) == oracle.barred
            if rng.random() < 4 / size**2:
                check_chains(state)
                point = rng.randrange(size * size)
                for side in (BLACK, WHITE):
                    assert rules.legal(state, point, side) == oracle.legal(point, side, False)
            if rng.random() < 0.95:
                colour = -colour
        moves += length
        assert state.scalars[rules.TURN] == length
        assert state.scalars[[rules.CAPTURED_BLACK, rules.CAPTURED_WHITE]].tolist() == [
            taken[BLACK],
            taken[WHITE],
        ]


@pytest.mark.parametrize("superko", [False, True])
@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_every_point_of_small_boards(size, superko):
    """All legal moves of both sides, before each move of games where kos and cycles abound."""
    rng = random.Random(size)
    for _ in range(150 // size):
        board, oracle = Board(size, superko), Oracle(size)
        for _ in range(12 * size):
            for colour in (BLACK, WHITE):
                expected = [oracle.legal(p, colour, superko) for p in range(size * size)]
                assert board.legal(colour).tolist() == expected
                assert [board.is_legal(p, colour) for p in range(size * size)] == expected
            points = np.flatnonzero(board.legal()).tolist()
            point = rng.choice(points) if points and rng.random() < 0.9 else PASS
            oracle.play(point, board.to_play)
            board.play(point)
            assert board.stones.ravel().tolist() == oracle.past[-1]


def games(limit):
    """Moves of real 19x19 games: (points, colours)."""
    folder = os.environ.get("RECEPTIVE_DATA")
    archives = sorted(Path(folder, "go").glob("*.tar.gz")) if folder else []
    if not archives:
        pytest.skip("no game records in RECEPTIVE_DATA")
    for path in reversed(archives):
        with tarfile.open(path) as archive:
            for member in archive:
                if not member.name.endswith(".sgf"):
                    continue
                game = sgfmill.sgf.Sgf_game.from_bytes(archive.extractfile(member).read())
                if game.get_size() != 19 or game.get_root().has_setup_stones():
                    continue
                moves = [node.get_move() for node in game.get_main_sequence()[1:]]
                moves = [(colour, at) for colour, at in moves if colour]
                points = [PASS if at is None else (18 - at[0]) * 19 + at[1] for _, at in moves]
                yield points, [COLOURS[colour] for colour, _ in moves]
                limit -= 1
                if limit == 0:
                    return


def test_real_games():
    """600 games, some 120,000 moves: the same captures at each, the same stones at every tenth, the
    same legality where a game is about to end.
    """
    replayed = rules.new_state(19)
    for points, colours in games(600):
        state, oracle = rules.new_state(19), Oracle(19)
        for turn, (point, colour) in enumerate(zip(points, colours, strict=True)):
            assert point == PASS or rules.legal(state, point, colour)
            assert rules.play(state, point, colour) == oracle.play(point, colour)
            if turn % 10 == 0:
                assert state.colour.tolist() == oracle.stones()
        check_chains(state)
        for point in range(0, 361, 7):
            for colour in (BLACK, WHITE):
                assert rules.legal(state, point, colour) == oracle.legal(point, colour, False)
        rules.clear(replayed)
        moves, sides = np.array(points, np.int16), np.array(colours, np.int8)
        assert rules.replay(replayed, moves, sides) == len(points)
        assert replayed.colour.tolist() == oracle.stones()
        assert replayed.hash[0] == state.hash[0]
