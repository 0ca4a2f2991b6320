"""Characters as tokens: the most frequent ones by code point, the rest as bytes or unknown."""

from workbench_plugins.tokenizers.character import Character


def test_known_characters_are_numbered_by_code_point(learned):
    tokenizer = learned(Character(vocab_size=16, byte_fallback=False), ["ba c天天"])
    vocab = tokenizer.get_vocab()
    assert sorted(vocab, key=vocab.__getitem__) == ["<pad>", "<unk>", "<eos>", "▁", "a", "b", "c", "天"]
    assert tokenizer.encode("ab 天地").tokens == ["a", "b", "▁", "天", "<unk>"]


def test_every_text_comes_back(learned, hard_texts):
    tokenizer = learned(Character(vocab_size=400))
    for text in hard_texts:
        ids = tokenizer.encode(text).ids
        assert tokenizer.decode(ids, skip_special_tokens=False) == text
        assert not {0, 1, 2} & set(ids)


def test_a_known_character_is_one_token(learned):
    tokenizer = learned(Character(vocab_size=400))
    assert len(tokenizer.encode("北京 river").ids) == 8


def test_a_long_text_is_encoded_in_linear_time(learned):
    assert len(learned(Character(vocab_size=400)).encode("北京a" * 200_000).ids) == 600_000
