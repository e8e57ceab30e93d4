"""Words spoken by espeak-ng and flite, where these are installed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.errors import InputError
from domains.speech import data, synthesis

speaks = pytest.mark.skipif(
    not (shutil.which("espeak-ng") and shutil.which("flite")), reason="no espeak-ng or flite"
)


@speaks
def test_spoken_words_are_ready_for_training(tmp_path: Path) -> None:
    words = ["tree", "house", "Paris", "it's", "a", "extraordinarily", "tree"]
    assert synthesis.synthesise(words, ["no", "go"], tmp_path, unknown=8, each=3, seed=1) == 14
    found = data.read(tmp_path, ("no", "go", "unknown"))
    assert found.splits["training"].counts() == {"no": 3, "go": 3, "unknown": 8}
    assert not found.splits["validation"].files
    assert {path.name.split("-")[0] for path in (tmp_path / "_unknown_").iterdir()} <= {
        "tree",
        "house",
    }
    for path in tmp_path.rglob("*.wav"):
        clip, rate = soundfile.read(path)
        assert (len(clip), rate) == (16_000, 16_000)
        loud = np.flatnonzero(np.abs(clip) > 0.01 * np.abs(clip).max())
        assert abs(loud[0] - (16_000 - loud[-1])) < 200, "the word stands in the middle"


@speaks
def test_what_sounds_like_a_keyword_is_no_unknown_word(tmp_path: Path) -> None:
    words = ["know", "write", "wright", "lake"]
    synthesis.synthesise(words, ["no", "right"], tmp_path, unknown=30, each=1, seed=1)
    spoken = {path.name.split("-")[0] for path in (tmp_path / "_unknown_").iterdir()}
    assert spoken == {"lake"}


@speaks
def test_the_same_seed_says_the_same(tmp_path: Path) -> None:
    for name in ("one", "two"):
        synthesis.synthesise(["lake", "hill"], ["no"], tmp_path / name, unknown=3, each=1, seed=5)
    ones, twos = (sorted((tmp_path / name).rglob("*.wav")) for name in ("one", "two"))
    assert [path.read_bytes() for path in ones] == [path.read_bytes() for path in twos]


@speaks
def test_no_word_that_can_be_spoken(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no word of 2 to 9 small letters among 2"):
        synthesis.synthesise(["A", "x2"], ["no"], tmp_path, unknown=3, each=1, seed=1)


def test_without_the_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="espeak-ng: no such program"):
        synthesis.synthesise(["lake"], ["no"], tmp_path / "out", unknown=3, each=1, seed=1)


def test_silence_before_and_after_is_cut() -> None:
    sound = np.array([0, 0.001, 0.5, 0, -1, 0.002, 0], np.float32)
    assert synthesis.trimmed(sound).tolist() == [0.5, 0, -1]
    assert len(synthesis.trimmed(np.zeros(5, np.float32))) == 0
