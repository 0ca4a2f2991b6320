"""A tokenizer on disk: what it says of texts."""

from tokenizers import Tokenizer as Fast
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from workbench.artifacts import Tokenizer


def test_lengths_count_a_text_as_text(tmp_path):
    """A spelled-out `<eos>` is the three pieces `<`, `eos`, `>`, and no text is cut or filled up."""
    fast = Fast(WordLevel({"?": 0, "a": 1, "<": 2, "eos": 3, ">": 4, "<eos>": 5}, unk_token="?"))
    fast.pre_tokenizer = Whitespace()
    fast.add_special_tokens(["<eos>"])
    fast.enable_truncation(2)
    fast.enable_padding(length=4)
    fast.save(str(tmp_path / "tokenizer.json"))
    assert Tokenizer(tmp_path).lengths(["a <eos> a", "", "中 a"]) == [5, 0, 2]
