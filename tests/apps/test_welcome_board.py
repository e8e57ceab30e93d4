"""The small board of the Home page, by hand."""

from xml.etree import ElementTree

from apps.welcome.board import CELL, MARGIN, svg
from domains.go.board import Board
from domains.go.vertices import parse

SVG = "{http://www.w3.org/2000/svg}"


def test_stones_and_marks_are_where_they_belong():
    board = Board()
    for vertex in ("Q16", "D4"):
        board.play(parse(vertex, 19))
    drawing = ElementTree.fromstring(svg(board, [(parse("K3", 19), 0.306)]))
    discs = drawing.findall(f"{SVG}circle")
    places = {
        (int(disc.get("cx")), int(disc.get("cy"))): float(disc.get("r"))
        for disc in discs
        if float(disc.get("r")) > 5
    }
    q16 = (MARGIN + 15 * CELL, MARGIN + 3 * CELL)
    d4 = (MARGIN + 3 * CELL, MARGIN + 15 * CELL)
    k3 = (MARGIN + 9 * CELL, MARGIN + 16 * CELL)
    assert set(places) == {q16, d4, k3}
    assert places[q16] == places[d4] < places[k3]
    assert [text.text for text in drawing.findall(f"{SVG}text")] == ["31"]
    assert len(discs) == 9 + 3
    side = 2 * MARGIN + 18 * CELL
    assert drawing.get("viewBox") == f"0 0 {side} {side}"
