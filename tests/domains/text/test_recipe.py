import dataclasses
import hashlib

import numpy as np
import pytest
import torch
from gensim.models import KeyedVectors

from core import weights
from core.errors import InputError
from core.registry import build
from core.weights import Card
from domains.text import embeddings, recipe
from domains.text.classifier import SentimentClassifier
from domains.text.data import Example
from domains.text.recipe import RECIPES, Recipe, Source, read_recipe
from domains.text.tokens import SPECIAL

LABELS = ["negative", "neutral", "positive"]


def write(path, *rows):
    path.write_text("".join(f"{label}\t{text}\n" for label, text in rows))
    return path


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("text-cnn", {"filters": 5, "pools": ["max", "mean"], "channels": "multichannel"}),
        ("bag-of-embeddings", {"hidden": 9}),
        ("rnn", {"hidden": 9}),
    ],
)
def test_onnxruntime_answers_as_torch(tmp_path, name, settings):
    torch.manual_seed(3)
    words = [*SPECIAL, *(f"w{n}" for n in range(9998))]
    config = {"vocabulary": 10_000, "classes": 3, "dimensions": 16, **settings}
    network = build(name, config).eval()
    for table in network.embedding.tables:
        table.weight.data = table.weight.data.half()
    tensors = {key: tensor.numpy() for key, tensor in network.state_dict().items()}
    tensors["vocabulary"] = np.frombuffer("\n".join(words).encode(), dtype=np.uint8)
    graph = recipe.export(network, tensors, "net.safetensors")
    card = Card(
        name="net", domain="text", architecture=name, config={**config, "widths": [3, 4, 5]},
        labels=LABELS, preprocessing={"max_words": 2048}, description="", data=[], licence="",
        command="", metrics={},
    )  # fmt: skip
    weights.save(card, tensors, tmp_path, {"net.onnx": graph})
    classifier = SentimentClassifier.load(str(tmp_path / "net"))

    rng = np.random.default_rng(4)
    lengths = [1, 2, 3, 7, 20, 61, 300]
    texts = [" ".join(f"w{n}" for n in rng.integers(0, 11_000, length)) for length in lengths]
    for text, answer in zip(texts, classifier.logits(texts), strict=True):
        with torch.no_grad():
            expected = network(torch.tensor([classifier.vocabulary.ids(text, 2048)]))[0]
        np.testing.assert_allclose(answer, expected.numpy(), atol=1e-4)

    assert (tmp_path / "net.safetensors").stat().st_size > 300_000
    assert len(graph) < 30_000  # the graph has no weights of its own
    assert b".py" not in graph  # nor anything of the machine that made it
    if name != "text-cnn":
        return
    with torch.no_grad():
        maps = network.maps(torch.tensor([classifier.vocabulary.ids(texts[4], 2048)]))
    ran = classifier.session.run(
        [f"maps{width}" for width in (3, 4, 5)],
        {"words": np.asarray([classifier.vocabulary.ids(texts[4], 2048)])},
    )
    for ours, theirs in zip(ran, maps, strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-4)


VECTORS = {f"word{n}": (np.linspace(n, n + 1, 5) / 10).tolist() for n in range(20)}


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    made = KeyedVectors(5)
    made.add_vectors(list(VECTORS), np.asarray(list(VECTORS.values()), dtype=np.float32))
    path = tmp_path_factory.mktemp("vectors") / "vectors.txt"
    with path.open("wb") as file:
        embeddings.write(made, file, binary=False)
    return path


