import numpy as np
import pytest
import torch
from made_up_games import prepared, random_record

from domains.go import features, sgf, symmetry
from domains.go.data import PolicyData, Positions, loss
from domains.go.games import Games
from domains.go.rules import BLACK, PASS, WHITE

RECORDS = [random_record(1), random_record(2, handicap=3), random_record(3, moves=7)]


@pytest.fixture(scope="module")
def games(tmp_path_factory):
    return Games.load(prepared(tmp_path_factory.mktemp("games"), one=RECORDS[:2], two=RECORDS[2:]))


def everything(games):
    return Positions.of(games, np.ones(len(games), bool))


@pytest.mark.parametrize("turn", range(8))
def test_a_position_is_the_board_before_the_move(games, turn):
    positions = everything(games)
    assert len(positions) == sum(len(record.moves) for record in RECORDS)
    planes, played = positions.batch(range(len(positions)), np.full(len(positions), turn))
    i = 0
    for record in RECORDS:
        for number, (colour, point) in enumerate(record.moves):
            board = sgf.board_at(record, number)
            expected = symmetry.apply(features.planes(board, colour), turn)
            assert np.array_equal(planes[i], expected)
            assert played[i] == symmetry.table(19)[turn][point]
            i += 1


def test_passes_are_nothing_to_learn(tmp_path):
    moves = ((BLACK, 60), (WHITE, PASS), (BLACK, PASS), (WHITE, 70))
    games = Games.load(prepared(tmp_path, one=[sgf.GameRecord(moves=moves)]))
    positions = everything(games)
    planes, played = positions.batch([0, 1], np.zeros(2, np.int64))
    assert played.tolist() == [60, 70]
    assert planes[1, 1].ravel().tolist().index(1) == 60  # the opponent's stone, two passes ago


def test_only_the_chosen_games_are_drawn_and_as_often_as_their_weight_says(games):
    some = np.array([True, False, True])
    positions = Positions.of(games, some)
    data = PolicyData(positions, np.array([1.0, 5.0, 4.0]), epoch=20_000, planes=48)
    plan = data.plan(0, 100, np.random.default_rng(0))
    assert [len(batch) for batch in plan] == [100] * 200
    drawn = positions.moves[np.concatenate(plan)]
    last = (drawn >= games.start[2]).mean()
    assert last == pytest.approx(7 * 4 / (30 + 7 * 4), abs=0.02)
    assert not ((drawn >= games.start[1]) & (drawn < games.start[2])).any()


def test_a_batch_is_a_function_of_its_generator(games):
    data = PolicyData(everything(games), np.ones(3), epoch=64, planes=48)
    one, again, other = (data.batch([3, 4, 5], np.random.default_rng(s)) for s in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    assert not torch.equal(one[1], other[1])


def test_the_single_plane_has_own_stones_1_and_the_others_minus_1(games):
    positions = everything(games)
    planes, _ = positions.batch(range(len(positions)), np.zeros(len(positions), np.int64))
    record = RECORDS[1]
    board = sgf.board_at(record, 5)
    mine = features.seen(planes, 1)[len(RECORDS[0].moves) + 5]
    assert np.array_equal(mine, features.single_plane(board) * record.moves[5][0])
    assert features.seen(planes, 48) is planes


def test_the_loss_is_minus_the_log_of_the_played_points_probability():
    class Fixed(torch.nn.Module):
        def forward(self, x):
            return x.flatten(1)[:, :4].log()

    planes = torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1]]).reshape(2, 1, 2, 2)
    found = loss(Fixed(), (planes, torch.tensor([3, 0])))
    assert found.item() == pytest.approx(-(np.log(0.4) + np.log(0.7)) / 2, rel=1e-5)
