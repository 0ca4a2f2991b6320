"""Bytes as tokens (Xue et al. 2022, ByT5): nothing to learn, nothing unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from workbench_plugins.tokenizers.special import Special

from workbench.api import Context, Port

if TYPE_CHECKING:
    import tokenizers


class Byte(Special):
    """Take each byte of the UTF-8 text as a token; special tokens have the lowest ids, byte 0 the next."""

    version: ClassVar[int] = 1
    inputs: ClassVar[Mapping[str, Port]] = {}
    special_tokens: ClassVar[Mapping[str, str]] = {"pad_token": "<pad>", "eos_token": "<eos>"}

    def train(self, texts: Iterator[str], ctx: Context) -> tokenizers.Tokenizer:
        """Return the tokenizer; no text is read."""
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers

        del texts, ctx
        tokens = [*self.specials(), *letters_of_bytes()]
        tokenizer = Tokenizer(models.BPE(vocab={token: number for number, token in enumerate(tokens)}, merges=[]))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.add_special_tokens(self.specials())
        return tokenizer


def letters_of_bytes() -> list[str]:
    """Return the letter that stands for each byte in byte-level tokenizers (Radford et al. 2019), by byte.

    >>> letters_of_bytes()[0x20], letters_of_bytes()[0x41], letters_of_bytes()[0]
    ('Ġ', 'A', 'Ā')
    """
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in plain else next(others)) for byte in range(0x100)]
