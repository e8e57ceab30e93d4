"""Game records in SGF: what is read, against sgfmill's own reader, and what is written."""

import dataclasses
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sgfmill import sgf as sgfmill_sgf
from sgfmill import sgf_moves

from core.errors import InputError
from domains.go.board import IllegalMove
from domains.go.rules import BLACK, PASS, WHITE
from domains.go.sgf import GameRecord, Rejected, board_at, parse, write

quick = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read(text):
    """The only game there."""
    (found,) = parse(text if isinstance(text, bytes) else text.encode(), "game.sgf")
    return found


def at(vertex, size=19):
    """The point that SGF calls so."""
    column, row = map(string.ascii_lowercase.index, vertex)
    return row * size + column


def test_a_game():
    record = read(
        "(;GM[1]FF[4]SZ[13]KM[6.5]HA[2]AB[dj][jd]PB[Lee]PW[Gu \\[Li\\]]BR[9p]WR[8d]RE[W+R]"
        "DT[2010-01-02]RU[Chinese]C[Good luck!]\n;W[jj]C[Hi];B[dd];W[])"
    )
    assert record == GameRecord(
        size=13, komi=6.5, handicap=2, black="Lee", white="Gu [Li]", black_rank="9p",
        white_rank="8d", result="W+R", date="2010-01-02", rules="Chinese",
        setup_black=(at("jd", 13), at("dj", 13)), first=WHITE,
        moves=((WHITE, at("jj", 13)), (BLACK, at("dd", 13)), (WHITE, PASS)),
        comments={0: "Good luck!", 1: "Hi"}, source="game.sgf",
    )  # fmt: skip


def test_the_upper_left_corner_is_point_0_and_rows_go_down():
    assert read("(;SZ[9];B[aa];W[ia];B[ai])").moves == ((BLACK, 0), (WHITE, 8), (BLACK, 72))


def test_what_is_not_stated():
    record = read("(;B[pd])")
    assert (record.size, record.komi, record.handicap, record.black) == (19, None, 0, "")


@pytest.mark.parametrize(
    ("size", "value", "point"),
    [
        (19, "", PASS),
        (19, "tt", PASS),
        (9, "tt", PASS),
        (20, "tt", 19 * 20 + 19),
        (25, "tt", 19 * 25 + 19),
        (25, "yy", 624),
        (19, " pd\n", at("pd")),
    ],
)
def test_passes_and_points(size, value, point):
    assert read(f"(;SZ[{size}];B[{value}];W[aa])").moves == ((BLACK, point), (WHITE, 0))


@pytest.mark.parametrize("value", ["zz", "ta", "a", "pdd", "PD", "pd:dd", "3,4", "é", "pd;W[dd"])
def test_a_move_off_the_board_cuts_the_game(value):
    record = read(f"(;GM[1];B[aa];W[{value}];B[bb])")
    assert record.moves == ((BLACK, 0),)
    assert record.cut.startswith("off the board: W[")


def test_colours_are_as_recorded():
    record = read("(;GM[1];W[aa];W[bb];B[cc];B[dd])")
    assert [colour for colour, _ in record.moves] == [WHITE, WHITE, BLACK, BLACK]
    assert record.first == WHITE


@pytest.mark.parametrize(
    ("root", "first"),
    [
        ("", BLACK),
        ("HA[2]AB[dd][pp]", WHITE),
        ("AB[dd]AW[pp]", BLACK),
        ("PL[W]", WHITE),
        ("PL[white]AB[dd]AW[pp]", WHITE),
        ("PL[1]", BLACK),
    ],
)
def test_who_is_first_in_a_record_without_moves(root, first):
    assert read(f"(;GM[1]{root})").first == first


def test_setup_rectangles_and_points_set_twice():
    record = read("(;SZ[9]AB[aa:ca][ee]AW[ba];AE[ee]AW[ff];B[gg])")
    assert record.setup_black == (0, 2)
    assert record.setup_white == (1, at("ff", 9))
    assert len(record.moves) == 1


