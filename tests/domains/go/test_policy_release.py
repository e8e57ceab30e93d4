"""From a recipe to a released network and its answers."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_games import prepared, random_record, write_records

from core import registry, weights
from core.errors import InputError
from core.recipes import read_fields
from core.registry import configure
from domains.go import features, recipe, release, symmetry
from domains.go import games as game_files
from domains.go.board import Board
from domains.go.games import Games
from domains.go.policy import Policy
from domains.go.recipe import Recipe

SMALL = {"settings": {"filters": 8, "blocks": 1}, "positions": 96, "epoch": 48, "batch_size": 16}


@pytest.fixture(scope="module")
def games(tmp_path_factory):
    folder = tmp_path_factory.mktemp("games")
    return Games.load(
        prepared(
            folder,
            old=[random_record(seed) for seed in range(4)],
            new=[random_record(seed, handicap=2) for seed in (10, 11)],
            newest=[random_record(20)],
        )
    )


def made(games, out, **fields):
    wanted = Recipe(**SMALL, validation=("new",), left_out=("newest",), **fields)
    run = out.with_name(f"{out.name}.run")
    return release.release(wanted, games, run, out, "receptive go train")


@pytest.fixture(scope="module")
def policy(games, tmp_path_factory):
    return Policy.load(str(made(games, tmp_path_factory.mktemp("model") / "small").path))


def test_the_card_says_what_was_done(policy):
    card = policy.card
    weights.verify(card)
    assert card.domain == "go"
    assert card.metrics["positions"] == 96
    assert card.metrics["device"] == "CPU" or torch.cuda.is_available()
    assert 0 <= card.metrics["validation"]["top1"] <= card.metrics["validation"]["top5"] <= 1
    assert card.metrics["validation"]["n"] == 60
    assert [entry["use"] for entry in card.data] == ["training, weight 1", "validation", "left out"]


@pytest.mark.parametrize("size", [5, 9, 19])
def test_the_answers_are_those_of_the_network(policy, size):
    network = registry.build(policy.card.architecture, policy.card.config).eval()
    tensors = weights.load(policy.card)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in tensors.items()})
    board = Board(size)
    board.play(7)
    planes = torch.from_numpy(features.planes(board)[None].astype(np.float32))
    with torch.no_grad():
        expected = network(planes).softmax(1)[0].numpy()
    found = policy.probabilities(board, symmetries=1)
    assert found.shape == (size * size,)
    assert found == pytest.approx(expected, abs=1e-4)
    assert found.sum() == pytest.approx(1, abs=1e-4)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 80), max_size=25), st.integers(0, 7))
def test_the_mean_of_eight_turns_with_the_board(policy, points, turn):
    board, turned = Board(9), Board(9)
    for point in points:
        if board.is_legal(point) and turned.is_legal(int(symmetry.table(9)[turn][point])):
            board.play(point)
            turned.play(int(symmetry.table(9)[turn][point]))
    here, there = policy.probabilities(board), policy.probabilities(turned)
    assert there[symmetry.table(9)[turn]] == pytest.approx(here, abs=1e-4)


def test_both_colours_see_their_own_stones(policy):
    board, mirrored = Board(9), Board(9)
    board.place(black=[40, 41], white=[30])
    mirrored.place(white=[40, 41], black=[30])
    found = policy.probabilities(board, 1)
    assert found == pytest.approx(policy.probabilities(mirrored, -1), abs=1e-6)
    assert not np.allclose(found, policy.probabilities(board, -1))


def test_a_finished_model_is_left_and_another_recipe_does_not_overwrite_it(games, tmp_path):
    first = made(games, tmp_path / "model")
    written = first.path.with_suffix(".safetensors").stat().st_mtime_ns
    assert made(games, tmp_path / "model").files == first.files
    assert first.path.with_suffix(".safetensors").stat().st_mtime_ns == written
    with pytest.raises(InputError, match=r"model\.toml: there already"):
        made(games, tmp_path / "model", seed=2)
    assert first.path.with_suffix(".safetensors").stat().st_mtime_ns == written


def test_an_interrupted_run_ends_with_the_same_weights(games, tmp_path, monkeypatch):
    whole = made(games, tmp_path / "whole")
    calls = 0

    def interrupted(model, batch):
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KeyboardInterrupt
        return loss(model, batch)

    loss = release.loss
    monkeypatch.setattr(release, "loss", interrupted)
    with pytest.raises(KeyboardInterrupt):
        made(games, tmp_path / "model")
    assert not (tmp_path / "model.toml").exists()
    monkeypatch.undo()
    assert (
        made(games, tmp_path / "model").files["model.safetensors"]
        == (whole.files["whole.safetensors"])
    )


def test_training_goes_on_from_a_models_weights(policy, games, tmp_path):
    start = str(policy.card.path)
    further = made(games, tmp_path / "further", start=start, learning_rate=1e-9)
    before, after = weights.load(policy.card), weights.load(further)
    for name, value in before.items():
        if "running" not in name and "num_batches" not in name:
            assert after[name] == pytest.approx(value, abs=1e-5)
    assert further.metrics["positions"] == 2 * 96
    with pytest.raises(InputError, match="a policy-resnet, not a alphago"):
        made(games, tmp_path / "other", start=start, arch="alphago")


@pytest.mark.parametrize(
    ("arch", "chosen", "planes"),
    [
        ("alphago", {"filters": 4, "layers": 2}, 48),
        ("alphago", {"filters": 4, "layers": 2, "planes": 1}, 1),
        ("go-fully-connected", {"hidden": 8}, 1),
    ],
)
def test_the_other_networks_are_released_and_play_on_their_board(
    games, tmp_path, arch, chosen, planes
):
    fields = {**SMALL, "settings": chosen, "arch": arch, "validation": ("new",)}
    card = release.release(Recipe(**fields), games, tmp_path / "run", tmp_path / "model", "")
    policy = Policy.load(str(card.path))
    assert policy.planes == planes
    board = Board(19)
    board.play(60)
    assert policy.probabilities(board).sum() == pytest.approx(1, abs=1e-4)
    black, white = policy.probabilities(board, 1), policy.probabilities(board, -1)
    assert not np.allclose(black, white)
    with pytest.raises(InputError, match="plays on 19x19, not 9x9"):
        policy.probabilities(Board(9))


def test_a_small_board_is_trained_on_as_such_and_a_start_that_changed_is_a_new_run(tmp_path):
    small = Games.load(prepared_on(9, tmp_path))
    card = release.release(Recipe(**SMALL), small, tmp_path / "run", tmp_path / "nine", "")
    assert card.config["size"] == card.preprocessing["size"] == 9
    assert "2% of all games for validation" in card.data[0]["use"]
    with pytest.raises(InputError, match="size cannot be 19: the games are on 9x9"):
        wrong = Recipe(**{**SMALL, "settings": {"filters": 8, "blocks": 1, "size": 19}})
        release.release(wrong, small, tmp_path / "run", tmp_path / "wrong", "")

    further = Recipe(**SMALL, start=str(card.path))
    one = release.release(further, small, tmp_path / "run", tmp_path / "further", "")
    card.path.unlink()
    release.release(Recipe(**SMALL, seed=3), small, tmp_path / "run3", tmp_path / "nine", "")
    other = release.release(further, small, tmp_path / "run", tmp_path / "other", "")
    assert one.files["further.safetensors"] != other.files["other.safetensors"]


def prepared_on(size, tmp_path):
    out = tmp_path / "small.games"
    records = [random_record(seed, size) for seed in range(3)]
    game_files.prepare([write_records(records, tmp_path / "records")], out, size)
    return out


def test_whole_games_are_split(games):
    ready = recipe.prepare(Recipe(**SMALL, validation=("new",), left_out=("newest",)), games)
    assert len(ready.train) == 4 * 30
    assert len(ready.validation) == 2 * 30
    ready = recipe.prepare(Recipe(**SMALL, weights={"old": 0.5}), games)
    held_out = set(np.searchsorted(games.start, ready.validation.moves, side="right") - 1)
    trained = set(np.searchsorted(games.start, ready.train.moves, side="right") - 1)
    assert not held_out & trained
    assert len(held_out | trained) == 7
    assert ready.weight.tolist() == [0.5] * 4 + [1] * 3


def test_archives_are_named_in_any_case():
    for name in ("kgs-2017_01.tar.gz", "KGS-2017_01-19-733-.tar.gz", "kgs-19-2017-01-new"):
        assert recipe.is_named(name, "kgs*2017?01*")
        assert not recipe.is_named(name, "kgs*2017?02*")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"validation": ("absent",)}, "no archive 'absent' among: "),
        ({"left_out": ("*",)}, "no position is left to train on"),
        ({"learning_rate": 0}, "learning_rate cannot be 0"),
        ({"weights": {"old": -1}}, "weights cannot be"),
        ({"positions": 10}, "batch_size cannot be 16"),
        ({"start": "no-such-model"}, "no-such-model"),
    ],
)
def test_a_recipe_that_makes_no_sense(games, tmp_path, fields, message):
    with pytest.raises(InputError, match=message):
        recipe_of = Recipe(**{**SMALL, **fields})
        release.release(recipe_of, games, tmp_path / "run", tmp_path / "model", "")


def test_every_recipe_in_the_box_can_be_read():
    for path in recipe.RECIPES.glob("*.toml"):
        wanted = configure(Recipe, read_fields(path.stem, recipe.RECIPES, Recipe), path.stem)
        entry = registry.architecture(wanted.arch)
        registry.configure(entry.config, wanted.settings, path.stem)
    with pytest.raises(InputError, match=r"known: .*go-policy"):
        read_fields("no-such-recipe", recipe.RECIPES, Recipe)


def test_a_card_of_another_kind_is_refused(policy, tmp_path):
    card = dataclasses.replace(policy.card, domain="text")
    weights.save(card, weights.load(policy.card), tmp_path, {})
    with pytest.raises(InputError, match="'text', not a Go network"):
        Policy.load(str(tmp_path / card.path.name))
    with pytest.raises(InputError, match="no-such"):
        Policy.load("no-such")
    Path(tmp_path / card.path.name).write_text("nonsense")
    with pytest.raises(InputError):
        Policy.load(str(tmp_path / card.path.name))
