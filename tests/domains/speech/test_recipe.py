"""Recipes of recognisers, and the clips that they ask for."""

import dataclasses
import re

import pytest
import soundfile
from tiny_model import silence
from tone_words import name, say, write

from core import registry
from core.errors import InputError
from core.recipes import read_fields
from core.registry import configure
from domains.speech import model  # noqa: F401  registers the networks
from domains.speech.audio import frames
from domains.speech.data import split_by_speaker
from domains.speech.recipe import RECIPES, Recipe, labels, prepare, run_folder

KEYWORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")


@pytest.mark.parametrize("file", sorted(path.stem for path in RECIPES.glob("*.toml")))
def test_the_projects_own_recipes_are_of_the_twelve_classes(file):
    made = configure(Recipe, read_fields(file, RECIPES, Recipe), "a recipe")
    assert made.keywords == KEYWORDS
    assert frames(made.samples) == 98
    registry.build(made.arch, made.settings)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("keywords", ("yes",)), ("keywords", ("yes", "yes")), ("unknown", -0.1), ("made_up", -0.1),
        ("silence", 0.7), ("seconds", 0.02), ("seconds", 11.0), ("learning_rate", 0.0),
        ("momentum", 1.0), ("weight_decay", -1.0), ("label_smoothing", 1.0), ("epochs", 0),
        ("batch_size", 0), ("schedule", "linear"), ("warmup", 1.0), ("precision", "8"),
        ("workers", -1), ("gradient_clip", 0.0), ("seconds", float("nan")),
    ],
)  # fmt: skip
def test_values_that_make_no_sense(field, value):
    with pytest.raises(InputError, match=f"{field} cannot be {re.escape(repr(value))}"):
        Recipe(**{field: value})


def test_a_keyword_cannot_be_held_out():
    with pytest.raises(InputError, match="held_out"):
        Recipe(keywords=("yes", "no"), held_out=("no",))


@pytest.mark.parametrize(
    ("folders", "background", "keywords", "expected"),
    [
        (["yes", "no"], False, (), ("no", "yes")),
        (["yes", "no"], True, (), ("no", "yes", "silence")),
        (["yes", "no", "_unknown_", "_silence_"], False, (), ("no", "yes", "unknown", "silence")),
        (["yes", "no", "unknown", "silence"], False, (), ("no", "yes", "unknown", "silence")),
        (["yes", "no", "bird"], True, ("yes", "no"), ("yes", "no", "unknown", "silence")),
        (["yes", "no", "_unknown_"], False, ("yes", "no"), ("yes", "no", "unknown")),
        (["yes", "no", "_silence_"], False, ("yes", "no"), ("yes", "no", "silence")),
        (["yes", "no"], False, ("yes", "no"), ("yes", "no")),
        (["yes"], True, (), ("yes", "silence")),
    ],
)
def test_what_there_is_to_tell_apart(tmp_path, folders, background, keywords, expected):
    """Keywords in the order in which they are named, then unknown words, then silence."""
    write(tmp_path, folders, speakers=1, lists=False, background=background)
    assert labels(Recipe(keywords=keywords), tmp_path) == expected


def test_an_empty_folder_of_noise_is_none(tmp_path):
    write(tmp_path, ["yes", "no"], lists=True, background=False)
    (tmp_path / "_background_noise_").mkdir()
    assert labels(Recipe(), tmp_path) == ("no", "yes")
    assert prepare(Recipe(), tmp_path).noise == []


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (Recipe(keywords=("yes", "left")), "no folder of sounds called 'left'"),
        (Recipe(held_out=("left",)), "no folder of sounds called 'left'"),
        (Recipe(), "only 'yes' to tell apart"),
    ],
)
def test_folders_that_are_missed(tmp_path, recipe, message):
    write(tmp_path, ["yes"], lists=False, background=False)
    with pytest.raises(InputError, match=message):
        labels(recipe, tmp_path)


