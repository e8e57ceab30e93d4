"""What the kernels promise to their callers beyond the rules themselves."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domains.go import rules
from domains.go.board import Board
from domains.go.rules import BLACK, EMPTY, PASS, WHITE


def arrays(moves):
    return np.array([p for p, _ in moves], np.int16), np.array([c for _, c in moves], np.int8)


def seen(state):
    """All that a caller may rely on, however the position came about."""
    on_board = state.colour != EMPTY
    heads = state.chain[on_board]
    return [
        state.colour.tolist(),
        state.stones[heads].tolist(),
        state.liberties[heads].tolist(),
        state.liberty_count[heads].tolist(),
        state.placed[on_board].tolist(),
        state.scalars[[rules.KO, rules.TURN]].tolist(),
        state.scalars[[rules.CAPTURED_BLACK, rules.CAPTURED_WHITE]].tolist(),
        int(state.hash[0]),
    ]


def test_replay_stops_at_the_first_illegal_move():
    state = rules.new_state(3)
    for wrong in (0, 9, -2, 32767):
        rules.clear(state)
        moves = [(0, BLACK), (PASS, WHITE), (4, BLACK), (wrong, WHITE), (8, BLACK)]
        assert rules.replay(state, *arrays(moves)) == 3
        assert state.colour.tolist() == [1, 0, 0, 0, 1, 0, 0, 0, 0]
        assert state.scalars[rules.TURN] == 3


def test_when_stones_were_placed():
    state = rules.new_state(3)
    rules.place(state, 8, WHITE)
    rules.replay(state, *arrays([(0, BLACK), (PASS, WHITE), (4, BLACK)]))
    assert state.placed[[8, 0, 4]].tolist() == [rules.SETUP_TURN, 0, 2]


def test_setup_neither_captures_nor_keeps_a_ko():
    board = Board.diagram(". X O .\nX . X O\n. X O .\n. . . .")
    board.play(5, WHITE)
    rules.place(board.state, 3, BLACK)
    assert board.state.scalars[rules.KO] == -1
    state = rules.new_state(2)
    for point in range(4):
        rules.place(state, point, BLACK if point else WHITE)
    assert state.colour.tolist() == [-1, 1, 1, 1]
    assert state.scalars[[rules.CAPTURED_BLACK, rules.CAPTURED_WHITE]].tolist() == [0, 0]


turns = st.tuples(st.integers(-1, 15), st.sampled_from([BLACK, WHITE]))


@settings(max_examples=200, deadline=None)
@given(st.lists(turns, max_size=80), st.lists(turns, max_size=6))
def test_positions_are_the_same_however_they_came_about(moves, setup):
    """By replay, by a copy, by undoing more, and by placing the stones with liberties alike."""
    board = Board(4, superko=False)
    for point, colour in moves:
        if board.is_legal(point, colour):
            board.play(point, colour)
    expected = seen(board.state)

    state = rules.new_state(4)
    assert rules.replay(state, *arrays([(p, c) for c, p in board.moves])) == len(board.moves)
    assert seen(state) == expected

    into = rules.new_state(4)
    rules.replay(into, *arrays(setup))
    rules.copy_state(state, into)
    assert seen(into) == expected

    played = 0
    for point, colour in setup:
        if board.is_legal(point, colour):
            board.play(point, colour)
            played += 1
    for _ in range(played):
        board.undo()
    assert seen(board.state) == expected

    placed = rules.new_state(4)
    for point, colour in setup:
        rules.place(placed, max(point, 0), colour)
    for point, colour in enumerate(board.state.colour.tolist()):
        rules.place(placed, point, colour)
    assert seen(placed)[:4] == expected[:4]
    assert seen(placed)[-1] == expected[-1]


def test_the_hash_of_a_move_is_known_before():
    board = Board.diagram(". X X O\nX O . .\n. X X O\n. . O .")
    for point in np.flatnonzero(board.legal(BLACK)).tolist():
        foreseen = rules.hash_after(board.state, point, BLACK)
        after = board.copy()
        after.play(point, BLACK)
        assert foreseen == after.state.hash[0]
    assert rules.hash_after(board.state, 6, BLACK) != board.state.hash[0]


def test_popcount():
    @rules.kernel
    def count(words):
        found = 0
        for word in words:
            found += rules.popcount(word)
        return found

    words = np.array([0, 1, 2**64 - 1, 0xF0F0], np.uint64)
    assert count(words) == 1 + 64 + 8
