"""WordPiece: the pieces BERT knows, numbered the same everywhere."""

import pytest
from workbench_plugins.tokenizers.wordpiece import WordPiece

from workbench.api import Context

ENGLISH = ["the cats and the dogs were playing in the garden", "Playing cats, sleeping dogs!"] * 6


@pytest.fixture
def ctx(tmp_path) -> Context:
    return Context("wp", "tokenizer/wordpiece", 1, tmp_path, tmp_path, tmp_path, tmp_path)


def trained(ctx, texts, **settings):
    return WordPiece(**settings).train(iter(texts), ctx)


def test_special_tokens_are_numbered_as_in_bert(ctx):
    tokenizer = trained(ctx, ENGLISH, vocab_size=128)
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert [tokenizer.token_to_id(name) for name in names] == [0, 1, 2, 3, 4]


def test_a_text_stands_between_cls_and_sep(ctx):
    tokenizer = trained(ctx, ENGLISH, vocab_size=128)
    assert tokenizer.encode("the cats").tokens == ["[CLS]", "the", "cats", "[SEP]"]
    pair = tokenizer.encode("the cats", "the dogs")
    assert pair.tokens == ["[CLS]", "the", "cats", "[SEP]", "the", "dogs", "[SEP]"]
    assert pair.type_ids == [0, 0, 0, 0, 1, 1, 1]


def test_an_unseen_word_is_put_together_from_pieces(ctx):
    tokens = trained(ctx, ENGLISH, vocab_size=128).encode("dogging", add_special_tokens=False).tokens
    assert tokens[0][:2] != "##"
    assert all(token.startswith("##") for token in tokens[1:])
    assert "".join(token.removeprefix("##") for token in tokens) == "dogging"


def test_a_character_that_was_never_seen_is_unknown(ctx):
    assert trained(ctx, ENGLISH, vocab_size=128).encode("天", add_special_tokens=False).tokens == ["[UNK]"]


def test_every_chinese_character_is_a_word(ctx):
    """And needs no `##` piece, since no word goes on with it."""
    tokenizer = trained(ctx, ["我们学习Python语言", "他们也学习"] * 4, vocab_size=128)
    tokens = tokenizer.encode("我们学习Python", add_special_tokens=False).tokens
    assert tokens[:4] == ["我", "们", "学", "习"]
    assert "".join(tokens[4:]).replace("##", "") == "python"
    assert tokenizer.token_to_id("##学") is None


def test_case_and_accents_are_folded_or_kept(ctx):
    assert trained(ctx, ENGLISH, vocab_size=128).encode("Thé").tokens == ["[CLS]", "the", "[SEP]"]
    kept = trained(ctx, ["The cat", "the cat"] * 4, vocab_size=128, lowercase=False)
    assert kept.encode("The", add_special_tokens=False).tokens != kept.encode("the", add_special_tokens=False).tokens


def test_the_rarest_characters_are_left_out_by_count_then_code_point(ctx):
    """b, c and d stand once each: of these the alphabet of 28 has room for the first two."""
    frequent = "efghijklmnopqrstuvwxyzäöü"  # 25 letters
    texts = ["a " * 5, *[f"{letter} " * 3 for letter in frequent], "b c d"]
    tokenizer = trained(ctx, texts, vocab_size=128, alphabet=28, lowercase=False)
    known = [letter for letter in "abcd" if tokenizer.token_to_id(letter) is not None]
    assert known == ["a", "b", "c"]


def test_the_vocabulary_is_never_larger_than_asked(ctx):
    """Ten thousand different characters, half of them able to stand inside a word."""
    texts = ["".join(map(chr, range(0x4E00, 0x4E00 + 5000))), "".join(map(chr, range(0x0400, 0x0400 + 250)))] * 2
    for settings in ({"vocab_size": 200}, {"vocab_size": 200, "alphabet": 5000}):
        assert trained(ctx, texts, **settings).get_vocab_size() <= 200


def test_nothing_is_left_in_the_scratch_folder(ctx, tmp_path):
    trained(ctx, ENGLISH, vocab_size=128)
    assert list(tmp_path.iterdir()) == []
