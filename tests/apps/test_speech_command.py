import csv
import io
import json
import sys

import numpy as np
import pytest
import soundfile
from PIL import Image
from tiny_model import LABELS, TONES, clip, noise, save, silence, sine

RATE = 16_000


@pytest.fixture(scope="module")
def tones(tmp_path_factory):
    """The card of a model that hears tones as words."""
    return save(tmp_path_factory.mktemp("tones"))


@pytest.fixture
def recognise(command, tones, monkeypatch, tmp_path):
    """`receptive speech recognise` in the folder `tmp_path`."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, stdin=b"", model=tones):
        piped = io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin)))
        monkeypatch.setattr(sys, "stdin", piped)
        return command("speech", "recognise", *arguments, "--model", model)

    return run


@pytest.fixture
def rows(recognise):
    """Its rows of jsonl, when nothing is bad."""

    def run(*arguments, **options):
        done = recognise(*arguments, "--format", "jsonl", **options)
        assert (done.code, done.err) == (0, "")
        return [json.loads(line) for line in done.out.splitlines()]

    return run


def wav(waveform, rate=RATE, **options):
    """The bytes of a sound file."""
    file = io.BytesIO()
    soundfile.write(file, waveform, rate, **{"format": "WAV", **options})
    return file.getvalue()


def sentence():
    """Six seconds: "up" in the second one, "yes" in the fourth."""
    return np.concatenate([silence(1), clip("up"), silence(1), clip("yes"), silence(2)])


def test_the_table_has_a_line_a_file_in_order(recognise, tmp_path):
    for word in ("no", "yes"):
        (tmp_path / f"{word}.wav").write_bytes(wav(clip(word)))
    done = recognise("yes.wav", "no.wav", "--top", 2)
    assert (done.code, done.err) == (0, "")
    head, yes, no = (line.split() for line in done.out.splitlines())
    assert head == ["file", "start", "end", "label", "probability", "next"]
    assert yes[:5] == ["yes.wav", "0.00", "1.00", "yes", "1.000"] and len(yes) == 7
    assert no[:5] == ["no.wav", "0.00", "1.00", "no", "1.000"] and len(no) == 7
    assert len({line.index("1.00 ") for line in done.out.splitlines()[1:]}) == 1


@pytest.mark.parametrize("label", LABELS)
def test_every_label_is_an_answer_with_the_five_likeliest(rows, tmp_path, label):
    (tmp_path / "a.wav").write_bytes(wav(clip(label)))
    [row] = rows("a.wav")
    assert list(row) == ["file", "start", "end", "label", "probability", "top"]
    assert (row["file"], row["start"], row["end"], row["label"]) == ("a.wav", 0, 1, label)
    probabilities = [each["probability"] for each in row["top"]]
    assert len(row["top"]) == 5 and probabilities == sorted(probabilities, reverse=True)
    assert row["top"][0] == {"label": label, "probability": row["probability"]}
    [everything] = rows("a.wav", "--top", 99)
    assert {each["label"] for each in everything["top"]} == {*LABELS}
    assert sum(each["probability"] for each in everything["top"]) == pytest.approx(1, abs=1e-5)


def test_csv_says_what_jsonl_says_of_short_and_of_long_recordings(recognise, rows, tmp_path):
    (tmp_path / "a, b.wav").write_bytes(wav(clip("no")))
    (tmp_path / "long.wav").write_bytes(wav(sentence()))
    files = ("long.wav", "a, b.wav", "--top", "3")
    done = recognise(*files, "--format", "csv")
    table = list(csv.DictReader(io.StringIO(done.out)))
    assert done.code == 0 and len(table) == 3
    for row, same in zip(table, rows(*files), strict=True):
        assert (row["file"], row["label"]) == (same["file"], same["label"])
        for name in ("start", "end", "probability"):
            assert float(row[name]) == pytest.approx(same[name], abs=1e-6)
        others = [row[f"label_{n}"] for n in (2, 3)]
        assert [label for label in others if label] == [each["label"] for each in same["top"][1:]]


def test_words_of_a_long_recording_have_their_times(rows, tmp_path):
    (tmp_path / "long.wav").write_bytes(wav(sentence()))
    up, yes = rows("long.wav")
    assert (up["label"], yes["label"]) == ("up", "yes")
    assert 0.9 <= up["start"] <= 1.5 <= up["end"] <= 2.1
    assert 2.9 <= yes["start"] <= 3.5 <= yes["end"] <= 4.1
    assert 0.5 <= up["probability"] <= 1


def test_a_long_recording_without_a_word_is_silence(rows, tmp_path):
    (tmp_path / "long.wav").write_bytes(wav(silence(4)))
    [row] = rows("long.wav")
    assert (row["label"], row["start"], row["end"]) == ("silence", 0, 4)
    assert 0.5 < row["probability"] < 1


def test_a_model_that_knows_no_silence_says_that_no_word_was_heard(
    recognise, monkeypatch, tmp_path
):
    model = save(tmp_path, "no-silence", labels=[*LABELS[:-1], "hum"])
    undecided = np.full(len(LABELS), 1 / len(LABELS))
    monkeypatch.setattr(
        "domains.speech.recogniser.KeywordRecogniser.windows",
        lambda self, blocks: [(0.0, undecided) for _ in blocks],
    )
    (tmp_path / "long.wav").write_bytes(wav(silence(4)))
    done = recognise("long.wav", model=model)
    assert (done.code, done.out, done.err) == (0, "", "long.wav: no word heard\n")
    done = recognise("long.wav", "--explain", "a.png", model=model)
    assert (done.code, done.out) == (1, "")
    assert done.err == "receptive: error: long.wav: no word heard, nothing to draw\n"


def test_what_is_no_word_is_not_always_silence(recognise, monkeypatch, tmp_path):
    undecided = np.full(len(LABELS), 1 / len(LABELS))
    monkeypatch.setattr(
        "domains.speech.recogniser.KeywordRecogniser.windows",
        lambda self, blocks: [(0.0, undecided) for _ in blocks],
    )
    (tmp_path / "hum.wav").write_bytes(wav(silence(4)))
    done = recognise("hum.wav")
    assert (done.code, done.out, done.err) == (0, "", "hum.wav: no word heard\n")


def test_a_second_and_a_half_is_one_word(rows, tmp_path):
    (tmp_path / "a.wav").write_bytes(wav(np.concatenate([clip("down"), silence(0.5)])))
    [row] = rows("a.wav")
    assert (row["label"], row["end"], len(row["top"])) == ("down", 1.5, 5)


def at(rate, channels=1):
    """ "no" at another rate, the same in all channels."""
    times = np.arange(rate) / rate
    tone = 0.3 * np.sin(2 * np.pi * TONES["no"] * times) * (abs(times - 0.5) < 0.3)
    return np.repeat(tone[:, None], channels, axis=1)


SOUNDS = {
    "8-bit.wav": wav(at(RATE), subtype="PCM_U8"),
    "24-bit.wav": wav(at(RATE), subtype="PCM_24"),
    "double.wav": wav(at(RATE), subtype="DOUBLE"),
    "telephone.wav": wav(at(8_000), 8_000, subtype="ULAW"),
    "cd.wav": wav(at(44_100, 2), 44_100),
    "192 kHz.wav": wav(at(192_000), 192_000),
    "8 channels.wav": wav(at(RATE, 8)),
    "a.flac": wav(at(48_000), 48_000, format="FLAC"),
    "a.ogg": wav(at(RATE), format="OGG"),
    "a.mp3": wav(at(RATE), format="MP3"),
    "a.aiff": wav(at(RATE), format="AIFF"),
    "a.w64": wav(at(RATE), format="W64"),
    "clipped.wav": wav(np.clip(4 * at(RATE), -1, 1)),
}


@pytest.mark.parametrize("name", SOUNDS)
def test_the_word_is_the_same_in_every_form(rows, tmp_path, name):
    (tmp_path / name).write_bytes(SOUNDS[name])
    [row] = rows(name)
    assert row["label"] == "no"


def test_five_milliseconds_are_answered(rows, tmp_path):
    (tmp_path / "a.wav").write_bytes(wav(sine(TONES["no"], 0.005)))
    [row] = rows("a.wav")
    assert row["label"] in LABELS and row["end"] == 0.005


def broken(value):
    waveform = clip("yes")
    waveform[8_000] = value
    return wav(waveform, subtype="FLOAT")


BAD = {
    "missing.wav": (None, "missing.wav: no such file"),
    "folder": ("folder", "folder: "),
    "empty.wav": (b"", "empty.wav: an empty file"),
    "text.wav": (b"Not a sound.\n", "text.wav: not a sound file"),
    "header.wav": (b"RIFF$\0\0\0WAVE", "header.wav: not a sound file"),
    "no samples.wav": (wav(silence(0)), "no samples.wav: a sound file without a sample"),
    "nan.wav": (broken(np.nan), "nan.wav: the sample at 0.500 s is not a finite number"),
    "infinite.wav": (broken(-np.inf), "infinite.wav: the sample at 0.500 s is not a finite number"),
    "cut.wav": (wav(clip("yes"))[:9_000], "cut.wav: cut off after 0.2"),
    "evil\x1b[2J.wav": (None, r"evil\x1b[2J.wav: no such file"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_error_and_the_others_are_answered(recognise, tmp_path, name):
    content, message = BAD[name]
    if content == "folder":
        (tmp_path / name).mkdir()
    elif content is not None:
        (tmp_path / name).write_bytes(content)
    (tmp_path / "fine.wav").write_bytes(wav(clip("up")))
    done = recognise("fine.wav", name, "fine.wav", "--format", "csv")
    assert done.code == 1
    assert [row["label"] for row in csv.DictReader(io.StringIO(done.out))] == ["up", "up"]
    [error] = done.err.splitlines()
    assert error.startswith(f"receptive: error: {message}")


def test_words_before_the_damage_are_answered(recognise, tmp_path):
    waveform = np.concatenate([sentence(), silence(30)])
    waveform[-1] = np.nan
    (tmp_path / "long.wav").write_bytes(wav(waveform, subtype="FLOAT"))
    done = recognise("long.wav", "--format", "csv")
    assert done.code == 1
    assert [row["label"] for row in csv.DictReader(io.StringIO(done.out))] == ["up", "yes"]
    assert done.err.count("\n") == 1 and "long.wav: the sample at 36.000 s" in done.err


def test_standard_input_is_one_sound(recognise, rows):
    [row] = rows("-", stdin=SOUNDS["a.flac"])
    assert (row["file"], row["label"]) == ("stdin", "no")
    assert [row["label"] for row in rows("-", stdin=wav(sentence()))] == ["up", "yes"]
    done = recognise("-", stdin=b"")
    assert (done.code, done.out) == (1, "")
    assert done.err == "receptive: error: stdin: an empty file\n"


@pytest.mark.parametrize("sound", [clip("yes"), sentence(), silence(4), noise(0.02)])
def test_the_explanation_is_a_picture(recognise, tmp_path, sound):
    done = recognise("-", "--explain", "why.png", stdin=wav(sound))
    assert (done.code, done.err) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["why.png"]
    with Image.open(tmp_path / "why.png") as picture:
        picture.load()
        assert picture.format == "PNG" and len(picture.getcolors(1 << 20)) > 20


def test_the_picture_of_a_long_recording_is_that_of_its_surest_word(
    recognise, rows, monkeypatch, tmp_path
):
    drawn = []
    monkeypatch.setattr(
        "apps.speech.picture.drawn",
        lambda explanation: drawn.append(explanation) or Image.new("RGB", (1, 1)),
    )
    (tmp_path / "long.wav").write_bytes(wav(sentence()))
    surest = max(rows("long.wav"), key=lambda row: row["probability"])
    assert recognise("long.wav", "--explain", "why.png").code == 0
    [explanation] = drawn
    assert explanation.label == surest["label"]
    assert np.abs(explanation.waveform[:1_600]).max() < 0.01  # the tone is in the middle
    assert np.abs(explanation.waveform[7_000:9_000]).max() > 0.2


def test_the_picture_of_an_encoding_that_cannot_be_gone_back_in(recognise, tmp_path):
    (tmp_path / "a.wav").write_bytes(wav(clip("yes"), subtype="GSM610"))
    done = recognise("a.wav", "--explain", "why.png")
    assert (done.code, done.err) == (0, "")
    assert (tmp_path / "why.png").exists()


def test_no_picture_of_what_is_bad(recognise, tmp_path):
    (tmp_path / "why.png").write_text("old")
    assert recognise("-", "--explain", "why.png", stdin=b"no sound").code == 1
    assert (tmp_path / "why.png").read_text() == "old"
    done = recognise("-", "--explain", "no/such/why.png", stdin=wav(clip("yes")))
    assert done.code == 1
    assert done.err == "receptive: error: no/such/why.png: No such file or directory\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a.wav", "--format", "xml"],
        ["a.wav", "--top", "0"],
        ["a.wav", "--nonsense"],
        ["a.wav", "b.wav", "--explain", "why.png"],
        ["a.wav", "--explain", "why.jpg"],
    ],
)
def test_wrong_usage(recognise, arguments):
    done = recognise(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "Traceback" not in done.err


def test_a_terminal_is_no_sound(command, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    assert command("speech", "recognise", "-").code == 2


def test_models_that_are_none(recognise, tmp_path):
    for model in ("nonsense", save(tmp_path, "other", domain="text")):
        done = recognise("a.wav", model=model)
        assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
        assert str(model) in done.err
