"""Which model stands where a run would write its own."""

import dataclasses

import numpy as np
import pytest

from core import weights
from core.errors import InputError
from core.runs import finish, released

CARD = weights.Card(
    name="net", domain="image", architecture="lenet5", config={}, labels=["cat", "dog"],
    preprocessing={}, description="", data=[], licence="", command="", metrics={},
)  # fmt: skip


@pytest.fixture
def model(tmp_path):
    """A model as a run released it: its path without suffix, and the run's place."""
    place = tmp_path / "net.run" / "0123456789ab"
    place.mkdir(parents=True)
    card = weights.save(CARD, {"weight": np.arange(3.0)}, tmp_path, {"net.onnx": b"graph"})
    finish(place, {"files": card.files})
    return tmp_path / "net", place


def test_nothing_stands_there(tmp_path):
    assert released(tmp_path / "net.run" / "0123456789ab", tmp_path / "net") is None


def test_a_runs_own_model_is_found(model):
    out, place = model
    card = released(place, out)
    assert card == weights.read_card(out.with_suffix(".toml"))
    assert released(place, out, ("cat", "dog")) == card
    recorded = weights.record(card, "test", {"accuracy": 0.5})
    assert released(place, out) == recorded


@pytest.mark.parametrize("suffix", [".safetensors", ".onnx"])
def test_of_its_own_model_a_run_may_make_what_is_lost_or_altered(model, suffix):
    out, place = model
    out.with_suffix(suffix).write_bytes(b"altered")
    assert released(place, out) is None
    out.with_suffix(suffix).unlink()
    assert released(place, out) is None


def test_a_model_may_be_trained_further_in_its_own_place(model):
    out, place = model
    start = weights.read_card(out.with_suffix(".toml"))
    further = place.with_name("ba9876543210")
    assert released(further, out, start=start) is None
    assert released(place, out, start=start) == start
    other = dataclasses.replace(start, files={"net.safetensors": "0" * 64})
    with pytest.raises(InputError, match="there already"):
        released(further, out, start=other)


def other_recipe(out, place):
    place.rename(place.with_name("ba9876543210"))


def other_labels(out, place):
    card = weights.read_card(out.with_suffix(".toml"))
    weights.record(dataclasses.replace(card, labels=["hen", "pig"]), "test", {})


def recipe_of_that_name(out, place):
    out.with_suffix(".toml").write_text("epochs = 3\n")


def other_files(out, place):
    finish(place, {"files": {"net.safetensors": "0" * 64}})


@pytest.mark.parametrize("change", [other_recipe, other_labels, recipe_of_that_name, other_files])
def test_what_another_made_is_not_to_be_overwritten(model, change):
    out, place = model
    change(out, place)
    with pytest.raises(InputError) as caught:
        released(place, out, ["cat", "dog"])
    assert str(caught.value) == (
        f"{out}.toml: there already, and not known to come of this recipe and these data: "
        "delete it, or name another --out"
    )
