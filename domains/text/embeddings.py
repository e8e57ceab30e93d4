"""Word vectors: trained by gensim, or read from the formats that gensim reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError

from .files import rows
from .tokens import SPECIAL, tokenise

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

METHODS = ("word2vec", "fasttext")


class Sentences:
    """The tokenised lines of text files, read anew on every pass: what gensim trains on.

    Bad rows are handed to `reject` on the first pass, and left out.
    """

    def __init__(
        self, paths: Sequence[Path], column: str | None, reject: Callable[[InputError], None]
    ) -> None:
        self.paths, self.column, self.reject = paths, column, reject

    def __iter__(self) -> Iterator[list[str]]:
        for path in self.paths:
            for row in rows(path, str(path), self.column):
                if isinstance(row, InputError):
                    self.reject(row)
                elif words := tokenise(row.text):
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

    Bad rows are handed to `reject`. Raises InputError if no word occurs `minimum_count` times.
    """
    from gensim.models import FastText, Word2Vec

    settings: dict[str, Any] = {
        "vector_size": dimensions, "window": 5, "min_count": minimum_count, "sg": 1,
        "negative": 5, "seed": seed, "workers": workers, "epochs": epochs,
    }  # fmt: skip
    model = (FastText if method == "fasttext" else Word2Vec)(**settings)
    sentences = Sentences(paths, column, reject)
    model.build_vocab(sentences)
    if not len(model.wv):
        raise InputError(f"no word occurs {minimum_count} times in {', '.join(map(str, paths))}")
    model.train(sentences, total_examples=model.corpus_count, epochs=epochs)
    return model.wv


def read(path: Path) -> KeyedVectors:
    """Vectors in word2vec text or binary, GloVe, or fastText (.vec, .bin) form.

    The form is told from the content. gensim's own pickles are refused. Raises InputError.
    """
    from gensim.models import KeyedVectors
    from gensim.models.fasttext import load_facebook_vectors

    if not path.is_file():
        raise InputError(f"{path}: no such file")
    with path.open("rb") as file:
        head = file.read(4096)
    if head[:1] == b"\x80":
        raise InputError(f"{path}: a pickle; pickles are never loaded")
    first, _, rest = head.partition(b"\n")
    try:
        if head[:4] == (793712314).to_bytes(4, "little"):  # fastText's magic number
            vectors = load_facebook_vectors(str(path))
        elif len(first.split()) != 2:
            vectors = KeyedVectors.load_word2vec_format(str(path), no_header=True)
        else:
            vectors = KeyedVectors.load_word2vec_format(str(path), binary=_is_binary(rest))
    except (ValueError, TypeError, EOFError, MemoryError, NotImplementedError, AssertionError) as e:
        raise InputError(f"{path}: not word vectors in a form known here ({e})") from None
    if not vectors.vectors.size:
        raise InputError(f"{path}: no word vectors in it")
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
    """
    rng = np.random.default_rng(seed)
    parts, found = [], np.zeros(len(words), dtype=bool)
    for source in sources:
        reach = float(np.sqrt(3 * source.vectors[:10_000].var()))
        part = rng.uniform(-reach, reach, (len(words), source.vector_size)).astype(np.float32)
        for row, word in enumerate(words):
            if row >= len(SPECIAL) and word in source.key_to_index:
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
