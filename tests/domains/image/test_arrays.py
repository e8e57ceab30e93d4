"""Sets of pictures in a few files: what is in them, and what is said of damaged ones."""

import io
import pickle
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as drawn
from picture_sets import CLASSES, COLOURED, PICTURES, cifar, idx, mnist

from core.errors import InputError
from domains.image import arrays
from domains.image.data import load


def npz(path, **there):
    np.savez_compressed(path, **there)
    return path


@pytest.mark.parametrize(
    "form",
    [
        "{part}-{what}-idx{n}-ubyte",
        "{part}-{what}-idx{n}-ubyte.gz",
        "{part}-{what}.idx{n}-ubyte",
    ],
)
def test_mnists_files(tmp_path, form):
    train, test = (load(mnist(tmp_path, form), part) for part in ("train", "test"))
    np.testing.assert_array_equal(train.pictures, PICTURES[:, None])
    np.testing.assert_array_equal(test.pictures, PICTURES[:2, None])
    assert (train.classes.tolist(), test.classes.tolist()) == (CLASSES, CLASSES[:2])
    assert train.labels == test.labels == ("0", "1", "2", "3")
    assert (train.pictures.dtype, train.classes.dtype) == (np.uint8, np.int64)


def test_an_unpacked_file_goes_before_its_archive(tmp_path):
    mnist(tmp_path)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"half fetched")
    assert len(load(tmp_path, "train")) == 4


@pytest.mark.parametrize("coarse", [False, True])
def test_cifars_binaries(tmp_path, coarse):
    train, test = (load(cifar(tmp_path, coarse), part) for part in ("train", "test"))
    np.testing.assert_array_equal(train.pictures, COLOURED)
    np.testing.assert_array_equal(test.pictures, COLOURED[:2])
    assert (train.classes.tolist(), test.classes.tolist()) == (CLASSES, CLASSES[:2])
    assert train.labels == test.labels == ("ant", "bee", "cat", "dog")


def test_as_an_archive_unpacks_it(tmp_path):
    inner = tmp_path / "cifar-10-batches-bin"
    inner.mkdir()
    cifar(inner)
    (tmp_path / "readme.html").write_text("about")
    assert load(tmp_path, "test").labels == ("ant", "bee", "cat", "dog")


@pytest.mark.parametrize(
    ("x", "shape"),
    [
        (PICTURES, (4, 1, 5, 5)),
        (PICTURES[..., None], (4, 1, 5, 5)),
        (PICTURES[:, None], (4, 1, 5, 5)),
        (COLOURED, (4, 3, 32, 32)),
        (COLOURED.transpose(0, 2, 3, 1), (4, 3, 32, 32)),
    ],
)
def test_npz_with_channels_wherever_they_are(tmp_path, x, shape):
    y = np.array(CLASSES)[:, None]
    path = npz(tmp_path / "set.npz", x_train=x, y_train=y, x_test=x[:2], y_test=y[:2])
    train, test = load(path, "train"), load(path, "test")
    wanted = COLOURED if shape[1] == 3 else PICTURES[:, None]
    np.testing.assert_array_equal(train.pictures, wanted)
    np.testing.assert_array_equal(test.pictures, wanted[:2])
    assert (train.classes.tolist(), test.classes.tolist()) == (CLASSES, CLASSES[:2])
    assert train.labels == test.labels == ("0", "1", "2", "3")


def test_npz_without_parts_is_either(tmp_path):
    path = npz(tmp_path / "set.npz", x=PICTURES, y=np.array(CLASSES, np.uint8))
    assert len(load(path, "train")) == len(load(path, "test")) == 4


