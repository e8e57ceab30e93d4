import csv
import gzip
import importlib.util
import io
import json
import lzma
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps import cli

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FAKE = HERE / "fake_receptive.py"
LABELS = ["negative", "neutral", "positive"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "NO_COLOR": ""}

needs_posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX terminals and pipes")


def fake_classifier():
    spec = importlib.util.spec_from_file_location("fake_receptive", FAKE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.FakeClassifier


class Done:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err
        self.lines = out.splitlines()
        self.errors = [line.removeprefix("receptive: error: ") for line in err.splitlines()]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def receptive(monkeypatch, capsys, tmp_path):
    """`receptive sentiment` in the folder `tmp_path`, with foreseeable answers."""
    monkeypatch.setattr("domains.text.classifier.SentimentClassifier", fake_classifier())
    monkeypatch.chdir(tmp_path)

    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "argv", ["receptive", "sentiment", *map(str, arguments)])
        piped = io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin or b"")))
        monkeypatch.setattr(sys, "stdin", Terminal() if stdin is None else piped)
        with pytest.raises(SystemExit) as exit:
            cli.main()
        return Done(exit.value.code, *capsys.readouterr())

    return run


def test_table_has_a_line_a_text_in_order(receptive):
    done = receptive("a good film", "so bad")
    assert (done.code, done.err) == (0, "")
    assert done.lines == [
        "label     negative  neutral  positive  text",
        "positive     0.100    0.100     0.800  a good film",
        "negative     0.800    0.100     0.100  so bad",
    ]


def test_label_is_a_bare_label_a_line(receptive):
    assert receptive("good", "meh", "bad", "--format", "label").lines == [
        *("positive", "neutral", "negative")
    ]


def test_csv_of_texts(receptive):
    done = receptive('good, "so" good', "--format", "csv")
    assert done.out == (
        "text,label,negative,neutral,positive\n"
        '"good, ""so"" good",positive,0.100000,0.100000,0.800000\n'
    )


def test_jsonl_of_texts(receptive):
    (line,) = receptive("naïve, good", "--format", "jsonl").lines
    assert "naïve" in line
    assert json.loads(line) == {
        "text": "naïve, good",
        "label": "positive",
        "scores": {"negative": 0.1, "neutral": 0.1, "positive": 0.8},
    }


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_standard_input_is_one_text_a_line(receptive, arguments):
    done = receptive(*arguments, "--format", "label", stdin=b"good\r\n\nbad")
    assert done.lines == ["positive", "negative"]
    assert (done.code, done.errors) == (1, ["stdin:2: empty text"])


def test_arguments_are_answered_in_their_order(receptive, tmp_path):
    (tmp_path / "a b.txt").write_text("bad\n")
    done = receptive("good", "-", "a b.txt", "good", "--format", "label", stdin=b"meh\n")
    assert done.lines == ["positive", "neutral", "negative", "positive"]


def test_texts_that_end_like_files_are_texts(receptive):
    done = receptive("I read the good notes.txt", "--format", "label")
    assert (done.code, done.lines) == (0, ["positive"])


def test_a_file_of_another_kind_is_no_text(receptive, tmp_path):
    (tmp_path / "good photo.png").write_bytes(b"\x89PNG")
    (tmp_path / "good").mkdir()
    done = receptive("good photo.png", "good", "bad.png", "--format", "label")
    assert (done.code, done.lines) == (1, ["positive", "negative"])
    assert done.errors == ["good photo.png: is a file, but not .csv .tsv .jsonl .txt"]


@pytest.mark.parametrize("argument", ["-", "a.txt", "a good film", "photo.png"])
def test_a_column_of_what_has_none_is_wrong_usage(receptive, tmp_path, argument):
    for name in ("a.txt", "photo.png"):
        (tmp_path / name).write_text("good\n")
    (tmp_path / "a.csv").write_text("review\ngood\n")
    done = receptive("a.csv", argument, "--column", "review", stdin=b"good\n")
    assert (done.code, done.out) == (2, "")
    assert receptive("--column", "review", stdin=b"good\n").code == 2


