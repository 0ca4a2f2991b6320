"""The unigram model: the most probable pieces, the same ones as SentencePiece, and the same on every run."""

import itertools
import json
import math
from collections import Counter

import pytest
from workbench_plugins.tokenizers.unigram import Unigram, learned_pieces

from workbench.api import StepError


def scores(tokenizer) -> dict[str, float]:
    return dict(json.loads(tokenizer.to_str())["model"]["vocab"])


def segmentations(word: str):
    """Yield every way to cut a word."""
    for number in range(len(word)):
        for places in itertools.combinations(range(1, len(word)), number):
            ends = [0, *places, len(word)]
            yield [word[start:end] for start, end in itertools.pairwise(ends)]


@pytest.mark.parametrize("word", ["▁river", "▁village", "▁carried", "北京学习", "春天来了"])
def test_the_most_probable_pieces_are_chosen(learned, word):
    """Kudo 2018, equation 4: of all ways to cut a word, the one with the highest product of probabilities."""
    tokenizer = learned(Unigram(vocab_size=360))
    known = scores(tokenizer)
    ways = [way for way in segmentations(word) if all(piece in known for piece in way)]
    best = max(ways, key=lambda way: sum(known[piece] for piece in way))
    assert tokenizer.encode(word.replace("▁", " ")).tokens == best


def test_probabilities_are_those_of_the_corpus():
    """One word a, seen 60 times, and b, seen 20 times: the pieces have three quarters and one quarter.

    SentencePiece takes exp(digamma(n)) for n, a little less (its Bayesian EM): n - 1/2, nearly.
    """
    found = dict(learned_pieces(Counter({"a": 60, "b": 20}), 3, 16, "here"))
    ratio = math.exp(found["a"] - found["b"])
    assert ratio == pytest.approx(59.5 / 19.5, rel=0.01)


def test_every_text_comes_back(learned, hard_texts):
    tokenizer = learned(Unigram(vocab_size=400))
    for text in hard_texts:
        ids = tokenizer.encode(text).ids
        assert tokenizer.decode(ids, skip_special_tokens=False) == text
        assert not {0, 1, 2} & set(ids)


def test_special_tokens_come_first_then_bytes(learned):
    tokenizer = learned(Unigram(vocab_size=400, mask=True))
    assert [tokenizer.id_to_token(number) for number in range(5)] == ["<pad>", "<unk>", "<eos>", "<mask>", "<0x00>"]
    assert tokenizer.get_vocab_size() <= 400


def test_a_special_token_in_a_text_is_only_text(learned):
    """Though the vocabulary holds it, with the highest score of all."""
    tokenizer = learned(Unigram(vocab_size=400, mask=True, chat_template="chatml"))
    ids = tokenizer.encode("a <mask> and <|im_end|> or <pad>").ids
    assert not {0, 1, 2, 3, 4, 5} & set(ids)


def test_without_bytes_a_rare_character_is_unknown(learned):
    tokenizer = learned(Unigram(vocab_size=100, byte_fallback=False))
    assert 1 in tokenizer.encode("龘").ids


def test_line_ends_and_tabs_are_learned(learned):
    """SentencePiece alone loses a line end where a line ends, and a text with a tab."""
    tokenizer = learned(Unigram(vocab_size=330), ["if x:\n\treturn y\n\n\treturn z\n"] * 30)
    for piece in ("\n", "\t"):
        assert any(piece in token for token in tokenizer.get_vocab())
    assert not [token for token in tokenizer.get_vocab() if ord(max(token)) >= 0x10FFFA]
    assert not [token for token in tokenizer.encode("\treturn\n").tokens if token.startswith("<0x")]


def test_private_characters_of_the_text_are_not_taken_for_line_ends(learned):
    text = "a\U0010fffab\U0010fffb"
    tokenizer = learned(Unigram(vocab_size=330), [text, "ab"] * 30)
    assert tokenizer.decode(tokenizer.encode(text).ids) == text
    assert not [piece for piece in scores(tokenizer) if set(piece) & set("\t\n")]


def test_chinese_words_become_pieces(learned):
    texts = [f"我们在{place}学习" for place in ["北京", "上海", "广州", "深圳", "成都"]] * 4
    assert "学习" in learned(Unigram(vocab_size=320), texts).encode("请学习吧").tokens


def test_nothing_to_learn_is_said(ctx):
    with pytest.raises(StepError, match="could not learn"):
        Unigram(vocab_size=320).train(iter(["", ""]), ctx)
