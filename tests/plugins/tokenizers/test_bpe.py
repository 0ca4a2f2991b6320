"""Byte-pair encoding over characters: the merges of Sennrich et al. 2016, worked out by hand, and nothing lost."""

import pytest
from pydantic import ValidationError
from workbench_plugins.tokenizers.bpe import Bpe
from workbench_plugins.tokenizers.special import BYTES

PAPER = ["low"] * 5 + ["lower"] * 2 + ["newest"] * 6 + ["widest"] * 3  # the dictionary of section 3.2


def test_the_example_of_the_paper(learned):
    """Pairs by count, ties by the ids of their tokens (letters are numbered d e i l n o r s t w).

    es and st stand 9 times each: e is before s. Then es t 9; lo and ow 7, lo low; ne, ew, w-est 6: ew, new, newest;
    wi, id, d-est 3: dest, idest, widest; lower: er before low-e.
    """
    tokenizer = learned(Bpe(vocab_size=64, byte_fallback=False, coverage=1), PAPER)
    vocab = tokenizer.get_vocab()
    expected = ["es", "est", "lo", "low", "ew", "new", "newest", "dest", "idest", "widest", "er", "lower"]
    assert sorted(vocab, key=vocab.__getitem__) == ["<pad>", "<unk>", "<eos>", *"deilnorstw", "▁", *expected]
    assert tokenizer.encode("lowest").tokens == ["low", "est"]


def test_special_tokens_come_first_then_bytes_then_characters(learned):
    tokenizer = learned(Bpe(vocab_size=300, mask=True))
    assert [tokenizer.id_to_token(number) for number in range(5)] == ["<pad>", "<unk>", "<eos>", "<mask>", "<0x00>"]
    assert tokenizer.id_to_token(259) == "<0xFF>"
    assert tokenizer.get_vocab_size() == 300


def test_every_text_comes_back(learned, hard_texts):
    tokenizer = learned(Bpe(vocab_size=400))
    for text in hard_texts:
        ids = tokenizer.encode(text).ids
        assert tokenizer.decode(ids, skip_special_tokens=False) == text
        assert not {0, 1, 2} & set(ids)


def test_decoding_two_halves_gives_the_whole(learned):
    """Nothing is put before a text or taken from it, so a text may be decoded as it grows."""
    tokenizer = learned(Bpe(vocab_size=400))
    ids = tokenizer.encode("the river rose again").ids
    assert all(
        tokenizer.decode(ids[:place]) + tokenizer.decode(ids[place:]) == "the river rose again"
        for place in range(len(ids))
    )


def test_rare_characters_become_bytes_or_unknown(learned):
    """天 is E5 A4 A9 in UTF-8."""
    assert learned(Bpe(vocab_size=400), ["river"]).encode("天").tokens == ["<0xE5>", "<0xA4>", "<0xA9>"]
    assert learned(Bpe(vocab_size=64, byte_fallback=False), ["river"]).encode("r天r").tokens == ["r", "<unk>", "r"]


def test_nothing_is_merged_across_a_character_that_is_left_out(learned):
    """`aéb` four times is no reason for a token ab: é makes up 1.3 % and is not in the alphabet, but not nothing."""
    texts = ["aéb"] * 4 + ["a b"] * 100
    tokenizer = learned(Bpe(vocab_size=64, byte_fallback=False, coverage=0.98), texts)
    assert tokenizer.token_to_id("é") is None
    assert tokenizer.token_to_id("ab") is None
    assert tokenizer.token_to_id("▁b") is not None


def test_chinese_words_become_tokens(learned):
    """A word that always stands inside a sentence without spaces is learned, alone and in other sentences."""
    texts = [f"我们在{place}学习" for place in ["北京", "上海", "广州", "深圳", "成都"]] * 4
    assert "学习" in learned(Bpe(vocab_size=320), texts).encode("请学习吧").tokens


def test_the_vocabulary_is_never_larger_than_asked(learned):
    texts = ["".join(map(chr, range(0x4E00, 0x4E00 + 3000)))] * 2
    assert learned(Bpe(vocab_size=400), texts).get_vocab_size() <= 400


@pytest.mark.parametrize("settings", [{"vocab_size": 260}, {"vocab_size": 262, "chat_template": "chatml"}])
def test_a_vocabulary_without_room_is_refused(settings):
    with pytest.raises(ValidationError, match=f"it is at least {3 + len(BYTES) + 2}|at least 263"):
        Bpe(**settings)


def test_nothing_is_left_in_the_scratch_folder(learned, tmp_path):
    learned(Bpe(vocab_size=300))
    assert list(tmp_path.iterdir()) == []
