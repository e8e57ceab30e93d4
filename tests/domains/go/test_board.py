import pytest

from core.errors import InputError
from domains.go.board import Board, IllegalMove
from domains.go.rules import BLACK, PASS, WHITE
from domains.go.vertices import parse


def rows(text):
    return "\n".join(line.strip() for line in text.strip().split("\n"))


def at(board, vertex):
    return parse(vertex, board.size)


def play(board, *moves):
    """Moves like "X B3", in that order; the captures of each."""
    colours = {"X": BLACK, "O": WHITE}
    return [board.play(at(board, move[2:]), colours[move[0]]) for move in moves]


def refused(board, move):
    """What an illegal move is refused for."""
    with pytest.raises(IllegalMove) as caught:
        play(board, move)
    assert at(board, move[2:]) not in board.legal({"X": BLACK, "O": WHITE}[move[0]]).nonzero()[0]
    return caught.value.reason


def test_a_stone_without_liberties_is_taken():
    board = Board.diagram("""
        . X .
        X O X
        . . .
    """)
    assert play(board, "X B1") == [1]
    assert str(board) == rows("""
        . X .
        X . X
        . X .
    """)
    assert (board.captured(WHITE), board.captured(BLACK)) == (1, 0)
    assert board.ko is None


def test_one_stone_takes_three_chains_at_once():
    board = Board.diagram("""
        . X X X .
        X O O O X
        X O . O X
        X X O X X
        . . X . .
    """)
    assert play(board, "X C3") == [6]
    assert str(board) == rows("""
        . X X X .
        X . . . X
        X . X . X
        X X . X X
        . . X . .
    """)
    assert board.captured(WHITE) == 6


def test_a_chain_in_a_ring_counts_each_stone_once():
    board = Board.diagram("""
        . O O O O
        O X X X O
        O X . X O
        O X X X O
        O O O O .
    """)
    assert refused(board, "X C3") == "suicide"
    assert play(board, "O C3") == [8]
    assert board.captured(BLACK) == 8


def test_snapback():
    board = Board.diagram("""
        X O . . O X
        X O O O O X
        X X X X X X
        . . . . . .
        . . . . . .
        . . . . . .
    """)
    assert play(board, "X C6", "O D6", "X C6") == [0, 1, 7]
    assert str(board) == rows("""
        X . X . . X
        X . . . . X
        X X X X X X
        . . . . . .
        . . . . . .
        . . . . . .
    """)


def test_suicide_of_one_and_of_many_is_refused_and_changes_nothing():
    board = Board.diagram("""
        . O . . .
        O . . O O
        . . O X X
        . . O X .
        . . . O X
    """)
    before = str(board)
    assert refused(board, "X A5") == "suicide"
    assert refused(board, "X E2") == "suicide"
    assert str(board) == before
    assert board.moves == []
    assert board.is_legal(at(board, "A5"), WHITE)


def test_a_stone_without_liberties_that_captures_is_no_suicide():
    board = Board.diagram("""
        . X O
        X O .
        O . .
    """)
    assert refused(board, "X A3") == "suicide"
    assert play(board, "O A3") == [2]


def test_ko():
    board = Board.diagram("""
        . X O .
        X . X O
        . X O .
        . . . .
    """)
    assert play(board, "O B3") == [1]
    assert board.to_play == BLACK
    assert board.ko == at(board, "C3")
    assert refused(board, "X C3") == "ko"
    play(board, "X D1", "O A1")
    assert board.ko is None
    assert play(board, "X C3") == [1]
    assert refused(board, "O B3") == "ko"


def test_a_pass_ends_a_simple_ko_but_not_superko():
    ko = ". X O .\nX . X O\n. X O .\n. . . ."
    for superko in (False, True):
        board = Board.diagram(ko, superko)
        play(board, "O B3")
        board.play(PASS)
        board.play(PASS)
        if superko:
            assert refused(board, "X C3") == "superko"
        else:
            assert play(board, "X C3") == [1]


def test_ko_binds_only_the_side_that_lost_the_stone():
    board = Board.diagram(". X O .\nX . X O\n. X O .\n. . . .")
    play(board, "O B3", "O C3")
    assert board.ko is None


def test_taking_two_back_is_no_ko():
    board = Board.diagram("""
        . O . O .
        X X O O .
        . X O . .
        . X . . .
        . . . . .
    """)
    assert play(board, "O A5", "X C5") == [0, 2]
    assert board.ko is None


def test_sending_two_returning_one_is_superko():
    diagram = """
        . O . O .
        X X O O .
        . X O . .
        . X . . .
        . . . . .
    """
    board = Board.diagram(diagram)
    play(board, "O A5", "X C5")
    assert refused(board, "O B5") == "superko"
    board = Board.diagram(diagram, superko=False)
    assert play(board, "O A5", "X C5", "O B5") == [0, 2, 1]
    assert str(board) == rows(diagram)


