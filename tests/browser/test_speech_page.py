"""The Speech page in the system's Chromium: a sound is uploaded, a sentence is looked into."""

import pytest

from apps.speech.view import SAMPLES

DURATION = """audio => audio.duration ||
    new Promise(known => { audio.onloadedmetadata = () => known(audio.duration) })"""


@pytest.mark.parametrize("width", [1200, 400])
def test_from_home_to_a_word_and_to_a_timeline(page, server, width):
    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.set_default_timeout(60_000)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"http://{server}")
    main = page.get_by_test_id("stMain")
    main.get_by_role("link", name="Speech").click()
    main.locator("input[type=file]").set_input_files(SAMPLES / "yes.ogg")
    main.get_by_text("yes · ").wait_for()
    picture = main.get_by_role("img", name="what the network looked at")
    picture.wait_for()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    assert main.get_by_test_id("stAudio").evaluate(DURATION) == pytest.approx(1, abs=0.01)

    main.get_by_role("button", name="a sentence").click()
    main.get_by_text("Words heard: ").wait_for()
    main.get_by_test_id("stVegaLiteChart").nth(2).wait_for()
    assert main.evaluate("element => element.scrollWidth") <= width
    assert hosts == {server}
