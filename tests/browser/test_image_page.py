"""The Image page in the system's Chromium: a digit drawn, pictures named, digits found."""

import re

import pytest

from apps.image.view import SAMPLES


@pytest.fixture
def hosts(page):
    """Where the page sends requests."""
    found = set()
    page.on("request", lambda request: found.add(request.url.split("/")[2]))
    return found


@pytest.fixture(params=[1200, 400])
def image(page, server, hosts, request):
    page.set_default_timeout(60_000)
    page.set_viewport_size({"width": request.param, "height": 900})
    page.goto(f"http://{server}/image")
    main = page.get_by_test_id("stMain")
    paper(main).wait_for()
    return main


def paper(main):
    return main.get_by_role("application", name="draw a digit")


def drag(page, main, *points):
    """One stroke by mouse; points are shares of the paper's sides."""
    paper(main).scroll_into_view_if_needed()
    box = paper(main).bounding_box()
    places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()


def answered(main, label):
    main.get_by_role("status").get_by_text(f"{label} · ").wait_for()


def strokes(main):
    """How many are on the paper."""
    return paper(main).locator(".ink").get_attribute("d").count("M")


def choose(main, task):
    main.get_by_text(task, exact=True).click()


def within(main):
    return main.evaluate("main => main.scrollWidth <= main.clientWidth")


def test_a_digit_is_drawn_by_mouse(page, image, server, hosts):
    drag(page, image, (0.3, 0.2), (0.7, 0.2), (0.45, 0.85))
    answered(image, "7")
    seen = image.get_by_role("img", name="as the network sees it")
    assert seen.evaluate("image => image.decode().then(() => image.naturalWidth)") == 224
    if page.viewport_size["width"] == 1200:
        box = seen.bounding_box()
        assert box["x"] > paper(image).bounding_box()["x"]
        assert box["y"] + box["height"] <= 900
    image.get_by_role("img", name="What comes out of layer").wait_for()
    assert within(image)

    drag(page, image, (0.35, 0.5), (0.7, 0.5))
    assert strokes(image) == 2
    image.get_by_role("button", name="Undo").click()
    assert strokes(image) == 1
    image.get_by_role("button", name="Clear").click()
    image.get_by_text("No digit yet.").wait_for()
    assert strokes(image) == 0
    assert hosts == {server}


def test_a_digit_is_drawn_by_keys_and_outlives_a_visit_elsewhere(page, image):
    paper(image).focus()
    for key, times in {"ArrowUp": 9, " ": 1, "ArrowDown": 18}.items():
        for _ in range(times):
            page.keyboard.press(key)
    image.get_by_role("status").get_by_text("drawing, column 14, row 23").wait_for()
    page.keyboard.press(" ")
    answered(image, "1")
    choose(image, "Name a picture")
    answered(image, "ship")
    choose(image, "Draw a digit")
    answered(image, "1")
    assert strokes(image) == 1


def test_the_digits_of_a_sample_are_found(image, server, hosts):
    choose(image, "Find digits")
    image.get_by_text("Digits found, the surest first").wait_for()
    picture = image.get_by_role("img", name="with the digits found in it")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 384
    assert set("023579") <= set(found(image))
    choose(image, "a colour for each pixel")
    image.get_by_text("Digits found, each in its colour").wait_for()
    assert set("023579") <= set(found(image))
    assert within(image)
    assert hosts == {server}


def found(main):
    main.locator(".verdict").wait_for()
    return re.findall(r"\d", main.locator(".verdict").inner_text())


def test_a_picture_is_uploaded(page, image, server, hosts):
    """Its name holds HTML; one that is no picture before it leaves the session usable."""
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    choose(image, "Name a picture")
    answered(image, "ship")
    name = "<img src=x onerror=alert(1)> **bold**.png"
    for data in (b"no picture", (SAMPLES / "truck.png").read_bytes()):
        file = {"name": name, "mimeType": "image/png", "buffer": data}
        image.locator("input[type=file]").set_input_files(file)
        if data == b"no picture":
            image.get_by_text("This picture can't be answered.").wait_for()
            image.get_by_text(f"{name}: not a picture").wait_for()
    answered(image, "truck")
    assert image.get_by_test_id("stText").get_by_text(name).is_visible()
    image.get_by_text("32 × 32 pixels, in colour").wait_for()
    image.get_by_role("tab", name="The network's layers").click()
    image.get_by_test_id("stDataFrame").wait_for()
    assert within(image)
    assert not dialogs
    assert hosts == {server}
