"""What White is given beforehand, so that both have the same chances."""

from __future__ import annotations

KOMI = 7.5
HANDICAP_KOMI = 0.5


def usual_komi(handicap: int) -> float:
    """KOMI, or HANDICAP_KOMI where Black has handicap stones."""
    return HANDICAP_KOMI if handicap else KOMI


def compensation(handicap: int) -> int:
    """White's points for Black's handicap stones, which count as area: one each, as Chinese rules
    have it. One stone alone is no handicap but the first move.
    """
    return handicap if handicap > 1 else 0


def in_words(komi: float, compensated: int) -> str:
    """ "komi 0.5, 2 for handicap stones", or "komi 7.5"."""
    stones = f", {compensated} for handicap stones" if compensated else ""
    return f"komi {komi:g}{stones}"
