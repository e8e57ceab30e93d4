"""The Home page without a browser, on the released models."""

import re
import shutil
from pathlib import Path

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

import apps
from apps.figures import percent
from core import weights
from domains import weight_folders

HOME = Path(apps.__file__).with_name("home.py")
MODELS = {
    "go": ("go-policy", "domains.go.policy.WEIGHTS"),
    "text": ("sentiment", "domains.text.classifier.WEIGHTS"),
    "speech": ("keywords", "domains.speech.recogniser.WEIGHTS"),
    "image": ("objects", "domains.image.graph.WEIGHTS"),
}
ROW = re.compile(r"<td>(\w+)</td><td>(?:< )?([\d.]+)\W%</td>")


@pytest.fixture(autouse=True)
def _forgotten():
    streamlit.cache_resource.clear()


def open_home():
    return AppTest.from_file(str(HOME), default_timeout=300).run()


@pytest.fixture
def home() -> AppTest:
    return open_home()


@pytest.fixture
def copied(monkeypatch, tmp_path):
    """Gives a copy of a domain's released models, which is used in their place."""
    folders = weight_folders()
    monkeypatch.setattr("apps.released.weight_folders", lambda: folders)

    def copy(domain):
        folders[domain] = shutil.copytree(folders[domain], tmp_path / domain)
        monkeypatch.setattr(MODELS[domain][1], folders[domain])
        return folders[domain]

    return copy


def html(page):
    return "".join(element.proto.body for element in page.get("html"))


def answers(page):
    """The rows of bars of each example: [(label, percent), …]."""
    tables = re.findall('<table class="bars">.*?</table>', html(page))
    return [
        [(label, float(share)) for label, share in ROW.findall(table.replace("&lt;", "<"))]
        for table in tables
    ]


def said(page):
    return " ".join(element.value for kind in ("markdown", "caption") for element in page.get(kind))


def card(domain):
    return weights.find(MODELS[domain][0], weight_folders()[domain])


def test_says_what_it_is(home):
    assert not home.exception
    assert home.title[0].value == "receptive"
    assert "convolutional" in home.markdown[0].value


def test_links_only_to_pages_that_are_there(home):
    links = [link.proto.page for link in home.get("page_link")]
    assert links == ["go", "text", "speech", "image", "models"]
    for link in links:
        assert (HOME.parent / "pages" / f"{link}.py").is_file()


def test_the_link_leads_to_the_page(home):
    assert home.switch_page("pages/text.py").run(timeout=60).title[0].value == "Text"


def test_each_sense_answers_an_example(home):
    assert not home.error
    go, *others = answers(home)
    assert [example[0][0] for example in others] == ["positive", "yes", "ship"]
    assert all(re.fullmatch("[A-HJ-T]1?[0-9]", vertex) for vertex, _ in go)
    for example in (go, *others):
        shares = [share for _, share in example]
        assert len(shares) == 3
        assert shares == sorted(shares, reverse=True)
        assert 0 < shares[0] <= sum(shares) <= 100.1


def test_the_move_is_what_the_go_player_says(home):
    from domains.go.board import Board
    from domains.go.player import GoPlayer
    from domains.go.vertices import name, parse

    board = Board()
    for vertex in ("Q16", "D4", "Q3", "D16", "R9"):
        board.play(parse(vertex, 19))
    expected = GoPlayer.load().moves(board)[:3]
    shown = answers(home)[0]
    assert [vertex for vertex, _ in shown] == [name(point, 19) for point, _ in expected]
    assert [share for _, share in shown] == pytest.approx(
        [100 * share for _, share in expected], abs=0.051
    )


def test_the_word_can_be_heard(home):
    [player] = home.get("audio")
    assert player.proto.url


def test_figures_are_those_of_the_cards(home):
    for figure in (
        card("go").metrics["test"]["top1"],
        card("text").metrics["IMDB test"]["accuracy"],
        card("text").metrics["SST-3 test"]["recall"]["neutral"],
        card("speech").metrics["test"]["accuracy"],
        card("image").metrics["test"]["accuracy"],
    ):
        assert percent(figure) in said(home)


def test_another_card_other_figures(copied):
    path = copied("go") / "go-policy.toml"
    path.write_text(path.read_text().replace("top1 = 0.5098", "top1 = 0.1234"))
    home = open_home()
    assert percent(0.1234) in said(home)
    assert percent(0.5098) not in said(home)


@pytest.mark.parametrize("domain", MODELS)
def test_a_damaged_model_takes_no_other_with_it(copied, domain):
    graph = copied(domain) / f"{MODELS[domain][0]}.onnx"
    graph.write_bytes(graph.read_bytes()[:-1])
    home = open_home()
    assert not home.exception
    assert [error.value for error in home.error] == ["The network can't be asked."]
    assert graph.name in home.text[0].value
    assert len(answers(home)) == 3
    assert len(home.get("page_link")) == 5


@pytest.mark.parametrize("domain", MODELS)
def test_a_missing_folder_takes_no_other_with_it(monkeypatch, domain):
    others = {name: path for name, path in weight_folders().items() if name != domain}
    monkeypatch.setattr("apps.released.weight_folders", lambda: others)
    home = open_home()
    assert not home.exception
    assert MODELS[domain][0] in home.text[0].value
    assert len(answers(home)) == 3


def test_a_card_without_the_figures(copied):
    path = copied("image") / "objects.toml"
    path.write_text(path.read_text().replace("[metrics.test]", "[metrics.other]"))
    home = open_home()
    assert not home.exception
    assert home.text[0].value == f"{path}: no 'accuracy' on 'test'"


def test_no_file_beside_it_hides_a_standard_module():
    """`streamlit run apps/home.py` puts this folder first on sys.path."""
    import sys

    names = {path.stem for path in HOME.parent.iterdir()}
    assert not names & set(sys.stdlib_module_names)
