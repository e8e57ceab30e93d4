"""What the Speech page and the speech command show of a recording."""

ONE_WORD = 1.5  # seconds: a recording no longer than this is taken for one word


def around(start: float, end: float, window: float) -> tuple[float, float]:
    """The stretch to look at for a word heard from `start` to `end`: from a window to ONE_WORD
    long, about its middle, in seconds."""
    half = max(min(end - start, ONE_WORD), window) / 2
    middle = (start + end) / 2
    return max(middle - half, 0.0), middle + half
