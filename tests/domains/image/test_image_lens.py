"""The lens on image networks: pictures to tensors and back, and what the bounds are."""

import dataclasses
import sys

import numpy as np
import pytest
import torch
from font_digits import digits
from picture_sets import COLOURED, cifar, mnist
from PIL import Image
from plain_networks import ResNet, scrambled

from core import weights
from core.errors import InputError
from domains.image import imagenet, lens
from domains.image.classifier import ImageClassifier
from domains.image.graph import WEIGHTS


@pytest.fixture(scope="module")
def objects():
    return lens.subject()


@pytest.fixture(scope="module")
def by_digits():
    return lens.subject("digits")


def save(path, samples):
    """(H, W) or (C, H, W) bytes as a picture."""
    Image.fromarray(samples if samples.ndim == 2 else samples.transpose(1, 2, 0)).save(path)
    return path


def test_it_answers_as_the_classifier_does(by_digits, tmp_path):
    classifier = ImageClassifier.load("digits", threads=1)
    pictures, _ = digits([*"0123456789"], 10)
    assert by_digits.labels == classifier.labels
    for picture in pictures:
        prepared = lens.read(save(tmp_path / "digit.png", picture), by_digits)
        assert prepared.shape == by_digits.shape == (1, 28, 28)
        found = by_digits.network(prepared[None]).softmax(1)[0]
        right = classifier.probabilities(prepared[None].numpy())[0]
        np.testing.assert_allclose(found, right, atol=1e-4)


@pytest.mark.parametrize("name, shape", [("digits", (28, 28)), ("objects", (3, 32, 32))])
def test_a_picture_read_looks_as_it_did(tmp_path, name, shape):
    subject = lens.subject(name)
    samples = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    samples[..., 0] = 0  # else the border might tell that the digit is dark on light
    before = save(tmp_path / "picture.png", samples)
    after = lens.picture(lens.read(before, subject), subject)
    assert np.array_equal(np.asarray(after), np.asarray(Image.open(before)))


def test_a_picture_of_any_size_is_drawn_and_clipped(objects):
    prepared = torch.linspace(-9, 9, 50).expand(3, 40, 50)
    drawn = lens.picture(prepared, objects)
    assert (drawn.mode, drawn.size) == ("RGB", (50, 40))
    assert drawn.getpixel((0, 0)) == (0, 0, 0)
    assert drawn.getpixel((49, 39)) == (255, 255, 255)


def test_bounds_are_black_and_white_and_neutral_is_nothing(objects, by_digits, tmp_path):
    for level, bound in ((0, objects.lowest), (255, objects.highest)):
        flat = save(tmp_path / "flat.png", np.full((3, 32, 32), level, np.uint8))
        torch.testing.assert_close(lens.read(flat, objects), bound.expand(objects.shape))
    grey = np.asarray(lens.picture(objects.neutral, objects))
    assert 127 <= grey.min() <= grey.max() <= 128
    assert lens.picture(by_digits.neutral, by_digits).getcolors() == [(28 * 28, 0)]


def test_weights_want_no_gradient_and_inputs_may(objects):
    assert not objects.network.training
    assert not any(weight.requires_grad for weight in objects.network.parameters())
    picture = objects.neutral[None].clone().requires_grad_()
    objects.network(picture)[0, 0].backward()
    assert picture.grad.abs().sum() > 0


@pytest.fixture
def own(tmp_path):
    """Saves the digits' network with changes to its card, as `own`, and returns the card's path."""

    def save(**changes):
        card = weights.find("digits", WEIGHTS)
        changed = dataclasses.replace(card, name="own", **changes)
        return str(weights.save(changed, weights.load(card), tmp_path, {}).path)

    return save


def test_a_network_of_one_s_own(own, by_digits):
    subject = lens.subject(own(labels=[*"abcdefghij"]))
    assert (subject.name, subject.labels) == ("own", tuple("abcdefghij"))
    picture = torch.randn(1, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    assert subject.network(picture).equal(by_digits.network(picture))


@pytest.mark.parametrize(
    "changes",
    [{"config": {"classes": 5, "channels": 1, "size": 28}}, {"architecture": "keras-mnist"}],
)
def test_weights_that_are_another_network_s(own, changes):
    with pytest.raises(
        InputError, match=r"own\.safetensors: not weights of a network of this card"
    ) as error:
        lens.subject(own(**{"config": {"classes": 10, "channels": 1, "size": 28}, **changes}))
    assert "\n" not in str(error.value)


def test_published_weights_need_no_names(tmp_path, monkeypatch):
    for package in imagenet.PACKAGES:
        monkeypatch.setitem(sys.modules, package, None)
    torch.manual_seed(0)
    torch.save(scrambled(ResNet((2, 2, 2, 2), bottleneck=False)).state_dict(), tmp_path / "r.pth")
    subject = lens.published(tmp_path / "r.pth", "resnet18")
    assert (subject.name, subject.shape, subject.labels[999]) == ("r", (3, 224, 224), "999")
    assert not any(weight.requires_grad for weight in subject.network.parameters())
    prepared = lens.read(save(tmp_path / "p.png", COLOURED[0]), subject)
    assert subject.network(prepared[None]).shape == (1, 1000)
    with pytest.raises(InputError, match=r"pip install 'receptive\[imagenet\]'"):
        lens.subject("imagenet")


def test_real_pictures_are_those_to_train_on(objects, tmp_path):
    folder = cifar(tmp_path)
    found = torch.cat(list(lens.real(objects, folder)))
    files = [save(tmp_path / f"{n}.png", samples) for n, samples in enumerate(COLOURED)]
    right = torch.stack([lens.read(file, objects) for file in files])
    assert found.shape == right.shape == (4, 3, 32, 32)
    torch.testing.assert_close(found.sort(0).values, right.sort(0).values, atol=1e-5, rtol=0)
    assert len(torch.cat(list(lens.real(objects, folder, most=3, seed=1)))) == 3


def test_what_cannot_be_seen_is_named(objects, by_digits, tmp_path):
    with pytest.raises(InputError, match="pictures of 1x5x5, where digits sees 1x28x28"):
        next(lens.real(by_digits, mnist(tmp_path)))
    with pytest.raises(InputError, match="not a classifier"):
        lens.subject("digit-segmenter")
    with pytest.raises(InputError, match=r"gone\.png: no such file"):
        lens.read(tmp_path / "gone.png", objects)
