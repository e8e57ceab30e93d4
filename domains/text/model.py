"""The text networks: Kim's CNN, and the two baselines that the lecture notes compare it with.

Every network maps word numbers to logits, `(B, T) int64 -> (B, classes)`; number 0 is padding and
changes nothing. Inside, a text is a picture one word wide: `(B, dimensions, T)`, the embedding's
dimensions are its channels, and filters move along the words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from core.blocks import Conv, FullyConnected, GlobalAveragePool, GlobalMaxPool
from core.errors import InputError
from core.registry import register

from .tokens import PADDING

CHANNELS = ("static", "non-static", "multichannel")
POOLS = {"max": GlobalMaxPool, "mean": GlobalAveragePool}


@dataclass(frozen=True)
class TextNetworkConfig:
    """What all three networks have in common."""

    vocabulary: int  # rows of the embedding, the two special words included
    classes: int = 3
    dimensions: int = 100  # of a word vector
    channels: str = "non-static"  # which word vectors training moves, see WordEmbedding
    dropout: float = 0.5  # share of the features before the last layer

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            values = value if isinstance(value, tuple) else (value,)
            if not values or any(
                isinstance(part, int) and part < 1 for part in values if name != "dropout"
            ):
                raise InputError(f"{name} cannot be {value}")
        if self.channels not in CHANNELS:
            raise InputError(f"channels must be one of {', '.join(CHANNELS)}")
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout cannot be {self.dropout}")


@dataclass(frozen=True)
class TextCNNConfig(TextNetworkConfig):
    """Kim 2014, table 1 and section 3.1: widths 3, 4, 5 with 100 filters each, dropout 0.5."""

    widths: tuple[int, ...] = (3, 4, 5)  # words that a filter sees
    filters: int = 100  # of each width
    pools: tuple[str, ...] = ("max",)  # over time; Kim's is "max", "mean" adds the average

    def __post_init__(self) -> None:
        super().__post_init__()
        if not set(self.pools) <= set(POOLS):
            raise InputError(f"pools must be of {', '.join(POOLS)}")
        for name, values in {"widths": self.widths, "pools": self.pools}.items():
            if len(set(values)) < len(values):
                raise InputError(f"{name} cannot repeat one: {values}")


@dataclass(frozen=True)
class BagOfEmbeddingsConfig(TextNetworkConfig):
    hidden: int = 300


@dataclass(frozen=True)
class RNNConfig(TextNetworkConfig):
    hidden: int = 300


class WordEmbedding(nn.Module):
    """Word numbers to word vectors, `(B, T) -> (B, dimensions, T)`; padding is the zero vector.

    Kim 2014, section 3: `static` keeps the vectors as they came, `non-static` trains them,
    `multichannel` has one table of each. There every filter is applied to both channels and the
    results are added, which for one shared filter is the convolution of the two vectors' sum.
    """

    def __init__(self, config: TextNetworkConfig) -> None:
        super().__init__()
        trained = {"static": (False,), "non-static": (True,), "multichannel": (False, True)}
        self.tables: Any = nn.ModuleList()
        for train in trained[config.channels]:
            table = nn.Embedding(config.vocabulary, config.dimensions, padding_idx=PADDING)
            nn.init.uniform_(table.weight, -0.25, 0.25)
            nn.init.zeros_(table.weight[PADDING])
            self.tables.append(table.requires_grad_(train))

    def start_from(self, vectors: Tensor) -> None:
        """Start every channel from these vectors, `(vocabulary, dimensions)`."""
        for table in self.tables:
            with torch.no_grad():
                table.weight.copy_(vectors)

    def forward(self, words: Tensor) -> Tensor:
        vectors: Any = sum(table(words).float() for table in self.tables)  # (B, T, dimensions)
        channels: Tensor = vectors.transpose(1, 2)
        return channels


@register("text-cnn", TextCNNConfig)
class TextCNN(nn.Module):
    """Kim, Convolutional Neural Networks for Sentence Classification, EMNLP 2014, section 2.

    A filter of width w at word t sees words t - w//2 to t - w//2 + w - 1, beyond the ends of the
    text zeros; so there is one value a word and filter, and none for padding.
    """

    def __init__(self, config: TextCNNConfig) -> None:
        super().__init__()
        self.embedding = WordEmbedding(config)
        self.convolutions = nn.ModuleList(
            Conv(config.dimensions, config.filters, width, padding=width // 2, dims=1)
            for width in config.widths
        )
        self.pools = nn.ModuleList(POOLS[pool]() for pool in config.pools)
        self.dropout = nn.Dropout(config.dropout)
        features = config.filters * len(config.widths) * len(config.pools)
        self.head = FullyConnected(features, config.classes)

    def maps(self, words: Tensor) -> list[Tensor]:
        """Feature maps after ReLU, 0 behind the text, one a width: `(B, T) -> (B, filters, T)`."""
        vectors = self.embedding(words)  # (B, dimensions, T)
        real = (words != PADDING).to(vectors.dtype)[:, None]  # (B, 1, T)
        length = words.shape[1]
        return [convolve(vectors)[..., :length] * real for convolve in self.convolutions]

    def classify(self, words: Tensor, maps: list[Tensor]) -> Tensor:
        """Pooling over time and the last layer, -> (B, classes) logits."""
        # No map is below 0, so the zeros behind a text can't win; the mean leaves them out.
        share = words.shape[1] / (words != PADDING).sum(1, keepdim=True)  # (B, 1)
        pooled = [
            pool(values) * (share if isinstance(pool, GlobalAveragePool) else 1)
            for pool in self.pools
            for values in maps
        ]  # (B, filters)
        logits: Tensor = self.head(self.dropout(torch.cat(pooled, 1)))
        return logits

    def forward(self, words: Tensor) -> Tensor:
        return self.classify(words, self.maps(words))


@register("bag-of-embeddings", BagOfEmbeddingsConfig)
class BagOfEmbeddings(nn.Module):
    """The mean of the word vectors through one hidden layer: knows the words, not their order."""

    def __init__(self, config: BagOfEmbeddingsConfig) -> None:
        super().__init__()
        self.embedding = WordEmbedding(config)
        self.pool = GlobalAveragePool()
        self.hidden = FullyConnected(config.dimensions, config.hidden, activation="relu")
        self.dropout = nn.Dropout(config.dropout)
        self.head = FullyConnected(config.hidden, config.classes)

    def forward(self, words: Tensor) -> Tensor:
        mean = self.pool(self.embedding(words), words != PADDING)  # (B, dimensions)
        logits: Tensor = self.head(self.dropout(self.hidden(mean)))
        return logits


@register("rnn", RNNConfig)
class RNN(nn.Module):
    """The vanilla RNN of the lecture notes, many to one: h_t = tanh(W_hh h_{t-1} + W_xh x_t)."""

    def __init__(self, config: RNNConfig) -> None:
        super().__init__()
        self.embedding = WordEmbedding(config)
        self.recurrence = nn.RNN(config.dimensions, config.hidden, batch_first=True)
        self.dropout = nn.Dropout(config.dropout)
        self.head = FullyConnected(config.hidden, config.classes)

    def forward(self, words: Tensor) -> Tensor:
        states, _ = self.recurrence(self.embedding(words).transpose(1, 2))  # (B, T, hidden)
        last = ((words != PADDING).sum(1) - 1).reshape(-1, 1, 1)  # (B, 1, 1)
        final = states.gather(1, last.expand(-1, -1, states.shape[2])).squeeze(1)  # (B, hidden)
        logits: Tensor = self.head(self.dropout(final))
        return logits


def example_inputs(config: Mapping[str, Any]) -> tuple[Tensor, ...]:
    """A text of 20 words, for tables of layers: one `(1, 20)` tensor of word numbers."""
    return (torch.arange(1, 21).clamp(max=int(config["vocabulary"]) - 1).unsqueeze(0),)
