"""The public sets, small, fetched from a server on this machine and then read."""

import dataclasses
import io
import re
import tarfile
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from picture_sets import CLASSES, cifar, mnist
from PIL import Image

from core import data
from domains.image import datasets  # noqa: F401  registers the sets
from domains.image.data import load

NAMES = ("cats-and-dogs", "cifar-10", "fashion-mnist", "mnist")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def public(tmp_path, monkeypatch):
    """A folder that a server on this machine shows, as the source of every set."""
    folder = tmp_path / "public"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("RECEPTIVE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(data, "DATASETS", dict(data.DATASETS))
    address = f"http://127.0.0.1:{server.server_port}"
    for name in NAMES:
        known = data.dataset(name)
        local = [data.Source(f"{address}/{source.file_name}", None) for source in known.sources]
        data.register(dataclasses.replace(known, sources=tuple(local)))
    yield folder
    server.shutdown()
    server.server_close()


def jpeg(colour):
    file = io.BytesIO()
    Image.new("RGB", (9, 7), colour).save(file, "JPEG")
    return file.getvalue()


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_mnist_and_its_like(public, name):
    mnist(public, "{part}-{what}-idx{n}-ubyte.gz")
    [place] = data.get(name)
    assert data.locate(name) == [place]
    assert load(place, "train").classes.tolist() == CLASSES
    assert len(load(place, "test")) == 2


def test_cifar(public, tmp_path):
    inner = tmp_path / "cifar-10-batches-bin"
    inner.mkdir()
    with tarfile.open(public / "cifar-10-binary.tar.gz", "w:gz") as archive:
        archive.add(cifar(inner), inner.name)
    [place] = data.get("cifar-10")
    assert load(place, "train").classes.tolist() == CLASSES
    assert load(place, "test").labels == ("ant", "bee", "cat", "dog")


def test_cats_and_dogs(public):
    with zipfile.ZipFile(public / "kagglecatsanddogs_5340.zip", "w") as archive:
        archive.writestr("PetImages/Cat/0.jpg", jpeg("red"))
        archive.writestr("PetImages/Cat/666.jpg", b"")
        archive.writestr("PetImages/Cat/Thumbs.db", b"thumbs")
        archive.writestr("PetImages/Dog/0.jpg", jpeg("blue"))
        archive.writestr("readme[1].txt", b"about")
    [place] = data.get("cats-and-dogs")
    found = load(place, "train", 4)
    assert (found.labels, found.classes.tolist()) == (("Cat", "Dog"), [0, 1])
    assert len(found.refused) == 1


def test_the_packed_cats_and_dogs_are_found_and_read(public):
    folder = data.folder() / "image"
    folder.mkdir(parents=True)
    for name in ("catdog150_train2000", "catdog150_val"):
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            archive.writestr("cats/cat.1.jpg", jpeg("red"))
            archive.writestr("dogs/dog.1.jpg", jpeg("blue"))
    train, val = data.get("cats-and-dogs")
    assert (train.name, val.name) == ("catdog150_train2000.zip", "catdog150_val.zip")
    assert load(train, "train", 4).labels == load(val, "test", 4).labels == ("cats", "dogs")


@pytest.mark.parametrize("name", NAMES)
def test_every_file_has_an_address_and_a_published_sum(name):
    for source in data.dataset(name).sources:
        assert source.url.startswith("https://")
        assert re.fullmatch("[0-9a-f]{64}", source.sha256)


def test_receptive_data_list_tells_of_them(command, tmp_path, monkeypatch):
    monkeypatch.setenv("RECEPTIVE_DATA", str(tmp_path))
    done = command("data", "list")
    assert done.code == 0
    for name in NAMES:
        assert f"\n{name}: " in done.out
        assert f"(not there; receptive data get {name})" in done.out
