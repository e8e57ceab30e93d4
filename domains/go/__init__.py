"""From a position to a move, as AlphaGo's policy network saw it: one look, no reading."""
