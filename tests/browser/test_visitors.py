"""Who sees what: people see their own things alone, and other machines see nothing."""

import re

import psutil
import pytest
from stories import answer, cell, settle, visit

pytest.importorskip("pytest_playwright", reason="needs pytest-playwright")


def open_page(main, name):
    """By the navigation, as a new address would begin a new session."""
    main.page.get_by_test_id("stHeader").get_by_role("link", name=name).click()
    main.page.get_by_role("heading", level=1, name=name).wait_for()
    settle(main.page)


ANSWERED = {
    "Go": lambda main: cell(main, "K10").and_(main.get_by_role("gridcell", name="black stone")),
    "Text": lambda main: main.get_by_text("Hardly a triumph").first,
    "Speech": lambda main: main.get_by_text(re.compile("^no · ")),
    "Image": lambda main: main.get_by_text(re.compile("^3 · ")),
}
"""What shows that someone has asked for the first answer of `stories`."""


def test_two_visitors_never_see_each_others_things(new_context, server):
    one, other = (visit(new_context().new_page(), server, "Home") for _ in range(2))
    for name in ANSWERED:
        open_page(one, name)
        answer(one, name)
    for name, seen in ANSWERED.items():
        open_page(other, name)
        assert seen(other).count() == 0
    open_page(other, "Go")
    cell(other, "C3").click()
    other.get_by_role("grid", name=re.compile("move 2,")).wait_for()
    for name, seen in ANSWERED.items():
        open_page(one, name)
        seen(one).wait_for()
    open_page(one, "Go")
    assert "black stone" not in cell(one, "C3").get_attribute("aria-label")


def test_the_server_listens_on_this_machine_alone(process):
    started, address = process
    sockets = psutil.Process(started.pid).net_connections("inet")
    assert {f"{s.laddr.ip}:{s.laddr.port}" for s in sockets if s.status == "LISTEN"} == {address}
