"""README's pictures: `pytest tests/browser/test_pictures.py --pictures .github/pictures`.

Without the option they are made all the same, and thrown away.
"""

import io
import re

import pytest
from PIL import Image
from stories import compare, draw, heard, read, settle, visit

WIDTH, SCALE = 1200, 1.5  # of the page, in its pixels; the picture's pixels to one of them
COMPRESSED = {"format": "webp", "quality": 90, "method": 6}
DRAWN = """() => [...document.images].every(image => image.complete) &&
    [...document.querySelectorAll("[data-testid=stVegaLiteChart]")].every(
        chart => chart.querySelector("canvas, svg"))"""

STORIES = {
    "Home": (800, lambda main: None),
    "Text": (800, read),
    "Speech": (960, lambda main: heard(main, "yes")),
    "Image": (800, draw),
    "Models": (950, compare),
}
"""How high each page's picture is, and what is done before it is taken."""


@pytest.fixture
def folder(request, tmp_path):
    chosen = request.config.getoption("pictures", None) or tmp_path
    chosen.mkdir(parents=True, exist_ok=True)
    return chosen


@pytest.fixture
def moves(request):
    """How long the game is: long where the picture is wanted."""
    return 30 if request.config.getoption("pictures", None) else 6


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return browser_context_args | {"device_scale_factor": SCALE}


def taken(page, part):
    """A picture of a page or of a part of it, once it is quiet and without the mouse's traces."""
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    settle(page)
    page.wait_for_function(DRAWN)
    return Image.open(io.BytesIO(part.screenshot(animations="disabled"))).convert("RGB")


def keep(page, height, file):
    """The page as a picture; checks that it is something to be looked at, and not too large."""
    page.set_viewport_size({"width": WIDTH, "height": height})
    picture = taken(page, page)
    assert picture.size == (WIDTH * SCALE, height * SCALE)
    assert len(picture.getcolors(picture.width * picture.height)) > 100
    picture.save(file, **COMPRESSED)
    assert 10_000 < file.stat().st_size < 250_000


@pytest.mark.parametrize("name", STORIES)
def test_a_page(page, server, folder, name):
    main = visit(page, server, name)
    height, story = STORIES[name]
    story(main)
    keep(page, height, folder / f"{name.lower()}.webp")


def test_a_game(page, server, folder, moves):
    """Black plays what the network would, and it answers."""
    page.set_viewport_size({"width": WIDTH, "height": 820})
    main = visit(page, server, "Go")
    frames = []
    for move in range(0, moves, 2):
        best = main.locator("[role=gridcell]", has=page.locator(".hint.best"))
        best.wait_for()
        frames.append(taken(page, main.get_by_role("grid")))
        best.click()
        main.get_by_role("grid", name=re.compile(f"move {move + 2},")).wait_for()
    keep(page, 820, folder / "go.webp")
    film = folder / "game.webp"
    durations = [1000] * (len(frames) - 1) + [3000]  # milliseconds
    frames[0].save(
        film, save_all=True, append_images=frames[1:], duration=durations, loop=0, **COMPRESSED
    )
    with Image.open(film) as made:
        assert (made.n_frames, made.info["loop"]) == (len(frames), 0)
    assert film.stat().st_size < 1_500_000
