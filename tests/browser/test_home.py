"""The Home page in the system's Chromium: four live answers, and the way to each page."""

import pytest

DURATION = """audio => audio.duration ||
    new Promise(known => { audio.onloadedmetadata = () => known(audio.duration) })"""
SENSES = ("Go", "Text", "Speech", "Image")


@pytest.fixture
def hosts(page):
    """Where the page sends requests."""
    found = set()
    page.on("request", lambda request: found.add(request.url.split("/")[2]))
    return found


@pytest.fixture(params=[1200, 400])
def home(page, server, hosts, request):
    page.set_default_timeout(60_000)
    page.set_viewport_size({"width": request.param, "height": 900})
    page.goto(f"http://{server}")
    main = page.get_by_test_id("stMain")
    main.locator(".bars").nth(3).wait_for()
    return main


def test_four_senses_answer(page, home, hosts, server):
    for label in ("positive", "yes", "ship"):
        home.locator(".bars td:first-child").get_by_text(label, exact=True).wait_for()
    pictures = home.locator("figure img")
    assert pictures.count() == 3
    for picture in pictures.all():
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
        assert picture.get_attribute("alt")
    assert home.locator("figure mark").count() > 1
    assert home.get_by_test_id("stAudio").evaluate(DURATION) == pytest.approx(1, abs=0.01)
    assert home.evaluate("main => main.scrollWidth <= main.clientWidth")
    assert hosts == {server}


@pytest.mark.parametrize("home", [1200], indirect=True)
def test_the_cards_fit_on_one_screen(home):
    boxes = [table.bounding_box() for table in home.locator(".bars").all()]
    assert len({round(box["x"]) for box in boxes}) == 2
    assert len({round(box["y"]) for box in boxes}) == 2
    assert home.get_by_test_id("stAudio").bounding_box()["y"] < 850


@pytest.mark.parametrize("name", SENSES)
def test_each_card_leads_to_its_page(page, home, name):
    home.get_by_role("link", name=name).click()
    home.get_by_role("heading", name=name, level=1).wait_for()
    assert page.url.endswith(f"/{name.lower()}")


@pytest.mark.parametrize("home", [1200], indirect=True)
def test_a_hint_shows_at_the_keyboard(page, home):
    home.get_by_role("link", name="Go").focus()
    page.keyboard.press("Tab")
    page.get_by_role("tooltip").get_by_text("its likeliest move is the one played").wait_for()
