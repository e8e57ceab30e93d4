"""The Speech page without a browser, on a network that hears tones as words."""

import io
import re

import numpy as np
import pyarrow.ipc
import pytest
import soundfile
import streamlit
import tiny_model
from streamlit.testing.v1 import AppTest

import apps
from apps.speech import view
from core.errors import InputError
from core.weights import read_card
from domains.speech.audio import SAMPLE_RATE
from domains.speech.recogniser import KeywordRecogniser

HOME = f"{apps.__path__[0]}/home.py"
HOSTILE = "<script>alert(1)</script> <b>bold</b> $x^2$ :smile: **x**.wav"


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    path = tiny_model.save(
        tmp_path_factory.mktemp("tones"), "keywords", metrics={"test set": {"accuracy": 0.625}}
    )
    return read_card(path)


@pytest.fixture(autouse=True)
def loaded(card, monkeypatch):
    """Puts the tiny network in the released one's place; gives the names it was loaded by."""
    streamlit.cache_resource.clear()
    load, names = KeywordRecogniser.load, []
    monkeypatch.setattr("core.weights.find", lambda name, *folders: card)
    monkeypatch.setattr(
        KeywordRecogniser, "load", lambda name: (names.append(name), load(str(card.path)))[1]
    )
    return names


@pytest.fixture
def page():
    page = AppTest.from_file(HOME, default_timeout=60).run()
    return page.switch_page("pages/speech.py").run()


def sound(*words, rate=SAMPLE_RATE, channels=1, **how):
    """A file with a second for each word, its tone in the middle."""
    clips = [tiny_model.clip(word) for word in words]
    waveform = np.concatenate([*clips, tiny_model.silence(0)])
    times = np.arange(len(words) * rate) / rate
    waveform = np.interp(times, np.arange(len(waveform)) / SAMPLE_RATE, waveform) if words else []
    file = io.BytesIO()
    frames = np.repeat(np.reshape(waveform, (-1, 1)), channels, axis=1)
    soundfile.write(file, frames, rate, **({"format": "WAV"} | how))
    return file.getvalue()


def uploaded(page, data, name="sound.wav"):
    return page.file_uploader[0].set_value((name, data, "audio/wav")).run()


def press(page, label):
    return next(button for button in page.button if button.label == label).click().run()


def html(page):
    return "".join(element.proto.body for element in page.get("html"))


def texts(page):
    return [text.value for text in page.text]


def alerts(page):
    return [alert.value for alert in [*page.info, *page.warning, *page.error]]


def marked_up(page):
    """Whatever on the page is read as Markdown or HTML."""
    kinds = (*page.markdown, *page.caption)
    labels = [button.label for button in page.button]
    return " ".join([html(page), *(element.value for element in kinds), *alerts(page), *labels])


def charts(page):
    """The rows of each chart."""
    return [
        pyarrow.ipc.open_stream(chart.proto.datasets[0].data.data).read_all().to_pylist()
        for chart in page.get("vega_lite_chart")
    ]


def probabilities(page):
    """(label, %) of each bar."""
    found = re.findall(r"<td>(\w+)</td><td>(?:<\s)?([\d.]+)\s%</td>", html(page))
    return [(label, float(percent)) for label, percent in found]


def panels(page):
    return re.findall(r'<img [^>]*alt="([^"]*)"', html(page))


def test_the_page_opens_with_an_example(page):
    assert not page.exception
    assert texts(page) == ["yes.ogg"]
    assert len(panels(page)) == 3
    assert "Answered by <b>keywords</b>: test set accuracy 62.5" in html(page)
    assert any("It knows " in caption.value for caption in page.caption)


def test_without_a_sound_the_page_says_what_to_do(page):
    page.session_state["sound"] = None
    page.run()
    assert any("No sound yet" in alert for alert in alerts(page))
    assert not page.get("audio")


@pytest.mark.parametrize("word", tiny_model.LABELS)
def test_an_upload_gets_its_word(page, word):
    uploaded(page, sound(word))
    assert not page.exception
    assert f"<b>{word}</b> · " in html(page)
    assert "sound.wav" in texts(page)
    labels, percents = zip(*probabilities(page), strict=True)
    assert len(labels) == 5
    assert labels[0] == word
    assert list(percents) == sorted(percents, reverse=True)
    assert 50 < percents[0] <= sum(percents) <= 100.5
    assert panels(page) == [
        "The waveform",
        "The log-mel spectrogram",
        "What the network looked at in the spectrogram",
    ]
    assert len(page.get("audio")) == 1
    assert not page.selectbox


@pytest.mark.parametrize(
    "how",
    [
        {"rate": 192_000, "channels": 8},
        {"rate": 8_000, "subtype": "PCM_U8"},
        {"format": "OGG", "subtype": "VORBIS"},
        {"format": "FLAC"},
    ],
)
def test_any_sound_file_is_read(page, how):
    uploaded(page, sound("up", **how))
    assert "<b>up</b>" in html(page)


