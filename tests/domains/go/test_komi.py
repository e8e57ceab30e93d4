from domains.go.komi import in_words, usual_komi


def test_with_handicap_white_gets_what_prevents_a_draw():
    assert [usual_komi(stones) for stones in (0, 2, 9)] == [7.5, 0.5, 0.5]


def test_what_white_is_given_in_words():
    assert in_words(7.5, 0) == "komi 7.5"
    assert in_words(0.0, 3) == "komi 0, 3 for handicap stones"
