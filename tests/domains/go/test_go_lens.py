"""The lens on the policy network: records as planes, named filters, a board that wants a move."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from made_up_games import prepared, random_record, write_records

from core import registry
from core.blocks import Conv
from core.errors import InputError
from domains.go import features, games, lens, sgf, vertices
from domains.go.board import Board
from domains.go.policy import Policy
from domains.go.wanting import wanting


@pytest.fixture(scope="module")
def subject():
    return lens.subject()


@pytest.fixture(scope="module")
def small():
    """A fresh network on boards of 9x9."""
    torch.manual_seed(0)
    config = {"size": 9, "filters": 8, "blocks": 1}
    network = registry.build("policy-resnet", config).eval().requires_grad_(False)
    names = tuple(vertices.name(point, 9) for point in range(81))
    empty = lens.as_input(features.planes(Board(9)))
    return lens.Subject(
        "small", network, (48, 9, 9), names, empty, torch.tensor(0.0), torch.tensor(1.0)
    )


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """A file with one game of 30 moves, and the game."""
    made = random_record(3)
    return write_records([made], tmp_path_factory.mktemp("game")) / "0.sgf", made


def test_it_answers_as_the_policy_does_on_the_same_board(subject, record):
    file, made = record
    policy = Policy.load()
    for move in (1, 12, 30):
        planes = lens.read(f"{file}:{move}", subject)
        found = subject.network(planes[None]).softmax(1)[0]
        right = policy.probabilities(sgf.board_at(made, move - 1), symmetries=1)
        np.testing.assert_allclose(found, right, atol=1e-4)
        best = subject.labels[int(found.argmax())]
        assert vertices.parse(best, 19) == right.argmax()
    assert (subject.labels[0], subject.labels[18], subject.labels[-1]) == ("A19", "T19", "T1")


def test_neutral_is_the_empty_board(subject):
    assert subject.neutral.shape == subject.shape == (48, 19, 19)
    assert subject.neutral[:2].sum() == 0
    assert (subject.neutral[2:4] == 1).all()


def test_weights_want_no_gradient_and_inputs_may(subject):
    assert not any(weight.requires_grad for weight in subject.network.parameters())
    planes = subject.neutral[None].clone().requires_grad_()
    subject.network(planes)[0, 0].backward()
    assert planes.grad.abs().sum() > 0


def test_a_record_is_read_before_a_move_or_at_its_end(record):
    file, made = record
    assert str(lens.position(f"{file}:5")) == str(sgf.board_at(made, 4))
    assert lens.position(f"{file}:5").to_play == made.moves[4][0]
    assert str(lens.position(file)) == str(sgf.board_at(made))


def test_a_file_whose_name_ends_like_a_move_is_that_file(record, tmp_path):
    file, made = record
    (tmp_path / "game.sgf:7").write_bytes(file.read_bytes())
    assert str(lens.position(tmp_path / "game.sgf:7")) == str(sgf.board_at(made))


@pytest.mark.parametrize("move", [0, 31])
def test_a_move_that_is_not_there(record, move):
    with pytest.raises(InputError, match=f"has moves 1 to 30: no {move}$"):
        lens.position(f"{record[0]}:{move}")


def test_what_is_no_position_of_the_network(subject, tmp_path):
    write_records([random_record(1, size=9, moves=4)], tmp_path)
    with pytest.raises(InputError, match="a board of 9x9, not 19x19"):
        lens.read(tmp_path / "0.sgf", subject)
    (tmp_path / "none.sgf").write_text("no game")
    with pytest.raises(InputError, match=r"none\.sgf: no game"):
        lens.read(tmp_path / "none.sgf", subject)
    with pytest.raises(InputError, match="no such file"):
        lens.read(tmp_path / "gone.sgf:3", subject)
    with pytest.raises(InputError, match="a model of domain 'image', not a Go network"):
        lens.subject("domains/image/weights/digits.toml")


def test_a_network_of_one_plane_sees_one(small, record):
    single = replace(small, shape=(1, 19, 19))
    planes = lens.read(record[0], single)
    stones = sgf.board_at(record[1]).stones
    assert planes.shape == (1, 19, 19)
    assert (planes[0].abs().numpy() == abs(stones)).all()


def test_real_positions_come_from_games_and_from_records(small, tmp_path):
    records = [random_record(seed, size=9, moves=20) for seed in range(5)]
    file = tmp_path / "games"
    games.prepare([write_records(records, tmp_path / "sgf")], file, size=9)
    played = sum(point >= 0 for made in records for _, point in made.moves)
    of_games = torch.cat(list(lens.real(small, file, seed=1)))
    of_records = torch.cat(list(lens.real(small, tmp_path / "sgf", seed=1)))
    assert of_games.shape == (played, 48, 9, 9)
    assert of_games.equal(of_records)
    right = {features.planes(sgf.board_at(made, turn)).tobytes()
             for made in records for turn in range(20)}  # fmt: skip
    assert {planes.numpy().astype(np.uint8).tobytes() for planes in of_games} <= right
    assert torch.cat(list(lens.real(small, file, 7, seed=2))).shape[0] == 7


def test_real_positions_of_another_size_are_refused(small, tmp_path):
    file = prepared(tmp_path, some=[random_record(0)])
    with pytest.raises(InputError, match="boards of 19x19, not 9x9"):
        next(lens.real(small, file))


def test_planes_have_names():
    names = lens.plane_names(48)
    assert len(names) == len(set(names)) == 48
    assert names[:5] == [*lens.STONES, "ones", "turns since 1"]
    assert names[11:13] == ["turns since 8 or more", "liberties 1"]
    assert names[20] == "capture size 0" and names[27] == "capture size 7 or more"
    assert names[44:] == ["ladder capture", "ladder escape", "sensibleness", "zeros"]


def test_a_filter_is_read_on_its_strongest_planes(small):
    first = Conv(48, 2, 3, padding=1)
    with torch.no_grad():
        first.conv.weight.zero_()
        first.conv.weight[1, 12, 0, 0] = -3  # liberties 1
        first.conv.weight[1, 0, 1, 2] = 2  # own stones
    network = torch.nn.Sequential(first, torch.nn.Flatten())
    found = lens.patterns(replace(small, network=network), 1, most=2)
    assert [pattern.plane for pattern in found] == ["liberties 1", "own stones"]
    assert found[0].weights.tolist() == [[-3, 0, 0], [0, 0, 0], [0, 0, 0]]
    with pytest.raises(InputError, match="has filters 0 to 1: no 2"):
        lens.patterns(replace(small, network=network), 2)


def test_a_board_wants_a_move_as_good_as_surely(subject):
    found = wanting(subject, "k10")
    point = vertices.parse("K10", 19)
    assert found.board.is_legal(point) and found.board.to_play == 1
    by_policy = Policy.load().probabilities(found.board, symmetries=1)[point]
    assert by_policy == pytest.approx(found.probability, abs=1e-3)
    assert found.probability > 0.99
    assert Policy.load().probabilities(Board(), symmetries=1)[point] < 0.01


@pytest.mark.parametrize("vertex", ["A1", "E5", "J9"])
def test_wanted_boards_are_legal_and_the_same_again(small, vertex):
    told = []
    found = wanting(small, vertex, seed=4, steps=25, progress=lambda *step: told.append(step))
    again = wanting(small, vertex, seed=4, steps=25)
    point = vertices.parse(vertex, 9)
    assert found.probability == again.probability
    assert str(found.board) == str(again.board)
    assert found.board.is_legal(point)
    assert found.board.captured(1) == found.board.captured(-1) == 0
    planes = lens.as_input(features.planes(found.board))[None]
    chance = float(small.network(planes).softmax(1)[0, point])
    assert chance == pytest.approx(found.probability, abs=1e-5)
    assert chance > small.network(small.neutral[None]).softmax(1)[0, point]
    assert told[0] == (1, 25) and told[-1][0] == len(told)


def test_no_board_wants_what_is_no_vertex(small):
    for vertex in ("K1", "pass", "I3"):
        with pytest.raises(InputError, match=re.escape("no vertex on a 9x9 board")):
            wanting(small, vertex)
