"""A model's card as the Models page shows it, made of plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from core.errors import InputError
from core.weights import verify

from ..figures import meaning, percent, tested
from .metrics import duration, is_number, named, plain

if TYPE_CHECKING:
    from core.weights import Card

PICTURES = {
    "digit": "made like MNIST's digits: light on dark, cut to the ink and put into the middle",
    "crop": "scaled along its shorter side, the middle kept",
    "region": "cut out of a scene where selective search proposes an object",
    "scene": "a tile of a scene that is looked at in several sizes",
}
MOST_LABELS = 20


class Key(NamedTuple):
    """A number to be seen first."""

    label: str
    value: str
    meaning: str


@dataclass
class Measured:
    """What a model reached on one set."""

    name: str
    figures: dict[str, float] = field(default_factory=dict)
    by_class: dict[str, dict[str, float]] = field(default_factory=dict)
    confusions: list[tuple[str, str, float]] = field(default_factory=list)  # label, answer, times
    notes: dict[str, str] = field(default_factory=dict)


def key_figures(card: Card, parameters: int) -> list[Key]:
    """What it reached, how large it is, how long it learned."""
    spent = card.metrics.get("minutes"), card.metrics.get("hours")
    minutes, hours = (value if is_number(value) else 0 for value in spent)
    trained = duration(60 * minutes + 3600 * hours) if minutes or hours else "not known"
    device = plain(str(card.metrics.get("device", "")))
    size = sum(path.stat().st_size for path in _files(card) if path.is_file())
    return [
        *_reached(card),
        Key("Parameters", f"{parameters:,}", "The numbers that training sets."),
        Key("Size", f"{size / 1e6:.1f} MB", "Of its files together."),
        Key("Training", trained, f"Time on {device}." if device else "Time it took."),
    ]


def _reached(card: Card) -> Iterator[Key]:
    found = tested(card)
    if not found:
        return
    shares = sorted(figure.share for figure in found)
    help = f"{meaning(card)} Measured on examples that it was not trained on.".strip()
    kind = "test" if "test" in found[0].set else "validation"
    if len(found) > 1:
        value = f"{100 * shares[0]:.0f} to {100 * shares[-1]:.0f} %"
        yield Key(f"On its {len(found)} {kind} sets", value, help)
    else:
        yield Key(f"{found[0].metric.capitalize()}, {kind}", percent(shares[0]), help)


def measured(card: Card) -> list[Measured]:
    """A set each, its parts behind it."""
    return [
        part
        for name, content in card.metrics.items()
        if isinstance(content, Mapping)
        for part in _measured(name, content)
    ]


def _measured(name: str, content: Mapping[str, Any]) -> list[Measured]:
    found = Measured(name)
    parts: list[Measured] = []
    for key, value in content.items():
        if is_number(value):
            found.figures[key] = value
        elif key == "confusions" and isinstance(value, list):
            found.confusions += [(str(a), str(b), n) for a, b, n in filter(_is_pair, value)]
        elif key == "confusion" and isinstance(value, Mapping):
            found.confusions += _pairs(value)
        elif not isinstance(value, Mapping) or not value:
            found.notes[key] = words(value)
        elif all(map(is_number, value.values())):
            found.by_class[key] = dict(value)
        elif all(isinstance(inner, Mapping) for inner in value.values()):
            for part, inner in value.items():
                parts += _measured(f"{name}: {part}", inner)
        else:
            found.notes[key] = words(value)
    return [found, *parts]


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 3 and is_number(pair[2])


def _pairs(matrix: Mapping[str, Any], most: int = 10) -> list[tuple[str, str, float]]:
    """The most frequent mistakes of a matrix from label to answer to times."""
    wrong = [
        (label, answer, times)
        for label, row in matrix.items()
        if isinstance(row, Mapping)
        for answer, times in row.items()
        if answer != label and is_number(times) and times
    ]
    return sorted(wrong, key=lambda pair: -pair[2])[:most]


def training(card: Card) -> dict[str, str]:
    """What the card says of the training itself."""
    return {
        named(key).heading: f"{value:,.4g}" if isinstance(value, float) else words(value)
        for key, value in card.metrics.items()
        if not isinstance(value, Mapping)
    }


def takes(card: Card) -> str:
    """What goes into the network, in words; as the card has it where these fail."""
    describe = {"go": _board, "image": _picture, "speech": _sound, "text": _text}
    try:
        return describe[card.domain](card.preprocessing)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return f"{words(card.preprocessing)}."


def _board(how: Mapping[str, Any]) -> str:
    any_size = " Boards of other sizes will do." if how["any_size"] else ""
    what = "its stones" if how["planes"] == 1 else "its stones, their liberties, ladders and so on"
    return f"A board of {how['size']} × {how['size']} as {how['planes']} planes: {what}.{any_size}"


def _picture(how: Mapping[str, Any]) -> str:
    colours = "in grey" if how["channels"] == 1 else "in colour"
    mirrored = (
        " The answer is the mean over it and its mirror image." if how.get("mirrored") else ""
    )
    return (
        f"A picture of {how['size']} × {how['size']} pixels {colours}, {PICTURES[how['fit']]}. "
        f"From each value the training pictures' mean is taken, and it is divided by their "
        f"standard deviation.{mirrored}"
    )


def _sound(how: Mapping[str, Any]) -> str:
    return (
        f"{how['samples'] / how['sample_rate']:g} s of sound at {how['sample_rate']:,} Hz as a "
        f"log-mel spectrogram: {how['mels']} bands from {how['lowest_hz']:,} to "
        f"{how['highest_hz']:,} Hz, through a window of {how['window_ms']} ms every "
        f"{how['hop_ms']} ms."
    )


def _text(how: Mapping[str, Any]) -> str:
    return f"The first {how['max_words']:,} words of a text, in lower case, each by its number."


def answers(card: Card) -> str:
    """What comes out of the network, in words."""
    if not card.labels:
        return "A probability for each point of the board." if card.domain == "go" else "Logits."
    rest = len(card.labels) - MOST_LABELS
    listed = ", ".join(card.labels[:MOST_LABELS]) + (f" and {rest:,} more" if rest > 0 else "")
    what = {
        "region": "Boxes around objects, each with a label and its probability",
        "scene": "For each pixel, background or a label",
    }.get(str(card.preprocessing.get("fit")), "A probability for each label")
    return f"{what}: {listed}."


def data(card: Card) -> list[dict[str, Any]]:
    """The rows of the table of training data; a column that only some rows have is empty there."""
    columns = dict.fromkeys(key for row in card.data for key in row)
    return [{key: _cell(row.get(key, "")) for key in columns} for row in card.data]


def _cell(value: Any) -> Any:
    return value if is_number(value) else words(value)


def files(card: Card) -> list[dict[str, Any]]:
    """The rows of the table of files."""
    return [
        {
            "file": path.name,
            "size (MB)": round(path.stat().st_size / 1e6, 2) if path.is_file() else None,
            "sha256": card.files[path.name],
        }
        for path in _files(card)
    ]


def differs(card: Card) -> str:
    """What is wrong with the model's files; "" where all are as they were released."""
    try:
        verify(card)
    except InputError as error:
        return str(error)
    return ""


def stamp(card: Card) -> tuple[Any, ...]:
    """Changes whenever a file of the model does."""
    found = [path.stat() for path in [card.path, *_files(card)] if path.is_file()]
    return (str(card.path), *((stat.st_size, stat.st_mtime_ns, stat.st_ino) for stat in found))


def words(value: Any) -> str:
    """A card's value as text: 'widths 1, 2, 3'."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {words(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(words, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _files(card: Card) -> list[Any]:
    return [card.path.with_name(name) for name in card.files]
