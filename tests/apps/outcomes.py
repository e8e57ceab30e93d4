"""What commands end with."""


def one_error(done, *parts):
    """The command failed with one line on stderr that says all of `parts`."""
    assert (done.code, done.out) == (1, "")
    [line] = done.err.splitlines()
    assert line.startswith("receptive: error: ")
    for part in parts:
        assert part in line, line
