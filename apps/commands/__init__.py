"""One module a sub-command of `receptive`."""
