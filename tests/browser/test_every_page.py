"""What holds on every page, before and after its answers: accessible, narrow enough, private."""

from contextlib import ExitStack
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from stories import PAGES, STORIES, settle, visit

pytest.importorskip("pytest_playwright", reason="needs pytest-playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-core").Axe()

STATES = [(name, story) for name in PAGES for story in (None, *STORIES[name])]


def state_id(state):
    name, story = state
    return f"{name}-{story.__name__ if story else 'at first'}"


@pytest.fixture(scope="module")
def pages(browser, browser_context_args, server):
    """Each page, opened once, and every address that it asks for anything."""
    opened = {}
    with ExitStack() as stack:

        def page_called(name):
            if name not in opened:
                context = stack.enter_context(browser.new_context(**browser_context_args))
                page, asked = context.new_page(), []
                context.on("request", lambda request: asked.append(request.url))
                page.on("websocket", lambda socket: asked.append(socket.url))
                opened[name] = SimpleNamespace(
                    page=page, main=visit(page, server, name), asked=asked
                )
            return opened[name]

        yield page_called


@pytest.fixture(scope="module", params=STATES, ids=state_id)
def shown(pages, browser_context_args, request):
    """A page as it is at first, or after a story."""
    name, story = request.param
    shown = pages(name)
    shown.page.set_viewport_size(browser_context_args["viewport"])
    if story:
        story(shown.main)
        settle(shown.page)
    return shown


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(shown, theme):
    shown.page.emulate_media(color_scheme=theme)
    shown.page.wait_for_function(
        """theme => {
            const style = getComputedStyle(document.querySelector("[data-testid=stApp]"));
            const [red] = style.backgroundColor.match(/\\d+/g);
            return (red > 127) === (theme === "light");
        }""",
        arg=theme,
    )
    found = [
        f"{node['failureSummary']}\n{node['html']}"
        for violation in axe.run(shown.page).response["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("width", [400, 800, 1200, 1600])
def test_nothing_scrolls_sideways(shown, width):
    shown.page.set_viewport_size({"width": width, "height": 900})
    for part in (shown.main, shown.page.locator("html")):
        shown.page.wait_for_function(
            "element => element.scrollWidth <= element.clientWidth",
            arg=part.element_handle(),
            timeout=10_000,
        )


def test_nothing_is_asked_of_anyone_else(shown, server):
    addresses = [urlsplit(url) for url in shown.asked]
    assert {part.scheme for part in addresses} >= {"http", "ws"}
    assert {part.netloc for part in addresses if part.scheme not in ("data", "blob")} == {server}
