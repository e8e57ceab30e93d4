"""The pages, and the way to answers on each, by what a person sees."""

import re

PAGES = ("Home", "Go", "Text", "Speech", "Image", "Models")


def visit(page, server, name):
    """The page's main part, once all of it is there."""
    page.set_default_timeout(60_000)
    page.goto(f"http://{server}/{'' if name == 'Home' else name.lower()}")
    page.get_by_role("heading", level=1).wait_for()
    settle(page)
    return page.get_by_test_id("stMain")


def settle(page):
    """Until the page's script has ended and nothing fades any more."""
    page.locator("[data-test-script-state=notRunning]").wait_for()
    page.wait_for_function(
        "document.getAnimations().every(animation => animation.playState !== 'running')"
    )


def cell(main, vertex):
    """A point of the board."""
    return main.get_by_role("gridcell", name=re.compile(f"^{vertex},"))


def play(main):
    """A move on the board, and the network's."""
    cell(main, "K10").click()
    main.get_by_role("grid", name=re.compile("move 2,")).wait_for()


def review(main):
    main.get_by_role("button", name="Review this game").click()
    main.get_by_role("button", name="Save SGF with comments").wait_for()


def read(main):
    """An example of texts."""
    main.get_by_role("tab", name="Type or paste").click()
    main.get_by_role("button", name="Negation").click()
    main.locator(".answer .text").first.wait_for()


def read_a_file(main):
    main.get_by_role("tab", name="Upload a file").click()
    main.get_by_role("button", name="Try a sample file").click()
    main.get_by_role("button", name="Download csv").wait_for()


def hear(main):
    """A sample of one word."""
    main.get_by_role("button", name="no", exact=True).click()
    heard(main, "no")


def hear_a_sentence(main):
    main.get_by_role("button", name="a sentence").click()
    main.get_by_text("Words heard: ").wait_for()


def heard(main, word):
    main.get_by_text(re.compile(f"^{word} · ")).wait_for()


def draw(main):
    """A three, by mouse."""
    main.get_by_text("Draw a digit").click()
    paper = main.get_by_role("application", name="draw a digit")
    paper.scroll_into_view_if_needed()
    box = paper.bounding_box()
    along = "30 27 40 19 53 17 65 23 67 33 60 42 47 47 61 50 70 59 69 72 60 81 45 83 30 75"
    shares = [int(share) / 100 for share in along.split()]
    mouse = main.page.mouse
    for number, (x, y) in enumerate(zip(shares[::2], shares[1::2], strict=True)):
        mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y, steps=4)
        if not number:
            mouse.down()
    mouse.up()
    main.get_by_text(re.compile("^3 · ")).wait_for()


def name_a_picture(main):
    main.get_by_text("Name a picture").click()
    main.get_by_role("button", name="an airplane").click()
    main.get_by_text(re.compile("^airplane · ")).wait_for()


def find_digits(main):
    main.get_by_text("Find digits").click()
    main.get_by_role("img", name="The picture, with the digits found in it").wait_for()


def choose_a_card(main):
    main.get_by_text("Cards", exact=True).click()
    main.get_by_role("combobox", name="Model").click()
    main.page.get_by_role("option", name="keywords").click()
    main.get_by_text("speech-resnet").first.wait_for()


def read_an_architecture(main):
    main.get_by_text("Architectures").click()
    main.get_by_test_id("stDataFrame").first.wait_for()


def compare(main):
    """Trainings, the examples."""
    main.get_by_text("Training runs").click()
    main.get_by_role("button", name="Example: four networks").click()
    main.get_by_test_id("stVegaLiteChart").nth(1).wait_for()


STORIES = {
    "Home": (),
    "Go": (play, review),
    "Text": (read, read_a_file),
    "Speech": (hear, hear_a_sentence),
    "Image": (draw, name_a_picture, find_digits),
    "Models": (choose_a_card, read_an_architecture, compare),
}
"""What there is to do on each page, one after another. Home's answers are there at once."""


def answer(main, name):
    """The page's first story."""
    for story in STORIES[name][:1]:
        story(main)
    settle(main.page)
