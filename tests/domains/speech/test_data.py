"""Folders of words: who is in which split, what is left out, what is refused."""

import hashlib
import os
import re

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_model import silence, sine
from tone_words import name, say, write

from core.errors import InputError
from domains.speech import data
from domains.speech.data import SPLITS, label_of, split_by_speaker, to_float, to_int16

RATE = 16_000


def which_set(filename, validation_percentage=10, testing_percentage=10):
    """The rule as TensorFlow's speech_commands example publishes it, written again in integers."""
    base = os.path.basename(filename)  # noqa: PTH119
    hashed = hashlib.sha1(re.split("_nohash_", base)[0].encode("utf-8")).digest()
    number = int.from_bytes(hashed, "big") & (2**27 - 1)
    if number * 100 < validation_percentage * (2**27 - 1):
        return "validation"
    if number * 100 < (validation_percentage + testing_percentage) * (2**27 - 1):
        return "testing"
    return "training"


@settings(max_examples=300, deadline=None)
@given(st.text("0123456789abcdef", min_size=1, max_size=8), st.integers(0, 99))
def test_the_data_sets_own_rule(speaker, number):
    file = f"{speaker}_nohash_{number}.wav"
    assert split_by_speaker(file) == which_set(file)


@settings(deadline=None)
@given(st.from_regex(r"[a-z0-9_. -]{1,20}\.(wav|flac)", fullmatch=True))
def test_the_rule_for_any_other_file_name(file):
    assert split_by_speaker(file) == which_set(file)


@pytest.mark.parametrize(
    ("file", "split"),
    [
        ("060cd039_nohash_1.wav", "validation"),
        ("0e17f595_nohash_1.wav", "validation"),
        ("16db1582_nohash_0.wav", "validation"),
        ("bb05582b_nohash_3.wav", "testing"),
        ("004ae714_nohash_0.wav", "training"),
        ("00f0204f_nohash_0.wav", "training"),
    ],
)
def test_files_of_the_public_set_are_where_its_lists_have_them(file, split):
    assert split_by_speaker(file) == split


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters="/\0"), max_size=12), st.lists(st.integers(0)))
def test_no_speaker_is_in_two_splits(speaker, numbers):
    files = [f"{speaker}_nohash_{number}.wav" for number in [0, *numbers]]
    assert len({split_by_speaker(file) for file in files}) == 1


def test_about_a_tenth_of_the_speakers_is_in_each_small_split():
    splits = [split_by_speaker(f"{number:08x}_nohash_0.wav") for number in range(5000)]
    for split in ("validation", "testing"):
        assert splits.count(split) / len(splits) == pytest.approx(0.1, abs=0.02)


def every(collection):
    """The clips of all splits."""
    return data.together(*collection.splits.values())


def files_of(collection):
    return {split: {str(path.relative_to(path.parents[1])) for path in clips.files}
            for split, clips in collection.splits.items()}  # fmt: skip


def test_lists_are_honoured(tmp_path):
    write(tmp_path, ["yes", "no"], speakers=4)
    found = data.read(tmp_path, ("no", "yes"))
    assert files_of(found) == {
        "training": {name(word, speaker) for word in ("yes", "no") for speaker in (2, 3)},
        "validation": {name("yes", 0), name("no", 0)},
        "testing": {name("yes", 1), name("no", 1)},
    }
    assert found.splits["training"].counts() == {"no": 2, "yes": 2}
    assert [len(noise) for noise in found.noise] == [2 * RATE, 2 * RATE]
    assert found.refused == []
    only = data.read(tmp_path, ("no", "yes"), ("testing",))
    assert files_of(only) == {"testing": {name("yes", 1), name("no", 1)}}


def test_lists_as_windows_and_editors_write_them(tmp_path):
    write(tmp_path, ["yes", "no"], speakers=3, lists=False)
    listed = "yes\\speaker1_nohash_0.wav\r\n\r\n  ./no/speaker2_nohash_0.wav  "
    (tmp_path / "testing_list.txt").write_bytes(listed.encode())
    found = files_of(data.read(tmp_path, ("no", "yes")))
    assert found["testing"] == {name("yes", 1), name("no", 2)}
    assert len(found["training"]) == 4


def test_empty_lists_leave_all_for_training(tmp_path):
    write(tmp_path, ["yes", "no"], speakers=30, lists=False)
    (tmp_path / "validation_list.txt").touch()
    found = files_of(data.read(tmp_path, ("no", "yes")))
    assert [len(found[split]) for split in SPLITS] == [60, 0, 0]


def test_without_lists_the_speakers_are_split(tmp_path):
    write(tmp_path, ["yes", "no"], speakers=40, lists=False, background=False)
    found = files_of(data.read(tmp_path, ("no", "yes")))
    speakers = [{path.split("/")[1] for path in found[split]} for split in SPLITS]
    assert all(speakers)
    assert sum(map(len, speakers)) == len(set.union(*speakers)) == 40
    for split in SPLITS:
        assert all(which_set(path) == split for path in found[split])


def test_every_file_is_in_one_split_with_its_label_and_its_own_sound(tmp_path):
    write(tmp_path, ["yes", "no", "bird"], speakers=5)
    found = every(data.read(tmp_path, ("yes", "no", "unknown")))
    assert len(set(found.files)) == len(found) == 15
    for waveform, number, file in zip(found.waveforms, found.classes, found.files, strict=True):
        word = file.parent.name
        assert found.labels[number] == (word if word in ("yes", "no") else "unknown")
        assert waveform.dtype == np.int16
        heard = say(word, int(file.name[len("speaker")]))
        np.testing.assert_allclose(to_float(waveform), heard, atol=1e-4)


