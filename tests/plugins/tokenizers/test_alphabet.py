"""Alphabets: the most frequent characters, ties by code point, and nothing learned across an unknown one."""

from collections import Counter

from workbench_plugins.tokenizers.alphabet import copied, count_characters, frequent, known_parts, read_again


def test_ties_are_broken_by_code_point():
    """b, c and d stand once each: of these there is room for b."""
    assert frequent(Counter("aad c b"), 3) == [" ", "a", "b"]


def test_coverage_leaves_rare_characters_out():
    """a makes up 6 of 10 characters, a and b 9 of 10."""
    counts = Counter("aaaaaabbbc")
    assert frequent(counts, 9, 0.6) == [" ", "a"]
    assert frequent(counts, 9, 0.61) == [" ", "a", "b"]
    assert frequent(counts, 9, 1.0) == [" ", "a", "b", "c"]


def test_the_space_is_always_known():
    assert frequent(Counter("天地"), 1) == [" "]


def test_a_low_line_counts_as_the_space_it_is_read_as():
    assert count_characters(["a ▁"]) == {"a": 1, " ": 2}


def test_texts_are_cut_at_unknown_characters():
    counts = count_characters(["ab?cd", "!?", "天ab"])
    assert list(known_parts(["ab?cd", "!?", "天ab"], counts, "abcd")) == ["ab", "cd", "ab"]
    assert list(known_parts(["ab"], Counter("ab"), "ab")) == ["ab"]


def test_a_copy_gives_the_same_texts_again(tmp_path):
    texts = ["one\ntwo", "", "天\u2028\x00", "\U0001f642"]
    assert list(copied(texts, tmp_path / "copy")) == texts
    assert list(read_again(tmp_path / "copy")) == texts
