"""Bytes as tokens: the id says the byte, and every text comes back."""

from workbench_plugins.tokenizers.byte import Byte, letters_of_bytes


def test_the_id_is_the_byte_and_the_special_tokens_before(learned):
    tokenizer = learned(Byte())
    assert tokenizer.encode("A天\x00").ids == [byte + 2 for byte in "A天\x00".encode()]
    assert tokenizer.get_vocab_size() == 258
    assert learned(Byte(mask=True)).encode("A").ids == [0x41 + 3]


def test_every_text_comes_back(learned, hard_texts):
    tokenizer = learned(Byte())
    for text in hard_texts:
        assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


def test_the_letters_are_those_of_tokenizers():
    """`tokenizers` does not say which letter is which byte; encoding a character of two bytes does."""
    from tokenizers.pre_tokenizers import ByteLevel

    assert sorted(letters_of_bytes()) == sorted(ByteLevel.alphabet())
    for text in ("é", " ", "\n", "天"):
        shown = ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)[0][0]
        assert shown == "".join(letters_of_bytes()[byte] for byte in text.encode())


def test_a_long_text_is_encoded_in_linear_time(learned):
    assert len(learned(Byte()).encode("a天 " * 200_000).ids) == 1_000_000
