import io
import itertools
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny_image_model
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tiny_image_model import LABELS, PREPROCESSING, SIZE, network, picture

from core.errors import InputError
from domains.image.classifier import PICTURES_A_BATCH, Classification, ImageClassifier, softmax
from domains.image.pictures import prepare


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return tiny_image_model.save(tmp_path_factory.mktemp("colours"))


@pytest.fixture(scope="module")
def classifier(card):
    return ImageClassifier.load(str(card))


def file(label, name="a.png"):
    """A picture file in memory, and what errors call it."""
    content = io.BytesIO()
    picture(label).save(content, "png")
    content.seek(0)
    return content, name


def test_every_label_is_answered_in_order(classifier):
    many = LABELS * PICTURES_A_BATCH
    assert [answer.label for answer in classifier.predict(list(map(picture, many)))] == many
    assert classifier.predict([]) == []


noise = st.builds(
    lambda seed, width, height: Image.fromarray(
        np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    ),
    st.integers(0, 99),
    st.integers(1, 40),
    st.integers(1, 40),
)


@settings(max_examples=20, deadline=None)
@given(pictures=st.lists(noise, max_size=12))
def test_answers_are_those_of_the_torch_network_on_each_picture_alone(classifier, pictures):
    model = network()
    for shown, answer in zip(pictures, classifier.predict(pictures), strict=True):
        seen = torch.from_numpy(prepare(shown, PREPROCESSING))[None]
        expected = model(seen).softmax(1)[0].tolist()
        assert list(answer.scores) == LABELS
        assert list(answer.scores.values()) == pytest.approx(expected, abs=1e-5)
        assert sum(answer.scores.values()) == pytest.approx(1)
        assert answer.probability == answer.scores[answer.label] == max(answer.scores.values())


def test_a_torch_network_answers_as_its_release_does(classifier):
    shown = [picture(label, (31, 17)) for label in LABELS]
    given_torch = ImageClassifier.of(network().train(), LABELS, PREPROCESSING)
    for one, other in zip(given_torch.predict(shown), classifier.predict(shown), strict=True):
        assert one.scores == pytest.approx(other.scores, abs=1e-5)
    assert given_torch.labels == classifier.labels == tuple(LABELS)
    assert given_torch.preprocessing == classifier.preprocessing == PREPROCESSING


def test_the_top_labels_are_the_likeliest_first(classifier):
    [answer] = classifier.predict([Image.new("RGB", (9, 9), (250, 120, 0))])
    top = answer.top(3)
    assert len(top) == 3 and top[0] == (answer.label, answer.probability)
    assert [score for _, score in top] == sorted(answer.scores.values(), reverse=True)[:3]
    assert len(answer.top(99)) == len(LABELS)


