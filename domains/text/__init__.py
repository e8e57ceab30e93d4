"""From a text to a sentiment, with filters that move along the words."""
