"""Folders of folders of pictures: classes, parts, sizes, what is refused."""

import shutil
import zipfile

import pytest
from PIL import Image

from core.errors import InputError
from domains.image import arrays
from domains.image.data import load

COLOURS = {"cats": (255, 0, 0), "dogs": (0, 255, 0), "emus": (0, 0, 255)}


def write(folder, count=2, classes=("cats", "dogs"), suffix=".png", size=(6, 4)):
    """A folder a class; each picture is of its class's colour."""
    for name in classes:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            Image.new("RGB", size, COLOURS[name]).save(folder / name / f"{number}{suffix}")
    return folder


def zipped(folder, path):
    """The folder's files in a zip, without entries for the folders themselves."""
    with zipfile.ZipFile(path, "w") as packed:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                packed.write(file, file.relative_to(folder))
    return path


def colours(images):
    return [tuple(picture[:, 0, 0].tolist()) for picture in images.pictures]


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_a_folder_a_class(tmp_path, form):
    path = write(tmp_path / "pets", 3)
    if form == "zip":
        path = zipped(path, tmp_path / "pets.ZIP")
    for part in ("train", "test"):
        found = load(path, part, 8)
        assert found.pictures.shape == (6, 3, 8, 8)
        assert found.labels == ("cats", "dogs")
        assert found.classes.tolist() == [0, 0, 0, 1, 1, 1]
        assert colours(found) == [COLOURS[found.labels[number]] for number in found.classes]
        assert found.refused == []
        assert len(found) == 6


def test_pictures_are_brought_to_one_size_and_so_many_channels(tmp_path):
    write(tmp_path, 1, size=(300, 20))
    write(tmp_path, 1, suffix=".jpg", size=(8, 8))
    Image.new("L", (1, 1), 9).save(tmp_path / "cats" / "tiny.gif")
    assert load(tmp_path, "train", 5).pictures.shape == (5, 3, 5, 5)
    grey = load(tmp_path, "train", 5, channels=1)
    assert grey.pictures.shape == (5, 1, 5, 5)
    assert grey.pictures[2].max() == grey.pictures[2].min() == 9


@pytest.mark.parametrize("train", ["train", "training", "Train"])
@pytest.mark.parametrize("test", ["test", "val", "valid", "validation", "Test"])
@pytest.mark.parametrize("form", ["folder", "zip"])
def test_folders_of_the_parts(tmp_path, train, test, form):
    path = tmp_path / "set"
    write(path / train, 3, ("cats", "dogs", "emus"))
    write(path / test, 1, ("dogs",))
    (path / "README.txt").write_text("about")
    if form == "zip":
        path = zipped(path, tmp_path / "set.zip")
    assert load(path, "train", 4).classes.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    measured = load(path, "test", 4)
    assert measured.labels == ("cats", "dogs", "emus")
    assert measured.classes.tolist() == [1]
    assert colours(measured) == [COLOURS["dogs"]]


def test_the_test_part_goes_before_the_validation_part(tmp_path):
    for part, count in (("train", 3), ("val", 2), ("test", 1)):
        write(tmp_path / part, count)
    assert len(load(tmp_path, "test", 4)) == 2


def test_a_part_that_is_not_there(tmp_path):
    write(tmp_path / "train")
    with pytest.raises(InputError, match="no test part in it: no folder test or testing or val"):
        load(tmp_path, "test", 4)
    shutil.move(tmp_path / "train", tmp_path / "val")
    with pytest.raises(InputError, match="no train part"):
        load(tmp_path, "train", 4)
    assert len(load(tmp_path, "test", 4)) == 4


def test_a_class_called_train_is_a_class(tmp_path):
    write(tmp_path)
    (tmp_path / "cats").rename(tmp_path / "train")
    assert load(tmp_path, "test", 4).labels == ("dogs", "train")


