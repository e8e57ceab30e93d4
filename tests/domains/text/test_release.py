import hashlib

import numpy as np
import pytest
import torch
from gensim.models import KeyedVectors

from core import weights
from core.errors import InputError
from core.registry import build
from core.weights import Card
from domains.text import embeddings, release
from domains.text.classifier import SentimentClassifier
from domains.text.data import read
from domains.text.evaluation import evaluate
from domains.text.recipe import LabelledFile, Recipe, prepare
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
    graph = release.export(network, tensors, "net.safetensors")
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
        (LabelledFile(data),), dev=(LabelledFile(dev),), vectors=(vectors,), epochs=8,
        settings={"channels": "static", "hidden": 8}, learning_rate=0.05, arch="bag-of-embeddings",
        minimum_count=5, batch_size=8, description="A test's.", licence="CC0",
    )  # fmt: skip
    card = release.release(made, folder / "bag.run", folder / "bag", "receptive text train")
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
    found = evaluate(classifier, LabelledFile(dev))
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
    _, examples = read(dev, classifier.labels)
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


def train(made, folder):
    vectors = [embeddings.read(path) for path in made.vectors]
    return release.train(made, prepare(made), vectors, folder / "run")


def test_extra_words_are_the_vectors_first_ones(tmp_path, vectors):
    data = write(tmp_path / "data.tsv", ("neg", "bad word19"), ("pos", "good word19"))
    made = Recipe(
        (LabelledFile(data),), vectors=(vectors,), extra_words=True, vocabulary=10, epochs=1,
        arch="bag-of-embeddings",
    )  # fmt: skip
    vocabulary = train(made, tmp_path).vocabulary
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
    made = Recipe((LabelledFile(data),), vectors=(vectors,), settings=settings, epochs=2)
    trained = train(made, tmp_path)
    number = trained.vocabulary.id("word9")
    start = torch.tensor(VECTORS["word9"])
    tables = [table.weight[number].detach() for table in trained.model.embedding.tables]
    assert [not torch.equal(row, start) for row in tables] == moved


def test_cross_validation_tests_every_text_once(tmp_path, monkeypatch):
    rows = [("neg", f"bad film {n}") for n in range(15)] + [("pos", f"good film {n}")
            for n in range(15)]  # fmt: skip
    data = write(tmp_path / "data.tsv", *rows)
    seen, trained = [], []
    logits, train = release.logits, release.train

    def spy_train(made, ready, vectors, run):
        dev = [example.text for texts in ready.dev for example in texts]
        trained.append(({example.text for example in ready.train}, set(dev)))
        return train(made, ready, vectors, run)

    def spy_logits(network, vocabulary, examples):
        seen.append([example.text for example in examples])
        return logits(network, vocabulary, examples)

    monkeypatch.setattr(release, "train", spy_train)
    monkeypatch.setattr(release, "logits", spy_logits)
    made = Recipe((LabelledFile(data),), arch="bag-of-embeddings", epochs=2, learning_rate=0.02)
    found = release.cross_validate(made, tmp_path / "run", 3)
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


@pytest.mark.parametrize("name", ["text-cnn", "bag-of-embeddings", "rnn"])
def test_training_says_how_the_network_is_built_again(tmp_path, name):
    data = write(tmp_path / "data.tsv", *[("neg", "bad film"), ("pos", "good film")])
    made = train(Recipe((LabelledFile(data),), arch=name, epochs=1), tmp_path)
    again = build(name, made.config)
    again.load_state_dict(made.model.state_dict())
    assert made.config["vocabulary"] == len(made.vocabulary) == 5
    assert made.config["dropout"] == 0.5  # defaults too


def test_folds_are_not_trained_twice(tmp_path, vectors, monkeypatch):
    """A finished fold keeps its accuracy and its log, nothing else; vectors are read once."""
    rows = [("neg", f"bad film {n}") for n in range(9)] + [("pos", f"good film {n}")
            for n in range(9)]  # fmt: skip
    data = write(tmp_path / "data.tsv", *rows)
    made = Recipe(
        (LabelledFile(data),), arch="bag-of-embeddings", epochs=1, vectors=(vectors,), patience=1
    )
    reads, read = [], embeddings.read
    monkeypatch.setattr(embeddings, "read", lambda path: reads.append(path) or read(path))
    found = release.cross_validate(made, tmp_path / "run", 3)
    assert reads == [vectors]
    assert {path.name for path in tmp_path.glob("run/*/*/*")} == {
        "log.jsonl",
        "outcome.json",
        "settings.json",
    }
    with monkeypatch.context() as patched:
        patched.setattr(release, "train", None)
        assert release.cross_validate(made, tmp_path / "run", 3) == found
        patched.setenv("RANK", "1")  # under torchrun one process speaks
        assert release.cross_validate(made, tmp_path / "run", 3) is None
    other = release.cross_validate(made, tmp_path / "run", 2)  # others than the first two of three
    assert len(other["folds"]) == 2


def test_a_released_model_is_not_trained_again(tmp_path, monkeypatch):
    """Unless it is gone; and where its data changed, it isn't overwritten."""
    data = write(tmp_path / "data.tsv", ("neg", "bad film"), ("pos", "good film"))
    made = Recipe((LabelledFile(data),), arch="bag-of-embeddings", epochs=1)
    run, out = tmp_path / "net.run", tmp_path / "net"
    card = release.release(made, run, out, "first")
    assert {path.name for path in run.glob("*/*")} == {"log.jsonl", "outcome.json", "settings.json"}
    with monkeypatch.context() as patched:
        patched.setattr(release, "train", None)
        assert release.release(made, run, out, "second") == card
    out.with_suffix(".safetensors").unlink()
    assert release.release(made, run, out, "third").files == card.files
    write(data, ("neg", "bad film"), ("pos", "good film"), ("neg", "dull"), ("pos", "fine"))
    with pytest.raises(InputError, match=r"net\.toml: there already"):
        release.release(made, run, out, "fourth")
    fifth = release.release(made, run, tmp_path / "other", "fifth")
    assert "dull" in SentimentClassifier.load(str(fifth.path)).vocabulary


@pytest.mark.parametrize(
    ("name", "settings"),
    [("text-cnn", {"filters": 600}), ("bag-of-embeddings", {"hidden": 3000}),
     ("rnn", {"hidden": 600})],
)  # fmt: skip
def test_large_layers_are_shared_with_the_graph(name, settings):
    config = {"vocabulary": 9, "classes": 3, "dimensions": 300, **settings}
    network = build(name, config).eval()
    tensors = {key: tensor.numpy() for key, tensor in network.state_dict().items()}
    assert len(release.export(network, tensors, "net.safetensors")) < 100_000


def test_a_graph_that_answers_otherwise_is_not_released(monkeypatch):
    network = build("bag-of-embeddings", {"vocabulary": 9, "dimensions": 4}).eval()
    tensors = {key: tensor.numpy() for key, tensor in network.state_dict().items()}
    to_onnx = release.to_onnx

    def wrong(model, *arguments):
        graph = to_onnx(model, *arguments)
        bias = network.head.linear.bias
        bias.data = bias.data + 0.01
        return graph

    monkeypatch.setattr(release, "to_onnx", wrong)
    with pytest.raises(RuntimeError, match="ONNX"):
        release.export(network, tensors, "net.safetensors")
