"""From a few hundred small pictures to a released classifier."""

import dataclasses
import json

import numpy as np
import onnxruntime
import pytest
import torch
from shapes import write_npz

from core import registry, weights
from core.errors import InputError
from domains.image import data, release
from domains.image.classifier import ImageClassifier
from domains.image.evaluation import evaluate, logits, picture_of
from domains.image.examples import Normaliser
from domains.image.recipe import Recipe, run_folder

EPOCHS = 12
SMALL = Recipe(
    settings={"widths": [8, 16]}, epochs=EPOCHS, batch_size=16, learning_rate=0.05, shift=1,
    flip=True, ema=0.9, description="A test's.", licence="CC0",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shapes")


@pytest.fixture(scope="module")
def images(folder):
    return data.load(write_npz(folder / "shapes.npz"), "train")


def made(images, out, **changes):
    recipe = dataclasses.replace(SMALL, **changes)
    return release.release(
        recipe, images, out.with_name(f"{out.name}.run"), out, "receptive image train"
    )


@pytest.fixture(scope="module")
def card(images, folder):
    return made(images, folder / "small")


def test_the_card_says_what_was_done(card, images):
    weights.verify(card)
    assert weights.read_card(card.path) == card
    assert (card.name, card.domain, card.architecture) == ("small", "image", "airbench")
    assert card.labels == ["0", "1", "2"]
    assert card.config == {"classes": 3, "channels": 1, "size": 12, "widths": [8, 16]}
    assert (card.description, card.licence) == ("A test's.", "CC0")
    assert card.command == "receptive image train"
    assert card.preprocessing["mirrored"] is True
    assert card.preprocessing["mean"] == pytest.approx([images.pictures.mean() / 255], abs=0.01)
    assert card.metrics["epochs"] == EPOCHS
    held_out = card.metrics["validation"]["n"]
    assert held_out == 12 and sum(entry["pictures"] for entry in card.data) == 120 - held_out
    assert set(card.files) == {"small.safetensors", "small.onnx"}


def test_the_graph_answers_as_the_network(card):
    network = registry.build(card.architecture, card.config).eval()
    tensors = weights.load(card)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in tensors.items()})
    session = onnxruntime.InferenceSession(str(card.path.with_suffix(".onnx")))
    for batch in (1, 3, 8):
        pictures = torch.randn(batch, 1, 12, 12)
        with torch.no_grad():
            expected = network(pictures).numpy()
        [found] = session.run(["logits"], {"pictures": pictures.numpy()})
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_it_has_learned_its_shapes(card, folder):
    classifier = ImageClassifier.load(str(card.path))
    unseen = data.load(folder / "shapes.npz", "test")
    figures = evaluate(classifier, unseen)
    assert figures["n"] == 30
    assert figures["accuracy"] > 0.8
    answers = classifier.predict([picture_of(array) for array in unseen.pictures])
    right = [answer.label == str(number) for answer, number in
             zip(answers, unseen.classes, strict=True)]  # fmt: skip
    assert np.mean(right) == pytest.approx(figures["accuracy"], abs=1e-4)


def test_the_first_filters_whiten_what_they_see(card, images):
    network = registry.build("airbench", card.config)
    pictures = (torch.from_numpy(images.pictures) / 255.0 - 0.2) / 0.3
    network.prepare(pictures)
    filters = network.whiten.conv.weight
    seen = torch.nn.functional.conv2d(pictures, filters[:4])
    values = seen.transpose(0, 1).flatten(1)
    torch.testing.assert_close(values @ values.T / values.shape[1], torch.eye(4), atol=0.05, rtol=0)
    torch.testing.assert_close(filters[4:], -filters[:4])


def test_a_finished_model_is_left_as_it_is(card, images):
    before = card.path.stat().st_mtime_ns
    assert made(images, card.path.with_suffix("")) == card
    assert card.path.stat().st_mtime_ns == before


def test_an_interrupted_run_ends_with_the_same_weights(images, tmp_path, monkeypatch):
    short = {"epochs": 2}
    whole = made(images, tmp_path / "whole", **short)
    calls = 0

    class Interrupted(release.Loss):
        def __call__(self, model, batch):
            nonlocal calls
            calls += 1
            if calls == 9:
                raise KeyboardInterrupt
            return super().__call__(model, batch)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(release, "Loss", Interrupted)
        made(images, tmp_path / "cut", **short)
    resumed = made(images, tmp_path / "cut", **short)
    assert resumed.files["cut.safetensors"] == whole.files["whole.safetensors"]


def test_without_validation_all_pictures_train(images, tmp_path):
    card = made(images, tmp_path / "all", validation=0.0, epochs=1)
    assert "validation" not in card.metrics
    assert [entry["pictures"] for entry in card.data] == [40, 40, 40]


def test_auxiliary_heads_are_no_part_of_the_answer(tmp_path):
    rng = np.random.default_rng(0)
    classes = np.arange(6) % 2
    pictures = rng.integers(256, size=(6, 3, 79, 79), dtype=np.uint8)
    images = data.Images(pictures, classes, ("a", "b"))
    card = made(
        images, tmp_path / "deep",
        arch="googlenet-bn", settings={}, epochs=1, batch_size=3, validation=0.0,
    )  # fmt: skip
    [answer] = ImageClassifier.load(str(card.path)).predict([picture_of(pictures[0])])
    assert set(answer.scores) == {"a", "b"}


