"""An example of each sense as plain data, answered by the released network that is named.

Each raises InputError where there is no such model, a file of it was altered, or its card lacks
the figures.
"""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from core.errors import InputError

from ..figures import bars, percent
from ..released import released

if TYPE_CHECKING:
    from core.weights import Card

OPENING = "Q16 D4 Q3 D16 R9"
SENTENCE = "Not the funniest film of the year, but warm and beautifully played."
WORD = "yes"
PICTURE = "ship"
MOST = 3  # answers that are shown
NO_WORDS = ("silence", "unknown")


class Example(NamedTuple):
    """What is shown and what the network answers, as HTML; how good it is, as Markdown, with a
    hint on how that was measured; what it can't do. `sound` is a file, to be played."""

    shown: str
    answer: str
    reached: str
    hint: str
    limit: str
    sound: bytes = b""


def go(name: str) -> Example:
    from domains.go.board import Board
    from domains.go.player import GoPlayer
    from domains.go.policy import Policy
    from domains.go.vertices import name as vertex
    from domains.go.vertices import parse

    from .board import svg

    player = GoPlayer(released("go", name, Policy.load))
    board = Board()
    for move in OPENING.split():
        board.play(parse(move, board.size))
    moves = player.moves(board)[:MOST]
    test = measured(player.policy.card, "test", "top1", "n")
    drawing = base64.b64encode(svg(board, moves).encode()).decode()
    return Example(
        figure(
            f"data:image/svg+xml;base64,{drawing}",
            "A Go board after five moves, with the likeliest next ones",
            "The Chinese opening, White to move",
        ),
        bars((vertex(point, board.size), share) for point, share in moves),
        "Names the move that a strong player chose in "
        f"**{percent(test['top1'])}** of test positions.",
        f"Top-1: its likeliest move is the one played; {test['n']:,} positions of games that it "
        "never saw.",
        "It doesn't read ahead: this is its first instinct.",
    )


def text(name: str) -> Example:
    from domains.text.classifier import SentimentClassifier

    from .. import textview

    classifier = released("text", name, SentimentClassifier.load)
    reviews = measured(classifier.card, "IMDB test", "accuracy", "n")
    sentences = measured(classifier.card, "SST-3 test", "recall")
    [sentiment] = classifier.predict([SENTENCE], explain=True)
    return Example(
        f"<figure>{textview.marked(SENTENCE, sentiment)}"
        "<figcaption>Solid blue speaks for the answer, dashed orange against it</figcaption>"
        "</figure>",
        bars(sorted(sentiment.scores.items(), key=lambda score: -score[1])),
        f"Tells praise from blame in **{percent(reviews['accuracy'])}** of test reviews.",
        f"Accuracy on {reviews['n']:,} reviews of IMDB's test set, where neutral is no answer.",
        "English only. Neutral is its weakest class: it finds "
        f"{percent(sentences['recall'].get('neutral', 0.0))} of the neutral film sentences.",
    )


def speech(name: str) -> Example:
    from domains.speech.recogniser import KeywordRecogniser
    from domains.speech.recordings import open_recording

    from ..speech import view
    from ..speech.picture import heat

    recogniser = released("speech", name, KeywordRecogniser.load)
    test = measured(recogniser.card, "test", "accuracy")
    sound = view.sample(WORD)
    with open_recording(io.BytesIO(sound.data), sound.name) as recording:
        waveform, _ = view.beginning(recording.blocks(), 1)
    [recognition] = recogniser.predict([waveform])
    window = recogniser.window_of(waveform)
    words = [label for label in recogniser.labels if label not in NO_WORDS]
    return Example(
        figure(
            picture(heat(recogniser.pictures(window[None])[0, 0])),
            "The spectrogram of a spoken word",
            "Its spectrogram: time to the right, pitch upwards",
        ),
        bars(recognition.top(MOST)),
        f"Right in **{percent(test['accuracy'])}** of test recordings.",
        "Accuracy on the test recordings of Speech Commands; silence and unknown words are among "
        "the answers.",
        f"It knows {len(words)} English words, a second each: {', '.join(words)}.",
        view.wav(waveform),
    )


def image(name: str) -> Example:
    from domains.image.classifier import ImageClassifier
    from domains.image.pictures import open_picture

    from ..image import view

    classifier = released("image", name, ImageClassifier.load)
    test = measured(classifier.card, "test", "accuracy", "n")
    file = view.sample(PICTURE)
    [answer] = classifier.predict([open_picture(io.BytesIO(file.data), file.name)])
    size, classes = classifier.preprocessing["size"], len(classifier.labels)
    return Example(
        figure(
            f"data:image/png;base64,{base64.b64encode(file.data).decode()}",
            "A steamer at sea, drawn with flat shapes",
            "A sample, drawn by code",
        ),
        bars(answer.top(MOST)),
        f"Right in **{percent(test['accuracy'])}** of test pictures.",
        f"Accuracy on {test['n']:,} pictures of CIFAR-10's test set.",
        f"It has {classes} classes of {size} × {size} pixels; a photo of anything else gets one of "
        "them anyway.",
    )


def measured(card: Card, name: str, *metrics: str) -> dict[str, Any]:
    """What the card says of the set `name`. Raises InputError if it lacks one of the metrics."""
    found: dict[str, Any] = card.metrics.get(name, {})
    if missing := [metric for metric in metrics if metric not in found]:
        raise InputError(f"{card.path}: no {missing[0]!r} on {name!r}")
    return found


def figure(source: str, described: str, caption: str) -> str:
    return (
        f'<figure><img src="{source}" alt="{escape(described)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def picture(pixels: Any) -> str:
    """The address of an image that holds the pixels, (height, width, 3), itself."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
