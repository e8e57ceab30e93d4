"""What the Speech page and the speech command show of a recording."""

ONE_WORD = 1.5  # seconds: a recording no longer than this is taken for one word