def test_setup_stones_within_a_game_cut_it():
    record = read("(;SZ[9];B[aa];W[bb];AE[aa];B[cc])")
    assert len(record.moves) == 2
    assert record.cut == "setup stones after the first move"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no game"),
        ("no game at all", "no game"),
        ("\x00\x01\x02", "no game"),
        ("(;GM[1];B[aa]", "broken brackets"),
        ("(;GM[2]SZ[8];B[aa])", "not Go"),
        ("(;GM[1]SZ[13:19];B[aa])", "board size"),
        ("(;SZ[1])", "board size"),
        ("(;SZ[26])", "board size"),
        ("(;SZ[nineteen])", "board size"),
        ("(;SZ[-9])", "board size"),
        ("(;SZ[9]AB[zz])", "setup stones"),
        ("(;SZ[9]AB[])", "setup stones"),
        ("(;SZ[9]AB[tt:aa])", "setup stones"),
    ],
)
def test_games_that_cannot_be_read_are_rejected(text, reason):
    found = read(text)
    assert isinstance(found, Rejected)
    assert found.reason == reason
    assert str(found).startswith(f"game.sgf: {reason}: ")


@pytest.mark.parametrize(
    ("value", "komi"),
    [("7.5", 7.5), ("0", 0.0), ("-5.5", -5.5), ("6,5", 6.5), ("", None), ("half", None),
     ("nan", None), ("inf", None), ("1e999", None), ("375", None)],
)  # fmt: skip
def test_komi(value, komi):
    assert read(f"(;KM[{value}])").komi == komi


def test_a_square_board_given_by_both_sides():
    assert read("(;SZ[13:13])").size == 13


def test_collections_are_numbered():
    games = list(parse(b"(;GM[1]PB[a];B[aa])(;GM[3])\n(;GM[1]PB[c])(;B[bb])", "all.sgf"))
    assert [game.source for game in games] == [f"all.sgf#{number}" for number in (1, 2, 3, 4)]
    assert isinstance(games[1], Rejected)


def test_text_is_unescaped_and_lines_are_kept():
    record = read("(;PB[two\nlines\\\\]C[a\\]b\r\nc\\\nd: e];C[again])")
    assert record.black == "two lines\\"
    assert record.comments == {0: "a]b\ncd: e\nagain"}


def test_board_at():
    record = read("(;SZ[5]AB[bb]HA[1];W[ab];B[cb];W[ba];B[ee];W[bc])")
    assert str(board_at(record, 0)) == (". . . . .\n. X . . .\n. . . . .\n. . . . .\n. . . . .")
    assert str(board_at(record)) == ". O . . .\nO X X . .\n. O . . .\n. . . . .\n. . . . X"
    turns = [board_at(record, move).to_play for move in range(6)]
    assert turns == [WHITE, BLACK, WHITE, BLACK, WHITE, BLACK]
    for move in (-1, 6):
        with pytest.raises(InputError, match=rf"game\.sgf: has 5 moves, not {move}"):
            board_at(record, move)


def test_board_at_a_repeated_position_and_at_an_illegal_move():
    superko = read("(;SZ[3];B[cb];W[ab];B[bb];W[bc];B[ba];W[cc];B[ac];W[bc])")
    assert str(board_at(superko)) == str(board_at(superko, 5))
    occupied = read("(;SZ[3];B[cb];W[cb])")
    with pytest.raises(IllegalMove) as caught:
        board_at(occupied)
    assert caught.value.reason == "occupied"


@quick
@given(st.binary(max_size=300))
def test_any_bytes(data):
    for found in parse(data):
        assert isinstance(found, GameRecord | Rejected)


PROPERTIES = ["GM", "SZ", "HA", "KM", "AB", "AW", "AE", "PL", "B", "W", "C", "CA", "PB", "TB"]
VALUES = ["", "1", "19", "9:9", "aa", "tt", "zz", "aa:cc", "cc:aa", "B", "utf-16", "x\\",
          "9" * 5000, "1e5", "nan", "é", "a]b", "a\\]b", "٣", "-1", "0x13"]  # fmt: skip


