"""The Go page in the system's Chromium: games played, saved, opened and reviewed."""

import re
from pathlib import Path

import pytest
from sgfmill import sgf
from sgfmill.boards import Board
from stories import cell, settle, visit

HOSTILE = "<b>bold</b><img src=x onerror=alert(1)>"


def move_number(main):
    return int(re.search(r"move (\d+),", main.get_by_role("grid").get_attribute("aria-label"))[1])


def wait_for_turn(main, after):
    """Until that move is made, and answered if the network is there, and it is one's turn."""
    main.page.wait_for_function(
        """after => {
            const component = [...document.querySelectorAll("*")].find(
                element => element.shadowRoot?.querySelector(".goban"));
            const board = component.shadowRoot.querySelector("svg");
            const number = Number(board.getAttribute("aria-label").match(/move (\\d+),/)[1]);
            return number >= after && board.querySelector(".playable") !== null;
        }""",
        arg=after,
    )


def stones(main):
    """What a screen reader says of each point."""
    found = main.get_by_role("gridcell").evaluate_all(
        "cells => cells.map(cell => cell.getAttribute('aria-label'))"
    )
    return [re.match(r"\w+, (empty|black stone|white stone)", label)[0] for label in found]


def play(main, moves):
    """Clicks until so many moves are made, the network's among them; what was clicked."""
    clicked = []
    points = ("Q16", "D4", "C16", "R4", "O3", "F17", "C10", "R10", "K3", "K17", "G7", "N13")
    for vertex in points:
        number = move_number(main)
        if number < moves and "empty" in cell(main, vertex).get_attribute("aria-label"):
            cell(main, vertex).click()
            wait_for_turn(main, number + 1)
            clicked.append(vertex)
    settle(main.page)
    return clicked


def saved(main, button="Save SGF"):
    with main.page.expect_download() as download:
        main.get_by_role("button", name=button, exact=True).click()
    return Path(download.value.path()).read_bytes()


def upload(main, name, data):
    file = {"name": name, "mimeType": "application/x-go-sgf", "buffer": data}
    main.locator("input[type=file]").set_input_files(file)


@pytest.fixture
def go(page, server):
    main = visit(page, server, "Go")
    cell(main, "Q16").wait_for()
    return main


def test_ten_moves_are_played_saved_and_read_back(go):
    clicked = play(go, 10)
    data = saved(go)
    moves = [node.get_move() for node in sgf.Sgf_game.from_bytes(data).get_main_sequence()[1:]]
    assert [colour for colour, _ in moves] == ["b", "w"] * 5
    board = Board(19)
    for colour, (row, column) in moves:
        board.play(row, column, colour)
    names = [f"{'ABCDEFGHJKLMNOPQRST'[column]}{row + 1}" for _, (row, column) in moves]
    assert names[::2] == clicked
    for name, stone in zip(names, ["black stone", "white stone"] * 5, strict=True):
        assert stone in cell(go, name).get_attribute("aria-label")
    before = stones(go)
    go.page.reload()
    go.get_by_role("grid", name=re.compile("move 0,")).wait_for()
    settle(go.page)
    upload(go, "game.sgf", data)
    go.get_by_role("grid", name=re.compile("move 10,")).wait_for()
    assert stones(go) == before
    go.get_by_text(re.compile("^You – go-policy, .*, 10 moves$")).wait_for()


def test_a_game_against_it_by_keys(go):
    cell(go, "K10").focus()
    for key in ("ArrowUp", "ArrowRight", "Enter"):
        go.page.keyboard.press(key)
    wait_for_turn(go, 2)
    assert "black stone" in cell(go, "L11").get_attribute("aria-label")
    assert go.locator("[role=gridcell]:focus").get_attribute("aria-label").startswith("L11")


def test_the_network_plays_itself_until_it_is_stopped(go):
    go.get_by_role("radio", name="Neither").click()
    go.get_by_role("grid", name=re.compile("move [3-9],")).wait_for()
    go.get_by_role("radio", name="Both").click()
    wait_for_turn(go, 3)
    settle(go.page)
    number = move_number(go)
    go.page.wait_for_timeout(2_000)
    assert move_number(go) == number


def test_the_sample_is_opened_and_reviewed(go):
    go.get_by_role("button", name="Open a sample game").click()
    go.get_by_role("grid", name=re.compile("move 325,")).wait_for()
    go.get_by_text(re.compile("^Honinbo Shusaku 4d – Inoue Gennan Inseki 8d, ")).wait_for()
    go.get_by_role("button", name="Review this game").click()
    go.get_by_text("The moves that the network expected least").wait_for(timeout=240_000)
    settle(go.page)
    go.get_by_test_id("stVegaLiteChart").locator("canvas, svg").first.wait_for()
    assert go.get_by_test_id("stDataFrame").count() == 2
    commented = sgf.Sgf_game.from_bytes(saved(go, "Save SGF with comments"))
    assert all("choice" in node.get("C") for node in commented.get_main_sequence()[1:])


def test_a_records_texts_are_shown_as_they_are_and_a_broken_record_changes_nothing(go):
    record = f"(;GM[1]SZ[9]PB[{HOSTILE}]PW[Bob];B[ee];W[cc]C[{HOSTILE} **stars**])"
    upload(go, "good.sgf", record.encode())
    go.get_by_text(f"{HOSTILE} **stars**", exact=True).wait_for()
    go.get_by_text(f"{HOSTILE} – Bob, 2 moves", exact=True).wait_for()
    assert go.locator("img[src=x]").count() == 0
    before = stones(go)
    upload(go, "broken.sgf", b"(;GM[1]SZ[9];B[ee];W[")
    go.get_by_text("This file can't be read as a game record.").wait_for()
    assert stones(go) == before
    cell(go, "G7").click()
    go.get_by_role("grid", name=re.compile("move 3,")).wait_for()


def test_the_keyboard_walks_over_the_board(go):
    grid = go.get_by_role("grid")
    assert go.get_by_role("gridcell").count() == 361
    assert grid.locator("[tabindex='0']").count() == 1
    cell(go, "A19").focus()
    for key in ("ArrowUp", "End", "PageDown", "ArrowLeft"):
        go.page.keyboard.press(key)
    focused = grid.locator(":focus")
    assert focused.get_attribute("aria-label").startswith("S1, empty")
    assert focused.get_attribute("tabindex") == "0"
    assert grid.locator("[tabindex='0']").count() == 1


def test_the_board_and_its_buttons_are_seen_without_scrolling(go):
    play(go, 2)
    last = go.get_by_text("Move 2, White")
    for part in (go.get_by_role("grid"), go.get_by_role("button", name="Last", exact=True), last):
        box = part.bounding_box()
        assert box["y"] >= 60
        assert box["y"] + box["height"] <= 900


def test_a_narrow_window(go):
    go.page.set_viewport_size({"width": 400, "height": 800})
    box = go.get_by_role("grid").bounding_box()
    assert 340 < box["width"] <= 400
    assert go.evaluate("element => element.scrollWidth") <= 400
    cell(go, "Q16").click()
    wait_for_turn(go, 2)