def test_a_class_that_was_not_trained_on(tmp_path):
    write(tmp_path / "train")
    write(tmp_path / "test", 1, ("cats", "emus"))
    with pytest.raises(InputError, match="test: a class 'emus' that the training part has not"):
        load(tmp_path, "test", 4)


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_what_an_archive_wraps_is_found(tmp_path, form):
    path = tmp_path / "fetched"
    write(path / "archive" / "PetImages")
    (path / "archive" / "readme.txt").write_text("about")
    (path / "__MACOSX").mkdir()
    (path / ".cache").mkdir()
    if form == "zip":
        path = zipped(path, tmp_path / "pets.zip")
    assert load(path, "train", 4).labels == ("cats", "dogs")


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_bad_pictures_are_named_and_the_others_used(tmp_path, form):
    path = write(tmp_path / "pets", 3)
    (path / "cats" / "0.png").write_bytes(b"")
    whole = (path / "dogs" / "2.png").read_bytes()
    (path / "dogs" / "2.png").write_bytes(whole[: len(whole) // 2])
    (path / "dogs" / "Thumbs.db").write_text("no picture, by its name")
    if form == "zip":
        path = zipped(path, tmp_path / "pets.zip")
    found = load(path, "train", 4)
    assert found.classes.tolist() == [0, 0, 1, 1]
    assert colours(found) == [COLOURS["cats"]] * 2 + [COLOURS["dogs"]] * 2
    first, second = map(str, found.refused)
    assert first.startswith(f"{path}/cats/0.png: an empty file")
    assert second.startswith(f"{path}/dogs/2.png: ")
    assert "\n" not in second


def test_a_zip_with_a_damaged_member(tmp_path):
    path = zipped(write(tmp_path / "pets"), tmp_path / "pets.zip")
    with zipfile.ZipFile(path) as packed:
        info = packed.getinfo("dogs/0.png")
    content = bytearray(path.read_bytes())
    content[info.header_offset + 30 + len(info.filename) + 45] ^= 255
    path.write_bytes(content)
    found = load(path, "train", 4)
    assert len(found) == 3
    assert "dogs/0.png: cannot be unpacked: Bad CRC-32" in str(found.refused[0])


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_a_class_without_a_picture_is_named(tmp_path, form):
    path = write(tmp_path / "pets")
    for name in ("emus", "fish"):
        (path / name).mkdir()
        (path / name / "notes.txt").write_text("still to come")
    if form == "zip":
        path = zipped(path, tmp_path / "pets.zip")
    slash = "/" if form == "zip" else ""
    for part in ("train", "test"):
        found = load(path, part, 4)
        assert found.labels == ("cats", "dogs")
        assert [str(error) for error in found.refused] == [
            f"{path}/{name}{slash}: no picture in this folder" for name in ("emus", "fish")
        ]
        assert len(found) == 4


def test_where_all_pictures_are_bad(tmp_path):
    write(tmp_path, 1)
    for file in tmp_path.rglob("*.png"):
        file.write_text("no picture")
    with pytest.raises(InputError, match=r"0\.png: not a picture"):
        load(tmp_path, "train", 4)


def test_places_that_hold_no_set(tmp_path, monkeypatch):
    for name, content in (("cut.zip", b"PK\3\4"), ("set.tar", b""), ("one.png", b"")):
        (tmp_path / name).write_bytes(content)
    for place, message in {
        "": "holds no idx files, no CIFAR binaries",
        "cut.zip": "cannot be read: File is not a zip file",
        "set.tar": "not a set of pictures",
        "one.png": "not a set of pictures",
        "absent": "no such file or folder",
        "absent.zip": "cannot be read: .*No such file",
    }.items():
        with pytest.raises(InputError, match=message) as caught:
            load(tmp_path / place, "train", 4)
        assert str(caught.value).startswith(str(tmp_path))
    write(tmp_path / "pets")
    with pytest.raises(InputError, match="need a size"):
        load(tmp_path / "pets", "train")
    monkeypatch.setattr(arrays, "MAX_BYTES", 4 * 3 * 16 - 1)
    with pytest.raises(InputError, match="4 pictures of that size are too many"):
        load(tmp_path / "pets", "train", 4)


def test_each_picture_has_its_own_place(tmp_path):
    write(tmp_path, 1)
    for number in range(40):
        Image.new("L", (4, 4), number).save(tmp_path / "dogs" / f"no{number:02}.png")
    found = load(tmp_path, "train", 4)
    assert found.classes.tolist() == [0] + [1] * 41
    assert found.pictures[2:, 0, 0, 0].tolist() == list(range(40))
    assert found.pictures.flags.writeable
