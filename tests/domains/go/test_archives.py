"""Archives of game records: what is read in them, and which are refused, by what name."""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import warnings
import zipfile

import pytest

from core.errors import InputError
from domains.go import archives

GAME = b"(;GM[1]SZ[19];B[pd];W[dd])"
TARS = {
    ".tar": bytes,
    ".tar.gz": gzip.compress,
    ".TGZ": gzip.compress,
    ".tar.xz": lzma.compress,
    ".txz": lzma.compress,
    ".tar.bz2": bz2.compress,
    ".tbz2": bz2.compress,
}


def member(name, kind=tarfile.REGTYPE, size=0, **fields):
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def tar(path, *members):
    """(TarInfo or name, content) pairs, packed as the suffix says."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as packed:
        for info, content in members:
            info = member(info, size=len(content)) if isinstance(info, str) else info
            packed.addfile(info, io.BytesIO(content))
    suffix = next(end for end in TARS if path.name.endswith(end))
    path.write_bytes(TARS[suffix](buffer.getvalue()))
    return path


def zipped(path, *members):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two members of one name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, content in members:
                packed.writestr(name, content)
    return path


def pack(path, *members):
    return (zipped if path.suffix == ".zip" else tar)(path, *members)


def refused(path):
    """What the refusal of an archive says after its name. Nothing in it may have been read."""
    read = archives.read([path])
    with pytest.raises(InputError) as caught:
        next(read)
    name, _, reason = str(caught.value).partition(": ")
    assert name == str(path)
    assert "\n" not in reason
    return reason


@pytest.fixture(params=[".zip", *TARS])
def path(request, tmp_path):
    return tmp_path / f"games{request.param}"


def test_the_records_in_an_archive_are_read_in_place(path):
    pack(path, ("a/1.sgf", GAME), ("a/readme.txt", b"about"), ("2.SGF", b"(;)"), ("nosgf", b""))
    assert list(archives.read([path])) == [(f"{path}!a/1.sgf", GAME), (f"{path}!2.SGF", b"(;)")]
    assert list(path.parent.iterdir()) == [path]


def test_files_and_folders(tmp_path):
    (tmp_path / "b/c").mkdir(parents=True)
    (tmp_path / "b/c/2.sgf").write_bytes(b"two")
    (tmp_path / "b/1.sgf").write_bytes(b"one")
    (tmp_path / "b/notes.txt").write_bytes(b"nothing")
    zipped(tmp_path / "b/d.zip", ("3.sgf", b"three"))
    (tmp_path / "game.txt").write_bytes(b"named, so read")
    read = dict(archives.read([tmp_path / "game.txt", tmp_path / "b"]))
    names = ("game.txt", "b/1.sgf", "b/c/2.sgf", "b/d.zip!3.sgf")
    assert list(read) == [str(tmp_path / name) for name in names]
    assert list(read.values()) == [b"named, so read", b"one", b"two", b"three"]


def test_paths_with_nothing_to_read(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match="nowhere: no such file or folder"):
        list(archives.read([tmp_path / "nowhere"]))
    with pytest.raises(InputError, match=r"holds no \.sgf file and no archive"):
        list(archives.read([tmp_path]))


@pytest.mark.parametrize(
    "name",
    ["/etc/1.sgf", "../1.sgf", "a/../../1.sgf", "..\\1.sgf", "C:\\1.sgf", "C:1.sgf", "\\\\h\\s\\1",
     "a/..", "//h/s/1.sgf"],
)  # fmt: skip
def test_names_that_lead_out_are_refused_whole(path, name):
    pack(path, ("1.sgf", GAME), (name, GAME))
    assert refused(path) == f"refused: member {name!r} leads out of the archive"


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind, suffix):
    link = member("2.sgf", kind, linkname="/etc/passwd")
    path = tar(tmp_path / f"games{suffix}", ("1.sgf", GAME), (link, b""))
    assert refused(path) == "refused: member '2.sgf' is neither a file nor a folder"


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_in_a_zip_are_refused(tmp_path, kind):
    link = zipfile.ZipInfo("2.sgf")
    link.create_system, link.external_attr = 3, (kind | 0o644) << 16
    path = zipped(tmp_path / "games.zip", ("1.sgf", GAME), (link, b"/etc/passwd"))
    assert refused(path) == "refused: member '2.sgf' is neither a file nor a folder"


def test_sparse_files_are_refused(tmp_path):
    fields = {"size": str(2**40), "major": "0", "minor": "1", "map": "0,0"}
    headers = {f"GNU.sparse.{name}": value for name, value in fields.items()}
    sparse = member("2.sgf", pax_headers=headers)
    path = tmp_path / "games.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as packed:
        packed.addfile(sparse)
    assert refused(path) == "refused: member '2.sgf' is neither a file nor a folder"


def test_a_bomb_is_refused_by_its_ratio(path, monkeypatch):
    if path.name.endswith(".tar"):
        pytest.skip("it is not compressed")
    monkeypatch.setattr(archives, "FREE_BYTES", 10**6)
    pack(path, ("1.sgf", GAME), ("zeros.bin", bytes(10**7)))
    bound = max(10**6, archives.MAX_RATIO * path.stat().st_size)
    assert bound < 10**7
    assert refused(path).startswith(f"refused: unpacks to more than {bound} bytes")


def test_a_bomb_in_a_tars_own_headers_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "FREE_BYTES", 10**6)
    path = tmp_path / "games.tar.gz"
    tar(path, (member("1.sgf", pax_headers={"comment": "x" * 10**7}), b""))
    assert refused(path).startswith("refused: unpacks to more than ")


def test_a_bomb_of_many_members_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "FREE_BYTES", 10**6)
    path = zipped(tmp_path / "games.zip", *((f"{i}.sgf", bytes(10**5)) for i in range(20)))
    bound = max(10**6, archives.MAX_RATIO * path.stat().st_size)
    assert bound < 20 * 10**5
    assert refused(path) == (
        f"refused: unpacks to more than {bound} bytes, "
        f"which is too many for one of {path.stat().st_size}"
    )


def test_what_compresses_well_is_no_bomb_while_it_is_small(path):
    pack(path, ("1.sgf", GAME + b" " * 10**7))
    assert [len(content) for _, content in archives.read([path])] == [len(GAME) + 10**7]


def test_bounds_on_members_and_their_size(path, monkeypatch):
    pack(path, ("1.sgf", GAME), ("2.sgf", GAME), ("3.sgf", GAME))
    with monkeypatch.context() as bounds:
        bounds.setattr(archives, "MAX_MEMBERS", 2)
        assert refused(path) == "refused: holds more than 2 members"
    monkeypatch.setattr(archives, "MAX_MEMBER_BYTES", len(GAME) - 1)
    assert refused(path) == f"refused: member '1.sgf' is of more than {len(GAME) - 1} bytes"
    (path.parent / "4.sgf").write_bytes(GAME)
    assert refused(path.parent / "4.sgf") == f"is of more than {len(GAME) - 1} bytes"


@pytest.mark.parametrize("share", [0.0, 0.06, 0.3, 0.9, 0.99])
def test_a_truncated_archive(path, share):
    if path.name.endswith(".tar"):
        share /= 2  # the rest is padding
    pack(path, *((f"{i}.sgf", GAME + bytes(range(256)) * i) for i in range(20)))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert refused(path).startswith("cannot be read: ")


def test_garbage(path):
    path.write_bytes(bytes(range(256)) * 40)
    assert refused(path).startswith("cannot be read: ")


def test_a_member_altered_on_the_way(tmp_path):
    path = tmp_path / "games.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as packed:
        packed.writestr("1.sgf", GAME)
    path.write_bytes(path.read_bytes().replace(b"B[pd]", b"B[dp]"))
    assert refused(path).startswith("cannot be read: ")


def test_two_members_of_one_name_are_both_read(path):
    pack(path, ("1.sgf", b"one"), ("1.sgf", b"two"))
    assert [content for _, content in archives.read([path])] == [b"one", b"two"]
