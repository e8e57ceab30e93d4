"""An image network as the page shows it: what answers, and what its layers are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domains.image import imagenet
from domains.image.classifier import ImageClassifier

from ..layers import layers, networks

if TYPE_CHECKING:
    from torch import nn

    from core.arithmetic import LayerRow


@dataclass(frozen=True, eq=False)
class Network:
    """A classifier, the torch network that it runs, that network's layers, a total last, and the
    figures of its card, if it has one."""

    classifier: ImageClassifier
    network: nn.Module
    layers: list[LayerRow]
    metrics: dict[str, Any]


def load(name: str) -> Network:
    """The released model `name`. Raises InputError as `ImageClassifier.load` does."""
    import torch

    from core import registry, weights

    classifier = ImageClassifier.load(name)
    card = classifier.card
    networks()  # registers them
    network = registry.build(card.architecture, card.config)
    tensors = weights.load(card)
    network.load_state_dict({key: torch.from_numpy(array) for key, array in tensors.items()})
    _, rows = layers(card.architecture, card.config)
    return Network(classifier, network.eval(), rows, card.metrics)


def load_imagenet() -> Network:
    """That of the extra `imagenet`. Raises InputError as `imagenet.load` does."""
    from domains.image.published import preprocessing

    network, arch = imagenet.network(), imagenet.ARCHITECTURE
    classifier = ImageClassifier.of(network, imagenet.labels(), preprocessing(arch))
    _, rows = layers(arch, {})
    return Network(classifier, network, rows, {})
