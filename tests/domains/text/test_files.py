import csv
import gzip
import io
import json
import lzma
import os
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from domains.text.files import (
    LabelledRow,
    Row,
    column_names,
    file_format,
    labelled_rows,
    open_file,
    rows,
)

CELL = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
TEXT = CELL.filter(str.strip)


def read(content, name, column=None):
    return list(rows(io.BytesIO(content), name, column))


def texts(found):
    return [row.text for row in found if isinstance(row, Row)]


def complaints(found):
    return [str(error) for error in found if isinstance(error, InputError)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", ".csv"),
        ("A.TSV.XZ", ".tsv"),
        ("b.jsonl.gz", ".jsonl"),
        ("c.txt", ".txt"),
        ("c.xz", None),
        ("csv", None),
        ("a.csv.zip", None),
        ("great film.", None),
    ],
)
def test_format_is_the_suffix(name, expected):
    assert file_format(name) == expected


def test_a_line_is_a_text():
    found = read(b"one\r\ntwo\nthree", "stdin")
    assert [(row.line, row.text, row.fields, row.place) for row in found] == [
        (1, "one", None, "stdin:1"),
        (2, "two", None, "stdin:2"),
        (3, "three", None, "stdin:3"),
    ]


def test_bad_lines_are_named_and_the_others_read():
    found = read(
        b"one\n\nt\xffwo\n \t\nfi" + b"v" * 1_000_000 + b"e\nsi\0x\nseven\n" * 2000, "a.txt"
    )
    assert texts(found)[:2] == ["one", "seven"]
    assert complaints(found)[:5] == [
        "a.txt:2: empty text",
        "a.txt:3: invalid UTF-8 at byte 2",
        "a.txt:4: empty text",
        "a.txt:5: line longer than 1 MB",
        "a.txt:6: NUL byte",
    ]


def test_a_line_of_one_megabyte_is_read():
    assert texts(read(b"x" * 999_999 + b"\nnext", "a.txt")) == ["x" * 999_999, "next"]


def test_byte_order_mark_is_no_part_of_the_text():
    assert texts(read(b"\xef\xbb\xbfone\n", "a.txt")) == ["one"]
    assert texts(read(b"\xef\xbb\xbftext,n\none,1\n", "a.csv")) == ["one"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is a binary file"),
        ("text\none".encode("utf-16"), "is UTF-16"),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".txt"])
def test_a_binary_file_is_refused(content, message, suffix):
    with pytest.raises(InputError, match=f"^a{suffix}: {message}"):
        read(content, f"a{suffix}")


def test_csv_cells_may_have_lines_quotes_and_commas():
    (row, after) = read(b'id,text\r\n1,"a ""good"" film,\r\nreally"\r\n2,x\r\n', "a.csv")
    assert row.fields == {"id": "1", "text": 'a "good" film,\r\nreally'}
    assert (row.line, after.line) == (2, 4)


@given(st.data())
def test_what_csv_writes_is_read(data):
    header = data.draw(st.lists(CELL, min_size=1, max_size=4, unique=True))
    row = st.tuples(TEXT, *[CELL] * (len(header) - 1)).map(list)
    table = data.draw(st.lists(row, max_size=5))
    file = io.StringIO(newline="")
    csv.writer(file).writerows([header, *table])
    found = read(file.getvalue().encode(), "a.csv", header[0])
    assert [list(row.fields.values()) for row in found] == table
    assert all(list(row.fields) == header and row.text == row.fields[header[0]] for row in found)


def test_malformed_csv_rows_are_named_and_the_others_read():
    content = b'text,n\na,1\n"b"x,2\nc\nd,4,4\n\n"e\xff",6\n"",7\nf,8\n"never closed,9\ng,10\n'
    found = read(content, "a.csv")
    assert texts(found) == ["a", "f", "g"]
    assert complaints(found) == [
        "a.csv:3: ',' expected after '\"'",
        "a.csv:4: 1 field, not 2",
        "a.csv:5: 3 fields, not 2",
        "a.csv:7: invalid UTF-8 at byte 3",
        "a.csv:8: empty text",
        "a.csv:10: a quote is opened and not closed",
    ]


