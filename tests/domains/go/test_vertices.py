import pytest
from hypothesis import given
from hypothesis import strategies as st
from sgfmill import common

from core.errors import InputError
from domains.go import vertices
from domains.go.rules import BLACK, PASS, WHITE

sizes = st.integers(2, 25)


@given(sizes.flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n * n - 1))))
def test_names_agree_with_sgfmill_and_read_back(drawn):
    size, point = drawn
    row, column = divmod(point, size)
    name = vertices.name(point, size)
    assert name == common.format_vertex((size - 1 - row, column))
    assert vertices.parse(name.lower(), size) == point
    letters = "abcdefghijklmnopqrstuvwxyz"
    assert vertices.to_sgf(point, size) == letters[column] + letters[row]


def test_corners_and_the_missing_letter():
    assert [vertices.name(p, 19) for p in (0, 18, 342, 360)] == ["A19", "T19", "A1", "T1"]
    assert vertices.name(3 * 19 + 15, 19) == "Q16"
    assert vertices.name(8, 9) == "J9"
    assert vertices.to_sgf(vertices.parse("Q16", 19), 19) == "pd"


def test_passes():
    assert vertices.name(PASS, 9) == "pass"
    assert vertices.parse("PASS", 9) == PASS
    assert vertices.to_sgf(PASS, 9) == ""


@pytest.mark.parametrize(
    "text", ["", "Q", "16", "I5", "K1", "A0", "A10", "A-1", "A1 B2", "AA1", "A²", "A" + "9" * 9999]
)
def test_what_is_no_vertex_of_9x9_is_told_in_a_line(text):
    with pytest.raises(InputError, match="no vertex on a 9x9 board") as caught:
        vertices.parse(text, 9)
    assert len(str(caught.value)) < 80


@given(st.text(max_size=6), sizes)
def test_any_text_is_a_point_or_an_input_error(text, size):
    try:
        point = vertices.parse(text, size)
    except InputError:
        return
    assert point == PASS or 0 <= point < size * size


def test_colours():
    assert [vertices.parse_colour(text) for text in ("b", "W", "Black", " white ")] == [
        BLACK,
        WHITE,
        BLACK,
        WHITE,
    ]
    assert [vertices.colour_name(colour) for colour in (BLACK, WHITE)] == ["black", "white"]
    with pytest.raises(InputError, match="no colour: 'green'"):
        vertices.parse_colour("green")
