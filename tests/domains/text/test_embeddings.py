import gzip
import pickle
import random
import struct

import numpy as np
import pytest
from gensim.models import FastText, KeyedVectors
from gensim.models.fasttext import save_facebook_model

from core.errors import InputError
from domains.text import embeddings

ROWS = {"film": [1.0, 0.5, -0.25], "good": [0.0, 2.0, 1.5], "naïve": [-1.0, 0.125, 8.0]}


def text_rows(rows=ROWS, end="\n"):
    lines = [f"{word} {' '.join(map(str, row))}{end}" for word, row in rows.items()]
    return "".join(lines).encode()


def binary_rows(end):
    return b"".join(
        word.encode() + b" " + struct.pack("<3f", *row) + end for word, row in ROWS.items()
    )


def words_of(vectors):
    return {word: vectors[word].tolist() for word in vectors.index_to_key}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("word2vec.txt", b"3 3\n" + text_rows()),
        ("word2vec.bin", b"3 3\n" + binary_rows(b"\n")),
        ("without_line_ends.bin", b"3 3\n" + binary_rows(b"")),
        ("glove.6B.3d.txt", text_rows()),
        ("wiki.vec", b"3 3\n" + text_rows(end=" \n")),
        ("binary_called.txt", b"3 3\n" + binary_rows(b"\n")),
    ],
)
def test_the_form_is_told_from_the_content(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert words_of(embeddings.read(path)) == ROWS


@pytest.mark.parametrize("content", [b"3 3\n" + binary_rows(b"\n"), text_rows()])
def test_packed_vectors(tmp_path, content):
    path = tmp_path / "vectors.bin.gz"
    packed = gzip.compress(content)
    path.write_bytes(packed)
    assert words_of(embeddings.read(path)) == ROWS
    for damaged in (packed[:-12], packed[:30] + b"?" + packed[31:], b"no gzip"):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"vectors\.bin\.gz"):
            embeddings.read(path)


def test_words_with_spaces_as_in_gloves_largest_set(tmp_path):
    rows = {"film": [1.0, 0.5], ". . .": [2.0, -1.0], "at name@domain.com": [0.25, 8.0]}
    path = tmp_path / "glove.840B.txt"
    path.write_bytes(text_rows(rows))
    assert words_of(embeddings.read(path)) == rows


@pytest.mark.parametrize("form", ["word2vec", "glove"])
@pytest.mark.parametrize("dimensions", [300, 1024])
def test_long_vectors_as_text(tmp_path, form, dimensions):
    rng = np.random.default_rng(1)
    rows = {word: rng.normal(size=dimensions).tolist() for word in ("film", "good")}
    path = tmp_path / "vectors.txt"
    header = f"2 {dimensions}\n".encode() if form == "word2vec" else b""
    path.write_bytes(header + text_rows(rows))
    vectors = embeddings.read(path)
    assert vectors.index_to_key == ["film", "good"]
    np.testing.assert_allclose(vectors["good"], rows["good"], rtol=1e-6)


