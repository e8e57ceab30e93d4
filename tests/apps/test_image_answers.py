import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.image.answers import Csv, Jsonl, Table

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
TOPS = st.lists(st.tuples(TEXT, st.floats(0, 1)), min_size=3, max_size=3)
ANSWERS = st.lists(st.tuples(TEXT, TOPS), min_size=1, max_size=4)


@given(answers=ANSWERS)
def test_csv_brings_every_name_and_number_back(answers):
    write = Csv(3)
    text = "".join(write(*answer) + "\n" for answer in answers)
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert header == [
        "file", "label", "probability", "label_2", "probability_2", "label_3", "probability_3",
    ]  # fmt: skip
    for row, (file, top) in zip(rows, answers, strict=True):
        assert row[0] == file
        assert row[1::2] == [label for label, _ in top]
        assert [float(cell) for cell in row[2::2]] == pytest.approx(
            [probability for _, probability in top], abs=1e-6
        )


@given(answers=ANSWERS)
def test_jsonl_is_an_object_a_line(answers):
    write = Jsonl()
    text = "".join(write(*answer) + "\n" for answer in answers)
    for row, (file, top) in zip(map(json.loads, text.split("\n")[:-1]), answers, strict=True):
        assert (row["file"], row["label"]) == (file, top[0][0])
        assert row["probability"] == pytest.approx(top[0][1], abs=1e-6)
        assert [each["label"] for each in row["top"]] == [label for label, _ in top]


@given(answers=ANSWERS)
def test_the_table_is_a_line_an_answer_below_one_header(answers):
    write = Table([file for file, _ in answers], [top[0][0] for _, top in answers])
    lines = "".join(write(*answer) + "\n" for answer in answers).split("\n")[:-1]
    assert len(lines) == 1 + len(answers)
    assert not {"\x1b", "\r", "\u202e"} & {*"".join(lines)}


def test_columns_are_as_wide_as_what_is_in_them_but_no_wider_than_is_read():
    write = Table(["a.png", "folder/b.png"], ["cat", "x" * 90])
    lines = "\n".join(write(file, [("cat", 0.5), ("dog", 0.25)]) for file in ("a.png", "b.png"))
    assert lines == (
        "file          label                     probability  next\n"
        "a.png         cat                             0.500  dog 0.250\n"
        "b.png         cat                             0.500  dog 0.250"
    )
