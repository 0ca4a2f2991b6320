"""Whole words: tokens of a word have one number, for every way of writing tokens, in English and in Chinese."""

import numpy as np
import pytest
from workbench_plugins.objectives.masked import Masked
from workbench_plugins.objectives.pieces import byte_letters
from workbench_plugins.objectives.whole_words import words_of

from workbench.api import Examples, Vocab

LETTERS = {byte: letter for letter, byte in byte_letters().items()}


def in_bytes(text):
    return "".join(LETTERS[byte] for byte in text.encode())


def grouped(pieces, segments=None):
    """Return the words of a row that holds these tokens, each as the list of its tokens' places."""
    known = tuple(dict.fromkeys(pieces))
    vocab = Vocab(size=len(known), max_length=32, pad=0, pieces=known)
    ids = np.array([known.index(piece) for piece in pieces])
    numbers = words_of(ids, np.ones(len(ids), dtype=int) if segments is None else np.array(segments), vocab)
    return [np.flatnonzero(numbers == number).tolist() for number in dict.fromkeys(numbers)]


def test_wordpiece():
    """`##` goes on; Chinese characters are put together by the dictionary: 我们 去 公园 。"""
    assert grouped(["play", "##ing", "the"]) == [[0, 1], [2]]
    assert grouped(["##x", "us", *"我们去公园。", "play", "##ing"]) == [[0], [1], [2, 3], [4], [5, 6], [7], [8, 9]]


def test_bytes():
    """A space begins a word; half characters are put together before they are looked up."""
    first, rest = in_bytes("公")[:1], in_bytes("公")[1:]
    assert grouped(["Ġplay", "ing", "Ġthe", ","]) == [[0, 1], [2], [3]]
    assert grouped([in_bytes("我们"), in_bytes("去"), first, rest, in_bytes("园")]) == [[0], [1], [2, 3, 4]]
    assert grouped(["Ġ" + in_bytes("公"), in_bytes("园"), in_bytes("我们")]) == [[0, 1], [2]]


def test_metaspace():
    """`▁` begins a word; a token over the end of a word belongs to the one it begins in."""
    assert grouped(["▁play", "ing", "▁the"]) == [[0, 1], [2]]
    assert grouped(["▁我", "们去", "公", "园"]) == [[0, 1], [2, 3]]


def test_documents_do_not_share_words():
    """公 and 园 of two documents are two words."""
    assert grouped(["##x", "公", "园"], [1, 1, 2]) == [[0], [1], [2]]
    assert grouped(["play", "##ing"], [1, 2]) == [[0], [1]]


@pytest.mark.parametrize("seed", range(5))
def test_words_are_masked_whole(seed, row):
    """All tokens of a word are chosen or none is, and 15 % of all words are."""
    pieces = ("[PAD]", "[MASK]", "[CLS]", "[SEP]", "a", "##b", *"我们去公园")
    vocab = Vocab(size=len(pieces), max_length=512, pad=0, mask=1, cls=2, sep=3, pieces=pieces)
    unit = [4, 5, 5, 6, 7, 8, 9, 10]  # abb 我们 去 公园
    ids = [2, *unit * 40, 3]
    batch = Masked(unit="word").collate(Examples([row(ids) for _ in range(8)], vocab), np.random.default_rng(seed))
    chosen = (batch["labels"].numpy() != -100)[:, 1:-1].reshape(8 * 40, 8)
    words = np.stack([chosen[:, :3].any(1), chosen[:, 3:5].any(1), chosen[:, 5], chosen[:, 6:].any(1)], axis=1)
    assert (chosen == words[:, [0, 0, 0, 1, 1, 2, 3, 3]]).all()
    assert words.mean() == pytest.approx(0.15, abs=3 * (0.15 * 0.85 / words.size) ** 0.5)
    assert (batch["labels"][:, [0, -1]] == -100).all()


def test_a_row_has_a_word_to_predict(row):
    """However unlikely, one word of each row is chosen, whole."""
    pieces = ("[PAD]", "[MASK]", "a", "##b")
    vocab = Vocab(size=4, max_length=512, pad=0, mask=1, pieces=pieces)
    batch = Masked(unit="word", probability=1e-9).collate(
        Examples([row([2, 3, 2, 3])] * 9, vocab), np.random.default_rng(1)
    )
    assert {tuple(labels) for labels in (batch["labels"] != -100).int().tolist()} == {(1, 1, 0, 0), (0, 0, 1, 1)}