@pytest.mark.parametrize(("suffix", "mark"), [(".csv", b","), (".tsv", b"\t")])
def test_blank_lines_between_several_columns_are_no_rows(suffix, mark):
    found = read(b"text,n\n\na,1\r\n\r\nb,2\n\n\n".replace(b",", mark), f"a{suffix}")
    assert (texts(found), complaints(found)) == (["a", "b"], [])
    assert [row.line for row in found] == [3, 5]


def test_a_blank_line_of_one_column_is_an_empty_text():
    assert complaints(read(b"text\na\n\n", "a.csv")) == ["a.csv:3: empty text"]


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (b'\xef\xbb\xbfid,"a, b"\n1,2\n', "x.csv", ["id", "a, b"]),
        (b"id\ttext\r\n", "x.tsv", ["id", "text"]),
        (gzip.compress(b'{"id": 1, "text": "a"}\n{"b": 1}\n'), "x.jsonl.gz", ["id", "text"]),
        (b'"abc"\n', "x.jsonl", []),
        (b'[{"a": 1}]\n', "x.jsonl", []),
        (b"[" * 100_000, "x.jsonl", []),
    ],
)
def test_column_names(content, name, expected):
    assert column_names(io.BytesIO(content), name) == expected


def test_column_names_of_what_cannot_be_read():
    with pytest.raises(InputError, match=r"^x\.csv: is empty"):
        column_names(io.BytesIO(b""), "x.csv")


class Repeated(io.RawIOBase):
    """`start`, then `line` many times over, made as it is read."""

    def __init__(self, start, line, times):
        self.pieces = [start] if start else []
        self.block, self.left = line * 1000, times // 1000

    def readable(self):
        return True

    def readinto(self, buffer):
        if not self.pieces and self.left:
            self.pieces.append(self.block)
            self.left -= 1
        piece = self.pieces.pop() if self.pieces else b""
        if len(piece) > len(buffer):
            self.pieces.append(piece[len(buffer) :])
        size = min(len(piece), len(buffer))
        buffer[:size] = piece[:size]
        return size


@pytest.mark.parametrize(
    ("start", "line", "name", "expected"),
    [
        (b'text,n\n"never closed,1\n', b"good %90d,2\n" % 0, "a.csv", 100_000),
        (b"", b"good %94d\n" % 0, "a.txt", 100_000),
        (b"", b"one line" * 12, "a.txt", 0),
    ],
)
def test_ten_megabytes_are_read_in_little_memory(start, line, name, expected):
    stream = io.BufferedReader(Repeated(start, line, 100_000))
    tracemalloc.start()
    try:
        count = sum(isinstance(row, Row) for row in rows(stream, name))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == expected
    assert peak < 9_000_000


def test_tsv_has_no_quoting():
    (row,) = read(b'id\ttext\n1\tsaid "so\n', "a.tsv")
    assert row.fields == {"id": "1", "text": 'said "so'}


def test_malformed_json_rows_are_named_and_the_others_read():
    lines = [
        '{"text": "one", "stars": [5]}',
        '{"text": "two"',
        '["text"]',
        '{"stars": 1}',
        '{"text": 4}',
        '{"text": " "}',
        "",
        '{"text": "\\ud800"}',
        "[" * 100_000,
        '{"text": "\\ud83d\\ude00"}',
    ]
    found = read("\n".join(lines).encode(), "a.jsonl")
    assert texts(found) == ["one", "😀"]
    assert found[0].fields == {"text": "one", "stars": [5]}
    places = [error.split(": ", 1) for error in complaints(found)]
    assert [place for place, _ in places] == [f"a.jsonl:{line}" for line in range(2, 10)]
    for (_, reason), expected in zip(
        places,
        [
            "not valid JSON",
            "not a JSON object",
            "no column 'text'; columns there: 'stars'",
            "the text is not a string",
            "empty text",
            "empty line",
            "not valid JSON: half of a surrogate pair",
            "not valid JSON",
        ],
        strict=True,
    ):
        assert reason.startswith(expected)


