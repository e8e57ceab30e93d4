"""What the Go page and the Go commands show, and what they do with a game."""

CAPTION = "first instinct, no reading; sums to 100 % over legal moves"
