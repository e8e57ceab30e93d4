"""From a folder of made-up words to a released recogniser."""

import dataclasses
import json

import numpy as np
import onnxruntime
import pytest
import torch
from tone_words import say, write

from core import registry, weights
from core.errors import InputError
from domains.speech import data, release
from domains.speech.audio import LogMel
from domains.speech.evaluation import evaluate
from domains.speech.recipe import Recipe, prepare
from domains.speech.recogniser import KeywordRecogniser

SMALL = Recipe(
    arch="speech-direction", settings={"direction": "time", "filters": 4, "hidden": 8},
    keywords=("yes", "no"), seconds=0.5, epochs=3, batch_size=8, learning_rate=0.02,
    description="A test's.", licence="CC0",
)  # fmt: skip


EPOCHS = 30


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp("words"), ["yes", "no", "bird"], speakers=8)


@pytest.fixture(scope="module")
def ready(folder):
    return prepare(SMALL, folder)


def made(ready, out, **changes):
    recipe = dataclasses.replace(SMALL, **changes)
    run = out.with_name(f"{out.name}.run")
    return release.release(recipe, ready, run, out, "receptive speech train")


@pytest.fixture(scope="module")
def card(ready, tmp_path_factory):
    return made(ready, tmp_path_factory.mktemp("model") / "small", epochs=EPOCHS)


def test_the_card_says_what_was_done(card):
    weights.verify(card)
    assert weights.read_card(card.path) == card
    assert (card.name, card.domain, card.architecture) == ("small", "speech", "speech-direction")
    assert card.labels == ["yes", "no", "unknown", "silence"]
    assert card.preprocessing == {
        "sample_rate": 16_000, "samples": 8000, "mels": 40, "window_ms": 30, "hop_ms": 10,
        "lowest_hz": 40, "highest_hz": 7_600,
    }  # fmt: skip
    assert card.config == {
        "classes": 4, "frames": 48, "direction": "time", "filters": 4, "hidden": 8, "dropout": 0.3,
    }  # fmt: skip
    assert (card.description, card.licence) == ("A test's.", "CC0")
    assert card.command == "receptive speech train"
    assert card.data == [
        {"label": "yes", "clips": 6}, {"label": "no", "clips": 6},
        {"label": "unknown", "clips": 6}, {"label": "silence", "clips": 0},
    ]  # fmt: skip
    assert card.metrics["epochs"] == EPOCHS
    assert card.metrics["device"] == "CPU" or torch.cuda.is_available()
    assert card.metrics["validation"]["n"] == 3 + 1
    assert set(card.files) == {"small.safetensors", "small.onnx"}
    assert b".py" not in card.path.with_name("small.onnx").read_bytes()


def test_the_last_epoch_is_released(card):
    [log] = card.path.parent.glob("small.run/*/log.jsonl")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    scores = [line["score"] for line in lines if "score" in line]
    assert len(scores) == EPOCHS
    assert card.metrics["validation"]["score"] == pytest.approx(scores[-1], abs=1e-4)


def test_the_graph_answers_as_the_network(card):
    network = registry.build(card.architecture, card.config).eval()
    tensors = weights.load(card)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in tensors.items()})
    session = onnxruntime.InferenceSession(str(card.path.with_suffix(".onnx")))
    assert [one.name for one in (*session.get_inputs(), *session.get_outputs())] == [
        "log_mel", "logits",
    ]  # fmt: skip
    for batch in (1, 3, 8):
        clips = torch.from_numpy(np.stack([say("yes", number) for number in range(batch)]))
        pictures = LogMel()(clips)
        with torch.no_grad():
            expected = network(pictures).numpy()
        [found] = session.run(["logits"], {"log_mel": pictures.numpy()})
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_it_has_learned_its_words(card, folder):
    recogniser = KeywordRecogniser.load(str(card.path))
    clips = data.together(*data.read(folder, recogniser.labels).splits.values())
    figures = evaluate(recogniser, clips)
    assert figures["n"] == 24
    assert figures["words"] > 0.75
    answers = recogniser.predict([say("yes", 20), say("no", 20)])
    assert [answer.label for answer in answers] == ["yes", "no"]


def test_a_stream_of_windows_gives_the_answers_to_clips(card):
    recogniser = KeywordRecogniser.load(str(card.path))
    recording = np.concatenate([say("yes"), say("bird"), say("no"), say("no", 3)])
    blocks = [recording[start : start + 3000] for start in range(0, len(recording), 3000)]
    windows = list(recogniser.windows(blocks, hop_seconds=0.1))
    assert [start for start, _ in windows] == pytest.approx(np.arange(16) * 0.1)
    for start, probabilities in windows:
        first = round(start * 16_000)
        [answer] = recogniser.predict([recording[first : first + 8000]])
        assert probabilities == pytest.approx(list(answer.scores.values()), abs=1e-4)


def test_words_are_known_at_another_rate(card):
    recogniser = KeywordRecogniser.load(str(card.path))
    answers = recogniser.predict([np.repeat(say(word), 3) for word in ("yes", "no")], 48_000)
    assert [answer.label for answer in answers] == ["yes", "no"]


def test_training_goes_on_from_a_released_model(card, ready, tmp_path):
    further = made(ready, tmp_path / "further", start=str(card.path), learning_rate=1e-12)
    before, after = weights.load(card), weights.load(further)
    moving = ("running_mean", "running_var", "num_batches_tracked")
    learnt = [name for name in before if not name.endswith(moving)]
    assert all(np.allclose(after[name], before[name], atol=1e-6) for name in learnt)
    assert further.metrics["epochs"] == EPOCHS + SMALL.epochs
    assert further.metrics["minutes"] >= card.metrics["minutes"]


