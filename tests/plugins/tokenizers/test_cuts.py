"""Where text is cut: nothing is lost, Chinese is no single word, and no special token is spelled by one piece."""

import pytest
from tokenizers import Regex, pre_tokenizers
from workbench_plugins.tokenizers.byte_bpe import ByteBpe
from workbench_plugins.tokenizers.cuts import ONLY_A_SPACE, cuts


def pieces(text: str, **settings) -> list[str]:
    split = pre_tokenizers.Split(Regex(cuts(**settings)), behavior="isolated")
    return [piece for piece, _ in split.pre_tokenize_str(text)]


@pytest.mark.parametrize(
    "text, settings, expected",
    [
        ("用Python写代码", {}, ["用", "Python", "写代码"]),
        ("用Python写代码", {"han": "characters"}, ["用", "Python", "写", "代", "码"]),
        ("in 12345", {}, ["in", " ", "123", "45"]),
        ("in 12345", {"digits": 1}, ["in", " ", "1", "2", "3", "4", "5"]),
        ("in 12345", {"digits": 64}, ["in", " ", "12345"]),
        ("call(it) now", {}, ["call", "(it", ")", " now"]),
        ("call(it) now", {"before": ONLY_A_SPACE}, ["call", "(", "it", ")", " now"]),
    ],
)
def test_the_options_move_the_cuts(text, settings, expected):
    assert pieces(text, **settings) == expected


@pytest.mark.parametrize("settings", [{}, {"han": "characters", "digits": 1}, {"before": ONLY_A_SPACE}])
def test_the_pieces_are_the_whole_text(settings):
    text = "".join(map(chr, [*range(0x0, 0xD800, 11), *range(0xE000, 0x20000, 37)]))
    assert "".join(pieces(text, **settings)) == text


@pytest.mark.parametrize("before", [{}, {"before": ONLY_A_SPACE}])
@pytest.mark.parametrize("token", ["<pad>", "<eos>", "<mask>", "<|im_start|>", "<0x0A>", "[INST]"])
def test_no_piece_spells_a_special_token(token, before):
    """So that a vocabulary looked up piece by piece cannot give the token for the text."""
    for text in (token, f"a{token}b", f" {token} ", token * 3):
        assert not [piece for piece in pieces(text, **before) if token in piece]


def test_the_options_reach_the_tokenizer(learned):
    """Each digit and each Chinese character of a byte-level tokenizer becomes its own token, or not."""
    texts = ["1984 北京学习"] * 20
    apart = learned(ByteBpe(vocab_size=300, han="characters", digits=1), texts)
    assert [apart.decode([number]) for number in apart.encode("1984北京学习").ids] == list("1984北京学习")
    together = learned(ByteBpe(vocab_size=300), texts)
    assert [together.decode([number]) for number in together.encode("1984北京学习").ids] == ["198", "4", "北京学习"]
