import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domains.text import tokens
from domains.text.tokens import (
    PADDING,
    SPECIAL,
    UNKNOWN,
    Vocabulary,
    spans,
    split_sentences,
    tokenise,
)

PIECES = ["don't", "CAN’T", "n't", "``", "''", "-LRB-", "<br />", "@me", "https://a.b/c?d", ":-)",
          "İstanbul", "ß", "!!!!", "\u0301", "😀", "&amp;", "\n", "\t", "it's", "soooo", "日本語",
          "´", "`", "<3", "...", "\x00", "\u2028"]  # fmt: skip
any_text = st.text() | st.lists(st.sampled_from(PIECES) | st.text(max_size=4)).map(
    lambda parts: "".join(parts)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I don't like it", "i do not like it"),
        ("isn't", "is not"),
        ("can't", "can not"),
        ("won't", "will not"),
        ("They're sure we've won, I'll say", "they are sure we have won , i will say"),
        ("A warm, funny film.", "a warm , funny film ."),
        ("wow!!!!!!", "wow !!"),
        ("see https://example.org/a?b=c now", "see <url> now"),
        ("@someone hello", "<user> hello"),
        ("one<br />two<BR>three", "one <br> two <br> three"),
        ("salt &amp; pepper", "salt & pepper"),
    ],
)
def test_words_of_a_text(text, words):
    assert tokenise(text) == words.split()


@pytest.mark.parametrize("apostrophe", ["'", "’", "´", "`"])
@pytest.mark.parametrize("verb", ["does", "is", "could", "has", "ca", "wo", "Do", "WAS"])
def test_negation_is_a_word_of_its_own_however_it_is_spelt(verb, apostrophe):
    together, apart = f"{verb}n{apostrophe}t", f"{verb} n{apostrophe}t"
    assert tokenise(together) == tokenise(apart) == tokenise(f"{verb}n't")
    assert tokenise(together)[1] == "not"


@pytest.mark.parametrize(
    ("treebank", "raw"),
    [
        ("It does n't work .", "It doesn't work."),
        ("-LRB- and funny -RRB-", "(and funny)"),
        ("`` great '' , he said", '"great", he said'),
        ("the film 's charm", "the film's charm"),
        ("you 'll laugh , they 've won", "you’ll laugh, they’ve won"),
        ("we ca n't go", "we can't go"),
    ],
)
def test_pretokenised_corpora_read_as_the_raw_text(treebank, raw):
    assert tokenise(treebank) == tokenise(raw)


@given(any_text)
def test_spans_lie_in_the_original_text_in_order(text):
    found = spans(text)
    end = 0
    for start, stop in found:
        assert end <= start < stop <= len(text)
        end = stop
    assert len(found) == len(tokenise(text))


@given(any_text)
def test_every_letter_and_sign_is_in_some_token(text):
    covered = {index for start, end in spans(text) for index in range(start, end)}
    missed = [c for index, c in enumerate(text) if index not in covered and not c.isspace()]
    assert not missed


plain = st.text(string.ascii_letters, min_size=1).filter(
    lambda word: word.lower() not in ("ca", "wo")
)


@given(st.lists(plain, max_size=8))
def test_spans_of_plain_words_are_the_words(words):
    text = "  ".join(words)
    assert [text[start:end] for start, end in spans(text)] == words
    assert tokenise(text) == [word.lower() for word in words]


def test_spans_hold_where_lower_case_is_longer():
    text = "İİİ is Good"
    start, end = spans(text)[-1]
    assert text[start:end] == "Good"


def test_sentences():
    text = "Good film. Is it?  Yes!<br /><br />Second part... end"
    assert split_sentences(text) == ["Good film.", "Is it?", "Yes!", "Second part...", "end"]
    assert split_sentences("  ") == []


@given(any_text)
def test_a_vocabulary_of_a_text_knows_all_its_words(text):
    words = tokenise(text)
    vocabulary = Vocabulary.of_counts([(word, 1) for word in set(words)], 1000)
    assert [vocabulary.words[number] for number in vocabulary.ids(text, 10**6)] == (
        words or ["<unk>"]
    )


@given(st.lists(any_text))
def test_a_vocabulary_is_kept_as_lines(texts):
    words = {word for text in texts for word in tokenise(text)}
    vocabulary = Vocabulary.of_counts([(word, 1) for word in words], 1000)
    lines = "\n".join(vocabulary.words)
    assert lines.split("\n") == vocabulary.words
    assert len(vocabulary) == len(words) + len(SPECIAL)


def test_the_most_frequent_words_get_in_ties_by_the_alphabet():
    vocabulary = Vocabulary.of_counts([("b", 2), ("c", 9), ("a", 2), ("d", 1)], 5)
    assert vocabulary.words == ["<pad>", "<unk>", "c", "a", "b"]
    assert "a" in vocabulary
    assert "d" not in vocabulary


def test_numbers_of_words():
    vocabulary = Vocabulary([*SPECIAL, "good", "film", "not"])
    assert vocabulary.ids("GOOD film", 9) == [2, 3]
    assert vocabulary.ids("a good film", 2) == [UNKNOWN, 2]
    assert vocabulary.ids("isn't good", 9) == [UNKNOWN, 4, 2]
    assert vocabulary.id("Film") == 3


@pytest.mark.parametrize("nothing", ["", " ", "\n\t"])
def test_a_text_without_words_is_one_unknown_word(nothing):
    vocabulary = Vocabulary([*SPECIAL, "good"])
    assert vocabulary.ids(nothing, 9) == [UNKNOWN]
    assert vocabulary.id(nothing) == UNKNOWN
    assert nothing not in vocabulary


@given(any_text)
def test_no_text_is_read_as_padding(text):
    assert PADDING not in Vocabulary([*SPECIAL, "good"]).ids(text, 100)


@pytest.mark.parametrize("long", ["goooood", "GOOOOOOOOD", "loooove", "lovvvvvve"])
def test_elongated_words_are_known(long):
    vocabulary = Vocabulary([*SPECIAL, "good", "love"])
    assert vocabulary.words[vocabulary.id(long)] in ("good", "love")


def test_an_elongated_word_that_is_known_as_such_stays_itself():
    vocabulary = Vocabulary([*SPECIAL, "so", "sooo"])
    assert vocabulary.words[vocabulary.id("sooo")] == "sooo"
    assert vocabulary.words[vocabulary.id("soooooo")] == "so"


@settings(max_examples=20)
@given(st.lists(st.text(string.ascii_lowercase, min_size=1), min_size=20))
def test_spellings_seen_are_remembered_within_bounds(words):
    before, tokens._CACHE_LIMIT = tokens._CACHE_LIMIT, 10
    try:
        vocabulary = Vocabulary([*SPECIAL, *dict.fromkeys(words[:3])])
        once = [vocabulary.id(word) for word in words]
        assert len(vocabulary._ids) <= 10
        assert [vocabulary.id(word) for word in words] == once
    finally:
        tokens._CACHE_LIMIT = before