def test_with_other_words_the_last_layer_begins_anew(card, folder, tmp_path):
    others = dataclasses.replace(SMALL, keywords=("no", "bird"))
    further = made(
        prepare(others, folder), tmp_path / "others",
        keywords=others.keywords, start=str(card.path), learning_rate=1e-12,
    )  # fmt: skip
    assert further.labels == ["no", "bird", "unknown", "silence"]
    before, after = weights.load(card), weights.load(further)
    assert np.allclose(after["1.linear.weight"], before["1.linear.weight"], atol=1e-6)
    assert not np.allclose(after["3.linear.weight"], before["3.linear.weight"], atol=1e-3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arch": "bc-resnet", "settings": {}}, "small.toml: a speech-direction, not a bc-resnet"),
        ({"settings": {"filters": 5}}, "small.toml: its settings are .*'filters': 4"),
    ],
)
def test_a_start_that_does_not_fit_is_refused(card, ready, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        made(ready, tmp_path / "other", start=str(card.path), **changes)


def test_an_interrupted_run_ends_with_the_same_weights(ready, tmp_path, monkeypatch):
    whole = made(ready, tmp_path / "whole")
    calls = 0

    class Interrupted(release.Loss):
        def __call__(self, model, batch):
            nonlocal calls
            calls += 1
            if calls == 6:
                raise KeyboardInterrupt
            return super().__call__(model, batch)

    monkeypatch.setattr(release, "Loss", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        made(ready, tmp_path / "model")
    assert not (tmp_path / "model.toml").exists()
    monkeypatch.undo()
    again = made(ready, tmp_path / "model")
    assert again.files["model.safetensors"] == whole.files["whole.safetensors"]
    assert 2 <= calls <= 6


def test_a_finished_model_is_left_and_not_overwritten_by_another(
    ready, card, tmp_path, monkeypatch
):
    written = card.path.with_suffix(".safetensors").stat().st_mtime_ns
    trained = []
    monkeypatch.setattr(release, "fit", lambda *_, **__: trained.append(1) or 1 / 0)
    assert made(ready, card.path.with_suffix(""), epochs=EPOCHS) == card
    assert card.path.with_suffix(".safetensors").stat().st_mtime_ns == written
    monkeypatch.setenv("RANK", "1")  # under torchrun one process speaks
    assert made(ready, card.path.with_suffix(""), epochs=EPOCHS) is None
    monkeypatch.delenv("RANK")
    assert not trained
    renamed = dataclasses.replace(ready.train, labels=("ja", "nein", "unknown", "silence"))
    for other, changes in ((ready, {"seed": 2}), (dataclasses.replace(ready, train=renamed), {})):
        with pytest.raises(InputError, match=r"small\.toml: there already"):
            made(other, card.path.with_suffix(""), **{"epochs": EPOCHS, **changes})
        assert not trained
        with pytest.raises(ZeroDivisionError):
            made(other, tmp_path / "another", **{"epochs": EPOCHS, **changes})
        trained.clear()


class Stop(Exception):
    pass


def planned(folder, monkeypatch, **changes):
    """The data that `fit` is given."""
    given = []

    def fit(model, optimizer, examples, *_, **__):
        given.append(examples)
        raise Stop

    monkeypatch.setattr(release, "fit", fit)
    recipe = dataclasses.replace(SMALL, **changes)
    with pytest.raises(Stop):
        release.release(recipe, prepare(recipe, folder), folder / "run", folder / "model", "")
    return given[0]


def kinds(examples):
    """How many examples of each label an epoch has."""
    rng = np.random.default_rng(0)
    plan = examples.plan(0, 1000, rng)
    classes = [number for indices in plan for number in examples.batch(indices, rng)[1].tolist()]
    return {label: classes.count(number) for number, label in enumerate(examples.clips.labels)}


def test_an_epoch_has_the_recipes_shares(folder, monkeypatch):
    shares = {"unknown": 0.2, "made_up": 0.1, "silence": 0.1}
    found = kinds(planned(folder, monkeypatch, **shares))
    assert found == {"yes": 6, "no": 6, "unknown": 4 + 2, "silence": 2}


def test_keywords_alone_are_told_apart_without_unknown_words(tmp_path, monkeypatch):
    write(tmp_path, ["yes", "no"], background=False)
    assert kinds(planned(tmp_path, monkeypatch)) == {"yes": 4, "no": 4}


def test_a_folder_of_unknown_words_is_trained_on_without_keywords_named(tmp_path, monkeypatch):
    write(tmp_path, ["yes", "no", "_unknown_"], speakers=12)
    found = kinds(planned(tmp_path, monkeypatch, keywords=()))
    assert found == {"yes": 10, "no": 10, "unknown": 6, "silence": 2}


def test_a_graph_that_answers_otherwise_is_not_released(monkeypatch):
    network = registry.build("speech-direction", {"filters": 2, "hidden": 2}).eval()
    tensors = {key: tensor.numpy().copy() for key, tensor in network.state_dict().items()}
    to_onnx = release.to_onnx

    def wrong(model, *arguments):
        graph = to_onnx(model, *arguments)
        model[-1].linear.bias.data += 0.1
        return graph

    monkeypatch.setattr(release, "to_onnx", wrong)
    with pytest.raises(RuntimeError, match="ONNX"):
        release.export(network, 98, tensors, "net.safetensors")


def test_settings_of_another_architecture_are_refused(ready, tmp_path):
    with pytest.raises(InputError, match="no setting 'widths'"):
        made(ready, tmp_path / "wrong", settings={"widths": [8, 8]})
    with pytest.raises(InputError, match="no architecture called 'resnet-9000'"):
        made(ready, tmp_path / "wrong", arch="resnet-9000")
