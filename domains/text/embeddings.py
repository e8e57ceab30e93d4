"""Word vectors: trained by gensim, or read from the formats that gensim reads."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from core.errors import InputError

from .files import open_file, rows
from .tokens import SPECIAL, tokenise

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

METHODS = ("word2vec", "fasttext")


class Sentences:
    """The tokenised lines of text files, read anew on every pass: what gensim trains on.

    Bad rows are handed to `reject` on the first pass, and left out. `bar` counts the others.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        column: str | None,
        reject: Callable[[InputError], None],
        bar: tqdm,
    ) -> None:
        self.paths, self.column, self.reject, self.bar = paths, column, reject, bar

    def __iter__(self) -> Iterator[list[str]]:
        for path in self.paths:
            for row in rows(path, str(path), self.column):
                if isinstance(row, InputError):
                    self.reject(row)
                elif words := tokenise(row.text):
                    self.bar.update()
                    yield words
        self.reject = lambda error: None


def train(
    paths: Sequence[Path],
    reject: Callable[[InputError], None],
    *,
    column: str | None = None,
    method: str = "word2vec",
    dimensions: int = 100,
    epochs: int = 5,
    minimum_count: int = 5,
    seed: int = 1,
    workers: int = 2,
) -> KeyedVectors:
    """Skip-gram vectors of the words in these files (Mikolov and others 2013; fastText: Bojanowski
    and others 2017, whose vectors are sums over a word's character n-grams).

    Bad rows are handed to `reject`. More than one of `workers` move the same vectors, in an order
    of chance, so that `seed` alone doesn't give the same ones again. A progress bar goes to stderr.
    Raises InputError if no word occurs `minimum_count` times.
    """
    from gensim.models import FastText, Word2Vec

    settings: dict[str, Any] = {
        "vector_size": dimensions, "window": 5, "min_count": minimum_count, "sg": 1,
        "negative": 5, "seed": seed, "workers": workers, "epochs": epochs,
    }  # fmt: skip
    model = (FastText if method == "fasttext" else Word2Vec)(**settings)
    with tqdm(
        desc=method, unit=" texts", unit_scale=True, delay=2, dynamic_ncols=True, disable=None
    ) as bar:
        sentences = Sentences(paths, column, reject, bar)
        model.build_vocab(sentences)
        if not len(model.wv):
            names = ", ".join(map(str, paths))
            raise InputError(f"no word occurs {minimum_count} times in {names}")
        bar.total = (1 + epochs) * model.corpus_count
        model.train(sentences, total_examples=model.corpus_count, epochs=epochs)
    return model.wv


def read(path: Path) -> KeyedVectors:
    """Vectors in word2vec text or binary, GloVe, or fastText (.vec, .bin) form.

    The form is told from the content; a file may be packed (.gz, .bz2). gensim's own pickles are
    refused. Raises InputError.
    """
    from gensim.models import KeyedVectors
    from gensim.models.fasttext import load_facebook_vectors
    from gensim.utils import open as open_packed

    open_file(path).close()
    try:
        with open_packed(str(path), "rb") as file:
            head = file.read(4096)
        first, _, rest = head.partition(b"\n")
        if head[:1] == b"\x80":
            raise InputError(f"{path}: a pickle; pickles are never loaded")
        if head[:4] == (793712314).to_bytes(4, "little"):  # fastText's magic number
            vectors = load_facebook_vectors(str(path))
        elif len(first.split()) == 2:
            vectors = KeyedVectors.load_word2vec_format(str(path), binary=_is_binary(rest))
        else:
            with open_packed(str(path), "rb") as file:
                vectors = _read_glove(file)
    except InputError:
        raise
    except Exception as error:  # gensim's readers fail in a dozen ways
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: not word vectors in a form known here ({reason})") from error
    if not vectors.vectors.size:
        raise InputError(f"{path}: no word vectors in it")
    return vectors


def _read_glove(file: IO[bytes]) -> KeyedVectors:
    """GloVe's text form: no header, and some words of its 840B set have spaces in them."""
    from gensim.models import KeyedVectors

    dimensions = len(file.readline().split()) - 1
    file.seek(0)
    words: dict[str, int] = {}
    numbers = array("f")
    for place, line in enumerate(file, 1):
        word, *row = line.decode().rstrip("\r\n ").rsplit(" ", dimensions)
        if len(row) != dimensions:
            raise ValueError(f"line {place} has not {dimensions} numbers")
        if word not in words:
            words[word] = len(words)
            numbers.extend(map(float, row))
    vectors = KeyedVectors(dimensions)
    vectors.key_to_index, vectors.index_to_key = words, list(words)
    vectors.vectors = np.frombuffer(numbers, dtype=np.float32).reshape(len(words), dimensions)
    return vectors


def _is_binary(vectors: bytes) -> bool:
    """Whether what follows the header line is word2vec's binary form: its numbers aren't text."""
    numbers = vectors.partition(b" ")[2].partition(b"\n")[0]
    return not re.fullmatch(rb"[-+.\deEinfa \t\r]+", numbers)


def table(
    words: Sequence[str], sources: Sequence[KeyedVectors], seed: int = 1
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], int]:
    """Start values of an embedding, `(len(words), sum of dimensions)`, and how many words had one.

    Several sources stand side by side in each row. As in Kim 2014, section 3.1, a word that a
    source lacks is drawn uniformly from [-a, a] so that it has the source's variance; padding is 0.
    A fastText source with subwords (.bin) lacks none: it makes a vector from the character n-grams
    of a word that isn't on its list.
    """
    rng = np.random.default_rng(seed)
    parts, found = [], np.zeros(len(words), dtype=bool)
    for source in sources:
        reach = float(np.sqrt(3 * source.vectors[:10_000].var()))
        part = rng.uniform(-reach, reach, (len(words), source.vector_size)).astype(np.float32)
        for row, word in enumerate(words):
            if row >= len(SPECIAL) and word in source:
                part[row] = source[word]
                found[row] = True
        parts.append(part)
    vectors = np.concatenate(parts, axis=1)
    vectors[0] = 0.0
    return vectors, int(found.sum())


def write(vectors: KeyedVectors, file: IO[bytes], binary: bool) -> None:
    """word2vec's form, binary or text: a line `words dimensions`, then a word and its numbers."""
    file.write(f"{len(vectors)} {vectors.vector_size}\n".encode())
    for word, row in zip(vectors.index_to_key, vectors.vectors.astype("<f4"), strict=True):
        numbers = row.tobytes() if binary else " ".join(f"{x:.6g}" for x in row).encode()
        file.write(word.encode() + b" " + numbers + b"\n")
