import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.speech.answers import Answer, Csv, Jsonl, Table

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
SCORES = st.lists(st.tuples(TEXT, st.floats(0, 1)), min_size=1, max_size=4)
ANSWERS = st.lists(
    st.builds(Answer, TEXT, st.floats(0, 9e4), st.floats(0, 9e4), SCORES), min_size=1, max_size=4
)


@given(answers=ANSWERS)
def test_csv_brings_every_name_and_number_back(answers):
    write = Csv(4)
    text = "".join(write(answer) + "\n" for answer in answers)
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert header[:5] == ["file", "start", "end", "label", "probability"]
    assert header[5:7] == ["label_2", "probability_2"] and len(header) == 11
    for row, answer in zip(rows, answers, strict=True):
        file, start, end, *top = row
        assert file == answer.file
        assert (float(start), float(end)) == pytest.approx((answer.start, answer.end), abs=1e-3)
        assert top[::2] == [label for label, _ in answer.top] + [""] * (4 - len(answer.top))
        found = [float(probability) for probability in top[1::2] if probability]
        assert found == pytest.approx([probability for _, probability in answer.top], abs=1e-6)


@given(answers=ANSWERS)
def test_jsonl_is_an_object_a_line(answers):
    write = Jsonl()
    text = "".join(write(answer) + "\n" for answer in answers)
    for row, answer in zip(map(json.loads, text.split("\n")[:-1]), answers, strict=True):
        assert (row["file"], row["label"]) == (answer.file, answer.top[0][0])
        assert row["probability"] == pytest.approx(answer.probability, abs=1e-6)
        assert [each["label"] for each in row["top"]] == [label for label, _ in answer.top]


@given(answers=ANSWERS)
def test_the_table_is_a_line_an_answer_below_one_header(answers):
    files = [answer.file for answer in answers]
    write = Table(files, [label for answer in answers for label, _ in answer.top])
    lines = "".join(write(answer) + "\n" for answer in answers).split("\n")[:-1]
    assert len(lines) == 1 + len(answers)
    at = lines[0].index("probability") + len("probability")
    assert [line[at - 5 : at] for line in lines[1:]] == [f"{a.probability:.3f}" for a in answers]
    assert not {"\x1b", "\r", "\u202e"} & {*"".join(lines)}
