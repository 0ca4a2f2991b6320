"""Counting what tokenizers make of texts, by hand."""

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from workbench_plugins.evaluators.token_counts import count_text, count_tokens, difference, shown_pieces, visible
from workbench_plugins.tokenizers.byte import Byte

from workbench.api import Context


def words(*known: str) -> Tokenizer:
    """A tokenizer of words between spaces: 0 is `<unk>`."""
    tokenizer = Tokenizer(models.WordLevel({"<unk>": 0, **{word: n for n, word in enumerate(known, 1)}}, "<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.decoder = decoders.Fuse()
    return tokenizer


def counted(tokenizer, texts, unknown=0, losses=9):
    return count_tokens(tokenizer, unknown, texts, losses, lambda _done, _total: None)


def test_sizes_of_texts():
    """A word is a run of letters and digits; a Chinese character is one; 天 has three bytes."""
    found = count_text(["the cat, 12", "天 地x", ""])
    assert found.bytes_d.tolist() == [11, 8, 0]
    assert found.characters_d.tolist() == [11, 4, 0]
    assert found.visible_d.tolist() == [9, 3, 0]
    assert found.words_d.tolist() == [3, 3, 0]


def test_every_kind_of_white_space_is_invisible():
    white = "".join(letter for letter in map(chr, range(0x3001)) if letter.isspace())
    assert not visible(white).any()
    assert visible("a\u200b\U0001f642").tolist() == [True, True, True]


def test_known_and_unknown_tokens():
    """`cat` and `the` are known. 天地 is one unknown token of six bytes, `é!` one of three."""
    found = counted(words("the", "cat"), ["the cat the", "cat 天地 é!"])
    assert found.made_d.tolist() == [3, 3]
    assert found.unknown_d.tolist() == [0, 2]
    assert found.tokens_d.tolist() == [3, 1 + 6 + 3]
    assert found.covered_d.tolist() == [9, 3]


def test_knowing_nothing_costs_as_much_as_bytes():
    text = "天 🙂 é z"
    assert counted(words("x"), [text]).tokens_d.tolist() == [3 + 4 + 2 + 1]


def test_a_character_of_several_tokens_is_covered_once(tmp_path):
    tokenizer = Byte().train(iter(()), Context("t", "tokenizer/byte", 1, *[tmp_path] * 4))
    found = counted(tokenizer, ["天 x<pad>"], unknown=None)
    assert (found.tokens_d.tolist(), found.covered_d.tolist(), found.changed_d.tolist()) == ([10], [7], [0])


def test_which_tokens_are_used_and_which_in_one_document_alone():
    """`the` stands in two documents, `cat` in the first alone, `dog` and `<unk>` in the second alone."""
    found = counted(words("the", "cat", "dog", "bird"), ["the cat cat", "the dog x"])
    assert found.documents_v.tolist() == [1, 2, 1, 1, 0]
    assert found.alone_d.tolist() == [1, 2]


def test_what_does_not_come_back_is_shown():
    """Without its spaces, and with the unknown marked."""
    found = counted(words("the", "cat"), ["the", "the cat", "the dog"], losses=1)
    assert found.changed_d.tolist() == [0, 1, 1]
    assert found.losses == {1: ("the cat", "thecat")}
    assert difference("x" * 50 + "ab" + "y" * 50, "x" * 50 + "b")[0] == "x" * 12 + "ab" + "y" * 10


def test_special_tokens_are_no_part_of_the_vocabulary_used():
    tokenizer = words("the")
    tokenizer.add_special_tokens(["<unk>"])
    found = counted(tokenizer, ["the x", "x"])
    assert (found.documents_v.tolist(), found.alone_d.tolist()) == ([0, 1], [1, 0])


def test_documents_are_counted_over_several_calls():
    texts = ["the cat"] * 150
    seen = []
    found = count_tokens(words("the", "cat"), 0, texts, 0, lambda done, total: seen.append((done, total)))
    assert np.array_equal(found.made_d, np.full(150, 2))
    assert seen == [(64, 150), (128, 150), (150, 150)]


def test_pieces_are_shown_between_bars(tmp_path):
    byte = Byte().train(iter(()), Context("t", "tokenizer/byte", 1, *[tmp_path] * 4))
    assert shown_pieces(byte, None, "a天\n") == (5, "a|天|·|·|↵")
    assert shown_pieces(words("a"), 0, "a dog") == (2, "a|⟨dog⟩")
