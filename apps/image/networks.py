"""An image network as the page shows it: what answers, and what its layers are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domains.image import imagenet
from domains.image.classifier import ImageClassifier

from ..layers import layers, networks

if TYPE_CHECKING:
    from torch import nn

    from core.arithmetic import LayerRow
    from core.weights import Card


@dataclass(frozen=True, eq=False)
class Network:
    """A classifier, the torch network that it runs, that network's layers, a total last, and its
    card, if it has one."""

    classifier: ImageClassifier
    network: nn.Module
    layers: list[LayerRow]
    card: Card | None


def load(name: str) -> Network:
    """The released model `name`. Raises InputError as `ImageClassifier.load` does."""
    from core import registry

    classifier = ImageClassifier.load(name)
    card = classifier.card
    networks()  # registers them
    network = registry.trained(card)
    _, rows = layers(card.architecture, card.config)
    return Network(classifier, network, rows, card)


def load_imagenet() -> Network:
    """That of the extra `imagenet`. Raises InputError as `imagenet.load` does."""
    from domains.image.published import preprocessing

    network, arch = imagenet.network(), imagenet.ARCHITECTURE
    classifier = ImageClassifier.of(network, imagenet.labels(), preprocessing(arch))
    _, rows = layers(arch, {})
    return Network(classifier, network, rows, None)
