import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from apps.lines import csv_line

CELLS = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1
)


@given(CELLS)
def test_what_is_written_is_what_is_read(cells):
    line = io.StringIO(csv_line(cells) + "\n", newline="")
    assert list(csv.reader(line)) == [cells]


def test_a_line_by_hand():
    assert csv_line(["a", 'b "c"', "d, e", "", "f\ng"]) == 'a,"b ""c""","d, e",,"f\ng"'