def test_fasttexts_own_binary_form(tmp_path):
    model = FastText(vector_size=5, min_count=1, epochs=1, bucket=50, workers=1, seed=1)
    texts = [["good", "film"], ["bad", "film"]]
    model.build_vocab(texts)
    model.train(texts, total_examples=2, epochs=1)
    path = tmp_path / "model.bin"
    save_facebook_model(model, str(path))
    vectors = embeddings.read(path)
    np.testing.assert_allclose(vectors["film"], model.wv["film"], atol=1e-5)
    table, found = embeddings.table(["<pad>", "<unk>", "film", "filmy"], [vectors])
    assert found == 2  # its n-grams make a vector of any word
    np.testing.assert_allclose(table[3], model.wv["filmy"], atol=1e-5)
    whole = path.read_bytes()
    for size in (5, 40, 90, 130, len(whole) // 2):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match=r"model\.bin: not word vectors"):
            embeddings.read(path)


@pytest.mark.parametrize("binary", [True, False])
def test_what_is_written_is_read_again_here_and_by_gensim(tmp_path, binary):
    rng = np.random.default_rng(3)
    made = KeyedVectors(7)
    words = ["film", "naïve", "日本", "😀", ":)", '"', "1", "2.5"]
    made.add_vectors(words, rng.normal(size=(8, 7)).astype(np.float32))
    path = tmp_path / "vectors"
    with path.open("wb") as file:
        embeddings.write(made, file, binary)
    for again in (
        embeddings.read(path),
        KeyedVectors.load_word2vec_format(str(path), binary=binary),
    ):
        assert again.index_to_key == words
        np.testing.assert_allclose(again.vectors, made.vectors, atol=0 if binary else 1e-5)


class Evil:
    def __reduce__(self):
        return print, ("loaded",)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_is_refused_and_not_loaded(tmp_path, capsys, protocol):
    path = tmp_path / "vectors.kv"
    path.write_bytes(pickle.dumps(Evil(), protocol))
    with pytest.raises(InputError, match=r"vectors\.kv: .*pickle"):
        embeddings.read(path)
    assert "loaded" not in capsys.readouterr().out


def test_gensims_own_save_is_refused(tmp_path):
    made = KeyedVectors(3)
    made.add_vectors(["a"], np.ones((1, 3), dtype=np.float32))
    made.save(str(tmp_path / "vectors.kv"))
    with pytest.raises(InputError, match=r"vectors\.kv"):
        embeddings.read(tmp_path / "vectors.kv")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"nothing but words here\nand here are more of them\n",
        b"3 3\nfilm 1.0 2.0\n",
        b"3 3\n" + text_rows()[:30],
        b"3 3\n" + binary_rows(b"\n")[:-9],
        b"9 3\n" + text_rows(),
        b"three words\nfilm 1 2\n",
        b"0 3\n",
        b"3 0\nfilm\n",
        b"-1 3\nfilm 1 2 3\n",
        b"PK\x03\x04 and more of an archive\n\n",
        b"\x00\x01\x02\xff" * 500,
        b"1000000000000 300\n" + text_rows(),
        b"film 1 2 3\ngood 1 2\n",
        b"film 1 2 3\n\xff\xfe 1 2 3\n",
    ],
)
def test_what_is_no_word_vectors_is_refused_by_name(tmp_path, content):
    path = tmp_path / "odd.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"odd\.txt") as caught:
        embeddings.read(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"none\.txt: no such file"):
        embeddings.read(tmp_path / "none.txt")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Two topics whose words never meet, but for the same frame around them."""
    rng = random.Random(5)
    topics = [
        ["dog", "cat", "bark", "paw", "tail", "fur", "puppy"],
        ["sun", "moon", "star", "sky", "orbit", "comet", "dawn"],
    ]
    lines = []
    for _ in range(1500):
        words = rng.choice(topics)
        lines.append(" ".join(["the", *(rng.choice(words) for _ in range(6)), "."]))
    path = tmp_path_factory.mktemp("corpus") / "corpus.txt"
    path.write_text("\n".join([*lines, "seldom"]) + "\n")
    return path, topics


@pytest.mark.parametrize("method", ["word2vec", "fasttext"])
def test_trained_vectors_bring_together_what_stands_together(corpus, method):
    path, topics = corpus
    vectors = embeddings.train([path], print, method=method, dimensions=12, epochs=6)
    assert vectors.vector_size == 12
    assert "seldom" not in vectors.key_to_index  # occurs once, five times are asked for
    for topic in topics:
        for word in topic[:2]:
            near = [other for other, _ in vectors.most_similar(word, topn=4)]
            assert sum(other in topic for other in near) >= 3, (word, near)


def test_vectors_of_one_column_of_several_files(tmp_path):
    (tmp_path / "a.csv").write_text("id,review\n" + "x1,good film\n" * 5)
    (tmp_path / "b.jsonl").write_text('{"review": "good story", "id": "x1"}\n' * 5)
    vectors = embeddings.train(
        [tmp_path / "a.csv", tmp_path / "b.jsonl"], print, column="review", dimensions=4, epochs=1
    )
    assert set(vectors.index_to_key) == {"good", "film", "story"}


def test_no_word_is_frequent_enough(tmp_path):
    path = tmp_path / "few.txt"
    path.write_text("a few words\n")
    with pytest.raises(InputError, match=r"few\.txt"):
        embeddings.train([path], print)


def test_a_missing_corpus(tmp_path):
    with pytest.raises(InputError, match=r"none\.txt"):
        embeddings.train([tmp_path / "none.txt"], print)


def keyed(rows):
    made = KeyedVectors(len(next(iter(rows.values()))))
    made.add_vectors(list(rows), np.asarray(list(rows.values()), dtype=np.float32))
    return made


def test_a_table_has_the_vectors_of_known_words_and_zeros_for_padding():
    words = ["<pad>", "<unk>", "good", "strange", "film"]
    table, found = embeddings.table(words, [keyed(ROWS)])
    assert (table.shape, table.dtype, found) == ((5, 3), np.float32, 2)
    assert table[2].tolist() == ROWS["good"]
    assert table[4].tolist() == ROWS["film"]
    assert not table[0].any()
    assert table[3].any()


def test_unknown_words_have_the_variance_of_the_known_ones():
    """Kim 2014, section 3.1: drawn from U[-a, a] so that the variance is that of the others."""
    rng = np.random.default_rng(4)
    source = keyed({f"w{n}": row for n, row in enumerate(rng.normal(0, 0.7, size=(500, 20)))})
    words = ["<pad>", "<unk>", *(f"unknown{n}" for n in range(500))]
    table, found = embeddings.table(words, [source])
    assert found == 0
    assert table[2:].std() == pytest.approx(0.7, rel=0.03)
    assert np.abs(table).max() <= 0.7 * 3**0.5 * 1.05  # uniform, not normal
    np.testing.assert_array_equal(table, embeddings.table(words, [source])[0])


def test_sources_stand_side_by_side():
    other = {"strange": [7.0, 7.0], "film": [1.0, 1.0]}
    words = ["<pad>", "<unk>", "film", "strange", "good", "nowhere"]
    table, found = embeddings.table(words, [keyed(ROWS), keyed(other)])
    assert table.shape == (6, 5)
    assert table[2].tolist() == [*ROWS["film"], 1.0, 1.0]
    assert table[3, 3:].tolist() == [7.0, 7.0]
    assert table[4, :3].tolist() == ROWS["good"]
    assert found == 3
