import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core import weights
from core.errors import InputError
from core.weights import Card, atomic_write, find, list_cards, load, read_card, save, verify
from domains import weight_folders

TENSORS = {
    "embedding": np.arange(6, dtype=np.float16).reshape(2, 3),
    "head": np.linspace(-1, 1, 4, dtype=np.float32).reshape(2, 2).T,
    "vocabulary": np.frombuffer("good\nbad\nnaïve".encode(), np.uint8),
}


def card(name: str = "tiny", **changes: object) -> Card:
    fields = {
        "name": name,
        "domain": "text",
        "architecture": "text-cnn",
        "config": {"widths": (3, 4, 5)},
        "labels": ["negative", "positive"],
        "preprocessing": {"lowercase": True},
        "description": "a model of two words",
        "data": [{"name": "sst", "licence": "none"}],
        "licence": "MIT",
        "command": "receptive text train",
        "metrics": {"dev": {"accuracy": 0.5}},
    }
    return Card(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture
def saved(tmp_path: Path) -> Card:
    return save(card(), TENSORS, tmp_path, {"tiny.onnx": b"graph"})


def edit(saved: Card, old: str, new: str) -> None:
    text = saved.path.read_text(encoding="utf-8")
    assert old in text
    saved.path.write_text(text.replace(old, new), encoding="utf-8")


def test_round_trip(saved: Card, tmp_path: Path) -> None:
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "tiny.onnx",
        "tiny.safetensors",
        "tiny.toml",
    ]
    read = read_card(saved.path)
    assert read.config == {"widths": [3, 4, 5]}
    assert read.labels == ["negative", "positive"]
    assert read.files == saved.files
    loaded = load(read)
    assert loaded.keys() == TENSORS.keys()
    for name, array in TENSORS.items():
        assert loaded[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded[name], array)


def test_load_converts_only_floating_tensors(saved: Card) -> None:
    loaded = load(saved, np.float32)
    assert loaded["embedding"].dtype == np.float32
    assert loaded["vocabulary"].dtype == np.uint8


def test_sums_are_those_of_sha256sum(saved: Card) -> None:
    for name, digest in saved.files.items():
        printed = subprocess.check_output(["sha256sum", saved.path.with_name(name)], text=True)
        assert printed.split()[0] == digest


@pytest.mark.parametrize("position", [0, 100, -1])
def test_a_flipped_byte_is_found(saved: Card, position: int) -> None:
    content = bytearray(saved.weights.read_bytes())
    content[position] ^= 1
    saved.weights.write_bytes(content)
    with pytest.raises(InputError, match=r"tiny\.safetensors: sha256 is .*, the card says"):
        load(saved)


def test_a_truncated_file_is_found(saved: Card) -> None:
    saved.weights.write_bytes(saved.weights.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"tiny\.safetensors: sha256"):
        verify(saved)


@pytest.mark.parametrize("name", ["tiny.safetensors", "tiny.onnx"])
def test_a_missing_file_is_named(saved: Card, name: str) -> None:
    saved.path.with_name(name).unlink()
    with pytest.raises(InputError, match=f"{name}: No such file"):
        verify(saved)


class Payload:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch ran",)


def test_a_pickle_is_refused_though_the_card_vouches_for_it(
    saved: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    content = pickle.dumps(Payload())
    digest = weights.hashlib.sha256(content).hexdigest()
    edit(saved, saved.files["tiny.safetensors"], digest)
    saved.weights.write_bytes(content)
    with pytest.raises(InputError, match=r"not a safetensors file.*pickle"):
        load(read_card(saved.path))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("suffix", ["pt", "pth", "ckpt", "bin", "pkl"])
def test_the_path_of_a_pickle_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"model.{suffix}"
    path.write_bytes(pickle.dumps([1]))
    with pytest.raises(InputError, match="a pickle is never loaded"):
        find(str(path), tmp_path)
    with pytest.raises(InputError, match="a pickle is never loaded"):
        read_card(path)


def test_a_card_may_not_name_a_pickle(saved: Card) -> None:
    edit(saved, '"tiny.safetensors"', '"tiny.pt"')
    with pytest.raises(InputError, match=r"'files' has no 'tiny\.safetensors'"):
        read_card(saved.path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('licence = "MIT"\n', "", r"tiny\.toml: the card has no field 'licence'"),
        ('licence = "MIT"', 'licence = "MIT"\ncolour = 1', "a card has no field 'colour'"),
        ('licence = "MIT"', "licence = 3", "field 'licence' has the wrong type"),
        ('    "positive"', "    7", "field 'labels' has the wrong type"),
        ('licence = "MIT"', "licence = MIT", r"tiny\.toml: not a model card"),
        ('name = "tiny"', 'name = "other"', "field 'name' is 'other'"),
        ('"tiny.onnx"', '"../x"', r"field 'files': '\.\./x' is not the name of a file"),
        ('"tiny.onnx"', '"/etc/passwd"', "'/etc/passwd' is not the name of a file"),
        ('"tiny.onnx"', r'"a\\b"', "is not the name of a file"),
        ('"tiny.onnx"', '".."', "is not the name of a file"),
    ],
)
def test_a_bad_card_is_refused_in_one_line(saved: Card, old: str, new: str, message: str) -> None:
    edit(saved, old, new)
    with pytest.raises(InputError, match=message) as caught:
        read_card(saved.path)
    assert "\n" not in str(caught.value)
    assert "tiny.toml" in str(caught.value)


