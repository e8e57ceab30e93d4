"""From a text to the numbers of its words.

Lower case, contractions split so that negation is a word of its own (don't -> do not), addresses
and mentions reduced to one token each, runs of one sign shortened ("!!!!" -> "!!"), and the marks
of pre-tokenised corpora (``, -LRB-, does n't) read as what they stand for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

PADDING, UNKNOWN = 0, 1
SPECIAL = ("<pad>", "<unk>")

_APOSTROPHE = "['’`´]"
_TOKEN = re.compile(
    rf"""https?://\S+ | www\.\S+ | @\w+             # addresses and mentions
    | n{_APOSTROPHE}t\b | \w+?(?=n{_APOSTROPHE}t\b)  # is|n't
    | {_APOSTROPHE}(?:s|re|ve|ll|d|m)\b              # it|'s
    | \w+
    | <br\s*/?> | &\#?\w+; | -[lr][rsc]b-            # marks left by web pages and treebanks
    | [:;=]['-]?[()dpo/\\|\]\[*](?!\w) | <3          # emoticons
    | ([^\w\s])\1*                                   # one sign, or a run of it
    """,
    re.VERBOSE,
)

_STANDS_FOR = {
    "n't": "not", "ca": "can", "wo": "will", "'re": "are", "'ve": "have", "'ll": "will",
    "'m": "am", "'d": "would", "''": '"', "-lrb-": "(", "-rrb-": ")", "&amp;": "&",
    "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'",
}  # fmt: skip
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?:<br\s*/?>\s*)+")
_REPEATED = re.compile(r"(.)\1{2,}")
_CACHE_LIMIT = 1 << 18  # spellings
_CACHED_LENGTH = 32  # letters: longer ones are rare, and would fill the memory


def spans(text: str) -> list[tuple[int, int]]:
    """Where each token of `text` stands: (start, end) character offsets."""
    return [match.span() for match in _TOKEN.finditer(_lower(text))]


def tokenise(text: str) -> list[str]:
    """The tokens of `text`, normalised. One for each of `spans(text)`."""
    return [_normalise(match.group()) for match in _TOKEN.finditer(_lower(text))]


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, roughly: a break follows . ! or ? and space, or a <br /> mark."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part.strip()]


def _lower(text: str) -> str:
    """Lower case with every character at its place: 'İ' alone would become two."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c.lower()[0] for c in text)


def _normalise(raw: str) -> str:
    token = raw.translate(_STRAIGHT)
    if token in _STANDS_FOR:
        return _STANDS_FOR[token]
    if token.startswith(("http:", "https:", "www.")):
        return "<url>"
    if token.startswith("<br"):
        return "<br>"
    if token.startswith("@") and len(token) > 1:
        return "<user>"
    if len(token) > 2 and not token[0].isalnum() and token == token[0] * len(token):
        return token[:2]
    return token


_STRAIGHT = str.maketrans("’´`", "'''")


class Vocabulary:
    """The words that a network knows, by number; number 0 pads, number 1 is any other word."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)
        self._ids = _Lookup({word: number for number, word in enumerate(words)})

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return self.id(word) != UNKNOWN

    def id(self, word: str) -> int:
        """The number of one word; UNKNOWN if it isn't known, however often its letters repeat."""
        return self._ids[word.lower()]

    def ids(self, text: str, limit: int) -> list[int]:
        """The numbers of the first `limit` words of `text`; a text without any is one UNKNOWN."""
        lookup = self._ids
        numbers = [lookup[match.group()] for match in _TOKEN.finditer(_lower(text))]
        return numbers[:limit] or [UNKNOWN]

    @classmethod
    def of_counts(cls, counts: Iterable[tuple[str, int]], size: int) -> Vocabulary:
        """The `size` most frequent words, special ones included; ties in alphabetical order."""
        ranked = sorted(counts, key=lambda entry: (-entry[1], entry[0]))
        return cls([*SPECIAL, *(word for word, _ in ranked[: size - len(SPECIAL)])])


class _Lookup(dict[str, int]):
    """From a raw token to its number; spellings seen before are answered by the dict itself."""

    def __init__(self, known: dict[str, int]) -> None:
        super().__init__()
        self.known = known

    def __missing__(self, raw: str) -> int:
        token = _normalise(raw)
        number = self.known.get(token, UNKNOWN)
        for kept in (r"\1\1", r"\1"):  # sooo -> soo -> so
            if number == UNKNOWN and _REPEATED.search(token):
                number = self.known.get(_REPEATED.sub(kept, token), UNKNOWN)
        if len(self) < _CACHE_LIMIT and len(raw) <= _CACHED_LENGTH:
            self[raw] = number
        return number