def test_a_recording_gets_its_word(page):
    page.audio_input[0].set_value(("recording.wav", sound("no"), "audio/wav")).run()
    assert not page.exception
    assert "<b>no</b>" in html(page)


def test_the_last_sound_given_is_answered(page):
    uploaded(page, sound("no"))
    press(page, "silence")
    assert "<b>silence</b>" in html(page)
    uploaded(page, sound("yes"))
    assert "<b>yes</b>" in html(page)
    page.file_uploader[0].set_value(None).run()
    assert any("No sound yet" in alert for alert in alerts(page))


def test_every_sample_is_answered(page):
    names = {path.name for path in view.SAMPLES.glob("*.ogg")}
    shown = set()
    for label in [button.label for button in page.button]:
        press(page, label)
        assert not page.exception
        assert not page.error
        shown.add(texts(page)[0])
    assert shown == names


def test_a_long_recording_is_a_timeline(page):
    uploaded(page, sound("yes", "silence", "no", "silence", "up"))
    assert not page.exception
    assert any("Words heard: 3" in text.value for text in page.markdown)
    words = page.dataframe[0].value
    assert words["word"].tolist() == ["yes", "no", "up"]
    middles = (words["start"] + words["end"]) / 2
    assert middles.tolist() == pytest.approx([0.5, 2.5, 4.5], abs=0.3)
    assert all(words["probability"] > 50)
    waveform, timeline = charts(page)
    assert max(row["high"] for row in waveform) == pytest.approx(0.3, abs=0.01)
    assert timeline == words.to_dict("records")


def test_a_closer_look_at_one_word(page):
    uploaded(page, sound("yes", "silence", "no"))
    first, second = page.selectbox[0].options
    assert first.startswith("1. yes, 0.")
    assert second.startswith("2. no, ")
    assert "<b>yes</b>" in html(page)
    page.selectbox[0].select_index(1).run()
    assert "<b>no</b>" in html(page)


def test_another_recording_starts_at_its_first_word(page):
    uploaded(page, sound("yes", "silence", "no"))
    page.selectbox[0].select_index(1).run()
    uploaded(page, sound("up", "silence", "silence"))
    assert not page.exception
    assert "<b>up</b>" in html(page)


def test_a_long_silence_has_no_words(page):
    uploaded(page, sound("silence", "silence", "silence"))
    assert not page.exception
    assert any("Words heard: 0" in text.value for text in page.markdown)
    assert not page.selectbox


def test_only_the_beginning_of_a_long_recording_is_heard(page):
    file = io.BytesIO()
    soundfile.write(file, np.zeros(301 * 1_000), 1_000, format="FLAC")
    uploaded(page, file.getvalue(), "long.flac")
    assert not page.exception
    assert "Only the first 5 minutes were heard." in alerts(page)


def not_numbers():
    file = io.BytesIO()
    soundfile.write(file, [0.0, np.nan, 0.0], SAMPLE_RATE, format="WAV", subtype="FLOAT")
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [b"", b"just text, called .wav", sound(), sound("yes")[:5_000], not_numbers()],
    ids=["empty", "text", "no samples", "cut off", "not numbers"],
)
def test_bad_sounds_are_a_sentence(page, data):
    uploaded(page, data)
    assert not page.exception
    assert alerts(page) == ["This sound can't be answered."]
    [error] = texts(page)
    assert error.startswith("sound.wav: ")
    assert "\n" not in error
    uploaded(page, sound("yes"))
    assert "<b>yes</b>" in html(page)


@pytest.mark.parametrize(("samples", "rate"), [(80, SAMPLE_RATE), (1, 192_000)])
def test_a_click_is_answered(page, samples, rate):
    file = io.BytesIO()
    soundfile.write(file, np.full(samples, 0.1), rate, format="WAV")
    uploaded(page, file.getvalue())
    assert not page.exception
    assert not page.error


@pytest.mark.parametrize("data", [sound("yes"), b"no sound"])
def test_a_file_name_is_shown_as_text(page, data):
    uploaded(page, data, HOSTILE)
    assert any(HOSTILE in text for text in texts(page))
    for piece in ("script", "bold", "$x", ":smile:", "**x**"):
        assert piece not in marked_up(page)


def test_the_sound_outlives_a_visit_elsewhere(page):
    press(page, "silence")
    page.switch_page("pages/text.py").run()
    page.switch_page("pages/speech.py").run()
    assert "<b>silence</b>" in html(page)


def test_the_network_is_loaded_once(page, loaded):
    press(page, "yes")
    press(page, "no")
    assert loaded == ["keywords"]


def test_without_a_network_the_page_says_so(monkeypatch):
    def missing(name, *folders):
        raise InputError(f"no model called {name!r}")

    monkeypatch.setattr("core.weights.find", missing)
    page = AppTest.from_file(HOME, default_timeout=60).run()
    page.switch_page("pages/speech.py").run()
    assert not page.exception
    assert page.error[0].value == "The model can't be loaded."
    assert texts(page) == ["no model called 'keywords'"]
