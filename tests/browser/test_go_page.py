"""The Go page in the system's Chromium: a game by mouse and by keyboard, saved."""

import re
from pathlib import Path

import pytest
from sgfmill import sgf
from sgfmill.boards import Board


def cell(page, vertex):
    return page.get_by_role("gridcell", name=re.compile(f"^{vertex},"))


def move_number(page):
    return int(re.search(r"move (\d+),", page.get_by_role("grid").get_attribute("aria-label"))[1])


def wait_for_turn(page, after):
    """Until that move is made, and answered if the network is there, and it is one's turn."""
    page.wait_for_function(
        """after => {
            const component = [...document.querySelectorAll("*")].find(
                element => element.shadowRoot?.querySelector(".goban"));
            const board = component.shadowRoot.querySelector("svg");
            const number = Number(board.getAttribute("aria-label").match(/move (\\d+),/)[1]);
            return number >= after && board.querySelector(".playable") !== null;
        }""",
        arg=after,
    )


@pytest.fixture
def hosts(page):
    """Where the page sends requests."""
    found = set()
    page.on("request", lambda request: found.add(request.url.split("/")[2]))
    return found


@pytest.fixture
def go(page, server, hosts):
    page.set_default_timeout(60_000)
    page.set_viewport_size({"width": 1200, "height": 900})
    page.goto(f"http://{server}")
    page.get_by_test_id("stMain").get_by_role("link", name="Go").click()
    cell(page, "Q16").wait_for()
    return page


def test_ten_moves_are_played_and_saved(go, hosts, server):
    cell(go, "K10").focus()
    for key in ("ArrowUp", "ArrowRight", "Enter"):
        go.keyboard.press(key)
    cell(go, "L11").and_(go.get_by_role("gridcell", name="black stone")).wait_for()
    wait_for_turn(go, 1)
    mine = ["L11"]
    for vertex in ("Q16", "D4", "C16", "R4", "O3", "F17", "C10", "R10", "K3", "K17", "G7", "N13"):
        number = move_number(go)
        if number >= 10:
            break
        if "empty" in cell(go, vertex).get_attribute("aria-label"):
            cell(go, vertex).click()
            wait_for_turn(go, number + 1)
            mine.append(vertex)
    go.locator("[data-test-script-state=notRunning]").wait_for()
    with go.expect_download() as download:
        go.get_by_role("button", name="Save SGF").click()
    game = sgf.Sgf_game.from_bytes(Path(download.value.path()).read_bytes())
    moves = [node.get_move() for node in game.get_main_sequence()[1:]]
    assert len(moves) == 10
    assert [colour for colour, _ in moves] == ["b", "w"] * 5
    board = Board(19)
    for colour, (row, column) in moves:
        board.play(row, column, colour)
    names = [f"{'ABCDEFGHJKLMNOPQRST'[column]}{row + 1}" for _, (row, column) in moves]
    assert [vertex for vertex in names if vertex in mine] == mine
    for colour, name in zip("bw" * 5, names, strict=True):
        stone = {"b": "black stone", "w": "white stone"}[colour]
        assert stone in cell(go, name).get_attribute("aria-label")
    assert hosts == {server}


def test_the_keyboard_walks_over_the_board(go):
    grid = go.get_by_role("grid")
    assert go.get_by_role("gridcell").count() == 361
    assert grid.locator("[tabindex='0']").count() == 1
    cell(go, "A19").focus()
    go.keyboard.press("ArrowUp")
    go.keyboard.press("End")
    go.keyboard.press("PageDown")
    go.keyboard.press("ArrowLeft")
    focused = grid.locator(":focus")
    assert focused.get_attribute("aria-label").startswith("S1, empty")
    assert focused.get_attribute("tabindex") == "0"
    assert grid.locator("[tabindex='0']").count() == 1


def test_a_narrow_window(go):
    go.set_viewport_size({"width": 390, "height": 800})
    box = go.get_by_role("grid").bounding_box()
    assert 330 < box["width"] <= 390
    main = go.get_by_test_id("stMain")
    assert main.evaluate("element => element.scrollWidth") <= 390
