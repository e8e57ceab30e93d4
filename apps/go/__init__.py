"""What the Go page and the Go commands show, and what they do with a game."""