def test_nothing_of_the_test_split_is_read(tmp_path):
    write(tmp_path, ["yes", "no"], speakers=4)
    ready = prepare(Recipe(), tmp_path)
    assert ready.train.labels == ready.validation.labels == ("no", "yes", "silence")
    assert ready.train.counts() == {"no": 2, "yes": 2, "silence": 0}
    assert ready.validation.counts() == {"no": 1, "yes": 1, "silence": 0}
    heard = {f"{file.parent.name}/{file.name}" for clips in (ready.train, ready.validation)
             for file in clips.files}  # fmt: skip
    assert not heard & {name("yes", 1), name("no", 1)}
    assert len(ready.noise) == 2


def test_held_out_words_are_heard_in_validation_only(tmp_path):
    write(tmp_path, ["yes", "no", "bird", "cat"], speakers=4)
    made = Recipe(keywords=("yes", "no"), held_out=("cat",))
    ready = prepare(made, tmp_path)
    words = [
        [file.parent.name for file in clips.files] for clips in (ready.train, ready.validation)
    ]
    assert set(words[0]) == {"yes", "no", "bird"}
    assert words[1].count("cat") == 3  # but the one for testing
    assert ready.train.counts() == {"yes": 2, "no": 2, "unknown": 2, "silence": 0}


def test_several_folders_are_one_set(tmp_path):
    one = write(tmp_path / "one", ["yes", "no"], speakers=4)
    two = write(tmp_path / "two", ["no", "_unknown_"], speakers=3, background=False)
    for file in two.glob("*_list.txt"):
        file.write_text("")
    (two / "no" / "bad.wav").write_text("no sound")
    made = Recipe(keywords=("yes", "no"))
    assert labels(made, one, two) == labels(made, two, one) == ("yes", "no", "unknown", "silence")
    ready = prepare(made, one, two)
    assert ready.train.counts() == {"yes": 2, "no": 2 + 3, "unknown": 3, "silence": 0}
    assert ready.validation.counts() == {"yes": 1, "no": 1, "unknown": 0, "silence": 0}
    assert len(ready.noise) == 2
    assert ["bad.wav" in str(error) for error in ready.refused] == [True]


def test_a_word_needs_clips_to_train_on(tmp_path):
    write(tmp_path, ["yes", "no"], speakers=2)
    with pytest.raises(InputError, match="no clip of 'no' to train on"):
        prepare(Recipe(), tmp_path)
    other = write(tmp_path / "other", ["yes", "no"], speakers=1, lists=False)
    with pytest.raises(InputError, match="no clip of 'no' to train on"):
        prepare(Recipe(), other)


def test_a_run_is_of_its_recipe_and_its_clips(tmp_path):
    write(tmp_path / "a", ["yes", "no"], speakers=3)
    made = Recipe()
    ready = prepare(made, tmp_path / "a")
    here = run_folder(made, ready, {}, tmp_path)
    assert here.parent == tmp_path
    assert here == run_folder(made, prepare(made, tmp_path / "a"), {}, tmp_path)
    assert here == run_folder(dataclasses.replace(made, workers=3), ready, {}, tmp_path)
    assert here != run_folder(dataclasses.replace(made, seed=2), ready, {}, tmp_path)

    soundfile.write(tmp_path / "a" / name("yes", 2), silence(0.5), 16_000)
    assert here != run_folder(made, prepare(made, tmp_path / "a"), {}, tmp_path)
    moved = dataclasses.replace(ready, noise=ready.noise[:1])
    assert here != run_folder(made, moved, {}, tmp_path)
    assert here != run_folder(made, ready, {"other.safetensors": "5e"}, tmp_path)


def test_a_small_folder_leaves_a_speaker_to_validate_on(tmp_path):
    folder = tmp_path / "sounds"
    for word in ("yes", "no"):
        (folder / word).mkdir(parents=True)
        for speaker in ("bob", "eve", "kim"):
            assert split_by_speaker(f"{word}/{speaker}_nohash_0.wav") == "training"
            soundfile.write(folder / word / f"{speaker}_nohash_0.wav", say(word), 16_000)
    ready = prepare(Recipe(), folder)
    [held] = {file.name for file in ready.validation.files}
    assert len(ready.validation) == 2 and len(ready.train) == 4
    assert held not in {file.name for file in ready.train.files}
