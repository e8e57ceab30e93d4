"""The Image page in the system's Chromium: a digit drawn by mouse and by keys, an upload."""

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
    page.goto(f"http://{server}")
    main = page.get_by_test_id("stMain")
    main.get_by_role("link", name="Image").click()
    main.get_by_role("application", name="draw a digit").wait_for()
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


def test_a_digit_is_drawn_by_mouse(page, image, server, hosts):
    drag(page, image, (0.3, 0.2), (0.7, 0.2), (0.45, 0.85))
    answered(image, "7")
    seen = image.get_by_role("img", name="as the network sees it")
    assert seen.evaluate("image => image.decode().then(() => image.naturalWidth)") == 224
    image.get_by_role("img", name="What comes out of layer").wait_for()
    assert image.evaluate("main => main.scrollWidth <= main.clientWidth")

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
    image.get_by_text("Sample", exact=True).click()
    image.get_by_text("No picture yet. Click a sample.").wait_for()
    image.get_by_text("Draw a digit", exact=True).click()
    answered(image, "1")
    assert strokes(image) == 1


def test_a_picture_is_uploaded(image, server, hosts):
    image.get_by_text("Upload", exact=True).first.click()
    image.locator("input[type=file]").set_input_files(SAMPLES / "ship.png")
    image.get_by_role("img", name="The picture", exact=True).wait_for()
    image.get_by_text("32 × 32 pixels, in colour").wait_for()
    image.get_by_role("tab", name="The network's layers").click()
    image.get_by_test_id("stDataFrame").wait_for()
    assert image.evaluate("main => main.scrollWidth <= main.clientWidth")
    assert hosts == {server}