@pytest.fixture(scope="module")
def released(tmp_path_factory, vectors):
    """A bag of static embeddings of two classes, released with a dev set."""
    folder = tmp_path_factory.mktemp("released")
    rows = [("neg", f"word1 word{n} bad{n % 3}") for n in range(12)]
    rows += [("pos", f"word15 word{n} good") for n in range(12)]
    data = write(folder / "data.tsv", *rows)
    dev = write(folder / "dev.tsv", ("neg", "word1 again"), ("pos", "word15 here"),
                ("neg", "word1 bad1 word2"), ("pos", "word3 oh good"), ("pos", "word1 but"),
                ("neg", "word1 word1"), ("neg", "word1 word2 word1"))  # fmt: skip
    made = Recipe(
        (Source(data),), dev=(Source(dev),), arch="bag-of-embeddings", vectors=(vectors,),
        settings={"channels": "static", "hidden": 8}, epochs=8, learning_rate=0.05,
        minimum_count=5, batch_size=8, description="A test's.", licence="CC0",
    )  # fmt: skip
    card = recipe.release(made, folder / "bag.run", folder / "bag", "receptive text train")
    return made, card, dev


def test_static_vectors_are_released_as_they_came(released):
    _, card, _ = released
    classifier = SentimentClassifier.load(str(card.path))
    table = classifier.tensors["embedding.tables.0.weight"]
    assert table.dtype == np.float16
    for word, vector in VECTORS.items():
        if word in classifier.vocabulary:
            row = table[classifier.vocabulary.id(word)]
            np.testing.assert_array_equal(row, np.asarray(vector, dtype=np.float16))
    assert not table[0].any()


def test_rare_words_are_known_only_if_the_vectors_have_them(released):
    known = SentimentClassifier.load(str(released[1].path)).vocabulary
    assert "good" in known  # twelve times
    assert "bad1" not in known  # four times, five are asked for
    assert "word7" in known  # twice, but it has a vector
    assert "again" not in known  # in the dev set only


