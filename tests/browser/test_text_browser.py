"""The Text page in the system's Chromium, against a running server."""

from pathlib import Path

import pytest

HOSTILE = "<script>alert(1)</script> <b>bold</b> $x^2$ :smile: **x** a warm, funny film"


@pytest.mark.parametrize("width", [1200, 400])
def test_from_home_to_an_answer(page, server, width):
    hosts, dialogs = set(), []
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"http://{server}")
    page.get_by_test_id("stMain").get_by_role("link", name="Text").click()
    page.get_by_label("Texts, one a line").fill(HOSTILE)
    page.get_by_role("button", name="Answer").click()
    answer = page.locator(".answer .text")
    answer.wait_for()
    assert answer.inner_text() == HOSTILE
    assert answer.locator("*:not(mark)").count() == 0
    assert not dialogs
    assert hosts == {server}
    main = page.get_by_test_id("stMain")
    assert main.evaluate("element => element.scrollWidth") <= width


def test_a_sentence_is_coloured_at_a_click(page, server):
    page.goto(f"http://{server}/text")
    page.get_by_role("button", name="A review").click()
    answer = page.get_by_role("status").locator(".answer")
    answer.get_by_text("positive · ").wait_for()
    coloured = answer.locator("mark", has_text="funny")
    assert coloured.evaluate("mark => getComputedStyle(mark).backgroundColor").startswith("rgba(")
    assert "logits" in coloured.get_attribute("title")


def test_the_sample_file_is_answered_and_downloaded(page, server):
    page.goto(f"http://{server}/text")
    page.get_by_role("tab", name="Upload a file").click()
    page.get_by_role("button", name="Try a sample file").click()
    page.get_by_text("Texts answered: 8").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download csv").click()
    header, *rows = Path(download.value.path()).read_text().splitlines()
    assert header == "film,stars,review,label,negative,neutral,positive"
    assert len(rows) == 8


def test_a_file_is_answered_and_downloaded(page, server):
    page.goto(f"http://{server}/text")
    page.get_by_role("tab", name="Upload a file").click()
    file = {"name": "a.csv", "mimeType": "text/csv", "buffer": b"text\n=1+1 a bad mess\n"}
    page.locator("input[type=file]").set_input_files(file)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download csv").click()
    header, row = Path(download.value.path()).read_text().splitlines()
    assert header.startswith("text,label,")
    assert row.startswith("'=1+1 a bad mess,negative,")
