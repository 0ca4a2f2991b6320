"""Byte-level BPE: nothing is unknown, and what is cut apart is never merged."""

import pytest
from workbench_plugins.tokenizers.byte_bpe import ByteBpe

from workbench.api import Context


@pytest.fixture
def ctx(tmp_path) -> Context:
    return Context("bpe", "tokenizer/byte-bpe", 1, tmp_path, tmp_path, tmp_path, tmp_path)


def trained(ctx, texts, **settings):
    return ByteBpe(**settings).train(iter(texts), ctx)


def pieces(ctx, text: str) -> list[str]:
    """Return where a text may be cut, before any merge."""
    pre = trained(ctx, [], vocab_size=258).pre_tokenizer.pre_tokenize_str(text)
    return [text[start:end] for _, (start, end) in pre]


@pytest.mark.parametrize(
    "text",
    [
        "Plain words, and  two spaces.",
        "价格是3000元，约合 $420。",
        "\x00\x1b[31m\ufeff\u202e",
        "🙂👨‍👩‍👧 é é ﷽",
        "\r\n\n\t tabs\r",
        "",
    ],
)
def test_every_text_comes_back_as_it_was(ctx, text):
    tokenizer = trained(ctx, ["a few words to learn from, 一些文字"] * 5, vocab_size=300)
    assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


def test_special_tokens_come_first_and_bytes_after(ctx):
    """<pad> 0, <eos> 1, then the 256 bytes, so that a padded id is 0 and nothing is unknown."""
    tokenizer = trained(ctx, [], vocab_size=258)
    assert (tokenizer.token_to_id("<pad>"), tokenizer.token_to_id("<eos>")) == (0, 1)
    assert tokenizer.get_vocab_size() == 258
    assert len(tokenizer.encode("天").ids) == 3  # UTF-8 of a Chinese character


def test_the_most_frequent_pair_is_merged_first(ctx):
    """In `abab abab aba` the pair ab stands 5 times, ba 3 times: ab is the first merge."""
    tokenizer = trained(ctx, ["abab", "abab", "aba"], vocab_size=259)
    assert tokenizer.id_to_token(258) == "ab"


def test_rare_pairs_are_not_merged(ctx):
    assert trained(ctx, ["xy"], vocab_size=300, min_frequency=2).get_vocab_size() == 258
    assert trained(ctx, ["xy"], vocab_size=300, min_frequency=1).get_vocab_size() == 259


@pytest.mark.parametrize(
    "text, expected",
    [
        ("It's 12345 words", ["It", "'s", " ", "123", "45", " words"]),
        ("用Python写代码,好!", ["用", "Python", "写代码", ",", "好", "!"]),
        ("请看 Python 文档", ["请看", " Python", " ", "文档"]),
        ("a  b", ["a", " ", " b"]),
        ("end.\n\nNext", ["end", ".\n\n", "Next"]),
        ("x = {}", ["x", " =", " {}"]),
        ("नमस्ते", ["नमस्ते"]),  # vowel signs are marks and stay with their letters
    ],
)
def test_where_text_is_cut(ctx, text, expected):
    assert pieces(ctx, text) == expected


def test_no_character_falls_between_the_cuts(ctx):
    text = "".join(map(chr, [*range(0x0, 0xD800, 7), *range(0xE000, 0x20000, 31)]))
    assert "".join(pieces(ctx, text)) == text


def test_chinese_words_become_tokens(ctx):
    """A word that always stands inside a sentence without spaces is still learned."""
    texts = [f"我们在{place}学习" for place in ["北京", "上海", "广州", "深圳", "成都"]] * 4
    tokenizer = trained(ctx, texts, vocab_size=300)
    assert "学习" in [tokenizer.decode([number]) for number in tokenizer.encode("学习").ids]


def test_one_endless_run_is_encoded_in_linear_time(ctx):
    """Two million letters without a space: cut at 64 characters, so merging stays cheap."""
    tokenizer = trained(ctx, ["aaaa", "天天天天"], vocab_size=300, min_frequency=1)
    assert max(map(len, pieces(ctx, "a" * 200))) == 64
    assert len(tokenizer.encode("a" * 1_000_000 + "天" * 100_000).ids) > 1000
