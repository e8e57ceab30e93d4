"""What people upload: too large, broken, or named to do harm. The session goes on after each."""

import csv
import random
import re
import struct
import zlib
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from stories import answer, settle, visit

from apps.image.view import SAMPLES as PICTURES
from apps.speech.view import SAMPLES as SOUNDS

pytest.importorskip("pytest_playwright", reason="needs pytest-playwright")

HOSTILE = "<img src=x onerror=alert(1)>"
FORMULA = f'=HYPERLINK("http://example.org";"{HOSTILE}")'
SGF = f"(;GM[1]SZ[19]PB[{HOSTILE}]PW[=1+1];B[pd];W[dp]C[{HOSTILE} **comment**])"
NOISE = random.Random(0).randbytes(5_000)


def black(side):
    """A PNG of side x side black pixels, a bit each, that takes up little room."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = zlib.compress(bytes(side * (side // 8 + 1)), 9)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


class Upload(NamedTuple):
    """A page's upload: where it is, the most megabytes, a good file, bad ones by name."""

    reveal: Callable
    megabytes: int
    suffix: str
    good: bytes
    bad: dict[str, bytes]


ship, yes = (PICTURES / "ship.png").read_bytes(), (SOUNDS / "yes.ogg").read_bytes()
UPLOADS = {
    "Go": Upload(
        lambda main: None,
        5,
        "sgf",
        SGF.encode(),
        {"noise": NOISE, "cut": SGF[:40].encode(), "deep": b"(;B[aa]" * 100_000},
    ),
    "Text": Upload(
        lambda main: main.get_by_role("tab", name="Upload a file").click(),
        20,
        "csv",
        f'text\n"{FORMULA.replace(chr(34), chr(34) * 2)} a bad mess"\n'.encode(),
        {"noise": NOISE, "wide": b"a," * 1_000_000, "zeros": bytes(1_000_000)},
    ),
    "Speech": Upload(
        lambda main: None,
        20,
        "ogg",
        yes,
        {"noise": NOISE, "cut": yes[:300], "zeros": bytes(1_000_000)},
    ),
    "Image": Upload(
        lambda main: main.get_by_text("Name a picture").click(),
        20,
        "png",
        ship,
        {"noise": NOISE, "cut": ship[: len(ship) // 2], "bomb": black(30_000)},
    ),
}


@pytest.fixture(scope="module", params=UPLOADS)
def there(browser, browser_context_args, server, request):
    """A page where one uploads: its name, its main part, its Upload."""
    with browser.new_context(**browser_context_args) as context:
        main = visit(context.new_page(), server, request.param)
        UPLOADS[request.param].reveal(main)
        yield request.param, main, UPLOADS[request.param]


def upload(main, name, data):
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    main.locator("input[type=file]").set_input_files(file)


def test_a_file_over_the_limit_is_refused(there, tmp_path):
    _, main, accepts = there
    large = tmp_path / f"large.{accepts.suffix}"
    with large.open("wb") as file:
        file.truncate(accepts.megabytes * 2**20 + 1)
    main.locator("input[type=file]").set_input_files(large)
    main.get_by_text(re.compile(f"must be {accepts.megabytes}.*MB or smaller")).wait_for()


def test_broken_files_are_refused_and_the_session_goes_on(there):
    name, main, accepts = there
    for kind, data in accepts.bad.items():
        file = f"{kind}.{accepts.suffix}"
        upload(main, file, data)
        reason = main.get_by_test_id("stText").filter(has_text=re.compile(f"^{file}:"))
        reason.or_(main.get_by_test_id("stException")).first.wait_for()
        assert re.fullmatch(r"[^\n]{12,400}", reason.inner_text())
        assert main.get_by_role("alert").filter(has_text="can't be").count() == 1
        settle(main.page)
    answer(main, name)


def test_a_hostile_file_is_text(there):
    name, main, accepts = there
    accepts.reveal(main)
    dialogs = []
    main.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    file = f"{HOSTILE}.{accepts.suffix}"
    upload(main, file, accepts.good)
    if name == "Go":
        main.get_by_text(f"{HOSTILE} **comment**", exact=True).wait_for()
    else:
        main.get_by_test_id("stText").get_by_text(file, exact=True).wait_for()
    settle(main.page)
    assert main.page.locator("img[src=x]").count() == 0
    assert not dialogs
    if name in ("Go", "Text"):
        button = "Save SGF" if name == "Go" else "Download csv"
        with main.page.expect_download() as download:
            main.get_by_role("button", name=button).click()
        saved = Path(download.value.path()).read_text(encoding="utf-8")
        if name == "Go":
            assert f"C[{HOSTILE} **comment**]" in saved
        else:
            [row] = csv.DictReader(saved.splitlines())
            assert row["text"] == f"'{FORMULA} a bad mess"


def test_the_server_has_a_limit_of_its_own(page, server):
    """Whatever the page lets through: the announcement of more than 20 MB is enough."""
    main = visit(page, server, "Image")
    UPLOADS["Image"].reveal(main)
    with page.expect_request("**/upload_file/**") as sent:
        upload(main, "ship.png", ship)
    headers = sent.value.all_headers() | {"content-length": str(20 * 2**20 + 1)}
    connection = HTTPConnection(server)
    connection.request("PUT", urlsplit(sent.value.url).path, headers=headers)
    assert connection.getresponse().status == 413
    connection.close()
