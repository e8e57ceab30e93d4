import dataclasses
import json
from pathlib import Path

import pytest

from core.errors import InputError
from core.registry import build
from domains.text import model  # noqa: F401  registers the architectures
from domains.text.data import Example
from domains.text.recipe import (
    RECIPES,
    LabelledFile,
    Recipe,
    balanced,
    prepare,
    read_recipe,
    run_folder,
)

LABELS = ["negative", "neutral", "positive"]


def write(path, *rows):
    path.write_text("".join(f"{label}\t{text}\n" for label, text in rows))
    return path


def test_texts_of_dev_and_test_files_and_repeats_are_not_trained_on(tmp_path):
    data = write(tmp_path / "data.tsv", ("neg", "One bad film"), ("pos", "a good one"),
                 ("pos", "A good one!"), ("neg", "in dev"), ("pos", "in test"))  # fmt: skip
    dev = write(tmp_path / "dev.tsv", ("neg", "IN DEV."), ("pos", "other"))
    test = write(tmp_path / "test.tsv", ("pos", "in  test"), ("odd", "other labels are fine"))
    made = Recipe((LabelledFile(data),), dev=(LabelledFile(dev),), held_out=(LabelledFile(test),))
    ready = prepare(made)
    assert ready.labels == ["negative", "positive"]
    assert [example.text for example in ready.train] == ["One bad film", "a good one"]
    assert [[example.text for example in texts] for texts in ready.dev] == [["IN DEV.", "other"]]


def test_a_label_that_the_first_file_lacks_is_named(tmp_path):
    one = write(tmp_path / "one.tsv", ("neg", "bad"), ("pos", "good"))
    two = write(tmp_path / "two.tsv", ("pos", "good film"), ("neu", "a film"))
    with pytest.raises(InputError, match=r"two\.tsv:2: label 'neutral'"):
        prepare(Recipe((LabelledFile(one), LabelledFile(two))))
    assert (
        prepare(Recipe((LabelledFile(one), LabelledFile(two)), labels=tuple(LABELS))).labels
        == LABELS
    )


def test_training_needs_data():
    with pytest.raises(InputError, match="--data"):
        prepare(Recipe(()))


@pytest.mark.parametrize("name", sorted(path.stem for path in RECIPES.glob("*.toml")))
def test_every_recipe_here_can_be_read(tmp_path, name):
    made = Recipe(**read_recipe(name, tmp_path))
    assert made.data
    for entry in (*made.data, *made.dev, *made.held_out):
        assert entry.path.is_relative_to(tmp_path)
    assert not {entry.path for entry in made.data} & {
        entry.path for entry in (*made.dev, *made.held_out)
    }
    made.training()
    build(made.arch, {"vocabulary": 10, **made.settings})


def test_a_recipe_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        'data = ["a.tsv", {path = "b.tsv", weight = 2.0, labels = {0 = "negative"}}]\n'
        'vectors = ["v.bin"]\nlabels = ["x", "y"]\nepochs = 3\n'
    )
    made = Recipe(**read_recipe(str(path), tmp_path / "data"))
    folder = tmp_path / "data"
    assert made.data == (
        LabelledFile(folder / "a.tsv"), LabelledFile(folder / "b.tsv", 2.0, {"0": "negative"}),
    )  # fmt: skip
    assert made.vectors == (folder / "v.bin",)
    assert made.labels == ("x", "y")
    assert made.training().epochs == 3


def test_an_unknown_recipe_lists_the_known_ones(tmp_path):
    with pytest.raises(InputError, match="'nothing'") as caught:
        read_recipe("nothing", tmp_path)
    for path in RECIPES.glob("*.toml"):
        assert path.stem in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("epochs = ", "odd.toml"),
        ("epoch = 3", "'epoch'"),
        ('data = [{weight = 2.0}]', "data"),
        ('data = [{path = "a.tsv", wait = 2.0}]', "data"),
        ("data = [3]", "data"),
        ("data = 3", "data"),
        ('data = [{path = "a.tsv", weight = "much"}]', "data"),
        ("labels = 3", "labels"),
        ("vectors = [3]", "vectors"),
    ],
)  # fmt: skip
def test_a_bad_recipe_is_named(tmp_path, content, message):
    path = tmp_path / "odd.toml"
    path.write_text(content)
    with pytest.raises(InputError, match=message) as caught:
        read_recipe(str(path), tmp_path)
    assert "odd.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_runs_of_different_recipes_keep_apart(tmp_path):
    one = write(tmp_path / "a.tsv", ("neg", "bad film"))
    two = write(tmp_path / "b.tsv", ("neg", "bad film"))
    made = Recipe((LabelledFile(one),))
    folders = {
        run_folder(changed, tmp_path)
        for changed in (
            made,
            dataclasses.replace(made, seed=2),
            dataclasses.replace(made, settings={"filters": 3}),
            dataclasses.replace(made, data=(LabelledFile(two),)),
        )
    }
    assert len(folders) == 4
    assert all(folder.parent == tmp_path for folder in folders)