@pytest.mark.parametrize("compress", [bytes, gzip.compress, lzma.compress])
def test_rows_of_every_kind_of_file(receptive, tmp_path, compress):
    end = {bytes: "", gzip.compress: ".gz", lzma.compress: ".xz"}[compress]
    contents = {
        "a.csv": b'id,text\n1,"good,\n so good"\n2,bad\n',
        "b.tsv": b'id\ttext\n1\t"good\n2\tbad\n',
        "c.jsonl": b'{"id": 1, "text": "good"}\n{"id": 2, "text": "bad"}\n',
        "d.txt": b"good\nbad\n",
    }
    for name, content in contents.items():
        (tmp_path / f"{name}{end}").write_bytes(compress(content))
    done = receptive(*(f"{name}{end}" for name in contents), "--format", "label")
    assert (done.code, done.err) == (0, "")
    assert done.lines == ["positive", "negative"] * 4


def test_csv_keeps_columns_and_renames_its_own(receptive, tmp_path):
    (tmp_path / "a.csv").write_text('label,review,positive\npos,"good\nfilm",+1\n')
    done = receptive("a.csv", "--format", "csv")
    assert list(csv.reader(io.StringIO(done.out))) == [
        ["label", "review", "positive", "predicted_label", *LABELS[:2], "predicted_positive"],
        ["pos", "good\nfilm", "+1", "positive", "0.100000", "0.100000", "0.800000"],
    ]


def test_jsonl_keeps_the_object(receptive, tmp_path):
    original = {"label": None, "scores": [1, {"a": 2.5}], "text": "good 😀\n"}
    (tmp_path / "a.jsonl").write_text(json.dumps(original))
    (line,) = receptive("a.jsonl", "--format", "jsonl").lines
    answer = json.loads(line)
    assert list(answer) == ["label", "scores", "text", "predicted_label", "predicted_scores"]
    assert original.items() <= answer.items()


def test_the_first_object_settles_what_jsonl_calls_the_answers(receptive, tmp_path):
    (tmp_path / "a.jsonl").write_text(
        '{"text": "good", "label": "pos"}\n{"text": "bad"}\n{"text": "meh", "predicted_label": 1}\n'
    )
    first, without, collides = map(json.loads, receptive("a.jsonl", "--format", "jsonl").lines)
    assert (first["label"], first["predicted_label"]) == ("pos", "positive")
    assert "label" not in without and without["predicted_label"] == "negative"
    assert collides["predicted_label"] == 1
    assert collides["predicted_predicted_label"] == "neutral"


def test_csv_of_json_rows(receptive, tmp_path):
    (tmp_path / "a.jsonl").write_text(
        '{"text": "good", "n": 5, "tags": ["a"]}\n{"text": "bad"}\n{"text": "meh", "x": 1}\n'
    )
    done = receptive("a.jsonl", "--format", "csv")
    assert [row[:4] for row in csv.reader(io.StringIO(done.out))] == [
        ["text", "n", "tags", "label"],
        ["good", "5", '["a"]', "positive"],
        ["bad", "", "", "negative"],
    ]
    assert done.code == 1
    assert done.errors == [
        "a.jsonl:3: column 'x' is not in the first row, as csv needs it; jsonl does not"
    ]


CELL = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), format=st.sampled_from(["csv", "jsonl"]))
def test_original_columns_come_back_unchanged_and_in_order(receptive, tmp_path, data, format):
    names = data.draw(st.lists(CELL, min_size=1, max_size=3, unique=True))
    row = st.tuples(CELL.filter(str.strip), *[CELL] * (len(names) - 1)).map(list)
    table = data.draw(st.lists(row, min_size=1, max_size=5))
    with (tmp_path / f"a.{format}").open("w", encoding="utf-8", newline="") as file:
        if format == "csv":
            csv.writer(file).writerows([names, *table])
        else:
            file.writelines(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in table)
    done = receptive(f"a.{format}", f"--column={names[0]}", "--format", format)
    assert (done.code, done.err) == (0, "")
    if format == "csv":
        header, *answers = csv.reader(io.StringIO(done.out, newline=""))
        assert header[: len(names)] == names
    else:
        answers = [list(json.loads(line).values()) for line in done.out.split("\n")[:-1]]
    assert [answer[: len(names)] for answer in answers] == table