def test_a_digest_must_be_a_sha256(saved: Card) -> None:
    edit(saved, saved.files["tiny.onnx"], "abc")
    with pytest.raises(InputError, match=r"'tiny\.onnx' has no sha256"):
        read_card(saved.path)


def test_a_binary_file_is_no_card(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"x\.toml: not a model card"):
        read_card(path)


def test_find_by_name_and_by_path(saved: Card, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert find("tiny", tmp_path).path == saved.path
    assert find("tiny", elsewhere, tmp_path).path == saved.path
    assert find(str(tmp_path / "tiny"), elsewhere).path == saved.path
    assert find(str(saved.path), elsewhere).path == saved.path


def test_a_path_is_no_name(saved: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a model of one's own has the name of a released one."""
    own = save(card("tiny"), TENSORS, tmp_path / "own", {})
    monkeypatch.chdir(tmp_path / "own")
    assert find("tiny", tmp_path).path == saved.path
    assert find("./tiny", tmp_path).path.resolve() == own.path
    assert find("../own/tiny", tmp_path).path.resolve() == own.path


@pytest.mark.parametrize("name", ["huge", "x" * 5000, "", "a\0b"])
def test_an_unknown_name_lists_the_known(saved: Card, tmp_path: Path, name: str) -> None:
    save(card("other"), TENSORS, tmp_path, {})
    with pytest.raises(InputError, match="known: other, tiny"):
        find(name, tmp_path)


def test_cards_are_listed_by_name(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        save(card(name), TENSORS, tmp_path, {})
    assert [c.name for c in list_cards(tmp_path)] == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["../tiny", "a/b", "", ".."])
def test_a_model_is_saved_under_a_plain_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="not a plain file name"):
        save(card(name), TENSORS, tmp_path / "models", {})
    assert not any(tmp_path.iterdir())


def test_a_model_cannot_be_saved_inside_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file: File exists"):
        save(card(), TENSORS, tmp_path / "file", {})


KILLED = """
import os, sys
from pathlib import Path
import numpy as np
from core import weights

write, calls = weights._sync, 0

def killed(file):
    global calls
    write(file)
    calls += 1
    if calls == int(sys.argv[2]):
        os.kill(os.getpid(), 9)

weights._sync = killed
old = weights.read_card(Path(sys.argv[1]) / "tiny.toml")
weights.save(old, {"embedding": np.ones((9, 9))}, Path(sys.argv[1]), {"tiny.onnx": b"new"})
"""


@pytest.mark.parametrize("files_written", [1, 2, 3])
def test_a_kill_while_saving_leaves_the_old_model(
    saved: Card, tmp_path: Path, files_written: int
) -> None:
    root = Path(weights.__file__).parents[1]
    ended = subprocess.run([sys.executable, "-c", KILLED, tmp_path, str(files_written)], cwd=root)
    assert ended.returncode == -9
    assert load(find("tiny", tmp_path))["embedding"].shape == (2, 3)


def test_saving_again_replaces_the_model(saved: Card, tmp_path: Path) -> None:
    save(card(), {"embedding": np.ones((9, 9))}, tmp_path, {"tiny.onnx": b"new"})
    assert load(find("tiny", tmp_path))["embedding"].shape == (9, 9)
    assert len(list(tmp_path.iterdir())) == 3


def test_atomic_write_leaves_the_old_content_when_the_block_raises(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(path) as file:
        file.write("new")
        file.flush()
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_atomic_write_shows_nothing_until_the_end(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with atomic_write(path) as file:
        file.write("ä\r\n")
        file.flush()
        assert not path.exists()
    assert path.read_bytes() == "ä\r\n".encode()


def test_atomic_write_keeps_permissions_and_follows_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "out", tmp_path / "link"
    path.write_text("old")
    path.chmod(0o600)
    link.symlink_to(path)
    with atomic_write(link, "wb") as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert link.is_symlink()


def test_atomic_write_does_not_replace_a_device() -> None:
    with atomic_write(Path(os.devnull)) as file:
        file.write("gone")
    assert Path(os.devnull).is_char_device()


def test_atomic_write_to_a_place_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "missing" / "out", tmp_path / "file" / "out"):
        with pytest.raises(InputError, match=str(path)), atomic_write(path):
            pass
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_torch_is_not_imported() -> None:
    command = "import sys, core.weights, core.data; print('torch' in sys.modules)"
    root = Path(weights.__file__).parents[1]
    assert subprocess.check_output([sys.executable, "-c", command], cwd=root) == b"False\n"


RELEASED = [path for folder in weight_folders().values() for path in sorted(folder.glob("*.toml"))]


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_a_released_model_is_whole(path: Path) -> None:
    released = read_card(path)
    verify(released)
    assert released.domain == path.parent.parent.name
    assert released.licence.strip()
    assert released.command.strip()
    size = sum(path.with_name(name).stat().st_size for name in released.files)
    assert size <= 16e6
