"""How long do the app's pages take to paint, and the Go page to redraw and to answer?

    .venv/bin/python tests/benchmarks/app_speed.py [--json]

Against a server of its own. Paint, redraw and answer are measured inside the system's Chromium, by
its own clock: from opening an address, and from a click on the board. Twenty people are twenty
connections that speak Streamlit's protocol, as twenty browsers would take the server's cores: from
a click to the network's stone being sent. They think for 1 to 3 seconds about a move, or not at
all. Takes about 3 minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import statistics
import sys
from time import perf_counter

from playwright.sync_api import Browser, Page, sync_playwright
from report import markdown, verdict
from visitors import machine, megabytes, server, visit

PAGES = ("", "go", "text", "speech", "image", "models")
VISITS, MOVES = 4, 30
PEOPLE, MOVES_EACH = 20, 10
THINKING = {"who think 1 to 3 s a move": (1.0, 3.0), "who never think": (0.0, 0.0)}
ASKED = {
    "first paint, slowest page": 2,
    "click to redraw, median": 0.15,
    "the network's answer, median": 0.5,
    f"the network's answer to {PEOPLE} people {next(iter(THINKING))}, 95 %": 2,
    "memory of the server": 1500,
}
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
CLICK = """async (number) => {
  const all = [...document.querySelectorAll("*")];
  const host = all.find((element) => element.shadowRoot?.querySelector(".goban"));
  const board = host.shadowRoot.querySelector("svg");
  const points = [...board.querySelectorAll(".playable")];
  const point = points[Math.floor(points.length * ((number * 0.618) % 1))];
  const until = (done) => new Promise((resolve) => {
    const look = () => (done() ? resolve(performance.now()) : requestAnimationFrame(look));
    look();
  });
  const clicked = performance.now();
  point.dispatchEvent(new MouseEvent("click", { bubbles: true, composed: true }));
  const redrawn = await until(() => point.getAttribute("aria-label").includes("black stone"));
  const answered = await until(() => board.querySelector(".playable"));
  return [(redrawn - clicked) / 1000, (answered - clicked) / 1000];
}"""


def in_a_browser(address: str) -> tuple[dict[str, list[float]], list[float], list[float]]:
    """Seconds of `painted` by page, at the first visit and then at the median; and of `alone`."""
    pages = {}
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        for name in PAGES:
            first, *later = (painted(browser, f"http://{address}/{name}") for _ in range(VISITS))
            pages[name or "home"] = [*first, *map(statistics.median, zip(*later, strict=True))]
        redraws, answers = zip(*alone(browser, address), strict=True)
        browser.close()
    return pages, list(redraws), list(answers)


def painted(browser: Browser, url: str) -> tuple[float, float]:
    """Seconds from opening an address to the first paint, and to all of the page."""
    page = opened(browser, url)
    seconds = page.evaluate("performance.now() / 1000")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    page.close()
    return paint / 1000, seconds


def alone(browser: Browser, address: str) -> list[tuple[float, float]]:
    """Seconds from each click of one person to the redrawn stone, and to the network's."""
    page = opened(browser, f"http://{address}/go")
    found = []
    for number in range(MOVES):
        page.wait_for_timeout(300)
        found.append(tuple(page.evaluate(CLICK, number)))
    page.close()
    return found


def opened(browser: Browser, url: str) -> Page:
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.set_default_timeout(120_000)
    page.goto(url)
    page.get_by_role("heading", level=1).wait_for()
    page.locator("[data-test-script-state=notRunning]").wait_for()
    return page


async def together(address: str, thinking: tuple[float, float]) -> list[float]:
    """Seconds from each click of all the people to the network's stone."""

    async def person(seed: int) -> None:
        dice = random.Random(seed)
        async with visit(address, seed) as visitor:
            await everybody.wait()
            for _ in range(MOVES_EACH):
                await asyncio.sleep(dice.uniform(*thinking))
                clicked = perf_counter()
                await visitor.play()
                await visitor.answer()
                found.append(perf_counter() - clicked)

    found: list[float] = []
    everybody = asyncio.Barrier(PEOPLE)
    await asyncio.gather(*map(person, range(PEOPLE)))
    return found


def late(seconds: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(seconds, n=20)[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of the app.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    print("This takes about 3 minutes.", file=sys.stderr)
    with server() as (address, process):
        pages, redraws, answers = in_a_browser(address)
        crowd = {who: asyncio.run(together(address, pause)) for who, pause in THINKING.items()}
        memory = megabytes(process)
    found = {
        "first paint, slowest page": max(max(page[0], page[2]) for page in pages.values()),
        "click to redraw, median": statistics.median(redraws),
        "the network's answer, median": statistics.median(answers),
        "the network's answer, 95 %": late(answers),
        **{
            f"the network's answer to {PEOPLE} people {who}, {share}": figure(seconds)
            for who, seconds in crowd.items()
            for share, figure in {"median": statistics.median, "95 %": late}.items()
        },
        "memory of the server": memory,
    }
    if options.json:
        print(json.dumps({"pages": pages, "found": found, "asked": ASKED}))
        return
    header = ("seconds", "first paint", "whole page", "again: first paint", "whole page")
    print(markdown(header, [(n, *(f"{s:.2f}" for s in page)) for n, page in pages.items()]), "\n")
    rows = []
    for what, figure in found.items():
        unit, asked = "MB" if what.startswith("memory") else "s", ASKED.get(what)
        shown = f"{figure:,.0f} {unit}" if unit == "MB" else f"{figure:.3f} {unit}"
        wanted = (f"{asked:,} {unit}", verdict(figure < asked)) if asked else ("", "")
        rows.append((what, shown, *wanted))
    print(markdown(("", "measured", "asked: below", ""), rows))
    print(f"\n{machine()}")


if __name__ == "__main__":
    main()
