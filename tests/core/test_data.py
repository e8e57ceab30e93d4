import dataclasses
import gzip
import hashlib
import io
import lzma
import re
import stat
import tarfile
import threading
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import data
from core.data import DataSet, Source, get, locate, split
from core.errors import InputError

Serve = Callable[..., DataSet]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RECEPTIVE_DATA", str(tmp_path))
    monkeypatch.setattr(data, "DATASETS", {})
    return tmp_path


@pytest.fixture
def serve(root: Path) -> Iterator[Serve]:
    """Registers the set "some" of one file that a server on this machine hands out."""
    files: dict[str, tuple[bytes, int]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path not in files:
                self.send_error(404)
                return
            content, promised = files[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(promised))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def register(
        name: str, content: bytes | None, missing: int = 0, sha256: str | None = ""
    ) -> DataSet:
        if content is not None:
            files[f"/{name}"] = (content, len(content) + missing)
        if sha256 == "":
            sha256 = hashlib.sha256(content or b"").hexdigest()
        source = Source(f"http://127.0.0.1:{server.server_port}/{name}", sha256)
        dataset = DataSet("some", "a set", "MIT", "text/some", (source,), ("text/some_*.tsv.xz",))
        data.register(dataset)
        return dataset

    yield register
    server.shutdown()
    server.server_close()


def tar(*members: tuple[str, bytes] | tarfile.TarInfo, mode: str = "w:gz") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:  # type: ignore[call-overload]
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return packed.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


def link_in_zip(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def refused(root: Path, message: str) -> None:
    """Fetching fails with that message and leaves nothing in the data folder."""
    with pytest.raises(InputError, match=message) as caught:
        get("some")
    assert "\n" not in str(caught.value)
    assert not list(root.iterdir())
    with pytest.raises(InputError, match="receptive data get some"):
        locate("some")


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_good_file(root: Path, serve: Serve) -> None:
    serve("train.tsv", b"pos\tfine\n")
    assert get("some") == [root / "text/some"] == locate("some")
    assert contents(root) == {"text/some/train.tsv": b"pos\tfine\n"}
    assert [path.name for path in root.iterdir()] == ["text"]


ARCHIVES = {
    "a.zip": zipped(("d/", b""), ("d/x.txt", b"x"), ("y.txt", b"y")),
    "a.tar": tar(special("d", tarfile.DIRTYPE), ("d/x.txt", b"x"), ("./y.txt", b"y"), mode="w:"),
    "a.tgz": tar(("d/x.txt", b"x"), ("y.txt", b"y")),
    "a.tar.gz": tar(("d/x.txt", b"x"), ("y.txt", b"y")),
    "a.tar.xz": tar(("d/x.txt", b"x"), ("y.txt", b"y"), mode="w:xz"),
    "a.tar.bz2": tar(("d/x.txt", b"x"), ("y.txt", b"y"), mode="w:bz2"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives_are_unpacked(root: Path, serve: Serve, name: str) -> None:
    serve(name, ARCHIVES[name])
    get("some")
    assert contents(root / "text/some") == {"d/x.txt": b"x", "y.txt": b"y"}


@pytest.mark.parametrize("suffix", ["xz", "gz"])
def test_a_compressed_file_is_unpacked_under_its_own_name(
    root: Path, serve: Serve, suffix: str
) -> None:
    serve(f"a+b.tsv.{suffix}", {"xz": lzma, "gz": gzip}[suffix].compress(b"text"))
    get("some")
    assert contents(root / "text/some") == {"a b.tsv": b"text"}


def test_a_set_that_is_there_is_not_fetched_again(root: Path, serve: Serve) -> None:
    serve("train.tsv", None)
    (root / "text/some").mkdir(parents=True)
    assert get("some") == [root / "text/some"]


def test_tables_count_as_there(root: Path, serve: Serve) -> None:
    serve("train.tsv", None)
    tables = [root / "text/some_dev.tsv.xz", root / "text/some_train.tsv.xz"]
    tables[0].parent.mkdir()
    for path in tables:
        path.touch()
    assert get("some") == tables == locate("some")


def reads(read: Callable[[Path], Iterable[tuple[str, Iterable[tuple[str, str]]]]]) -> None:
    """The set "some" gets a reader."""
    data.register(dataclasses.replace(data.dataset("some"), read=read))


def test_a_set_with_a_reader_leaves_its_tables_alone(
    root: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    serve("a.tar.gz", tar(("d/x.txt", b'fine \t\r\n film\n\n \n"bad"'), ("d/y", b"unused")))

    def read(files: Path) -> Iterator[tuple[str, Iterable[tuple[str, str]]]]:
        good, bad = (files / "d/x.txt").read_bytes().decode().split("\n\n")
        yield "some_train", iter([("pos", good), ("pos", " \n"), ("neg", bad)])
        yield "some_dev", [("neg", "a\u2028b\xa0c\x85d")]

    reads(read)
    assert get("some") == [root / "text/some_dev.tsv.xz", root / "text/some_train.tsv.xz"]
    assert get("some") == locate("some")
    assert {name: lzma.decompress(packed) for name, packed in contents(root).items()} == {
        "text/some_train.tsv.xz": b'label\ttext\npos\tfine film\nneg\t"bad"\n',
        "text/some_dev.tsv.xz": b"label\ttext\nneg\ta b c d\n",
    }
    assert not [path for path in root.iterdir() if path.name.startswith(".")]
    told = capsys.readouterr()
    assert "some_train.tsv.xz: 2 rows" in told.err
    assert not told.out


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (InputError("x.txt: not there"), r"^x\.txt: not there$"),
        (KeyError("label"), "^some: its files are not in the known form: 'label'$"),
        (ValueError("two\nlines"), "^some: its files are not in the known form: two lines$"),
    ],
)
def test_files_that_a_reader_does_not_know(
    root: Path, serve: Serve, problem: Exception, message: str
) -> None:
    serve("train.tsv", b"text")

    def read(files: Path) -> Iterator[tuple[str, Iterable[tuple[str, str]]]]:
        yield "some_dev", [("neg", "bad")]
        raise problem

    reads(read)
    refused(root, message)


def test_a_folder_does_not_stand_for_the_tables(root: Path, serve: Serve) -> None:
    serve("train.tsv", b"fine")
    reads(lambda files: [("some_train", [("pos", (files / "train.tsv").read_text())])])
    (root / "text/some").mkdir(parents=True)
    with pytest.raises(InputError, match=r"some is not in .*: receptive data get some"):
        locate("some")
    assert get("some") == [root / "text/some_train.tsv.xz"]


def test_progress_is_told_on_stderr(
    root: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    serve("train.tsv", b"fine" * 50_000)
    reads(lambda files: [("some_train", [("pos", "fine")] * 100)])
    get("some", progress=True)
    told = capsys.readouterr()
    assert "100%" in told.err
    assert re.search(r"some_train:.* 100/100 ", told.err)
    assert not told.out


def test_the_sum_is_told_where_none_is_published(
    root: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    serve("train.tsv", b"text", sha256=None)
    get("some")
    printed = capsys.readouterr()
    assert hashlib.sha256(b"text").hexdigest() in printed.err
    assert "no published sum" in printed.err
    assert not printed.out


def test_a_wrong_hash(root: Path, serve: Serve) -> None:
    serve("a.tar.gz", tar(("x", b"x")), sha256="0" * 64)
    refused(root, r"a\.tar\.gz: its sha256 is not 0000")


@pytest.mark.parametrize("sha256", ["", None])
def test_a_cut_connection(root: Path, serve: Serve, sha256: str | None) -> None:
    serve("train.tsv", b"half", missing=4, sha256=sha256)
    refused(root, r"train\.tsv: cannot be fetched")


def test_an_address_that_is_gone(root: Path, serve: Serve) -> None:
    serve("train.tsv", None)
    refused(root, r"train\.tsv: cannot be fetched: 404")


def test_the_second_file_of_a_set_fails(root: Path, serve: Serve) -> None:
    first = serve("a.tsv", b"a").sources
    second = serve("b.tsv", b"b", sha256="0" * 64).sources
    data.register(DataSet("some", "", "", "text/some", first + second))
    refused(root, r"b\.tsv: its sha256")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tar.gz", tar(("x", b"x"), ("../y", b"y")), r"member '\.\./y' leads out"),
        ("a.tar.gz", tar(("d/../../y", b"y")), "leads out"),
        ("a.tar.gz", tar(("/tmp/y", b"y")), "member '/tmp/y' leads out"),
        ("a.tar.gz", tar(("..\\y", b"y")), "leads out"),
        ("a.tar.gz", tar(("C:y", b"y")), "leads out"),
        ("a.zip", zipped(("x", b"x"), ("../y", b"y")), r"member '\.\./y' leads out"),
        ("a.zip", zipped(("/tmp/y", b"y")), "member '/tmp/y' leads out"),
        ("a.tar.gz", tar(special("l", tarfile.SYMTYPE, "/etc")), "'l' is neither a file nor"),
        ("a.tar.gz", tar(special("l", tarfile.SYMTYPE, "x")), "'l' is neither"),
        ("a.tar.gz", tar(special("l", tarfile.LNKTYPE, "/etc/passwd")), "'l' is neither"),
        ("a.tar.gz", tar(special("l", tarfile.CHRTYPE)), "'l' is neither"),
        ("a.tar.gz", tar(special("l", tarfile.FIFOTYPE)), "'l' is neither"),
        ("a.zip", zipped(("x", b"x"), (link_in_zip("l"), b"/etc")), "'l' is neither"),
        ("a.tar.gz", tar(("x", b"1"), ("x", b"2")), "cannot be unpacked: .*File exists"),
        ("a.tar.gz", tar(("x", b"1"), ("x/y", b"2")), "cannot be unpacked"),
        ("a.zip", b"no archive", r"a\.zip: cannot be unpacked"),
        ("a.tar.gz", b"no archive", r"a\.tar\.gz: cannot be unpacked"),
        ("a.tar.gz", ARCHIVES["a.tar.gz"][:-20], "cannot be unpacked"),
        ("a.tsv.xz", lzma.compress(b"text")[:-9], "cannot be unpacked"),
        ("a.tsv.gz", b"no archive", "cannot be unpacked"),
    ],
)
def test_a_bad_archive(root: Path, serve: Serve, name: str, content: bytes, message: str) -> None:
    serve(name, content)
    refused(root, message)


BOMB = b"\0" * 1_000_001


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tar.gz", tar(("x", BOMB))),
        ("a.tar.xz", tar(*((str(i), BOMB[:250_001]) for i in range(4)), mode="w:xz")),
        ("a.zip", zipped(("x", BOMB))),
        ("a.tsv.gz", gzip.compress(BOMB)),
    ],
)
def test_a_bomb(
    root: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes
) -> None:
    serve(name, content)
    monkeypatch.setattr(data, "MAX_BYTES", 1_000_000)
    refused(root, "unpacks to more than 1000000 bytes")
    monkeypatch.setattr(data, "MAX_BYTES", 1_000_004)
    assert sum(map(len, contents(get("some")[0]).values())) >= 1_000_001


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_too_many_members(
    root: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    members = [(str(i), b"") for i in range(4)]
    serve(name, zipped(*members) if name == "a.zip" else tar(*members))
    monkeypatch.setattr(data, "MAX_MEMBERS", 3)
    refused(root, "more than 3 members")
    monkeypatch.setattr(data, "MAX_MEMBERS", 4)
    assert len(contents(get("some")[0])) == 4


def test_a_folder_that_cannot_be(root: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    serve("train.tsv", b"text")
    (root / "file").touch()
    monkeypatch.setenv("RECEPTIVE_DATA", str(root / "file"))
    with pytest.raises(InputError, match="cannot be written"):
        get("some")


def test_an_unknown_name_lists_the_known(root: Path, serve: Serve) -> None:
    serve("train.tsv", None)
    for ask in (get, locate):
        with pytest.raises(InputError, match="no data set called 'other'; known: some"):
            ask("other")


def test_the_default_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RECEPTIVE_DATA", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert data.folder().name == "receptive"


def test_split_of_ten() -> None:
    train, dev, test = split(10, (0.8, 0.1, 0.1), seed=0)
    assert (len(train), len(dev), len(test)) == (8, 1, 1)
    assert sorted([*train, *dev, *test]) == list(range(10))


def test_ten_folds_of_the_movie_reviews() -> None:
    folds = split(10_662, [0.1] * 10, seed=1)
    assert {len(fold) for fold in folds} <= {1066, 1067}
    assert sorted(np.concatenate(folds)) == list(range(10_662))


def test_split_depends_on_the_seed_alone() -> None:
    first, again, other = (split(100, (0.5, 0.5), seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert set(first) != set(other)


@given(
    st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=60),
    st.integers(0, 2**32 - 1),
)
def test_a_group_is_never_torn_apart(speakers: list[str], seed: int) -> None:
    parts = split(speakers, (0.6, 0.2, 0.2), seed)
    assert sorted(np.concatenate(parts)) == list(range(len(speakers)))
    places = Counter(speaker for part in parts for speaker in {speakers[i] for i in part})
    assert set(places.values()) == {1}