@quick
@given(
    st.lists(
        st.tuples(st.sampled_from([";", "", "(;", ")", "(;GM[1]"]), st.sampled_from(PROPERTIES),
                  st.lists(st.sampled_from(VALUES), max_size=3)),
        max_size=12,
    ),
    st.sampled_from(["utf-8", "latin-1", "utf-16"]),
)  # fmt: skip
def test_any_properties(nodes, encoding):
    text = "(;" + "".join(
        f"{before}{name}{''.join(f'[{value}]' for value in values)}"
        for before, name, values in nodes
    )
    for found in parse((text + ")").encode(encoding, "replace")):
        assert isinstance(found, GameRecord | Rejected)
        if isinstance(found, GameRecord):
            assert 2 <= found.size <= 25
            points = [point for _, point in found.moves]
            assert all(-1 <= point < found.size**2 for point in points)
            stones = [*found.setup_black, *found.setup_white]
            assert all(0 <= stone < found.size**2 for stone in stones)
            assert len(stones) == len(set(stones))


TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n]\\[:;()"), max_size=9
)
SIMPLE = TEXT.map(lambda text: " ".join(text.split()))


@st.composite
def records(draw, smallest=2):
    size = draw(st.integers(smallest, 25))
    points = st.integers(0, size * size - 1)
    setup = draw(st.dictionaries(points, st.sampled_from([BLACK, WHITE]), max_size=3))
    moves = draw(
        st.lists(st.tuples(st.sampled_from([BLACK, WHITE]), st.integers(-1, size * size - 1)),
                 max_size=10)
    )  # fmt: skip
    names = ("black", "white", "black_rank", "white_rank", "result", "date", "rules")
    text = dict(zip(names, draw(st.permutations([*draw(st.lists(SIMPLE, max_size=3)), *[""] * 7])),
                    strict=False))  # fmt: skip
    comments = draw(st.dictionaries(st.integers(0, len(moves)), TEXT.filter(str.strip), max_size=3))
    return GameRecord(
        size=size,
        komi=draw(st.none() | st.floats(-200, 200)),
        handicap=draw(st.integers(0, 99)),
        setup_black=tuple(sorted(p for p, colour in setup.items() if colour == BLACK)),
        setup_white=tuple(sorted(p for p, colour in setup.items() if colour == WHITE)),
        first=draw(st.sampled_from([BLACK, WHITE])),
        moves=tuple(moves),
        comments=dict(sorted(comments.items())),
        **text,
    )


@quick
@given(records())
def test_what_is_written_is_read_again(record):
    assert read(write(record)) == dataclasses.replace(record, source="game.sgf")


@quick
@given(records(smallest=5))  # where so few stones leave no chain dead
def test_sgfmill_reads_what_is_written(record):
    game = sgfmill_sgf.Sgf_game.from_bytes(write(record))
    size = record.size
    assert game.get_size() == size
    root = game.get_root()
    assert (root.get("HA") if record.handicap else 0) == record.handicap
    assert game.get_komi() == pytest.approx(record.komi or 0)
    board, plays = sgf_moves.get_setup_and_moves(game)
    rows = {
        size * (size - 1 - row) + column: {"b": BLACK, "w": WHITE}[colour]
        for colour, (row, column) in board.list_occupied_points()
    }
    assert rows == dict.fromkeys(record.setup_black, BLACK) | dict.fromkeys(
        record.setup_white, WHITE
    )
    assert [
        ({"b": BLACK, "w": WHITE}[colour], PASS if move is None else
         size * (size - 1 - move[0]) + move[1])
        for colour, move in plays
    ] == list(record.moves)  # fmt: skip
    if record.black:
        assert root.get("PB") == record.black
    if 0 in record.comments:
        assert root.get("C") == record.comments[0]


def test_what_is_written():
    record = GameRecord(
        size=9, komi=7.0, black="Jürgen [1]", setup_white=(0,), moves=((BLACK, 40), (WHITE, PASS)),
        comments={1: "a]b\nc", 9: "beyond the end"},
    )  # fmt: skip
    assert write(record).decode() == (
        "(;FF[4]AP[receptive]AW[aa]CA[UTF-8]GM[1]KM[7]PB[Jürgen [1\\]]SZ[9];B[ee]\n"
        "C[a\\]b\nc];W[])\n"
    )
