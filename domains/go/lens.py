"""What the lens sees of a policy network: boards as planes, and a filter as patterns of stones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core import registry
from core.errors import InputError
from core.lens import filters
from core.lens.subject import Subject

from . import archives, features, games, sgf, vertices
from .board import Board
from .data import Positions
from .model import example_inputs
from .policy import Policy

BATCH = 64  # positions at once

STONES = ("own stones", "the opponent's stones", "empty points")


@dataclass(frozen=True)
class Pattern:
    """What a filter of the first layer looks for on one plane: weights `(height, width)`."""

    plane: str
    weights: Tensor


def plane_names(count: int) -> list[str]:
    """Of the 48 planes, such as "liberties 8 or more", or of the single one."""
    if count == 1:
        return ["own stones 1, the opponent's -1"]
    names = [*STONES]
    for family in features.PLANES[1:]:
        if family.count == 1:
            names.append(family.name)
            continue
        first = 0 if family.first == features.CAPTURE_SIZE else 1
        numbers = [str(number) for number in range(first, first + family.count)]
        names += [f"{family.name} {number}" for number in (*numbers[:-1], f"{numbers[-1]} or more")]
    return names


def subject(name: str = "go-policy") -> Subject:
    """A released network by name, or one of your own by the path of its card.

    Its inputs are planes for the colour to move, `(planes, size, size)`, its outputs the points, by
    GTP's names from A19 to T1. Neutral is the empty board. Raises InputError as `Policy.load` does.
    """
    card = Policy.find(name)
    shape = tuple(example_inputs(card.config)[0].shape[1:])
    count, size = shape[:2]
    return Subject(
        name=card.name,
        network=registry.trained(card),
        shape=shape,
        labels=tuple(vertices.name(point, size) for point in range(size**2)),
        neutral=as_input(features.seen(features.planes(Board(size)), count)),
        lowest=torch.tensor(0.0 if count == features.COUNT else -1.0),
        highest=torch.tensor(1.0),
    )


def read(source: str | Path, subject: Subject) -> Tensor:
    """The planes of a `position`, `(planes, size, size)`, for the colour to move.

    Raises InputError as `position` does, and for a board of another size.
    """
    board = position(source)
    count, size = subject.shape[:2]
    if board.size != size:
        raise InputError(f"{source}: a board of {board.size}x{board.size}, not {size}x{size}")
    return as_input(features.seen(features.planes(board), count))


def position(source: str | Path) -> Board:
    """The board of a game record: "game.sgf" is its last position, "game.sgf:120" that before move
    120. Of a file with several games, the first that can be read.

    Raises InputError where there is no game in the file, and for a move that it doesn't have.
    """
    path, move = Path(source), None
    if (numbered := re.fullmatch(r"(.+):([0-9]{1,4})", str(source))) and not path.exists():
        path, move = Path(numbered[1]), int(numbered[2])
    for name, content in archives.read([path]):
        for record in sgf.parse(content, name):
            if isinstance(record, sgf.GameRecord):
                last = len(record.moves)
                if move is not None and not 1 <= move <= last:
                    raise InputError(f"{path}: has moves 1 to {last}: no {move}")
                return sgf.board_at(record, None if move is None else move - 1)
            problem = str(record)
    raise InputError(problem)


def real(subject: Subject, source: Path, most: int = 10_000, seed: int = 0) -> Iterator[Tensor]:
    """Batches of planes `(B, planes, size, size)` of positions in which a stone was played.

    They are drawn by `seed`. source: a file of games by `receptive go prepare`, or SGF files,
    folders or archives of them. Raises InputError as `games.Games.load` and `games.read` do, and
    for games on another size of board.
    """
    count, size = subject.shape[:2]
    if source.is_dir() or archives.is_archive(source) or source.suffix.lower() == ".sgf":
        found, _ = games.read([source], size)
    else:
        found = games.Games.load(source)
    if found.size != size:
        raise InputError(f"{source}: boards of {found.size}x{found.size}, not {size}x{size}")
    positions = Positions.of(found, np.ones(len(found), np.bool_))
    most = min(most, len(positions))
    order = np.random.default_rng(seed).choice(len(positions), most, replace=False)
    for start in range(0, len(order), BATCH):
        drawn = order[start : start + BATCH].tolist()
        planes, _ = positions.batch(drawn, np.zeros(len(drawn), np.int64))
        yield as_input(features.seen(planes, count))


def patterns(subject: Subject, number: int, most: int = 6) -> list[Pattern]:
    """A filter of the first layer, on the planes on which its weights are the strongest.

    The strongest first, by the sum of what they are without their signs. Raises InputError for a
    filter that is none.
    """
    weights = filters.first(subject.network, subject.shape)
    if not 0 <= number < len(weights):
        raise InputError(f"the first layer has filters 0 to {len(weights) - 1}: no {number}")
    strength = weights[number].abs().sum((1, 2))
    names = plane_names(subject.shape[0])
    best = strength.argsort(descending=True)[:most].tolist()
    return [Pattern(names[plane], weights[number, plane]) for plane in best]


def as_input(planes: NDArray[np.integer]) -> Tensor:
    """Planes of `features.seen` as a network takes them."""
    return torch.from_numpy(np.ascontiguousarray(planes, np.float32))
