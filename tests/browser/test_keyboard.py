"""From Home to an answer on each page by keys alone, the focus always to be seen."""

import re

import pytest
from stories import cell, settle, visit


class Keys:
    """Someone who presses keys."""

    def __init__(self, page):
        self.page = page

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def tab_to(self, target, most=80):
        for _ in range(most):
            self.press("Tab")
            if target.evaluate("element => element === element.getRootNode().activeElement"):
                assert seen_to_be_focused(self.page, target)
                return
        pytest.fail(f"no Tab leads to {target}")


def seen_to_be_focused(page, target):
    """Whether it looks otherwise than without the focus."""
    box = target.bounding_box()
    around = {side: box[side] - 6 for side in "xy"}
    around |= {side: box[side] + 12 for side in ("width", "height")}
    with_focus = page.screenshot(clip=around, animations="disabled")
    target.evaluate("element => element.blur()")
    without = page.screenshot(clip=around, animations="disabled")
    target.evaluate("element => element.focus({focusVisible: true})")
    return with_focus != without


def play(main, keys):
    keys.tab_to(cell(main, "K10"))
    keys.press("ArrowUp", "ArrowRight", "Enter")
    main.get_by_role("grid", name=re.compile("move 2,")).wait_for()
    assert "black stone" in cell(main, "L11").get_attribute("aria-label")


def read(main, keys):
    keys.tab_to(main.get_by_role("button", name="Negation"))
    keys.press("Enter")
    main.locator(".answer .text").first.wait_for()


def listen(main, keys):
    keys.tab_to(main.get_by_role("button", name="no", exact=True))
    keys.press("Enter")
    main.get_by_text(re.compile("^no · ")).wait_for()


def draw(main, keys):
    keys.tab_to(main.get_by_role("application", name="draw a digit"))
    keys.press(*["ArrowUp"] * 9, " ", *["ArrowDown"] * 18, " ")
    main.get_by_text(re.compile("^1 · ")).wait_for()


def choose(main, keys):
    keys.tab_to(main.get_by_role("combobox", name="Model"))
    keys.press("ArrowDown", *"keyw", "Enter")
    main.get_by_text("speech-resnet").first.wait_for()


@pytest.mark.parametrize(
    ("name", "ask"),
    {"Go": play, "Text": read, "Speech": listen, "Image": draw, "Models": choose}.items(),
)
def test_from_home_to_an_answer_by_keys(page, server, name, ask):
    visit(page, server, "Home")
    keys = Keys(page)
    keys.tab_to(page.get_by_test_id("stHeader").get_by_role("link", name=name))
    keys.press("Enter")
    page.get_by_role("heading", level=1, name=name).wait_for()
    settle(page)
    ask(page.get_by_test_id("stMain"), keys)