class Left(torch.nn.Module):
    """How light the left half is, as the logit of "left"."""

    def forward(self, pictures):
        light = pictures[..., : SIZE // 2].mean((1, 2, 3))
        return torch.stack([light, torch.zeros_like(light)], 1)


def test_mirrored_answers_are_the_mean_over_both_sides():
    half = Image.new("L", (SIZE, SIZE))
    half.paste(255, (0, 0, SIZE // 2, SIZE))
    plain = {"channels": 1, "size": SIZE, "mean": [0.0], "std": [0.5], "fit": "crop"}
    [one] = ImageClassifier.of(Left(), ["left", "other"], plain).predict([half])
    assert one.probability == pytest.approx(np.e**2 / (np.e**2 + 1))
    mirrored = ImageClassifier.of(Left(), ["left", "other"], {**plain, "mirrored": True})
    [both] = mirrored.predict([half])
    assert both.probability == pytest.approx((np.e**2 / (np.e**2 + 1) + 0.5) / 2)


def test_large_logits_are_probabilities():
    logits = np.array([[1e4, 1e4, -1e4]], np.float32)
    assert softmax(logits).tolist() == [[0.5, 0.5, 0]]


def test_files_are_answered_in_order_each_bad_one_by_its_error(classifier):
    drawn = np.random.default_rng(0).integers(0, len(LABELS) + 1, 100)
    labels = [[*LABELS, None][number] for number in drawn]
    sources = [
        file(label, f"{number}.png") if label else (io.BytesIO(b"no picture"), f"{number}.png")
        for number, label in enumerate(labels)
    ]
    answers = list(classifier.classify(sources))
    for number, (label, answer) in enumerate(zip(labels, answers, strict=True)):
        if label:
            assert isinstance(answer, Classification) and answer.label == label
        else:
            assert isinstance(answer, InputError) and f"{number}.png: " in str(answer)


def test_a_file_may_be_given_by_its_path(classifier, tmp_path):
    picture("blue").save(tmp_path / "a.png")
    for path in (tmp_path / "a.png", str(tmp_path / "a.png")):
        [answer] = classifier.classify([(path, "a")])
        assert answer.label == "blue"


def test_a_blank_page_is_no_digit_and_named():
    digits = {"channels": 1, "size": SIZE, "mean": [0.0], "std": [1.0], "fit": "digit"}
    classifier = ImageClassifier.of(Left(), ["left", "other"], digits)
    stroke = Image.new("L", (30, 30), 255)
    stroke.paste(0, (10, 5, 14, 25))
    blank = Image.new("L", (30, 30), 255)
    with pytest.raises(InputError, match="picture 2: the picture is blank"):
        classifier.predict([stroke, blank, stroke])
    first, second, third = classifier.answers([stroke, blank, stroke])
    assert first == third and isinstance(first, Classification)
    assert str(second) == "the picture is blank"
    page = io.BytesIO()
    blank.save(page, "PNG")
    page.seek(0)
    [error] = classifier.classify([(page, "page.png")])
    assert str(error) == "page.png: the picture is blank"


def test_only_bad_files_and_none(classifier):
    [error] = classifier.classify([(Path("nowhere.png"), "nowhere.png")])
    assert str(error) == "nowhere.png: no such file"
    assert list(classifier.classify([])) == []


def test_an_endless_stream_is_answered_as_it_comes(card):
    classifier = ImageClassifier.load(str(card), threads=2)
    taken = []

    def endless():
        for number in itertools.count():
            taken.append(number)
            yield file(LABELS[number % len(LABELS)])

    answers = classifier.classify(endless())
    first = itertools.islice(answers, 200)
    assert [answer.label for answer in first] == [LABELS[n % len(LABELS)] for n in range(200)]
    assert len(taken) < 200 + 10 * PICTURES_A_BATCH
    answers.close()
    before = len(taken)
    assert len(classifier.predict([picture("red")] * 50)) == 50
    assert len(taken) == before


def test_threads_do_not_change_the_answers(card, classifier):
    single = ImageClassifier.load(str(card), threads=1)
    shown = [picture(label) for label in LABELS] * 5
    assert single.predict(shown) == classifier.predict(shown)


def test_a_released_model_answers_without_torch(card):
    code = (
        "import sys; from PIL import Image; "
        "from domains.image.classifier import ImageClassifier; "
        "[answer] = ImageClassifier.load(sys.argv[1]).predict([Image.new('RGB', (9, 9), 'red')]); "
        "print(answer.label, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(card)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "red False\n"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"domain": "text"}, "a model of domain 'text', not an image model"),
        *(
            ({"preprocessing": {**PREPROCESSING, **wrong}}, "field 'preprocessing'")
            for wrong in (
                {"channels": 2},
                {"size": "16"},
                {"size": 0},
                {"fit": "stretch"},
                {"mean": [0.5]},
                {"std": 0.5},
            )
        ),
        ({"preprocessing": {}}, "field 'preprocessing'"),
        ({"labels": ["red", *LABELS[:-1]]}, "label 'red' twice"),
    ],
)
def test_models_that_are_none_are_refused(tmp_path, changes, reason):
    with pytest.raises(InputError, match=reason):
        ImageClassifier.load(str(tiny_image_model.save(tmp_path, **changes)))


def test_altered_models_are_refused(card, tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        ImageClassifier.load("nowhere")
    for suffix in (".toml", ".safetensors", ".onnx"):
        shutil.copy(card.with_suffix(suffix), tmp_path)
    altered = (tmp_path / card.name).with_suffix(".onnx")
    altered.write_bytes(altered.read_bytes() + b"\0")
    with pytest.raises(InputError, match="sha256"):
        ImageClassifier.load(str(tmp_path / card.name))
