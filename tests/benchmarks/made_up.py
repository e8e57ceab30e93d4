"""Short texts without end, for measuring where no public data lies: tweets and reviews by dice."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import accumulate

_COMMON = """
the a and of to it is this was in i that for with but not my as on you so film be have movie at just
are by all an one from they very like good more about out has if what no there really would great
when than can me time too only its or we service never were get even much because some your phone
well who had any funny do bad don't story first up flight after love how them will way best plot
been then little nothing again isn't still delayed people could best which worth boring actors long
ending warm screen battery excellent every almost terrible customer waste hardly beautiful money
slow product day made recommend old thanks seen work happy again awful broken better perfect worst
script characters laugh dull lovely expected cheap disappointed quality fresh camera late wonderful
price dialogue tired season enjoy poor wait music hotel charming stupid clean fails staff brilliant
"""
_WORDS = _COMMON.split()
_ZIPF = list(accumulate(1 / rank for rank in range(1, len(_WORDS) + 1)))


def texts(seed: int = 1) -> Iterator[str]:
    """Texts of 5 words or more, 15 on average, words spread as Zipf's law has it.

    Mentions, tags and addresses make about one word a text that never came before.
    """
    dice = random.Random(seed)
    while True:
        words = dice.choices(_WORDS, cum_weights=_ZIPF, k=5 + int(dice.expovariate(0.1)))
        if dice.random() < 0.5:
            words.insert(0, f"@reader{dice.getrandbits(32)}")
        if dice.random() < 0.3:
            words.append(f"#{dice.choice(_WORDS)}{dice.getrandbits(24)}")
        if dice.random() < 0.2:
            words.append(f"https://example.org/{dice.getrandbits(48):x}")
        yield " ".join(words) + dice.choice((".", ".", "!", "?", " :)", " …"))