def test_thousands_of_rows_keep_their_order(receptive):
    words = [("good", "bad", "meh")[n * n % 3 if n % 7 else 2] for n in range(5000)]
    done = receptive("-", "--format", "label", stdin="\n".join(words).encode())
    labels = {"good": "positive", "bad": "negative", "meh": "neutral"}
    assert done.lines == [labels[word] for word in words]


def test_bad_arguments_are_named_and_the_others_answered(receptive):
    done = receptive("good", "", " \t", "\udcff", "x" * 1_000_001, "bad", "--format", "label")
    assert (done.code, done.lines) == (1, ["positive", "negative"])
    assert done.errors == [
        "argument 2: empty text",
        "argument 3: empty text",
        "argument 4: invalid UTF-8",
        "argument 5: text longer than 1 MB",
    ]


BAD_FILES = {
    "missing.csv": (None, "missing.csv: no such file"),
    "folder.txt": ("folder", "folder.txt: cannot be read: Is a directory"),
    "binary.txt": (b"\x7fELF\2\1\1\0", "binary.txt: is a binary file, not text"),
    "column.csv": (b"a,b\ngood,1\n", "column.csv:1: no text column; columns there: 'a', 'b'"),
    "quote.csv": (b'text\n"good\n', "quote.csv:2: a quote is opened and not closed"),
    "fields.csv": (b"text,n\ngood\n", "fields.csv:2: 1 field, not 2"),
    "object.jsonl": (b"[1]\n", "object.jsonl:1: not a JSON object"),
    "broken.jsonl": (b'{"text": \n', "broken.jsonl:1: not valid JSON: Expecting value at column 1"),
    "utf8.txt": (b"caf\xe9\n", "utf8.txt:1: invalid UTF-8 at byte 4"),
    "empty.txt": (b"\n", "empty.txt:1: empty text"),
    "long.txt": (b"x" * 10_000_000, "long.txt:1: line longer than 1 MB"),
    "damaged.csv.gz": (b"text\n", "damaged.csv.gz: cannot be read: Not a gzipped file"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_one_error_and_the_others_are_answered(receptive, tmp_path, name):
    content, message = BAD_FILES[name]
    if content == "folder":
        (tmp_path / name).mkdir()
    elif content is not None:
        (tmp_path / name).write_bytes(content)
    (tmp_path / "fine.txt").write_text("bad\n")
    done = receptive("good", name, "fine.txt", "--format", "label")
    assert (done.code, done.lines) == (1, ["positive", "negative"])
    (error,) = done.errors
    assert error.startswith(message)


def test_no_such_column(receptive, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "good"}\n' * 3)
    done = receptive("a.jsonl", "--column", "review")
    assert (done.code, done.out) == (1, "")
    assert done.errors == ["a.jsonl:1: no column 'review'; columns there: 'text'"]


def test_unknown_model(receptive):
    done = receptive("good", "--model", "nonsense")
    assert (done.code, done.errors) == (1, ["no model called 'nonsense'; known: sentiment"])


@pytest.mark.parametrize("arguments", [["good", "--format", "xml"], ["good", "--nonsense"]])
def test_wrong_usage(receptive, arguments):
    done = receptive(*arguments)
    assert (done.code, done.out) == (2, "")


def test_nothing_to_read_at_a_terminal_is_wrong_usage(receptive):
    assert receptive(stdin=None).code == 2


def test_control_characters_are_shown_escaped(receptive, tmp_path):
    done = receptive("good \x1b[2J\x07 film\nbad", "--explain")
    assert "\x1b" not in done.out and r"good \x1b[2J\x07 film\nbad" in done.out
    (tmp_path / "a.csv").write_text("\x1b[2J\n")
    done = receptive("a.csv", "--column", "x", "evil\x1b[2J.csv")
    assert "\x1b" not in done.err and r"evil\x1b[2J.csv: no such file" in done.err


def test_explanations_without_colour(receptive):
    done = receptive("a good film", "--explain")
    indent = " " * len("positive     0.100    0.100     0.800  ")
    assert done.lines[1:] == [
        "positive     0.100    0.100     0.800  a good film",
        f"{indent}a good (+0.75), good film (+0.75)",
    ]
    done = receptive("a good film", "--explain", "--format", "label")
    assert done.lines == ["positive  a good (+0.75), good film (+0.75)"]


def test_explanations_in_csv_and_jsonl(receptive):
    header, row = csv.reader(receptive("so good", "--explain", "--format", "csv").lines)
    assert (header[-1], row[-1]) == ("explanation", "so good (+0.75)")
    answer = json.loads(receptive("so good", "--explain", "--format", "jsonl").out)
    assert answer["explanation"] == {
        "words": [
            {"text": "so", "start": 0, "end": 2, "weight": 0.01},
            {"text": "good", "start": 3, "end": 7, "weight": 1.5},
        ],
        "ngrams": [{"text": "so good", "start": 0, "end": 7, "weight": 0.75}],
    }


def test_few_explanations_are_held_at_once(receptive, monkeypatch):
    sizes = []

    class Counting(fake_classifier()):
        def predict(self, texts, explain=False, among=None):
            sizes.append(len(texts))
            return super().predict(texts, explain, among)

    monkeypatch.setattr("domains.text.classifier.SentimentClassifier", Counting)
    done = receptive("--explain", "--format", "label", stdin=b"good\n" * 1000)
    assert len(done.lines) == sum(sizes) == 1000
    assert max(sizes) <= 64


class OnTerminal(subprocess.Popen):
    """The command with a terminal as its stdout or stderr."""

    def __init__(self, *arguments, stream="stdout", **environment):
        import termios

        self.terminal, end = os.openpty()
        termios.tcsetwinsize(end, (24, 80))
        other = "stderr" if stream == "stdout" else "stdout"
        super().__init__(
            [sys.executable, FAKE, "sentiment", *arguments],
            stdin=subprocess.PIPE,
            env={**ENVIRONMENT, **environment},
            **{stream: end, other: subprocess.DEVNULL},
        )
        os.close(end)

    def shown(self):
        """All that the terminal receives from now until the end."""
        self.stdin.close()
        received = b""
        try:
            while piece := os.read(self.terminal, 65536):
                received += piece
        except OSError:  # Linux says so when the other end is closed
            pass
        self.wait()
        os.close(self.terminal)
        return received.decode()


@needs_posix
def test_words_are_coloured_on_a_terminal():
    shown = OnTerminal("a good, bad film", "--explain", "--format", "label").shown()
    assert "a \x1b[1;32mgood\x1b[0m, \x1b[22;31mbad\x1b[0m film" in shown


@needs_posix
@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_where_it_is_not_wanted(environment):
    shown = OnTerminal("a good, bad film", "--explain", **environment).shown()
    assert "\x1b" not in shown and "a good (+0.75)" in shown


@needs_posix
def test_a_progress_bar_where_stderr_is_a_terminal():
    process = OnTerminal("-", stream="stderr")
    for _ in range(600):
        process.stdin.write(b"good\n")
        process.stdin.flush()
        if select.select([process.terminal], [], [], 0.1)[0]:
            break
    assert process.shown().strip().startswith("stdin: ")


@needs_posix
def test_no_progress_bar_for_what_takes_a_moment():
    assert OnTerminal("good", stream="stderr").shown() == ""


@needs_posix
def test_piped_texts_are_answered_as_they_come():
    process = subprocess.Popen(
        [sys.executable, FAKE, "sentiment", "--format", "label"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    for text, label in [(b"good\n", b"positive\n"), (b"bad\n", b"negative\n")]:
        process.stdin.write(text)
        process.stdin.flush()
        assert process.stdout.readline() == label
    process.stdin.close()
    assert process.wait() == 0
    process.stdout.close()


@needs_posix
def test_a_closed_pipe_ends_quietly(tmp_path):
    (tmp_path / "big.txt").write_text("a good film\n" * 100_000)
    with (tmp_path / "errors").open("w+b") as errors:
        command = f"'{sys.executable}' '{FAKE}' sentiment big.txt --format label | head -1"
        out = subprocess.check_output(
            command, shell=True, cwd=tmp_path, env=ENVIRONMENT, stderr=errors
        )
        errors.seek(0)
        assert (out, errors.read()) == (b"positive\n", b"")


@needs_posix
@pytest.mark.parametrize("arguments", ["", "-"])
def test_a_closed_standard_input_is_empty(arguments):
    command = f"'{sys.executable}' '{FAKE}' sentiment {arguments} <&-"
    done = subprocess.run(command, shell=True, env=ENVIRONMENT, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("where", ["> /dev/full", "--output /dev/full"])
def test_a_full_disk_is_one_error(where):
    command = f"'{sys.executable}' '{FAKE}' sentiment good {where}"
    done = subprocess.run(command, shell=True, env=ENVIRONMENT, capture_output=True)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"receptive: error: No space left on device\n"


@pytest.mark.parametrize(
    ("name", "start"), [("a.csv", "text,label,"), ("a.jsonl", "{"), ("a.txt", "label     ")]
)
def test_output_file_is_written_as_its_name_says(receptive, tmp_path, name, start):
    done = receptive("good", "--output", name)
    assert (done.code, done.out) == (0, "")
    assert (tmp_path / name).read_text().startswith(start)
    receptive("good", "--output", name, "--format", "label")
    assert (tmp_path / name).read_text() == "positive\n"


def test_output_may_be_the_input(receptive, tmp_path):
    (tmp_path / "a.csv").write_text("text\ngood\n")
    assert receptive("a.csv", "--output", "a.csv").code == 0
    assert (tmp_path / "a.csv").read_text().endswith("\ngood,positive,0.100000,0.100000,0.800000\n")


def test_output_has_the_good_rows_when_others_are_bad(receptive, tmp_path):
    done = receptive("good", "", "--output", "a", "--format", "label")
    assert (done.code, done.errors) == (1, ["argument 2: empty text"])
    assert (tmp_path / "a").read_text() == "positive\n"


def test_output_to_a_dash_is_stdout(receptive, tmp_path):
    assert receptive("good", "--output", "-", "--format", "label").lines == ["positive"]
    assert list(tmp_path.iterdir()) == []


def test_output_that_cannot_be_written(receptive):
    done = receptive("good", "--output", "no/such/folder")
    assert (done.code, done.out) == (1, "")
    (error,) = done.errors
    assert error.startswith("no/such/folder: ")


@needs_posix
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_leaves_the_old_output(tmp_path, how):
    output = tmp_path / "a.csv"
    output.write_text("old")
    process = subprocess.Popen(
        [sys.executable, FAKE, "sentiment", "-", "--output", output],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    process.stdin.write(b"good\n" * 5000)
    process.stdin.flush()
    while sum(path.stat().st_size for path in tmp_path.iterdir() if path != output) == 0:
        time.sleep(0.01)
    process.send_signal(how)
    _, err = process.communicate()
    assert output.read_text() == "old"
    assert err == b""
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert list(tmp_path.iterdir()) == [output]


def released(*arguments, stdin=b"", code="from apps.cli import main; main()"):
    command = [sys.executable, "-c", code, "sentiment", *arguments]
    return subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True)


def test_the_released_model_answers():
    done = released("A warm, funny film.", "A dull, lifeless mess.", "--format", "label")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().split() == ["positive", "negative"]


def test_the_released_model_gives_probabilities_of_three_classes():
    lines = released("-", "--format", "jsonl", stdin=b"Fine.\nThe train leaves at 7 am.\n")
    for line in lines.stdout.splitlines():
        scores = json.loads(line)["scores"]
        assert list(scores) == LABELS
        assert sum(scores.values()) == pytest.approx(1, abs=1e-5)


def test_the_released_model_explains():
    done = released("What a dreadful film.", "--explain", "--format", "jsonl")
    words = json.loads(done.stdout)["explanation"]["words"]
    assert max(words, key=lambda word: word["weight"])["text"] == "dreadful"


def test_answers_need_neither_torch_nor_gensim_nor_streamlit():
    code = """
import atexit, sys
atexit.register(lambda: print(sorted({"torch", "gensim", "streamlit", "rich"} & set(sys.modules))))
from apps.cli import main
main()
"""
    done = released("A warm, funny film.", "--format", "label", code=code)
    assert done.stdout.decode().splitlines() == ["positive", "[]"]
