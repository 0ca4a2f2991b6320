"""What tokens are in text: sentences end and words begin where they do, for every way of writing tokens."""

from workbench_plugins.objectives.pieces import (
    byte_letters,
    piece_bytes,
    piece_texts,
    sentence_ends,
    style_of,
    word_starts,
)

from workbench.api import Vocab

LETTERS = {byte: letter for letter, byte in byte_letters().items()}


def in_bytes(text):
    return "".join(LETTERS[byte] for byte in text.encode())


def vocab(*pieces, **ids):
    return Vocab(size=len(pieces), max_length=8, pad=0, pieces=pieces, **ids)


def test_byte_letters_give_every_byte_back():
    """The table is one to one over all 256 bytes."""
    assert sorted(byte_letters().values()) == list(range(256))


def test_sentences_end_in_english_and_chinese():
    """Marks, also behind quotes, and the end token."""
    pieces = ["<pad>", "<eos>", "the", ".", in_bytes("天。"), in_bytes("？"), in_bytes('."'), in_bytes("天")]
    assert sentence_ends(vocab(*pieces, eos=1)).tolist() == [False, True, False, True, True, True, True, False]


def test_words_begin():
    """`Ġ`, `▁` and the absence of `##` begin a word, and so does punctuation; letters and Chinese characters go on."""
    assert word_starts(vocab("Ġthe", "ing", ",", in_bytes("天"))).tolist() == [True, False, True, False]
    assert word_starts(vocab("▁the", "ing", "。")).tolist() == [True, False, True]
    assert word_starts(vocab("the", "##ing", "天")).tolist() == [True, False, True]


def test_texts_of_pieces():
    """Spaces are spaces again, and half a character is a replacement character."""
    assert piece_texts(("Ġa", in_bytes("天"), in_bytes("天")[:1])) == (" a", "天", "�")
    assert piece_texts(("▁a", "b")) == (" a", "b")
    assert piece_texts(("a", "##b")) == ("a", "b")


def test_bytes_of_a_rare_character():
    """天 is E5 A4 A9; between bytes and other pieces the characters come together again."""
    pieces = ("▁a", "<0xE5>", "<0xA4>", "<0xA9>", "<0x0>")
    assert b"".join(piece_bytes(pieces)[:4]).decode() == " a天"
    assert piece_bytes(pieces)[4] == b"<0x0>"


def test_headings_are_no_wordpieces():
    """A vocabulary learned from Markdown has `##` and `###`."""
    assert style_of(["Ġthe", "##", "###"]) == "bytes"
    assert style_of(["the", "##s"]) == "wordpiece"