def test_a_run_is_of_its_recipe_and_its_pictures(images, tmp_path):
    here = run_folder(SMALL, images, tmp_path)
    assert here == run_folder(dataclasses.replace(SMALL, workers=3), images, tmp_path)
    assert here != run_folder(dataclasses.replace(SMALL, seed=2), images, tmp_path)
    other = dataclasses.replace(images, pictures=images.pictures[::-1])
    assert here != run_folder(SMALL, other, tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fit": "stretch"}, "fit cannot be 'stretch'"),
        ({"validation": 1.0}, "validation cannot be 1.0"),
        ({"size": 0}, "size cannot be 0"),
        ({"ema": 1.0}, "ema cannot be 1.0"),
        ({"zoom": -0.1}, "zoom cannot be -0.1"),
        ({"epochs": 0}, "epochs cannot be 0"),
    ],
)
def test_values_that_make_no_sense_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        Recipe(**changes)


def test_there_must_be_something_to_tell_apart(images, tmp_path):
    one = data.Images(images.pictures[:10], images.classes[:10], ("only",))
    with pytest.raises(InputError, match="only one class"):
        made(one, tmp_path / "one")
    none = dataclasses.replace(images, labels=("0", "1", "2", "never"))
    with pytest.raises(InputError, match="of 'never' there is no picture"):
        made(none, tmp_path / "none")


def test_a_network_that_does_not_take_the_size_says_so(images, tmp_path):
    with pytest.raises(InputError, match="12"):
        made(images, tmp_path / "large", arch="alexnet", settings={})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arch": "unet", "settings": {"depth": 2, "padded": True}}, "unet is no classifier"),
        ({"arch": "vnet", "settings": {}}, "no multiple of 16"),
        ({"settings": {"widths": [8], "classes": 7}}, "classes cannot be 7: the pictures' is 3"),
    ],
)
def test_networks_that_do_not_fit_are_refused(images, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        made(images, tmp_path / "none", **changes)


def test_the_log_has_each_epochs_accuracy(card):
    [log] = card.path.parent.glob("small.run/*/log.jsonl")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    accuracy = [line["accuracy"] for line in lines if "accuracy" in line]
    assert len(accuracy) == EPOCHS
    assert card.metrics["validation"]["accuracy"] == pytest.approx(accuracy[-1], abs=1 / 12)


@pytest.mark.parametrize("flip", [False, True])
def test_probabilities_are_calibrated_on_the_validation_pictures(tmp_path, flip):
    """No other temperature makes users' answers to them likelier. Shapes of one kind in five are
    called by another's name, so that there are wrong answers."""
    images = data.load(write_npz(tmp_path / "shapes.npz", train=200), "train")
    wrong = np.arange(len(images)) % 5 == 0
    images.classes[wrong] = (images.classes[wrong] + 1) % 3
    card = made(images, tmp_path / "net", flip=flip, epochs=4, validation=0.5)
    assert card.preprocessing["mirrored"] is flip
    classifier = ImageClassifier.load(str(card.path))
    _, held_out = release.parts(images, dataclasses.replace(SMALL, validation=0.5))
    known = images.classes[held_out]
    shown = [picture_of(array) for array in images.pictures[held_out]]
    scores = np.array([list(answer.scores.values()) for answer in classifier.predict(shown)])
    said = card.metrics["validation"]
    assert said["accuracy"] == pytest.approx((scores.argmax(1) == known).mean(), abs=1e-4)
    right = scores[np.arange(len(known)), known]
    assert said["nll"] == pytest.approx(-np.log(right).mean(), abs=1e-3)
    assert said["n"] == len(known) == 300

    logits, losses = classifier.logits, []
    for factor in (0.9, 1.0, 1.1):
        classifier.logits = lambda prepared, factor=factor: factor * logits(prepared)
        found = evaluate(classifier, data.Images(images.pictures[held_out], known, images.labels))
        losses.append(found["nll"])
    assert losses[1] < min(losses[0], losses[2])
    assert card.metrics["temperature"] != 1.0


@pytest.mark.parametrize(
    ("arch", "settings", "last"),
    [
        ("airbench", {"widths": [4]}, "head.linear"),
        ("one-filter", {"template": 5}, "templates.conv"),
        ("cats-and-dogs", {}, "output.linear"),
        ("googlenet-bn", {}, "layers.fc.linear"),
        ("resnet18", {}, "fc.linear"),
    ],
)
def test_calibrating_divides_the_answers_of_any_network(arch, settings, last):
    torch.manual_seed(1)
    size = 28 if arch in ("airbench", "one-filter") else 96
    config = {"classes": 3, "channels": 1, "size": size, **settings}
    network = registry.build(arch, config).eval()
    pictures = torch.randint(256, (20, 1, size, size), dtype=torch.uint8)
    classes = torch.arange(20) % 3
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    normalised = Normaliser([0.5], [0.2])
    with torch.no_grad():
        answers = logits(network, pictures, normalised, mirrored=False)
        found = release.calibrated(network, pictures, classes, normalised, mirrored=False)
        now = logits(network, pictures, normalised, mirrored=False)
    assert found["temperature"] != 1.0
    torch.testing.assert_close(now * found["temperature"], answers)
    changed = {n for n, tensor in network.state_dict().items() if not tensor.equal(before[n])}
    assert changed == {f"{last}.weight", f"{last}.bias"}