@pytest.mark.parametrize("role", ["data", "dev", "held_out", "vectors"])
def test_a_run_belongs_to_what_its_files_hold(tmp_path, role):
    path = write(tmp_path / "a.tsv", ("neg", "bad film"))
    made = Recipe(**{role: (path if role == "vectors" else LabelledFile(path),)})
    before = run_folder(made, tmp_path)
    assert run_folder(made, tmp_path) == before
    write(path, ("neg", "bad film?"))
    assert run_folder(made, tmp_path) != before
    path.unlink()
    with pytest.raises(InputError, match=r"a\.tsv: no such file"):
        run_folder(made, tmp_path)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"settings": {"classes": 7}}, "classes"),
        ({"settings": {"vocabulary": 7}}, "vocabulary"),
        ({"settings": {"dimensions": 7}, "vectors": (Path("v.bin"),)}, "dimensions"),
        ({"labels": ("one",)}, "labels"),
        ({"labels": ("neg", "negative")}, "labels"),
        ({"seed": -1}, "seed"),
    ],
)
def test_a_recipe_that_makes_no_sense(fields, message):
    with pytest.raises(InputError, match=message) as caught:
        Recipe(**fields)
    assert "\n" not in str(caught.value)


def test_patience_needs_a_dev_file(tmp_path):
    data = write(tmp_path / "data.tsv", ("neg", "bad"), ("pos", "good"))
    with pytest.raises(InputError, match="--dev"):
        prepare(Recipe((LabelledFile(data),), patience=2))


@pytest.mark.parametrize("labels", [(), ("negative", "positive")])
def test_texts_of_one_label_teach_nothing(tmp_path, labels):
    data = write(tmp_path / "data.tsv", ("pos", "good"), ("pos", "very good"))
    with pytest.raises(InputError, match=r"data\.tsv: .*two labels"):
        prepare(Recipe((LabelledFile(data),), labels=labels))


def test_short_names_of_labels(tmp_path):
    data = write(tmp_path / "data.tsv", ("pos", "good"), ("negative", "bad"))
    ready = prepare(Recipe((LabelledFile(data),), labels=("neg", "neu", "pos")))
    assert ready.labels == ["negative", "neutral", "positive"]
    assert [example.target.index(1.0) for example in ready.train] == [2, 0]


def test_only_training_texts_take_their_scores_for_their_label(tmp_path):
    """Other texts may have scores of anything."""

    def file(name, scores):
        row = {"text": f"one of {name}", "label": "pos", "scores": scores}
        other = {"text": f"two of {name}", "label": "neg"}
        (tmp_path / name).write_text(json.dumps(row) + "\n" + json.dumps(other) + "\n")
        return LabelledFile(tmp_path / name)

    data = file("data.jsonl", {"positive": 0.75, "negative": 0.25})
    dev, test = file("dev.jsonl", {"negative": 1.0}), file("test.jsonl", {"toxic": 0.1})
    ready = prepare(Recipe((data,), dev=(dev,), held_out=(test,)))
    assert [example.target for example in ready.train] == [(0.25, 0.75), (1.0, 0.0)]
    assert [example.target for example in ready.dev[0]] == [(0.0, 1.0), (1.0, 0.0)]
    with pytest.raises(InputError, match=r"test\.jsonl:1: .*'toxic'"):
        prepare(Recipe((test,)))


def test_columns_by_name(tmp_path):
    (tmp_path / "a.csv").write_text("id,stars,title,body\n1,5,x,good\n2,1,y,bad\n")
    file = LabelledFile(tmp_path / "a.csv", text_column="body", label_column="stars")
    ready = prepare(Recipe((file,)))
    assert ready.labels == ["1", "5"]
    assert [example.text for example in ready.train] == ["good", "bad"]


def test_balance_shows_the_classes_of_a_file_equally_often():
    examples = [Example(str(n), (1.0, 0.0) if n < 30 else (0.0, 1.0), (True, True), 2.0)
                for n in range(40)]  # fmt: skip
    weights = {example.target: example.weight for example in balanced(examples, 1.0)}
    assert weights[1.0, 0.0] * 30 == pytest.approx(weights[0.0, 1.0] * 10) == pytest.approx(40)
    assert balanced(examples, 0.0) == examples


def test_a_dev_file_that_is_the_training_file_leaves_nothing_to_train_on(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text("label,text\nneg,dull film\npos,good film\n")
    with pytest.raises(InputError, match=r"train\.csv: every text to train on stands in the dev"):
        prepare(Recipe(data=(LabelledFile(path),), dev=(LabelledFile(path),)))
