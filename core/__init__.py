"""Blocks, training and weights: what every domain is built from. Knows of no domain."""
