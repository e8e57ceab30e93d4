"""Folders of made-up words to train on: a word is a tone, each speaker's a little higher."""

import numpy as np
import soundfile
from tiny_model import TONES, noise, silence, sine

RATE = 16_000


def say(word, speaker=0, seconds=0.5):
    """(samples,): the word in the middle of `seconds`; one that isn't in TONES is a rising tone."""
    hertz = TONES[word] if word in TONES else np.linspace(300, 6000, round(seconds / 2 * RATE))
    length = round(seconds / 2 * RATE)
    phase = np.cumsum(np.broadcast_to(hertz, length) * (1 + 0.01 * speaker)) * 2 * np.pi / RATE
    quiet = silence(seconds / 4)
    return np.concatenate([quiet, (0.3 * np.sin(phase)).astype(np.float32), quiet])


def write(folder, words, speakers=6, lists=True, background=True):
    """The layout of Speech Commands; speaker 0 is for validation and speaker 1 for testing."""
    for word in words:
        (folder / word).mkdir(parents=True)
        for speaker in range(speakers):
            soundfile.write(folder / name(word, speaker), say(word, speaker), RATE)
    if lists:
        for speaker, file in enumerate(["validation_list.txt", "testing_list.txt"]):
            lines = [f"{name(word, speaker)}\n" for word in words]
            (folder / file).write_text("".join(lines))
    if background:
        (folder / "_background_noise_").mkdir()
        for file, heard in {"hum.wav": sine(60, 2.0), "hiss.wav": noise(2.0)}.items():
            soundfile.write(folder / "_background_noise_" / file, heard, RATE)
        (folder / "_background_noise_" / "README.md").write_text("Noises.\n")
    return folder


def name(word, speaker):
    return f"{word}/speaker{speaker}_nohash_0.wav"
