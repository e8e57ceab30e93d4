"""Charsets and broken brackets: what one bad game may cost, and what it may not."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domains.go import sgf_collection
from domains.go.sgf_collection import Broken, main_lines

quick = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def names(data):
    """PB[] of each game, or Broken."""
    return [
        game if isinstance(game, Broken) else game[0].get(b"PB", [b""])[0].decode()
        for game in main_lines(data)
    ]


def game(name, charset=None, encoding="utf-8"):
    declared = f"CA[{charset}]" if charset else ""
    return f"(;GM[1]{declared}PB[{name}];B[pd];W[dd])".encode(encoding)


@pytest.mark.parametrize(
    ("charset", "encoding", "name"),
    [
        ("UTF-8", "utf-8", "이세돌"),
        ("utf8", "utf-8", "古力"),
        (None, "utf-8", "古力"),
        (None, "latin-1", "Jürgen"),
        ("ISO-8859-1", "latin-1", "Jürgen"),
        ("Windows-1252", "cp1252", "œuvre…"),
        ("ISO-8859-2", "iso8859-2", "Łódź"),
        ("KOI8-R", "koi8-r", "Шикшин"),
        ("GB2312", "gb2312", "古力"),
        ("GB2312", "gbk", "趙治勲"),  # 勲 is beyond GB 2312
        ("GBK", "gbk", "羋乗"),
        ("Big5", "big5", "許功蓋"),  # their second bytes are backslashes
        ("Shift_JIS", "shift_jis", "表ソ能"),  # theirs too
        ("SJIS", "cp932", "髙①"),
        ("EUC-JP", "euc-jp", "武宮正樹"),
        ("EUC-KR", "euc-kr", "이창호"),
        ("ISO-2022-JP", "iso2022-jp", "武宮正樹"),
        # wrong
        ("ISO-8859-1", "utf-8", "古力"),
        ("GB2312", "utf-8", "이세돌"),
        ("UTF-8", "latin-1", "Jürgen"),
        ("nonsense", "latin-1", "Jürgen"),
        ("zlib", "latin-1", "Jürgen"),
        ("utf-16", "latin-1", "Jürgen"),
        ("idna", "latin-1", "Jürgen"),
        ("", "latin-1", "Jürgen"),
    ],
)
def test_names_in_the_charset_declared_or_the_one_that_they_are_in(charset, encoding, name):
    assert names(game(name, charset, encoding)) == [name]


@pytest.mark.parametrize("order", ["utf-16", "utf-8-sig"])
def test_byte_order_marks(order):
    assert names(game("古力", None, order)) == ["古力"]


@pytest.mark.parametrize("encoding", ["shift_jis", "gbk", "big5"])
def test_bytes_that_look_like_brackets_break_no_game_even_under_a_wrong_charset(encoding):
    (found,) = main_lines(game({"shift_jis": "表", "gbk": "俓", "big5": "許"}[encoding], "UTF-8",
                               encoding))  # fmt: skip
    assert [list(node) for node in found[1:]] == [[b"B"], [b"W"]]


def test_each_game_of_a_collection_has_its_own_charset():
    data = game("古力", "GB18030", "gb18030") + b"\n" + game("Jürgen", "UTF-8", "latin-1")
    assert names(data + game("이세돌", "UTF-8")) == ["古力", "Jürgen", "이세돌"]


BROKEN = {
    "never closed": b"(;GM[1]PB[b];B[pd]",
    "a variation never closed": b"(;GM[1]PB[b];B[pd](;W[dd];B[cc]",
    "a value never closed": b"(;GM[1]PB[b];B[pd]C[what a game)",
    "a value that ends too early": b"(;GM[1]PB[b];B[pd]C[I am [sic] here];W[dd])",
    "a value that was never opened": b"(;GM[1]PB[b];Bpd];W[dd])",
    "a value without a property": b"(;GM[1]PB[b];[pd];W[dd])",
    "a property without a value": b"(;GM[1]PB[b];B;W[dd])",
    "a property outside a node": b"(;GM[1]PB[b];B[pd](W[dd]))",
    "something else between properties": b"(;GM[1]PB[b];B[pd]! ;W[dd])",
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("between", [b"", b"\n", b"\r\n\r\nand another:\n"])
def test_a_broken_game_costs_no_other(kind, between):
    found = names(between.join([game("one"), BROKEN[kind], game("two"), game("three")]))
    assert [name for name in found if not isinstance(name, Broken)] == ["one", "two", "three"]
    assert len(found) == 4
    assert isinstance(found[1], Broken)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_game_alone(kind):
    (found,) = main_lines(BROKEN[kind])
    assert isinstance(found, Broken)


def test_the_lines_on_which_a_broken_game_stands():
    data = b"\n".join([b"", game("one"), b"(;GM[1]", b";B[pd]", b";[dd]", b")", game("two")])
    _, broken, _ = main_lines(data)
    assert broken == ("a value without a property: [dd]", 3, 6)


def test_a_comment_that_quotes_sgf_is_a_comment():
    quoted = "(;GM[1\\]PB[not me\\];B[pd\\])"
    data = f"(;GM[1]PB[me];B[pd]C[{quoted}];W[dd])".encode()
    (found,) = main_lines(data)
    assert [sorted(node) for node in found] == [[b"GM", b"PB"], [b"B", b"C"], [b"W"]]


def test_the_main_line_is_the_first_variation_always():
    data = b"(;GM[1];B[aa](;W[bb](;B[cc])(;B[dd]))(;W[ee];B[ff]))"
    (found,) = main_lines(data)
    assert found[1:] == [{b"B": [b"aa"]}, {b"W": [b"bb"]}, {b"B": [b"cc"]}]


def test_text_around_games_is_passed_over():
    data = b"From: me\n\n" + game("one") + b")) some (text); then [more]\n" + game("two") + b"--\n"
    assert names(data) == ["one", "two"]


def test_old_long_property_names():
    (found,) = main_lines(b"(;GaMe[1]SiZe[9];Black[aa];White[bb])")
    assert [list(node) for node in found] == [[b"GM", b"SZ"], [b"B"], [b"W"]]


def test_a_game_too_long_is_broken_and_costs_no_other(monkeypatch):
    monkeypatch.setattr(sgf_collection, "MAX_BYTES", 1000)
    found = names(game("one") + b"(;GM[1]" + b";B[pd]" * 1000 + b")" + game("two"))
    assert [found[0], found[2]] == ["one", "two"]
    assert isinstance(found[1], Broken)


@pytest.mark.parametrize(
    ("piece", "count", "games"),
    [
        (b"(;GM[1]", 5_000, 5_000),
        (b"(;PB[\xff]", 5_000, 5_000),
        (b"(;GM[", 100_000, 1),
        (b"(;", 100_000, 1),
        (b"(", 100_000, 0),
    ],
)
def test_what_never_closes_is_read_once(piece, count, games):
    found = list(main_lines(piece * count))
    assert len(found) == games
    assert all(isinstance(game, Broken) for game in found)


TOKENS = [b"(", b")", b";", b"[", b"]", b"\\", b"GM", b"CA", b"B", b"pd", b"1", b"\n",
          b"\xff", b"\x1b", b"(;GM[1]", b"CA[shift_jis]", b"\x95\\", b":"]  # fmt: skip


@quick
@given(st.lists(st.sampled_from(TOKENS), max_size=40).map(b"".join))
def test_whatever_comes_games_come_out(data):
    for found in main_lines(data):
        assert isinstance(found, Broken) or (found and all(isinstance(n, dict) for n in found))


@quick
@given(
    st.lists(st.sampled_from(["whole", *BROKEN]), min_size=1, max_size=6),
    st.sampled_from([b"", b"\n", b" "]),
)
def test_whole_games_among_broken_ones_are_all_found(kinds, between):
    numbers = itertools.count()
    pieces = [game(f"g{next(numbers)}") if kind == "whole" else BROKEN[kind] for kind in kinds]
    wanted = [f"g{i}" for i in range(kinds.count("whole"))]
    found = names(between.join(pieces))
    assert [name for name in found if not isinstance(name, Broken)] == wanted
    assert len(found) == len(kinds)
