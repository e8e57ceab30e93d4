"""The compiled rules: made on the first call after an install, and said to be so."""

from __future__ import annotations

import sys
from threading import Timer

from domains.go import features, scoring
from domains.go.board import Board

PATIENCE = 2.0
"""Seconds of silence."""


def compile_rules() -> None:
    """Compiles what a game needs, which is kept on disk; says on stderr what takes long."""
    note = Timer(PATIENCE, print, ("Compiling the rules, once: a moment.",), {"file": sys.stderr})
    note.daemon = True
    note.start()
    board = Board(5)
    board.play(12)
    board.legal()
    features.planes(board)
    scoring.dead_stones(board, playouts=1)
    note.cancel()