def test_first_json_object_may_lack_the_column():
    found = read(b'{"meta": 1}\n{"review": "one"}\n', "a.jsonl", "review")
    assert complaints(found) == ["a.jsonl:1: no column 'review'; columns there: 'meta'"]
    assert texts(found) == ["one"]


@pytest.mark.parametrize(
    "content", [b"id,body\n1,x\n", b"id\tbody\n1\tx\n", b'{"id": 1, "body": "x"}\n' * 3000]
)
@pytest.mark.parametrize("column", [None, "review"])
def test_no_such_column_lists_those_there_once(content, column):
    name = "a" + {b"id,": ".csv", b"id\t": ".tsv"}.get(content[:3], ".jsonl")
    what = "no column 'review'" if column else "no text column"
    with pytest.raises(InputError, match=f"^{name}:1: {what}; columns there: 'id', 'body'$"):
        read(content, name, column)


@pytest.mark.parametrize(
    ("header", "expected"),
    [("id,Review", "b"), ("comment,text", "b"), ("TWEET,id", "a"), ("Sentence,review", "a")],
)
def test_default_column(header, expected):
    assert texts(read(f"{header}\na,b\n".encode(), "a.csv")) == [expected]


def test_the_only_column_is_the_default_one():
    assert texts(read(b"phrase\ngood\n", "a.csv")) == ["good"]
    assert texts(read(b'{"phrase": "good"}', "a.jsonl")) == ["good"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"text,n,n\n", "a.csv:1: two columns are called 'n'"),
        (b'"text\nx\n', "a.csv:1: a quote is opened and not closed"),
    ],
)
def test_a_header_that_cannot_be_read_ends_the_file(content, message):
    with pytest.raises(InputError, match=message):
        read(content, "a.csv")


@given(content=st.binary(max_size=200), suffix=st.sampled_from([".csv", ".tsv", ".jsonl", ".txt"]))
def test_whatever_the_bytes_only_input_errors_come_out(content, suffix):
    try:
        found = read(content, f"a{suffix}")
    except InputError as error:
        found = [error]
    for message in complaints(found):
        assert message.startswith(f"a{suffix}:")
        assert len(message.splitlines()) == 1
    assert all(row.text.strip() for row in found if isinstance(row, Row))


@pytest.mark.parametrize(("suffix", "compress"), [(".gz", gzip.compress), (".xz", lzma.compress)])
def test_compressed_files(tmp_path, suffix, compress):
    path = tmp_path / f"a.jsonl{suffix}"
    packed = compress(b"".join(b'{"text": "film %d"}\n' % n for n in range(5000)))
    path.write_bytes(packed)
    assert texts(rows(path, str(path))) == [f"film {n}" for n in range(5000)]
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputError, match=f"{path}: cannot be read: "):
        list(rows(path, str(path)))
    path.write_bytes(b"good film\n")
    with pytest.raises(InputError, match=f"{path}: cannot be read: "):
        list(rows(path, str(path)))