def cut(content, size=10):
    return content[:-size]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train-images-idx3-ubyte", cut(idx(PICTURES)), "4 x 5 x 5 bytes, and it holds only 90"),
        ("train-images-idx3-ubyte", idx(PICTURES) + b"\0", "and it holds more"),
        ("train-images-idx3-ubyte", b"", "not an idx file of bytes in 3 dimensions"),
        ("train-images-idx3-ubyte", idx(PICTURES)[:11], "not an idx file"),
        ("train-images-idx3-ubyte", idx(CLASSES), "not an idx file of bytes in 3 dimensions"),
        ("train-images-idx3-ubyte", b"\0\0\x0d\3" + idx(PICTURES)[4:], "not an idx file"),
        ("train-images-idx3-ubyte", struct.pack(">4I", 0x803, *[2**32 - 1] * 3), "at most"),
        ("train-images-idx3-ubyte", idx(PICTURES[:0]), "no picture in it"),
        ("train-images-idx3-ubyte", idx(PICTURES[:3]), "3 pictures, and 4 labels"),
        ("train-images-idx3-ubyte", idx(PICTURES[:, :4]), "pictures of 5 x 4; they have to be sq"),
        ("train-labels-idx1-ubyte", idx(CLASSES[:3]), "4 pictures, and 3 labels"),
        ("train-labels-idx1-ubyte", None, "no file of train-labels"),
    ],
)  # fmt: skip
def test_damaged_idx_files(tmp_path, name, content, message):
    mnist(tmp_path)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        load(tmp_path, "train")
    assert str(caught.value).startswith(str(tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("change", [cut, lambda packed: b"\0" + packed, lambda packed: b""])
def test_damaged_gzip(tmp_path, change):
    file = mnist(tmp_path, "{part}-{what}-idx{n}-ubyte.gz") / "train-images-idx3-ubyte.gz"
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(InputError, match=r"train-images-idx3-ubyte\.gz: "):
        load(tmp_path, "train")


def test_a_wrong_checksum_is_found(tmp_path):
    file = mnist(tmp_path, "{part}-{what}-idx{n}-ubyte.gz") / "t10k-labels-idx1-ubyte.gz"
    content = bytearray(file.read_bytes())
    content[-8] ^= 1
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"t10k-labels-idx1-ubyte\.gz: cannot be read"):
        load(tmp_path, "test")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_as_an_idx_file(tmp_path_factory, content):
    folder = mnist(tmp_path_factory.mktemp("idx"))
    (folder / "train-labels-idx1-ubyte").write_bytes(content)
    with pytest.raises(InputError, match=r"train-labels|4 pictures"):
        load(folder, "train")


@settings(max_examples=30, deadline=None)
@given(drawn(np.uint8, st.tuples(st.integers(1, 4), st.just(6), st.just(6))))
def test_idx_keeps_every_sample(tmp_path_factory, pictures):
    folder = mnist(tmp_path_factory.mktemp("idx"))
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx(pictures))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx([0] * len(pictures)))
    np.testing.assert_array_equal(load(folder, "test").pictures[:, 0], pictures)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("data_batch_2.bin", b"\0" * 3072, "data_batch_2.bin: cut off, or no CIFAR binary: 3,072"),
        ("data_batch_2.bin", b"", "data_batch_2.bin: cut off"),
        ("data_batch_1.bin", b"\4" + b"\0" * 3072, "a class of 4, and batches.meta.txt names 4"),
        ("batches.meta.txt", b"\xff\n", "batches.meta.txt: cannot be read"),
        ("data_batch_*.bin", None, r"no data_batch_\*.bin in it"),
    ],
)
def test_damaged_cifar_files(tmp_path, name, content, message):
    cifar(tmp_path)
    if content is None:
        for file in tmp_path.glob(name):
            file.unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        load(tmp_path, "train")


@pytest.mark.parametrize(
    "names", [["batches.meta", "data_batch_1", "test_batch"], ["meta", "train", "test"]]
)
def test_pickles_are_never_loaded(tmp_path, names):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("sprung").touch, ())

    for name in names:
        (tmp_path / name).write_bytes(pickle.dumps(Trap()))
    with pytest.raises(InputError, match=r"python version is not read.* run code.* binary"):
        load(tmp_path, "train")
    pictures = np.empty(4, object)
    pictures[:] = [Trap()] * 4
    with pytest.raises(InputError, match="allow_pickle"):
        load(npz(tmp_path / "set.npz", x=pictures, y=np.array(CLASSES)), "train")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("there", "message"),
    [
        ({"x_train": PICTURES, "y_train": CLASSES}, "holds neither x_test and y_test nor x and y"),
        ({"x": PICTURES / 255, "y": CLASSES}, "x is of float64; pictures are of uint8"),
        ({"x": PICTURES[0], "y": CLASSES}, "x is 5 x 5; pictures are"),
        ({"x": COLOURED[:, :2], "y": CLASSES}, "x is 4 x 2 x 32 x 32; pictures are"),
        ({"x": PICTURES, "y": np.eye(4)}, "y is no list of whole numbers"),
        ({"x": PICTURES, "y": [0.0, 1, 2, 3]}, "y is no list of whole numbers"),
        ({"x": PICTURES, "y": [0, 1, 2, -1]}, "a class below 0"),
        ({"x": PICTURES, "y": [0, 1, 2, 10**9]}, "above 99,999"),
        ({"x": PICTURES, "y": [0, 1]}, "4 pictures, and 2 labels"),
        ({"x": PICTURES[:0], "y": np.zeros(0, int)}, "no picture in it"),
    ],
)
def test_npz_files_of_something_else(tmp_path, there, message):
    with pytest.raises(InputError, match=r"set\.npz: .*" + message):
        load(npz(tmp_path / "set.npz", **there), "test")


def test_damaged_npz_files(tmp_path):
    whole = npz(tmp_path / "set.npz", x=PICTURES, y=CLASSES).read_bytes()
    claim = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        claim, {"descr": "|u1", "fortran_order": False, "shape": (2**40, 9, 9)}
    )
    with zipfile.ZipFile(tmp_path / "claim.npz", "w") as packed:
        packed.writestr("x.npy", claim.getvalue())
        packed.writestr("y.npy", claim.getvalue())
    (tmp_path / "cut.npz").write_bytes(whole[:-30])
    (tmp_path / "text.npz").write_text("no archive")
    for name in ("claim.npz", "cut.npz", "text.npz", "absent.npz"):
        with pytest.raises(InputError, match=name) as caught:
            load(tmp_path / name, "train")
        assert "\n" not in str(caught.value)


def test_a_set_too_large_for_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "MAX_BYTES", 99)
    for path in (mnist(tmp_path), npz(tmp_path / "set.npz", x=PICTURES, y=CLASSES)):
        with pytest.raises(InputError, match="bytes of pictures; at most 99 are read"):
            load(path, "train")
