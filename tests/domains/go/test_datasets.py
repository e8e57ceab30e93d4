"""The public sets of game records, and that the development copies are what they say."""

import hashlib
import re

import pytest

from core import data
from domains.go import datasets  # noqa: F401  registers the sets


@pytest.mark.parametrize("name", ["kgs", "tygem"])
def test_a_set_is_described_and_has_public_addresses(name):
    known = data.dataset(name)
    assert known.description
    assert known.licence
    names = [source.file_name for source in known.sources]
    assert len(set(names)) == len(names)
    for source in known.sources:
        assert source.url.startswith("https://")
        assert re.fullmatch(r"KGS-\d{4}(_\d\d)?-19-\d+-\.tar\.gz|\d{4}-\d\d\.zip", source.file_name)
        assert source.sha256 is None or re.fullmatch("[0-9a-f]{64}", source.sha256)


def test_the_games_of_kgs_are_as_many_as_its_archives_names_say():
    counts = [int(source.file_name.split("-")[3]) for source in data.dataset("kgs").sources]
    assert sum(counts) == 34_022
    assert "34,022 games" in data.dataset("kgs").description


def test_the_archives_beside_the_project_are_the_published_ones():
    sums = {source.sha256 for source in data.dataset("kgs").sources}
    archives = sorted((data.folder() / "go").glob("kgs-*.tar.gz"))
    if not archives:
        pytest.skip("the data folder holds none")
    assert {hashlib.sha256(path.read_bytes()).hexdigest() for path in archives} <= sums