def test_files_that_cannot_be_opened_are_named(tmp_path):
    with pytest.raises(InputError, match=r"missing\.csv: no such file"):
        list(rows(tmp_path / "missing.csv", "missing.csv"))
    with pytest.raises(InputError, match="cannot be read"):
        open_file(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        open_file(tmp_path / ("x" * 5000))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_named(tmp_path):
    path = tmp_path / "secret.txt"
    path.touch(mode=0o000)
    with pytest.raises(InputError, match=r"secret\.txt: cannot be read: Permission denied"):
        open_file(path)


def labelled(tmp_path, content, name, **columns):
    path = tmp_path / name
    path.write_bytes(content.encode())
    return [
        str(row).removeprefix(f"{tmp_path}/")
        if isinstance(row, InputError)
        else (row.line, row.label, row.text)
        for row in labelled_rows(path, **columns)
    ]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("label\ttext\nneg\tso bad\npos\tgood\n", "a.tsv"),
        ('Review,id,Sentiment\nso bad,1,neg\n"good",2,pos\n', "a.csv"),
        ("\n" + json.dumps({"text": "so bad", "label": "neg"}), "a.jsonl"),
    ],
)
def test_labelled_rows_with_a_header(tmp_path, content, name):
    found = labelled(tmp_path, content, name)
    assert (2, "neg", "so bad") in found
    assert name == "a.jsonl" or found == [(2, "neg", "so bad"), (3, "pos", "good")]


@pytest.mark.parametrize(("name", "mark"), [("a.tsv", "\t"), ("a.csv", ",")])
def test_without_a_header_the_label_is_first(tmp_path, name, mark):
    content = f'4{mark}good\n0{mark}"bad"\n'
    text = '"bad"' if mark == "\t" else "bad"
    assert labelled(tmp_path, content, name) == [(1, "4", "good"), (2, "0", text)]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("class,text", ("4", "good")),
        ("Review,stars", ("good", "4")),
        ("stars, Text", ("4", "good")),
    ],
)
def test_two_names_are_a_header_if_one_is_that_of_a_text_column(tmp_path, header, expected):
    first, second = expected
    assert labelled(tmp_path, f"{header}\n{first},{second}\n", "a.csv") == [(2, "4", "good")]


def test_the_label_is_beside_a_text_column_that_is_named(tmp_path):
    found = labelled(tmp_path, "stars\tbody\n4\tgood\n", "a.tsv", text_column="body")
    assert found == [(2, "4", "good")]


def test_no_field_of_json_is_taken_for_a_label(tmp_path):
    with pytest.raises(InputError, match=r"a\.jsonl:1: no label column"):
        labelled(tmp_path, '{"id": "7", "text": "good"}\n', "a.jsonl")


def test_labels_in_json_may_be_numbers(tmp_path):
    content = '{"label": 0, "text": "bad"}\n{"label": null, "text": "x"}\n'
    assert labelled(tmp_path, content, "a.jsonl") == [
        (1, "0", "bad"),
        "a.jsonl:2: the label is not a string",
    ]


@pytest.mark.parametrize(
    ("scores", "kept"),
    [
        ('{"a": 0.75, "b": 1}', {"a": 0.75, "b": 1}),
        ('{"a": "much"}', None),
        ('{"a": true}', None),
        ("[0.75, 0.25]", None),
        ("5", None),
    ],
)
def test_scores_of_a_json_row_are_kept_if_they_are_numbers(tmp_path, scores, kept):
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"label": "a", "text": "x", "scores": {scores}}}\n')
    assert list(labelled_rows(path)) == [LabelledRow(1, "x", "a", kept)]


def test_named_columns(tmp_path):
    content = "stars,label,title\n5,x,fine\n"
    found = labelled(tmp_path, content, "a.csv", text_column="title", label_column="stars")
    assert found == [(2, "5", "fine")]
    with pytest.raises(InputError, match="no column 'mood'"):
        labelled(tmp_path, content, "a.csv", label_column="mood")


def test_empty_labels_and_texts_are_named(tmp_path):
    found = labelled(tmp_path, "label\ttext\n\tfine\nneg\t \npos\tgood\n", "a.tsv")
    assert found == ["a.tsv:2: empty label", "a.tsv:3: empty text", (4, "pos", "good")]


@pytest.mark.parametrize(
    ("content", "name"), [("a,b,c\n1,2,3\n", "a.csv"), ("one\n", "a.tsv"), ("pos good\n", "a.txt")]
)
def test_what_has_no_labels_is_refused(tmp_path, content, name):
    with pytest.raises(InputError, match="label"):
        labelled(tmp_path, content, name)
