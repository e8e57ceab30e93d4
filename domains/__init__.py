"""Four rooms that never import one another; each keeps its released models in `weights/`."""

from pathlib import Path


def weight_folders() -> dict[str, Path]:
    """From a domain's name to the folder of its released models."""
    return {
        folder.parent.name: folder for folder in sorted(Path(__file__).parent.glob("*/weights"))
    }
