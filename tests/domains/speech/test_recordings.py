import io
import os
import struct
import threading

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_model import sine

from core.errors import InputError
from domains.speech.audio import SAMPLE_RATE
from domains.speech.recordings import open_recording, read, resampled
from domains.speech.torchaudio_import import torchaudio

FORMATS = [
    ("wav", "PCM_16", 16_000, 1),
    ("wav", "PCM_U8", 8_000, 1),
    ("wav", "PCM_24", 44_100, 2),
    ("wav", "FLOAT", 192_000, 1),
    ("wav", "DOUBLE", 11_025, 1),
    ("wav", "PCM_16", 48_000, 8),
    ("wav", "ULAW", 8_000, 1),
    ("wav", "PCM_16", 11_127, 1),
    ("flac", "PCM_16", 22_050, 2),
    ("ogg", "VORBIS", 32_000, 1),
    ("ogg", "OPUS", 48_000, 2),
    ("mp3", "MPEG_LAYER_III", 44_100, 1),
    ("aiff", "PCM_16", 44_100, 1),
    ("w64", "PCM_32", 96_000, 3),
    ("caf", "ALAC_16", 44_100, 2),
]


def tone(rate, seconds=1.0, hertz=440, amplitude=0.5):
    times = np.arange(round(rate * seconds)) / rate
    return amplitude * np.sin(2 * np.pi * hertz * times)


def written(path, samples, rate=SAMPLE_RATE, subtype=None):
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


@pytest.mark.parametrize(("suffix", "subtype", "rate", "channels"), FORMATS)
def test_any_format_rate_and_channels_give_the_same_tone(tmp_path, suffix, subtype, rate, channels):
    samples = np.repeat(tone(rate)[:, None], channels, axis=1)
    sound = read(written(tmp_path / f"x.{suffix}", samples, rate, subtype))
    assert sound.dtype == np.float32
    assert len(sound) == pytest.approx(SAMPLE_RATE, abs=1200)  # mp3 pads
    spectrum = np.abs(np.fft.rfft(sound[2000:14000] * np.hanning(12000)))
    assert spectrum.argmax() * SAMPLE_RATE / 12000 == pytest.approx(440, abs=2)
    assert np.sqrt(2 * np.mean(sound[2000:14000] ** 2)) == pytest.approx(0.5, rel=0.03)


def test_channels_are_averaged(tmp_path):
    rng = np.random.default_rng(0)
    samples = rng.uniform(-0.9, 0.9, (4000, 5)).astype(np.float32)
    sound = read(written(tmp_path / "x.wav", samples, subtype="FLOAT"))
    np.testing.assert_allclose(sound, samples.mean(axis=1), atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000]),
    st.lists(st.integers(0, 5_000), min_size=1, max_size=8).filter(any),
    st.integers(0, 99),
)
def test_resampling_in_pieces_is_resampling_the_whole(rate, lengths, seed):
    whole = np.random.default_rng(seed).uniform(-1, 1, sum(lengths)).astype(np.float32)
    pieces = np.split(whole, np.cumsum(lengths)[:-1])
    sound = np.concatenate([np.zeros(0, np.float32), *resampled(pieces, rate)])
    resample = torchaudio.transforms.Resample(rate, SAMPLE_RATE)
    expected = resample(torch.from_numpy(whole)).numpy()
    assert sound.shape == expected.shape
    np.testing.assert_allclose(sound, expected, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.integers(1_000, 400_000))
def test_every_rate_keeps_the_time(rate):
    sound = np.concatenate(list(resampled([np.zeros(rate, np.float32)] * 2, rate)))
    assert len(sound) / SAMPLE_RATE == pytest.approx(2, rel=3e-4, abs=1e-3)


def test_what_is_too_high_for_the_rate_is_taken_away_and_not_folded_down():
    [*parts] = resampled([tone(48_000, hertz=14_000).astype(np.float32)], 48_000)
    assert np.abs(np.concatenate(parts)[500:-500]).max() < 0.01


def test_blocks_are_short_and_make_up_the_whole(tmp_path):
    path = written(tmp_path / "x.flac", tone(44_100, 7.3), 44_100)
    with open_recording(path) as recording:
        assert (recording.rate, recording.channels) == (44_100, 1)
        assert recording.seconds == pytest.approx(7.3)
        blocks = list(recording.blocks(seconds=0.5))
    assert max(len(block) for block in blocks) <= 0.6 * SAMPLE_RATE
    np.testing.assert_array_equal(np.concatenate(blocks).round(4), read(path).round(4))


@pytest.mark.parametrize("subtype", ["PCM_16", "GSM610"])
def test_a_recording_can_be_heard_again(tmp_path, subtype):
    content = written(tmp_path / "x.wav", tone(8_000, 3.0), 8_000, subtype=subtype).read_bytes()
    for source in (tmp_path / "x.wav", io.BytesIO(content)):
        with open_recording(source) as recording:
            first = np.concatenate(list(recording.blocks()))
            recording.rewind()
            np.testing.assert_array_equal(np.concatenate(list(recording.blocks())), first)


