import numpy as np
import pytest
import torch
from made_up_games import prepared, random_record

from core.errors import InputError
from domains.go import evaluation, sgf
from domains.go.data import Positions
from domains.go.games import Games


def test_ranks_and_chances_by_hand():
    probabilities = np.array([[0.1, 0.6, 0.3], [0.4, 0.4, 0.2], [0.5, 0.3, 0.2]], np.float32)
    ranks, chances = evaluation.ranked(probabilities, np.array([1, 0, 2]))
    assert ranks.tolist() == [1, 2, 3]  # of two equals neither is the first choice
    assert chances == pytest.approx([0.6, 0.4, 0.2])
    found = evaluation.figures(ranks, chances)
    assert found["top1"] == pytest.approx(1 / 3, abs=1e-4)
    assert found["top5"] == 1.0
    assert found["loss"] == pytest.approx(-np.log([0.6, 0.4, 0.2]).mean(), abs=1e-4)
    assert found["n"] == 3


class Foresees:
    """Gives the move at the centre of each board's lowest free point half the probability."""

    planes = 48

    def __init__(self, played, wrong_after):
        self.played, self.wrong_after = iter(played), wrong_after

    def answer(self, planes, symmetries):
        answers = np.full((len(planes), planes.shape[-1] ** 2), 1e-3, np.float32)
        for row, board in zip(answers, planes, strict=True):
            point = next(self.played)
            stones = int(board[:2].sum())
            row[point] = 0.5 if stones < self.wrong_after else 1e-6
        return answers


def test_figures_by_phase(tmp_path):
    games = Games.load(prepared(tmp_path, one=[random_record(5, moves=170)]))
    positions = Positions.of(games, np.ones(1, bool))
    policy = Foresees(games.moves[positions.moves], wrong_after=40)
    found = evaluation.evaluate(policy, positions, 1)
    assert {name: phase["n"] for name, phase in found["phases"].items()} == {
        "opening": 50, "middle game": 100, "endgame": 20,
    }  # fmt: skip
    assert found["n"] == 170
    assert found["phases"]["opening"]["top1"] > 0.7
    assert found["phases"]["endgame"]["top1"] == 0
    total = sum(phase["top1"] * phase["n"] for phase in found["phases"].values())
    assert found["top1"] == pytest.approx(total / 170, abs=1e-3)


def test_validation_agrees_with_torch(tmp_path):
    games = Games.load(prepared(tmp_path, one=[random_record(6, moves=150)]))
    positions = Positions.of(games, np.ones(1, bool))
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48 * 361, 361))
    with torch.no_grad():
        found = evaluation.validation(network, positions, 48)
        planes, played = positions.batch(range(150), np.zeros(150, np.int64))
        logits = network(torch.from_numpy(planes).float())
    target = torch.from_numpy(played)
    expected = torch.nn.functional.cross_entropy(logits, target).item()
    assert found["loss"] == pytest.approx(expected, abs=1e-3)
    top5 = (logits.topk(5).indices == target[:, None]).any(1).float().mean().item()
    assert found["top5"] == pytest.approx(top5, abs=1e-4)


def test_games_without_a_stone_have_no_figures(tmp_path):
    games = Games.load(prepared(tmp_path, one=[sgf.GameRecord(moves=((1, -1), (-1, -1)))]))
    with pytest.raises(InputError, match="no stone is played"):
        evaluation.evaluate(None, Positions.of(games, np.ones(1, bool)), 1)
