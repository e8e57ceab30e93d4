"""What R-CNN's network and its linear classifiers are trained on."""

from pathlib import Path

import numpy as np
import pytest
import torch
from font_digits import digits

from core import registry
from core.errors import InputError
from core.weights import Card
from domains.image.rcnn_training import Recipe, last_layer, linear_classifiers
from domains.image.regions import RegionData, Regions, collect
from domains.image.scenes import Scenes, scenes


def card(architecture, config):
    return Card(
        name="a", domain="image", architecture=architecture, config=config, labels=[],
        preprocessing={}, description="", data=[], licence="", command="", metrics={},
        path=Path("a.toml"),
    )  # fmt: skip


def test_regions_are_the_digits_and_the_proposals():
    drawn = scenes(Scenes(*digits("0123456789", 50)), 5, 0)
    regions = collect(drawn, 28, 10)
    own = (regions.overlaps == 1).any(1)
    assert own.sum() >= sum(len(scene.boxes) for scene in drawn)
    counts = np.bincount(regions.classes(), minlength=11)
    for label in {int(label) for scene in drawn for label in scene.classes}:
        assert counts[label] > 0
    assert counts[10] > counts[:10].sum()  # mostly background
    assert regions.pictures.shape == (len(regions.overlaps), 28, 28)


def test_a_region_is_of_the_class_it_overlaps_by_half():
    overlaps = np.array([[1, 0.2], [0.3, 0.5], [0.49, 0.4], [0, 0]])
    assert Regions(np.zeros((4, 1, 1), np.uint8), overlaps).classes().tolist() == [0, 1, 2, 2]


def test_a_quarter_of_a_batch_is_digits_and_all_are_seen():
    classes = torch.tensor([0, 1, 2] * 20 + [3] * 500)
    data = RegionData(torch.zeros(560, 28, 28, dtype=torch.uint8), classes, 0.0, 1.0)
    plan = data.plan(0, 16, np.random.default_rng(0))
    assert [len(indices) for indices in plan] == [16] * 15
    assert all((classes[torch.tensor(np.array(i))] < 3).sum() == 4 for i in plan)
    seen = [int(index) for indices in plan for index in indices if index < 60]
    assert sorted(seen) == list(range(60))
    pictures, labels = data.batch(plan[0], np.random.default_rng(0))
    assert (pictures.shape, labels.shape) == ((16, 1, 28, 28), (16,))


def test_classifiers_separate_what_a_plane_separates():
    """Two classes of three in the plane, and background around the origin."""
    torch.manual_seed(0)
    places = torch.tensor([[6.0, 0], [0, 6], [0, 0]]).repeat_interleave(400, 0)
    features = places + torch.randn(1200, 2)
    overlaps = torch.zeros(1200, 2)
    overlaps[:400, 0] = overlaps[400:800, 1] = 1
    with torch.no_grad():
        found = linear_classifiers(features, overlaps, seed=0)(features) > 0
    assert (found == (overlaps == 1)).float().mean() > 0.98


def test_what_overlaps_somewhat_teaches_nothing():
    torch.manual_seed(0)
    features = torch.cat([torch.randn(200, 2) + 5, torch.randn(200, 2) - 5])
    overlaps = torch.zeros(400, 1)
    overlaps[:200] = 1
    odd = torch.full((50, 2), 5.0)
    alone = linear_classifiers(features, overlaps, seed=0).linear.weight
    between = linear_classifiers(
        torch.cat([features, odd]), torch.cat([overlaps, torch.full((50, 1), 0.4)]), seed=0
    )
    with torch.no_grad():
        assert (between(odd) > 0).all()
        far = linear_classifiers(
            torch.cat([features, odd]), torch.cat([overlaps, torch.full((50, 1), 0.2)]), seed=0
        )
        assert far(odd).mean() < between(odd).mean()
    assert torch.sign(alone).equal(torch.sign(between.linear.weight))


def test_rare_hard_negatives_are_mined():
    """One negative in a hundred lies where digits do on the first axis; the second tells it."""
    torch.manual_seed(0)
    digit = torch.tensor([4.0, 1.0]) + 0.1 * torch.randn(100, 2)
    easy = torch.tensor([-4.0, 0.0]) + 0.1 * torch.randn(2000, 2)
    hard = torch.tensor([4.0, -1.0]) + 0.1 * torch.randn(5, 2)
    overlaps = torch.zeros(2105, 1)
    overlaps[:100] = 1
    classifiers = linear_classifiers(torch.cat([digit, easy, hard]), overlaps, seed=1)
    with torch.no_grad():
        assert (classifiers(hard) < 0).all()
        assert (classifiers(digit) > 0).all()


def test_last_layer():
    config = {"classes": 10, "channels": 1, "size": 28}
    model = registry.build("keras-mnist", config)
    name, inputs = last_layer(card("keras-mnist", config), model)
    assert (name, inputs) == ("output", 100)
    config = {"classes": 3, "channels": 1, "size": 16, "width": 4, "depth": 1, "padded": True}
    with pytest.raises(InputError, match=r"a.toml: unet does not end with a fully connected layer"):
        last_layer(card("unet", config), registry.build("unet", config))
    config = {"classes": 10, "channels": 1, "size": 28, "widths": [8, 8]}
    with pytest.raises(InputError, match="airbench does not end with"):
        last_layer(card("airbench", config), registry.build("airbench", config))


@pytest.mark.parametrize(
    ("field", "value"), [("scenes", 0), ("learning_rate", 0.0), ("batch_size", 3), ("epochs", 0)]
)
def test_a_recipe_that_makes_no_sense(field, value):
    with pytest.raises(InputError, match=f"{field} cannot be {value}"):
        Recipe(**{field: value})
