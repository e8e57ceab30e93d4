"""What the Image page and the image commands have in common: which model answers."""

from __future__ import annotations

IMAGENET = "imagenet"
"""The model of the extra of that name; all others are released ones, with a card."""


def default_model() -> str:
    """imagenet where its extra is installed, else objects."""
    from domains.image import imagenet

    return IMAGENET if imagenet.installed() else "objects"