def test_a_pipe_is_read_like_a_file(tmp_path):
    content = written(tmp_path / "x.wav", tone(SAMPLE_RATE)).read_bytes()
    reader, writer = os.pipe()
    feed = threading.Thread(target=lambda: [os.write(writer, content), os.close(writer)])
    feed.start()
    with open(reader, "rb") as stream:  # noqa: PTH123
        piped = read(stream, "-")
    feed.join()
    np.testing.assert_array_equal(piped, read(tmp_path / "x.wav"))
    np.testing.assert_array_equal(piped, read(io.BytesIO(content)))


def test_a_named_pipe_is_read_like_a_file(tmp_path):
    content = written(tmp_path / "x.wav", tone(SAMPLE_RATE)).read_bytes()
    os.mkfifo(tmp_path / "pipe")
    feed = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(content))
    feed.start()
    assert len(read(tmp_path / "pipe")) == SAMPLE_RATE
    feed.join()


def test_the_name_of_a_file_says_nothing(tmp_path):
    path = written(tmp_path / "x.wav", tone(SAMPLE_RATE))
    for name in ("x.raw", "x.txt", "x", "ünï códe.mp3"):
        assert len(read(path.rename(tmp_path / name))) == SAMPLE_RATE
        path = tmp_path / name


def test_beyond_full_scale_is_clipped(tmp_path):
    loud = written(tmp_path / "x.wav", tone(SAMPLE_RATE, amplitude=1e30), subtype="DOUBLE")
    sound = read(loud)
    assert np.abs(sound).max() == 1


@pytest.mark.parametrize("declared", [0xFFFF_FFFF, 0x7FFF_FFFF])
def test_a_length_that_was_not_known_when_writing_began_is_no_error(tmp_path, declared):
    content = bytearray(written(tmp_path / "x.wav", tone(SAMPLE_RATE)).read_bytes())
    content[40:44] = struct.pack("<I", declared)
    assert len(read(io.BytesIO(content))) == SAMPLE_RATE


def header(rate=SAMPLE_RATE, channels=1, size=32_000):
    """A wav's, of 16-bit samples."""
    form = struct.pack("<HHIIHH", 1, channels, rate, 0, 2 * channels, 16)
    return b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + struct.pack("<I", 16) + form + (
        b"data" + struct.pack("<I", size)
    )  # fmt: skip


BAD = {
    "empty": (b"", "an empty file"),
    "text": (b"Not a sound, but a text.\n" * 40, "not a sound file: Format not recognised"),
    "no samples": (header(size=0), "a sound file without a sample"),
    "header only": (header(), "cut off after 0.000 s"),
    "cut off": (header() + bytes(8_000), "cut off after 0.250 s: it holds 8000 of the 32000 bytes"),
    "half a header": (header()[:20], "not a sound file: "),
    "too fast": (header(rate=2_000_000) + bytes(32_000), "a sample rate of 2,000,000 Hz; 1,000 to"),
    "too slow": (header(rate=10) + bytes(32_000), "a sample rate of 10 Hz"),
    "too wide": (header(channels=200) + bytes(32_000), "200 channels; at most 64"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("how", ["file", "stream"])
def test_bad_sounds_are_named_in_one_line(tmp_path, case, how):
    content, reason = BAD[case]
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    name = str(path) if how == "file" else "<stdin>"
    with pytest.raises(InputError) as raised:
        read(path if how == "file" else io.BytesIO(content), name)
    assert str(raised.value).startswith(f"{name}: {reason}")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_no_number_is_placed(tmp_path, value):
    samples = np.zeros((30 * SAMPLE_RATE, 2))
    samples[int(20.125 * SAMPLE_RATE), 1] = value
    path = written(tmp_path / "x.wav", samples, subtype="FLOAT")
    with pytest.raises(InputError, match=r"x\.wav: the sample at 20\.125 s is not a finite number"):
        read(path)


def test_what_can_be_read_of_a_damaged_file_is_given_first(tmp_path):
    path = written(tmp_path / "x.flac", np.random.default_rng(0).uniform(-1, 1, 10 * SAMPLE_RATE))
    path.write_bytes(path.read_bytes()[:150_000])
    got = 0
    reason = r"x\.flac: damaged after \d\.\d+ s: "
    with open_recording(path) as recording, pytest.raises(InputError, match=reason):
        for block in recording.blocks():
            got += len(block)
    assert got > 2 * SAMPLE_RATE


def test_what_is_no_file(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.wav: no such file"):
        read(tmp_path / "nowhere.wav")
    with pytest.raises(InputError, match="Is a directory"):
        read(tmp_path)
    with pytest.raises(InputError, match="null"):
        read(tmp_path / "\0.wav")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_bytes_whatever_end_in_another_error(data):
    file = io.BytesIO()
    suffix = data.draw(st.sampled_from(["WAV", "FLAC", "AIFF", "OGG", "AU"]))
    soundfile.write(file, sine(500, 0.2), SAMPLE_RATE, format=suffix)
    content = bytearray(file.getvalue())
    for place in data.draw(st.lists(st.integers(0, min(len(content), 300) - 1), max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    try:
        sound = read(io.BytesIO(content), "x")
    except InputError as error:
        assert str(error).startswith("x: ") and "\n" not in str(error)
    else:
        assert len(sound) and np.isfinite(sound).all() and np.abs(sound).max() <= 1.5
