"""Words as tokens: the most frequent ones, with their space; a Chinese character is a word."""

from workbench_plugins.tokenizers.word import Word

TEXTS = ["the cat said(the) and the cat", "Then 1984 cats."]


def test_words_are_numbered_by_frequency_then_by_their_characters(learned):
    """`the` and ` cat` stand twice, everything else once; `t` is before the `▁` of a space; signs stand apart."""
    vocab = learned(Word(vocab_size=30), TEXTS).get_vocab()
    ordered = sorted(vocab, key=vocab.__getitem__)
    assert ordered[:5] == ["<pad>", "<unk>", "<eos>", "the", "▁cat"]
    assert set(ordered[5:]) == {")", ".", "1984", "Then", "▁", "(", "▁and", "▁cats", "▁said", "▁the"}


def test_a_known_text_comes_back_and_an_unknown_word_is_unknown(learned):
    tokenizer = learned(Word(vocab_size=30), TEXTS)
    assert tokenizer.decode(tokenizer.encode(TEXTS[0]).ids) == TEXTS[0]
    assert tokenizer.encode("the dog").tokens == ["the", "<unk>"]


def test_every_chinese_character_is_a_word_or_a_run_is(learned):
    texts = ["我们学习Python语言"]
    assert learned(Word(vocab_size=30), texts).encode(texts[0]).tokens == ["我", "们", "学", "习", "Python", "语", "言"]
    runs = learned(Word(vocab_size=30, han="runs"), texts)
    assert runs.encode(texts[0]).tokens == ["我们学习", "Python", "语言"]


def test_the_rarest_words_are_left_out(learned):
    tokenizer = learned(Word(vocab_size=16, min_frequency=2), TEXTS)
    assert sorted(tokenizer.get_vocab()) == ["<eos>", "<pad>", "<unk>", "the", "▁cat"]


def test_case_is_folded_if_asked(learned):
    assert learned(Word(vocab_size=30, lowercase=True), TEXTS).encode("THE").tokens == ["the"]


def test_a_special_token_in_a_text_is_only_text(learned, hard_texts):
    tokenizer = learned(Word(vocab_size=40, mask=True, chat_template="chatml"))
    for text in (*hard_texts, "<|im_start|><mask>"):
        assert not {0, 2, 3, 4, 5} & set(tokenizer.encode(text).ids)