@pytest.mark.parametrize(
    ("word", "labels", "label"),
    [
        ("yes", ("yes", "unknown"), "yes"),
        ("bird", ("yes", "unknown"), "unknown"),
        ("bird", ("yes", "silence"), None),
        ("_unknown_", ("yes", "unknown"), "unknown"),
        ("_unknown_", ("yes",), None),
        ("_silence_", ("yes", "unknown", "silence"), "silence"),
        ("_silence_", ("yes", "unknown"), None),
        ("silence", ("yes", "silence"), "silence"),
    ],
)
def test_the_label_of_a_folder(word, labels, label):
    assert label_of(word, labels) == label


def test_folders_that_fit_no_label_are_left_out(tmp_path):
    write(tmp_path, ["yes", "bird", "_silence_"], speakers=2, lists=False, background=False)
    (tmp_path / "empty").mkdir()
    (tmp_path / "yes" / "notes.txt").write_text("no sound")
    assert data.words(tmp_path) == ["_silence_", "bird", "yes"]
    found = every(data.read(tmp_path, ("yes", "no")))
    assert found.counts() == {"yes": 2, "no": 0}


def test_bad_files_are_named_and_the_others_used(tmp_path):
    write(tmp_path, ["yes", "no"], speakers=3, lists=False)
    nan = np.full(800, np.nan, np.float32)
    soundfile.write(tmp_path / "yes" / "nan.wav", nan, RATE, subtype="FLOAT")
    (tmp_path / "yes" / "text.wav").write_text("not a sound\n")
    (tmp_path / "no" / "empty.wav").write_bytes(b"")
    (tmp_path / "_background_noise_" / "broken.wav").write_bytes(b"RIFF")
    found = data.read(tmp_path, ("no", "yes"))
    assert len(every(found)) == 6
    assert len(found.noise) == 2
    messages = sorted(str(error) for error in found.refused)
    assert [re.search(r"\w+\.wav", message)[0] for message in messages] == [
        "broken.wav", "empty.wav", "nan.wav", "text.wav",
    ]  # fmt: skip
    assert not any("\n" in message for message in messages)


def test_sounds_of_other_rates_channels_and_formats(tmp_path):
    (tmp_path / "tone").mkdir()
    tone = np.sin(np.arange(48_000) * 2 * np.pi * 500 / 48_000) * 0.5
    soundfile.write(tmp_path / "tone" / "a.flac", np.stack([tone] * 4, 1), 48_000)
    soundfile.write(tmp_path / "tone" / "b.WAV", tone, 48_000, subtype="PCM_U8")
    found = every(data.read(tmp_path, ("tone",)))
    assert [len(waveform) for waveform in found.waveforms] == [RATE, RATE]
    for waveform in found.waveforms:
        inner = slice(1000, -1000)
        np.testing.assert_allclose(to_float(waveform)[inner], sine(500, 1, 0.5)[inner], atol=0.02)


def test_no_more_than_two_minutes_of_a_recording_are_kept(tmp_path):
    (tmp_path / "hum").mkdir()
    soundfile.write(tmp_path / "hum" / "long.flac", silence(150), RATE)
    [waveform] = every(data.read(tmp_path, ("hum",))).waveforms
    assert 120 <= len(waveform) / RATE <= 121


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("yes/absent.wav", "line 2: there is no file 'yes/absent.wav'"),
        ("../yes/speaker1_nohash_0.wav", "line 2: not WORD/FILE"),
        ("yes", "line 2: not WORD/FILE"),
    ],
)
def test_a_list_that_names_what_is_not_there(tmp_path, line, message):
    write(tmp_path, ["yes", "no"], speakers=2)
    (tmp_path / "testing_list.txt").write_text(f"{name('yes', 1)}\n{line}\n")
    with pytest.raises(InputError, match="testing_list.txt, " + re.escape(message)):
        data.read(tmp_path, ("yes", "no"))


def test_a_list_that_is_no_text(tmp_path):
    write(tmp_path, ["yes", "no"], speakers=2)
    (tmp_path / "testing_list.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"testing_list\.txt: cannot be read"):
        data.read(tmp_path, ("yes", "no"))


def test_the_lists_of_a_larger_set_do_for_some_of_its_words(tmp_path):
    write(tmp_path, ["yes", "no"], speakers=3)
    for file in (tmp_path / "no").iterdir():
        file.unlink()
    (tmp_path / "no").rmdir()
    assert files_of(data.read(tmp_path, ("yes", "no"), ("testing",)))["testing"] == {name("yes", 1)}


def test_folders_without_sounds(tmp_path):
    with pytest.raises(InputError, match="no folder of sounds"):
        data.words(tmp_path)
    with pytest.raises(InputError, match="absent: No such file"):
        data.words(tmp_path / "absent")
    with pytest.raises(InputError, match="no sounds in it"):
        data.read_noise(tmp_path)
    write(tmp_path, ["yes"], lists=False)
    (tmp_path / "_background_noise_" / "hum.wav").write_text("hm")
    with pytest.raises(InputError, match=r"hum\.wav"):
        data.read_noise(tmp_path / "_background_noise_")


@settings(deadline=None)
@given(st.lists(st.integers(-32768, 32767)))
def test_16_bit_samples_are_kept_to_the_bit(samples):
    waveform = np.array(samples, np.int16)
    np.testing.assert_array_equal(to_int16(to_float(waveform)), waveform)


def test_what_is_beyond_full_scale_is_clipped():
    assert to_int16(np.array([2.0, 1.0, -1.0, -7.0])).tolist() == [32767, 32767, -32768, -32768]
