"""What all tokenizers learned here share: their special tokens, and room for them in the vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from workbench.api import Field, Tokenizer

BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
"""The tokens that stand for the bytes of a character the vocabulary lacks, as SentencePiece writes them."""


class Special(Tokenizer):
    """A tokenizer with `<pad>`, `<unk>` and `<eos>`, and `<mask>` if asked for."""

    special_tokens: ClassVar[Mapping[str, str]] = {"pad_token": "<pad>", "unk_token": "<unk>", "eos_token": "<eos>"}

    mask: bool = Field(False, description="add the token <mask>, which objective/masked needs")

    def roles(self) -> Mapping[str, str]:
        """Return role → special token, the mask last."""
        return {**self.special_tokens, **({"mask_token": "<mask>"} if self.mask else {})}

    def check_room(self, vocab_size: int, needed: int, what: str) -> None:
        """Raise `ValueError` when the vocabulary cannot hold its special tokens and `needed` more."""
        least = len(self.specials()) + needed
        if vocab_size < least:
            raise ValueError(
                f"vocab_size {vocab_size} has no room for {len(self.specials())} special tokens and {what}; "
                f"it is at least {least}"
            )
