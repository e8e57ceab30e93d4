"""The Speech page in the system's Chromium: a sample, an upload, a sentence, the microphone."""

import re

import numpy as np
import pytest
import soundfile

from apps.speech.view import SAMPLES

DURATION = """audio => audio.duration ||
    new Promise(known => { audio.onloadedmetadata = () => known(audio.duration) })"""


@pytest.fixture
def hosts(page):
    """Where the page sends requests."""
    found = set()
    page.on("request", lambda request: found.add(request.url.split("/")[2]))
    return found


def opened(page, server, width=1200):
    page.set_default_timeout(60_000)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"http://{server}/speech")
    return page.get_by_test_id("stMain")


def seen(main):
    """The network's view of the sound, as far as it can be seen without scrolling."""
    picture = main.get_by_role("img", name="What the network looked at")
    picture.wait_for()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    return picture.bounding_box()


@pytest.mark.parametrize("width", [1200, 400])
def test_samples_are_recognised(page, server, hosts, width):
    main = opened(page, server, width)
    main.get_by_text("yes · ").wait_for()
    main.get_by_role("button", name="stop", exact=True).click()
    main.get_by_text("stop · ").wait_for()
    box = seen(main)
    if width == 1200:
        assert box["y"] + box["height"] <= 900
        assert box["x"] > main.get_by_role("button", name="a sentence").bounding_box()["x"]
    main.get_by_role("button", name="a sentence").click()
    main.get_by_text("Words heard: ").wait_for()
    main.get_by_test_id("stVegaLiteChart").nth(1).wait_for()
    assert main.evaluate("element => element.scrollWidth") <= width
    assert hosts == {server}


def test_a_sound_is_uploaded_and_played(page, server):
    main = opened(page, server)
    main.locator("input[type=file]").set_input_files(SAMPLES / "left.ogg")
    main.get_by_text("left · ").wait_for()
    seen(main)
    assert main.get_by_test_id("stAudio").evaluate(DURATION) == pytest.approx(1, abs=0.01)


@pytest.fixture
def spoken(tmp_path):
    """A sample as what the microphone hears, over and over, with pauses."""
    word, rate = soundfile.read(SAMPLES / "stop.ogg")
    pause = 0.001 * np.random.default_rng(0).normal(size=rate)
    file = tmp_path / "stop.wav"
    soundfile.write(file, np.concatenate([word, pause]), rate, subtype="PCM_16")
    return file


@pytest.fixture
def microphone(browser_type, browser_type_launch_args, spoken):
    """A page in a browser of its own, whose microphone hears `spoken`."""
    arguments = [
        *browser_type_launch_args["args"],
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={spoken}",
    ]
    browser = browser_type.launch(**browser_type_launch_args | {"args": arguments})
    yield browser.new_page()
    browser.close()


def test_a_word_is_recorded(microphone, server):
    main = opened(microphone, server)
    main.get_by_text("yes · ").wait_for()
    main.get_by_role("button", name="Record").click()
    main.get_by_text("00:05").wait_for()
    main.get_by_role("button", name="Stop recording").click()
    words = main.locator(".verdict").first
    main.get_by_text("Words heard: ").wait_for()
    heard = re.findall(r"\w+", words.inner_text())
    assert "stop" in heard
    assert set(heard) <= {"stop", "unknown"}
    seen(main)


def test_a_file_name_with_html_in_it_is_text(page, server):
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    main = opened(page, server)
    main.get_by_text("yes · ").wait_for()
    name = "<img src=x onerror=alert(1)> **bold**.ogg"
    file = {"name": name, "mimeType": "audio/ogg", "buffer": (SAMPLES / "no.ogg").read_bytes()}
    main.locator("input[type=file]").set_input_files(file)
    main.get_by_text("no · ").wait_for()
    assert main.get_by_test_id("stText").get_by_text(name).is_visible()
    assert not dialogs