def test_the_card_says_how_the_model_was_made(released):
    _, card, _ = released
    assert weights.read_card(card.path) == card
    assert (card.name, card.domain, card.architecture) == ("bag", "text", "bag-of-embeddings")
    assert card.labels == ["negative", "positive"]
    assert card.config["channels"] == "static"
    assert card.config["dimensions"] == 5
    assert card.config["dropout"] == 0.5  # defaults too
    assert card.description == "A test's."
    assert card.licence == "CC0"
    assert card.command == "receptive text train"
    assert [entry["file"] for entry in card.data] == ["data.tsv"]
    assert set(card.files) == {"bag.safetensors", "bag.onnx"}
    for name, digest in card.files.items():
        content = card.path.with_name(name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest


def test_the_cards_dev_figures_are_those_of_the_released_model(released):
    _, card, dev = released
    classifier = SentimentClassifier.load(str(card.path))
    found = recipe.evaluate(classifier, dev, {})
    assert found.pop("texts_per_second") > 0
    said = card.metrics["dev dev"]
    assert said["n"] == found["n"] == 7
    for name in ("accuracy", "macro_recall", "macro_f1"):
        assert said[name] == pytest.approx(found[name], abs=1e-3)
    assert said["ece"] == pytest.approx(found["ece"], abs=5e-3)


def test_probabilities_are_calibrated_on_the_dev_set(released):
    """No other temperature gives the dev set a higher likelihood."""
    _, card, dev = released
    classifier = SentimentClassifier.load(str(card.path))
    _, examples = recipe.read(dev, classifier.labels)
    logits = torch.from_numpy(classifier.logits([example.text for example in examples]))
    classes = torch.tensor([example.target.index(1.0) for example in examples])
    losses = [
        torch.nn.functional.cross_entropy(logits * factor, classes) for factor in (0.8, 1.0, 1.25)
    ]
    assert losses[1] < losses[0]
    assert losses[1] < losses[2]


def test_only_a_network_with_filters_explains_itself(released):
    classifier = SentimentClassifier.load(str(released[1].path))
    with pytest.raises(InputError, match="bag-of-embeddings"):
        classifier.predict(["word1"], explain=True)


def test_texts_of_dev_and_test_files_and_repeats_are_not_trained_on(tmp_path):
    data = write(tmp_path / "data.tsv", ("neg", "One bad film"), ("pos", "a good one"),
                 ("pos", "A good one!"), ("neg", "in dev"), ("pos", "in test"))  # fmt: skip
    dev = write(tmp_path / "dev.tsv", ("neg", "IN DEV."), ("pos", "other"))
    test = write(tmp_path / "test.tsv", ("pos", "in  test"), ("odd", "other labels are fine"))
    made = Recipe((Source(data),), dev=(Source(dev),), held_out=(Source(test),))
    ready = recipe.prepare(made)
    assert ready.labels == ["negative", "positive"]
    assert [example.text for example in ready.train] == ["One bad film", "a good one"]
    assert [[example.text for example in texts] for texts in ready.dev] == [["IN DEV.", "other"]]


def test_a_label_that_the_first_file_lacks_is_named(tmp_path):
    one = write(tmp_path / "one.tsv", ("neg", "bad"), ("pos", "good"))
    two = write(tmp_path / "two.tsv", ("pos", "good film"), ("neu", "a film"))
    with pytest.raises(InputError, match=r"two\.tsv:2: label 'neutral'"):
        recipe.prepare(Recipe((Source(one), Source(two))))
    assert recipe.prepare(Recipe((Source(one), Source(two)), labels=tuple(LABELS))).labels == LABELS


def test_training_needs_data():
    with pytest.raises(InputError, match="--data"):
        recipe.prepare(Recipe(()))


def test_extra_words_are_the_vectors_first_ones(tmp_path, vectors):
    data = write(tmp_path / "data.tsv", ("neg", "bad word19"), ("pos", "good word19"))
    made = Recipe(
        (Source(data),), vectors=(vectors,), extra_words=True, vocabulary=10, epochs=1,
        arch="bag-of-embeddings",
    )  # fmt: skip
    _, vocabulary, _ = recipe.train(made, recipe.prepare(made), tmp_path / "run")
    assert vocabulary.words[2:5] == ["word19", "bad", "good"]
    assert sorted(vocabulary.words[5:]) == ["word0", "word1", "word2", "word3", "word4"]


@pytest.mark.parametrize(
    ("channels", "moved"), [("static", [False]), ("multichannel", [False, True])]
)
def test_training_from_vectors(tmp_path, vectors, channels, moved):
    rows = [("neg", f"word1 word{n}") for n in range(8)] + [("pos", f"word9 word{n}")
            for n in range(8)]  # fmt: skip
    data = write(tmp_path / "data.tsv", *rows)
    settings = {"channels": channels, "filters": 4, "widths": [2]}
    made = Recipe((Source(data),), vectors=(vectors,), settings=settings, epochs=2)
    network, vocabulary, _ = recipe.train(made, recipe.prepare(made), tmp_path / "run")
    number = vocabulary.id("word9")
    start = torch.tensor(VECTORS["word9"])
    tables = [table.weight[number].detach() for table in network.embedding.tables]
    assert [not torch.equal(row, start) for row in tables] == moved


def test_cross_validation_tests_every_text_once(tmp_path, monkeypatch):
    rows = [("neg", f"bad film {n}") for n in range(15)] + [("pos", f"good film {n}")
            for n in range(15)]  # fmt: skip
    data = write(tmp_path / "data.tsv", *rows)
    seen, trained = [], []
    logits, train = recipe.logits, recipe.train

    def spy_train(made, ready, run):
        dev = [example.text for texts in ready.dev for example in texts]
        trained.append(({example.text for example in ready.train}, set(dev)))
        return train(made, ready, run)

    def spy_logits(network, vocabulary, examples):
        seen.append([example.text for example in examples])
        return logits(network, vocabulary, examples)

    monkeypatch.setattr(recipe, "train", spy_train)
    monkeypatch.setattr(recipe, "logits", spy_logits)
    made = Recipe((Source(data),), arch="bag-of-embeddings", epochs=2, learning_rate=0.02)
    found = recipe.cross_validate(made, tmp_path / "run", 3)
    assert found["n"] == 30
    assert len(found["folds"]) == 3
    assert found["accuracy"] == pytest.approx(np.mean(found["folds"]), abs=1e-4)
    assert all(0 <= accuracy <= 1 for accuracy in found["folds"])
    tests = [texts for texts in seen if len(texts) == 10]
    assert sorted(text for texts in tests for text in texts) == sorted(text for _, text in rows)
    for (training, dev), test in zip(trained, tests, strict=True):
        assert not training & dev
        assert not (training | dev) & set(test)
        assert len(training | dev) == 20


def test_a_files_class_that_it_lacks_is_not_chosen():
    """A two-class file answered by a three-class network: neutral has no probability."""

    class Neutral(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, words):
            return torch.tensor([[0.0, 9.0, 1.0]]).expand(len(words), -1) + self.weight

    class Vocabulary:
        def ids(self, text, limit):
            return [2] * len(text.split())

    examples = [Example("a b c", (0.0, 0.0, 1.0), (True, False, True)),
                Example("a", (0.0, 0.0, 1.0), (True, True, True))]  # fmt: skip
    scores = recipe.logits(Neutral(), Vocabulary(), examples).softmax(1)
    assert scores.argmax(1).tolist() == [2, 1]
    assert scores[0, 1] == 0


@pytest.mark.parametrize("name", sorted(path.stem for path in RECIPES.glob("*.toml")))
def test_every_recipe_here_can_be_read(tmp_path, name):
    made = Recipe(**read_recipe(name, tmp_path))
    assert made.data
    for entry in (*made.data, *made.dev, *made.held_out):
        assert entry.path.is_relative_to(tmp_path)
    assert not {entry.path for entry in made.data} & {
        entry.path for entry in (*made.dev, *made.held_out)
    }
    made.training()
    build(made.arch, {"vocabulary": 10, **made.settings})


def test_a_recipe_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        'data = ["a.tsv", {path = "b.tsv", weight = 2.0, labels = {0 = "negative"}}]\n'
        'vectors = ["v.bin"]\nlabels = ["x", "y"]\nepochs = 3\n'
    )
    made = Recipe(**read_recipe(str(path), tmp_path / "data"))
    folder = tmp_path / "data"
    assert made.data == (
        Source(folder / "a.tsv"), Source(folder / "b.tsv", 2.0, {"0": "negative"}),
    )  # fmt: skip
    assert made.vectors == (folder / "v.bin",)
    assert made.labels == ("x", "y")
    assert made.training().epochs == 3