def test_triple_ko_goes_round_once():
    diagram = """
        . X O . . . . . .
        X O . O . . . . .
        . X O . . . . . .
        . X O . . . . . .
        X O . O . . . . .
        . X O . . . . . .
        . X O . . . . . .
        X . X O . . . . .
        . X O . . . . . .
    """
    cycle = ("X C8", "O B2", "X C5", "O B8", "X C2")
    board = Board.diagram(diagram)
    assert play(board, *cycle) == [1] * 5
    assert refused(board, "O B5") == "superko"
    play(board, "O J1", "X J2")
    assert play(board, "O B5") == [1]
    board = Board.diagram(diagram, superko=False)
    assert play(board, *cycle, "O B5") == [1] * 6
    assert str(board) == rows(diagram)


def test_reasons_are_sentences():
    board = Board.diagram(". X O .\nX . X O\n. X O .\n. . . .")
    play(board, "O B3")
    for point, colour, start in (
        (6, None, "C3 is ko: "),
        (5, None, "B3 is occupied: a white stone"),
        (99, None, "point 99 is off the 4x4 board"),
        (-2, None, "point -2 is off the 4x4 board"),
        (3, BLACK, "D4 is suicide: "),
    ):
        with pytest.raises(IllegalMove, match=start):
            board.play(point, colour)
    board.play(PASS)
    board.play(PASS)
    with pytest.raises(IllegalMove, match="C3 is superko: "):
        board.play(6)


def test_turns_colours_and_passes():
    board = Board(9)
    board.play(0)
    board.play(1, BLACK)
    assert board.to_play == WHITE
    assert board.passes == 0
    board.play(PASS)
    board.play(PASS)
    assert board.passes == 2
    assert board.moves == [(BLACK, 0), (BLACK, 1), (WHITE, PASS), (BLACK, PASS)]
    board.to_play = BLACK
    board.play(40)
    assert board.stones[4, 4] == BLACK
    assert board.passes == 0


def test_undo_brings_back_captures_ko_and_turn():
    board = Board.diagram(". X O .\nX . X O\n. X O .\n. . . .")
    board.to_play = WHITE
    before = str(board)
    play(board, "O B3")
    during = str(board)
    play(board, "X D1")
    board.undo()
    assert (str(board), board.to_play, board.ko) == (during, BLACK, at(board, "C3"))
    assert board.captured(BLACK) == 1
    board.undo()
    assert (str(board), board.to_play, board.ko) == (before, WHITE, None)
    assert board.captured(BLACK) == 0
    with pytest.raises(InputError, match="no move to undo"):
        board.undo()


def test_undo_forgets_the_position_for_superko():
    board = Board(2)
    board.play(0)
    board.undo()
    assert board.is_legal(0)


def test_a_copy_goes_its_own_way():
    board = Board(5)
    board.play(0)
    other = board.copy()
    other.play(1)
    board.play(24)
    assert str(board).count("O") == str(other).count("O") == 1
    assert board.stones[0, 1] == 0
    other.undo()
    other.undo()
    assert board.moves == [(BLACK, 0), (WHITE, 24)]


def test_setup_replaces_lifts_and_starts_anew():
    board = Board.diagram(". X O .\nX . X O\n. X O .\n. . . .")
    play(board, "O B3")
    board.place(black=[15], white=[0], empty=[1, 2])
    assert str(board) == rows("""
        O . . .
        X O . O
        . X O .
        . . . X
    """)
    assert board.ko is None
    assert board.moves == []
    assert sorted(board.setup)[:2] == [(WHITE, 0), (WHITE, 5)]
    board.play(2)
    board.undo()
    assert str(board).count("X") == 3


@pytest.mark.parametrize(
    ("setup", "what"),
    [
        ({"black": [9]}, "point 9 is off the 3x3 board"),
        ({"empty": [-1]}, "point -1 is off the 3x3 board"),
        ({"black": [0], "white": [1, 3]}, "setup leaves A3 without a liberty"),
    ],
)
def test_bad_setup_is_refused_whole(setup, what):
    board = Board.diagram("X . .\n. O .\n. . O")
    before = str(board)
    with pytest.raises(InputError, match=what):
        board.place(**setup)
    assert str(board) == before


def test_diagrams_round_trip_and_bad_ones_are_refused():
    assert str(Board.diagram("X.\n.O")) == "X .\n. O"
    for bad, what in ((". .\n.", "square"), (". ?\n. .", "'\\?'"), ("", "size 0")):
        with pytest.raises(InputError, match=what):
            Board.diagram(bad)


@pytest.mark.parametrize("size", [-1, 0, 1, 26])
def test_sizes_are_2_to_25(size):
    with pytest.raises(InputError, match=f"board size {size}"):
        Board(size)
