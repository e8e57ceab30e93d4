"""Sets in their public forms, small, fetched from a server on this machine and read into tables."""

import dataclasses
import hashlib
import io
import json
import lzma
import tarfile
import threading
import tomllib
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import domains.text
from core import data
from core.errors import InputError
from domains.text import datasets  # noqa: F401  registers the sets
from domains.text.files import labelled_rows
from domains.text.tables import EMOTIONS, nodes

DEVELOPMENT = data.folder()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def fetch(tmp_path, monkeypatch):
    """Serves some files as the public source of a set, gets the set, gives its tables' rows."""
    public = tmp_path / "public"
    public.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=public))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("RECEPTIVE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(data, "DATASETS", dict(data.DATASETS))

    def get(name, files):
        files = {path: content.encode() if isinstance(content, str) else content
                 for path, content in files.items()}  # fmt: skip
        known = data.dataset(name)
        names = [source.file_name.replace(" ", "_") for source in known.sources]
        (public / names[0]).write_bytes(packed(names[0], files))
        if len(names) > 1 or names[0] in files:
            assert set(names) == set(files)
            for path, content in files.items():
                (public / path).write_bytes(content)
        address = f"http://127.0.0.1:{server.server_port}"
        local = tuple(data.Source(f"{address}/{file}", None) for file in names)
        data.register(dataclasses.replace(known, sources=local))
        made = data.get(name)
        assert made == data.locate(name)
        return {path.name.removesuffix(".tsv.xz"): rows(path) for path in made}

    yield get
    server.shutdown()
    server.server_close()


def packed(name, files):
    buffer = io.BytesIO()
    if name.endswith(".zip"):
        with zipfile.ZipFile(buffer, "w") as archive:
            for path, content in files.items():
                archive.writestr(path, content)
    else:
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            for path, content in files.items():
                member = tarfile.TarInfo(path)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def rows(path):
    """What the recipes read in a table: no row of it may be bad."""
    read = list(labelled_rows(path))
    assert not [row for row in read if isinstance(row, InputError)]
    return [(row.label, row.text) for row in read]


def jsonl(*objects):
    return "".join(json.dumps(row) + "\n" for row in objects)


TREES = "(4 (3 (2 A) (3 treat)) (2 .))\n(1 (1 (2 Not) (3 (2 a) (3 treat))) (2 .))\n"
SST = {
    "trees/train.txt": TREES,
    "trees/dev.txt": "(2 (2 -LRB-) (2 (2 1\\/2) (2 -RRB-)))\n",
    "trees/test.txt": "(0 (2 Clichés) (1 galore))\n",
}
MR = {
    "rt-polaritydata.README.1.0.txt": "about\n",
    "rt-polaritydata/rt-polarity.neg": "clichés \x96 \x85 all of them . \n".encode("latin-1"),
    "rt-polaritydata/rt-polarity.pos": b'fine , fine . \n"fine" \n',
}
IMDB = {
    "aclImdb/README": "about",
    "aclImdb/test/neg/0_2.txt": "Bad.<br /><br />Very\tbad.",
    "aclImdb/test/pos/0_9.txt": "Good.",
    "aclImdb/train/neg/10_1.txt": "Worse.",
    "aclImdb/train/neg/9_3.txt": "Bad ’77.",
    "aclImdb/train/pos/0_9.txt": '"Good"',
    "aclImdb/train/unsup/0_0.txt": "Who knows?",
    "aclImdb/train/urls_neg.txt": "http://example.org\n",
}
TWEETEVAL = {
    "train_text.txt": "so good \nmeh \n", "train_labels.txt": "2\n1\n",
    "val_text.txt": '"quoted &amp; \\u2019  bad" \n', "val_labels.txt": "0\n",
    "test_text.txt": "a\u2028b \n@user c\n", "test_labels.txt": "1\n2\n",
}  # fmt: skip
COMMENTS = [
    ("joy", "17"), ("joy and love", "17,18"), ("joy, surprised", "17,26"), ("joy, calm", "17,27"),
    ("anger", "2"), ("anger, surprised", "2,26"), ('calm "', "27"), ("joy and anger", "2,17"),
    ("surprised", "26"), ("surprised, calm", "26,27"),
]  # fmt: skip
COMMENTS_TSV = "".join(f"{text}\t{numbers}\tid{numbers}\n" for text, numbers in COMMENTS)
NEWS = [("Ann praised Bob.", 1), ("Ann sued Bob.", 0), ("Ann praised Bob.", 1),
        ("Ann sued Bob.", -1), ("Ann:\nno.", -1), ("Ann went.", 0)]  # fmt: skip
TWEETS = [(" I`d have gone", 1, "neutral"), ("", 1, "neutral"), ("Sooo SAD", 0, "negative"),
          ("fun!", 2, "positive")]  # fmt: skip

CASES = {
    "sst": (SST, {
        "sst5_train": [("4", "A treat ."), ("1", "Not a treat .")],
        "sst5_train_phrases": [("2", "A"), ("3", "treat"), ("3", "A treat"), ("2", "."),
                               ("2", "Not"), ("2", "a"), ("3", "a treat"), ("1", "Not a treat")],
        "sst5_dev": [("2", "( 1/2 )")],
        "sst5_test": [("0", "Clichés galore")],
    }),
    "mr": (MR, {"mr": [("neg", "clichés \x96 all of them ."), ("pos", "fine , fine ."),
                       ("pos", '"fine"')]}),
    "imdb": (IMDB, {
        "imdb_test": [("neg", "Bad. Very bad."), ("pos", "Good.")],
        "imdb_train": [("neg", "Worse."), ("neg", "Bad ’77."), ("pos", '"Good"')],
        "imdb_unsup": [("unk", "Who knows?")],
    }),
    "tweeteval": (TWEETEVAL, {
        "tweeteval_train": [("pos", "so good"), ("neu", "meh")],
        "tweeteval_val": [("neg", '"quoted &amp; \\u2019 bad"')],
        "tweeteval_test": [("neu", "a b"), ("pos", "@user c")],
    }),
    "goemotions": ({f"{split}.tsv": COMMENTS_TSV for split in ("train", "dev", "test")}, {
        f"goemotions_{split}": [
            ("pos", "joy"), ("pos", "joy and love"), ("pos", "joy, surprised"),
            ("pos", "joy, calm"), ("neg", "anger"), ("neg", "anger, surprised"), ("neu", 'calm "'),
        ]
        for split in ("train", "dev", "test")
    }),
    "newsmtsc": ({"train.jsonl": jsonl(*({"mention": "Bob", "polarity": polarity, "from": 12,
                                          "to": 15, "sentence": text, "id": "1"}
                                         for text, polarity in NEWS))},
                 {"newsmtsc_train": [("pos", "Ann praised Bob."), ("neg", "Ann: no."),
                                     ("neu", "Ann went.")]}),
    "tweet-extraction": ({"train.jsonl": jsonl(*({"id": "1", "text": text, "label": label,
                                                  "label_text": name}
                                                 for text, label, name in TWEETS))},
                         {"tweet_extraction": [("neu", "I`d have gone"), ("neg", "Sooo SAD"),
                                               ("pos", "fun!")]}),
    "fdu-mtl": ({
        "mtl-dataset/toys_games.task.train": "1\tlots of fun .\n",
        "mtl-dataset/apparel.task.train": b"0\ttoo small \xff .\nno label here\n1\tfits\n",
        "mtl-dataset/apparel.task.test": "0\tnot this\n",
        "mtl-dataset/imdb.task.train": "0\tnor this\n",
        "mtl-dataset/MR.task.train": "0\tnor this\n",
    }, {"fdu_amazon14_train": [("neg", "too small ÿ ."), ("pos", "fits"),
                               ("pos", "lots of fun .")]}),
    "uci3000": ({
        "sentiment labelled sentences/amazon_cells_labelled.txt": "It broke.\t0\n",
        "sentiment labelled sentences/imdb_labelled.txt": 'A "gem" \x85 truly.  \t1\n',
        "sentiment labelled sentences/yelp_labelled.txt": "Wow... Nice.\t1\n",
        "__MACOSX/sentiment labelled sentences/._imdb_labelled.txt": b"\0\5\x16\7",
    }, {"uci3000": [("pos", "Wow... Nice."), ("neg", "It broke."), ("pos", 'A "gem" truly.')]}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_set_in_its_public_form_becomes_the_recipes_tables(fetch, name):
    files, wanted = CASES[name]
    assert fetch(name, files) == wanted
    assert [path.name for path in data.folder().iterdir()] == ["text"]


@pytest.mark.parametrize("name", CASES)
def test_a_set_without_its_files(tmp_path, name):
    with pytest.raises(InputError, match="not among the files fetched"):
        for _, rows_read in data.dataset(name).read(tmp_path):
            list(rows_read)


@pytest.mark.parametrize(
    ("name", "path", "content"),
    [
        ("sst", "trees/dev.txt", "2 A) treat)\n"),
        ("tweeteval", "val_labels.txt", "0\n1\n"),
        ("tweeteval", "val_labels.txt", "3\n"),
        ("goemotions", "dev.tsv", "text\t28\tid\n"),
        ("goemotions", "dev.tsv", "text\n"),
        ("newsmtsc", "train.jsonl", '{"sentence": "Ann went.", "polarity": 2}\n'),
        ("newsmtsc", "train.jsonl", "<html>\n"),
        ("tweet-extraction", "train.jsonl", "[]\n"),
        ("mr", "rt-polaritydata/rt-polarity.neg", None),
        ("uci3000", "sentiment labelled sentences/yelp_labelled.txt", b"\xff\t1\n"),
    ],
)
def test_files_in_another_form_leave_nothing_behind(fetch, name, path, content):
    files = dict(CASES[name][0])
    files.pop(path)
    if content is not None:
        files[path] = content
    with pytest.raises(InputError, match=r"known form|not among the files fetched") as caught:
        fetch(name, files)
    assert "\n" not in str(caught.value)
    assert not list(data.folder().iterdir())


REPLACED = {"semeval2013_2016_all": "tweeteval_train", "uci3000_elements": "uci3000"}


def test_every_table_that_a_recipe_names_is_made_or_said_to_be_replaced():
    made = {table for _, wanted in CASES.values() for table in wanted}
    named = set()
    for recipe in (Path(domains.text.__file__).parent / "recipes").glob("*.toml"):
        for entries in tomllib.loads(recipe.read_text()).values():
            for entry in entries if isinstance(entries, list) else []:
                path = entry.get("path", "") if isinstance(entry, dict) else str(entry)
                if path.startswith("text/"):
                    named.add(Path(path).name.removesuffix(".tsv.xz"))
    assert "sst5_train_phrases" in named
    assert named - made <= REPLACED.keys()
    told = " ".join(known.description for known in data.DATASETS.values())
    for old, new in REPLACED.items():
        assert new in made
        assert old in told
        assert new in told


def test_a_tree_of_the_treebank():
    assert list(nodes("(4 (3 gorgeously) (3 (2 elaborate) (2 continuation)))")) == [
        ("3", "gorgeously"),
        ("2", "elaborate"),
        ("2", "continuation"),
        ("3", "elaborate continuation"),
        ("4", "gorgeously elaborate continuation"),
    ]


def test_the_28_emotions():
    polarities = list(EMOTIONS.values())
    assert [polarities.count(kind) for kind in ("pos", "neg", "", "neu")] == [12, 11, 4, 1]
    assert [list(EMOTIONS).index(name) for name in ("admiration", "joy", "neutral")] == [0, 17, 27]


def development(name):
    path = DEVELOPMENT / f"text/{name}.tsv.xz"
    if not path.exists():
        pytest.skip(f"{path.name} is not in the data folder")
    return [line.split("\t") for line in lzma.open(path, "rt", encoding="utf-8", newline="\n")]


@pytest.mark.parametrize("split", ["val", "test"])
def test_labels_of_tweeteval_are_those_of_the_public_file(split):
    short = {"neg": "0\n", "neu": "1\n", "pos": "2\n"}
    content = "".join(short[label] for label, _ in development(f"tweeteval_{split}")[1:])
    sums = {source.file_name: source.sha256 for source in data.dataset("tweeteval").sources}
    assert hashlib.sha256(content.encode()).hexdigest() == sums[f"{split}_labels.txt"]


@pytest.mark.parametrize(
    ("name", "files", "table"),
    [
        ("sst", {**SST, "trees/train.txt": "(4 (2 The) (4 (3 gorgeously) (3 (2 elaborate) "
                 "(2 continuation))))\n"}, "sst5_train_phrases"),
        ("mr", {**MR, "rt-polaritydata/rt-polarity.neg": "simplistic , silly and tedious . \n",
                "rt-polaritydata/rt-polarity.pos": b"\n"}, "mr"),
        ("goemotions", {**CASES["goemotions"][0], "dev.tsv": "There it is!\t27\tede4v0m\n"
                        "Say that you like her\t5,27\tef4hd8o\nHaha, love it! :)\t1\tedwz4ms\n"
                        "*scoff* maybe you can’t. /s\t10,27\teffzk6n\n"}, "goemotions_dev"),
        ("newsmtsc", {"train.jsonl": jsonl({
            "mention": "Trump", "polarity": 1, "from": 19, "to": 24, "id": "allsides_1056",
            "sentence": "Yet Evans believes Trump will keep his promise."})}, "newsmtsc_train"),
        ("tweet-extraction", {"train.jsonl": jsonl({
            "id": "cb774db0d1", "text": " I`d have responded, if I were going", "label": 1,
            "label_text": "neutral"})}, "tweet_extraction"),
    ],
)  # fmt: skip
def test_known_examples_stand_in_the_development_table(fetch, name, files, table):
    there = {(label, text.removesuffix("\n")) for label, text in development(table)}
    made = fetch(name, files)[table]
    assert made
    assert set(made) <= there


@pytest.mark.parametrize(
    "text", ["But what is with that shirt?", "That's pretty gross. Unlucky OP."]
)
def test_comments_that_are_ambiguous_or_of_both_polarities_are_not_there(text):
    assert not [row for row in development("goemotions_dev") if row[1].startswith(text)]