def test_an_unknown_recipe_lists_the_known_ones(tmp_path):
    with pytest.raises(InputError, match="'nothing'") as caught:
        read_recipe("nothing", tmp_path)
    for path in RECIPES.glob("*.toml"):
        assert path.stem in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("epochs = ", "odd.toml"),
        ("epoch = 3", "'epoch'"),
        ('data = [{weight = 2.0}]', "data"),
        ('data = [{path = "a.tsv", wait = 2.0}]', "data"),
        ("data = [3]", "data"),
        ("data = 3", "data"),
    ],
)  # fmt: skip
def test_a_bad_recipe_is_named(tmp_path, content, message):
    path = tmp_path / "odd.toml"
    path.write_text(content)
    with pytest.raises(InputError, match=message) as caught:
        read_recipe(str(path), tmp_path)
    assert "odd.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_runs_of_different_recipes_keep_apart(tmp_path):
    made = Recipe((Source(tmp_path / "a.tsv"),))
    folders = {
        recipe.run_folder(changed, tmp_path)
        for changed in (
            made,
            dataclasses.replace(made, seed=2),
            dataclasses.replace(made, settings={"filters": 3}),
            dataclasses.replace(made, data=(Source(tmp_path / "b.tsv"),)),
        )
    }
    assert len(folders) == 4
    assert all(folder.parent == tmp_path for folder in folders)
