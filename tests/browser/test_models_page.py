"""The Models page in the system's Chromium: cards by link, trainings compared and followed."""

import json
import re
import threading
from pathlib import Path

import psutil
import pytest

from apps.models.runs import EXAMPLES


@pytest.fixture
def runs(process):
    """The folder that the server was started in."""
    return Path(psutil.Process(process[0].pid).cwd())


@pytest.mark.parametrize("width", [1600, 1200, 400])
def test_two_trainings_are_compared(page, server, width):
    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"http://{server}/models")
    page.get_by_role("radio", name="Training runs").click()
    box = page.get_by_role("combobox", name="Trainings")
    for name in ("lenet5", "softmax-regression"):
        box.fill(name)
        page.get_by_role("option", name=f"{name} (example)").click()
    box.press("Escape")
    main = page.get_by_test_id("stMain")
    for name in ("lenet5", "softmax-regression"):
        main.get_by_text(re.compile(f"^{name} .example.\\s*finished$")).wait_for()
    page.wait_for_function("document.querySelectorAll('[data-testid=stVegaLiteChart] canvas, "
                           "[data-testid=stVegaLiteChart] svg').length >= 4")  # fmt: skip
    assert main.evaluate("element => element.scrollWidth") <= width
    assert hosts == {server}


def test_a_card_is_opened_by_its_link(page, server):
    page.goto(f"http://{server}/models?model=keywords")
    page.get_by_test_id("stMetric").first.wait_for()
    assert "96.2" in page.get_by_test_id("stMetric").first.inner_text()
    page.get_by_role("tab", name="Files").click()
    page.get_by_text("Whole: each file").wait_for()
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="sentiment").click()
    page.get_by_text("On its 5 test sets").wait_for()
    assert page.url.endswith("?model=sentiment")
    page.reload()
    page.get_by_text("On its 5 test sets").wait_for()


def test_the_answering_page_leads_to_the_card_and_the_card_back(page, server):
    page.goto(f"http://{server}/models?model=objects")
    page.get_by_role("radio", name="Architectures").click()
    page.get_by_role("button", name="AlexNet").click()
    page.get_by_text("(227 - 11 + 2·0)/4 + 1 = 55").wait_for()
    page.get_by_role("link", name="Speech").first.click()
    page.get_by_role("link", name=re.compile("card")).first.click()
    page.wait_for_url("**/models?model=keywords*")
    page.get_by_text("log-mel spectrogram").first.wait_for()
    page.get_by_role("link", name="Try it on the Speech page").click()
    page.get_by_role("heading", name="Speech").wait_for()


def test_a_training_is_followed_while_it_goes_on(page, server, runs):
    """Another process would append to the log as this thread does."""
    run = runs / "followed.run" / "0123456789ab"
    run.mkdir(parents=True)
    (run / "settings.json").write_text(json.dumps({"epochs": 4, "batch_size": 10}))
    lines = (EXAMPLES / "lenet5" / "log.jsonl").read_text().splitlines(keepends=True)
    (run / "log.jsonl").write_text("".join(lines[:30]))
    stop = threading.Event()

    def train():
        with (run / "log.jsonl").open("a") as log:
            for line in lines[30:]:
                if stop.wait(0.1):
                    return
                log.write(line)
                log.flush()

    thread = threading.Thread(target=train)
    try:
        page.goto(f"http://{server}/models?part=Training+runs")
        page.get_by_role("button", name="Look for new trainings").click()
        page.locator("[data-test-script-state=notRunning]").wait_for()
        box = page.get_by_role("combobox", name="Trainings")
        box.fill("followed")
        page.get_by_role("option", name="followed 0123").click()
        box.press("Escape")
        page.get_by_text("running, epoch 2 of 4").wait_for()
        thread.start()
        page.get_by_text("running, epoch 4 of 4").wait_for(timeout=60_000)
        stop.set()
        thread.join()
        (run / "outcome.json").write_text("{}")
        page.get_by_text("finished").wait_for()
    finally:
        stop.set()
