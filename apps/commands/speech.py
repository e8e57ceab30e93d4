"""`receptive speech`: recognise spoken words, train speech networks, measure them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import InputError
from core.weights import atomic_write

from ..options import Format, check_input
from ..speech import ONE_WORD, around
from ..speech.answers import Answer, Csv, Jsonl, Table
from ..terminal import complain, visible, visible_lines
from .speech_training import evaluate, synthesise, train

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tqdm import tqdm

    from domains.speech.detections import Window
    from domains.speech.recogniser import KeywordRecogniser
    from domains.speech.recordings import Recording

    Waveform = NDArray[np.float32]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Recognise spoken words, train speech networks, measure them.",
)


@app.command()
def recognise(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|-...",
            help="Sounds: wav, flac, ogg, mp3, aiff, …; - for one on standard input.",
            show_default=False,
        ),
    ],
    format: Annotated[Format, typer.Option(help="What to print.")] = Format.table,
    top: Annotated[int, typer.Option(min=1, help="So many of the likeliest labels.")] = 5,
    explain: Annotated[
        Path | None,
        typer.Option(
            metavar="PNG",
            help="A picture to draw: waveform, log-mel, what the network looked at.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[str, typer.Option(help="Name or path of a released model.")] = "keywords",
) -> None:
    """Say which words are spoken.

    A recording of up to 1.5 seconds is one word, or "unknown" or "silence". In
    a longer one each word that is heard has a row, with start and end in
    seconds, as soon as it is found, or all of it is "silence"; where it is
    neither, stderr says that no word was heard. --explain takes
    one recording; of a longer one it draws the surest word.
    """
    if explain and len(files) > 1:
        raise typer.BadParameter("one recording at a time", param_hint="--explain")
    if explain and explain.suffix.lower() != ".png":
        raise typer.BadParameter("a name that ends in .png expected", param_hint="--explain")
    check_input(files, "sound")

    from domains.speech.recogniser import KeywordRecogniser
    from domains.speech.recordings import open_recording

    recogniser = KeywordRecogniser.load(model)
    sources = [("stdin", sys.stdin.buffer) if file == "-" else (file, Path(file)) for file in files]
    write: Table | Csv | Jsonl
    if format is Format.table:
        write = Table([name for name, _ in sources], recogniser.labels)
    else:
        write = Csv(min(top, len(recogniser.labels))) if format is Format.csv else Jsonl()
    bad = False
    for name, source in sources:
        surest: Answer | None = None
        try:
            with open_recording(source, name) as recording:
                for answer in _answers(recogniser, recording, top):
                    lines = write(answer)
                    print(visible_lines(lines) if sys.stdout.isatty() else lines, flush=True)
                    if surest is None or answer.probability > surest.probability:
                        surest = answer
                if surest and explain:
                    _draw(recogniser, recording, surest, explain)
                elif explain:
                    raise InputError(f"{name}: no word heard, nothing to draw")
                elif surest is None:
                    print(f"{visible(name)}: no word heard", file=sys.stderr)
        except InputError as error:
            bad = True
            complain(error)
    if bad:
        raise typer.Exit(1)


app.command()(train)
app.command("eval")(evaluate)
app.command()(synthesise)


def _answers(recogniser: KeywordRecogniser, recording: Recording, top: int) -> Iterator[Answer]:
    """One answer to a short recording; to a longer one an answer a word, as they are found."""
    import numpy as np

    from domains.speech.audio import SAMPLE_RATE

    blocks = recording.blocks()
    short = max(ONE_WORD * SAMPLE_RATE, recogniser.window)
    beginning: list[Waveform] = []
    samples = 0
    for block in blocks:
        beginning.append(block)
        samples += len(block)
        if samples > short:
            yield from _words(recogniser, recording, chain(beginning, blocks))
            return
    [found] = recogniser.predict([np.concatenate(beginning)])
    yield Answer(recording.name, 0.0, samples / SAMPLE_RATE, found.top(top))


def _words(
    recogniser: KeywordRecogniser, recording: Recording, blocks: Iterable[Waveform]
) -> Iterator[Answer]:
    """The words heard; where there is none, silence, with its mean probability, if that is half or
    more: a hum is no silence.

    Raises InputError for a damaged recording after the words before the damage.
    """
    from domains.speech.audio import SAMPLE_RATE
    from domains.speech.data import SILENCE
    from domains.speech.detections import detections

    seen = recogniser.window / SAMPLE_RATE
    silence = recogniser.labels.index(SILENCE) if SILENCE in recogniser.labels else None
    windows, end, quiet = 0, 0.0, 0.0
    damage: InputError | None = None
    heard = False

    def sound() -> Iterator[Waveform]:
        nonlocal damage
        try:
            for block in blocks:
                progress.update(len(block) / SAMPLE_RATE)
                yield block
        except InputError as error:
            damage = error

    def noted() -> Iterator[Window]:
        nonlocal windows, end, quiet
        for start, probabilities in recogniser.windows(sound()):
            windows, end = windows + 1, start + seen
            quiet += 0 if silence is None else float(probabilities[silence])
            yield start, probabilities

    with _progress(recording) as progress:
        for word in detections(noted(), recogniser.labels, seen):
            progress.clear()
            heard = True
            yield Answer(recording.name, word.start, word.end, [(word.label, word.probability)])
    if damage:
        raise damage
    if silence is not None and not heard and quiet >= windows / 2:
        yield Answer(recording.name, 0.0, end, [(SILENCE, quiet / windows)])


def _progress(recording: Recording) -> tqdm[None]:
    """A bar of the seconds heard, on a terminal's stderr, after two seconds."""
    from tqdm import tqdm

    return tqdm(
        desc=visible(recording.name), total=recording.seconds, unit="s", unit_scale=True,
        delay=2, leave=False, dynamic_ncols=True, disable=None,
    )  # fmt: skip


def _draw(
    recogniser: KeywordRecogniser, recording: Recording, answer: Answer, picture: Path
) -> None:
    """Writes what the network saw of an answer's word, heard once more."""
    from domains.speech.audio import SAMPLE_RATE
    from domains.speech.explanation import explain

    from ..speech.picture import drawn

    start, end = around(answer.start, answer.end, recogniser.window / SAMPLE_RATE)
    recording.rewind()
    waveform = _cut(recording.blocks(), round(start * SAMPLE_RATE), round(end * SAMPLE_RATE))
    with atomic_write(picture, "wb") as file:
        drawn(explain(recogniser, waveform)).save(file, "png")


def _cut(blocks: Iterable[Waveform], start: int, end: int) -> Waveform:
    """The samples from `start` to `end`, or to where the blocks do."""
    import numpy as np

    parts, place = [], 0
    for block in blocks:
        if place + len(block) > start:
            parts.append(block[max(start - place, 0) : end - place])
        place += len(block)
        if place >= end:
            break
    return np.concatenate(parts)
