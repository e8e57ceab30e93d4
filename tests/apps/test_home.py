from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import apps

HOME = Path(apps.__file__).with_name("home.py")


@pytest.fixture
def home() -> AppTest:
    return AppTest.from_file(str(HOME)).run(timeout=60)


def test_says_what_it_is(home):
    assert not home.exception
    assert home.title[0].value == "receptive"
    assert "convolutional" in home.markdown[0].value


def test_links_only_to_pages_that_are_there(home):
    links = [link.proto.page for link in home.get("page_link")]
    assert links == ["go", "text", "speech", "image"]
    for link in links:
        assert (HOME.parent / "pages" / f"{link}.py").is_file()


def test_the_link_leads_to_the_page(home):
    assert home.switch_page("pages/text.py").run(timeout=60).title[0].value == "Text"


def test_no_file_beside_it_hides_a_standard_module():
    """`streamlit run apps/home.py` puts this folder first on sys.path."""
    import sys

    names = {path.stem for path in HOME.parent.iterdir()}
    assert not names & set(sys.stdlib_module_names)
