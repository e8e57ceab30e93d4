from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from torch import nn

from core.errors import InputError
from core.registry import ARCHITECTURES, architecture, build, register


@dataclass(frozen=True)
class Sizes:
    inputs: int
    hidden: tuple[int, ...] = (4,)
    bias: bool = True


@pytest.fixture(autouse=True)
def two_architectures(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in list(ARCHITECTURES):
        monkeypatch.delitem(ARCHITECTURES, name)

    @register("perceptron", Sizes)
    def perceptron(config: Sizes) -> nn.Module:
        layers = zip((config.inputs, *config.hidden), config.hidden, strict=False)
        return nn.Sequential(*(nn.Linear(n, m, bias=config.bias) for n, m in layers))

    @register("line", Sizes)
    class Line(nn.Module):
        def __init__(self, config: Sizes) -> None:
            super().__init__()
            self.weight = nn.Linear(config.inputs, 1)

    yield
    ARCHITECTURES.clear()


def test_a_network_is_built_from_its_name_and_the_settings_of_a_card() -> None:
    network = build("perceptron", {"inputs": 3, "hidden": [5, 2], "bias": False})
    assert [tuple(p.shape) for p in network.parameters()] == [(5, 3), (2, 5)]


def test_what_is_left_out_keeps_its_default() -> None:
    assert [tuple(p.shape) for p in build("perceptron", {"inputs": 3}).parameters()] == [
        (4, 3),
        (4,),
    ]


def test_each_build_is_a_fresh_network() -> None:
    assert build("line", {"inputs": 2}) is not build("line", {"inputs": 2})


def test_a_class_can_be_registered_and_keeps_its_name() -> None:
    assert type(build("line", {"inputs": 2})).__name__ == "Line"
    assert architecture("line").config is Sizes


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(
        InputError, match=r"no architecture called 'alexnet'; known: line, perceptron$"
    ):
        build("alexnet", {})


def test_an_unknown_setting_is_named_beside_those_there_are() -> None:
    with pytest.raises(
        InputError, match=r"line has no setting 'width'; it has: bias, hidden, inputs$"
    ):
        build("line", {"inputs": 2, "width": 3})
