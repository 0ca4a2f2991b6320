"""Spaces as `▁`, and bytes for what the vocabulary lacks, as SentencePiece has it (Kudo and Richardson 2018).

Special here: nothing is put before a text, so that decoding two halves gives the whole. A `▁` (U+2581) in the text
itself is read as a space: the one character that does not come back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers

SPACE = "▁"


def as_space(text: str) -> str:
    """Return the text as the tokenizer spells it: spaces are `▁`."""
    return text.replace(" ", SPACE)


def assembled(
    model: models.Model, split: pre_tokenizers.PreTokenizer | None, specials: list[str]
) -> tokenizers.Tokenizer:
    """Return a tokenizer that cuts text with `split`, if given, then writes spaces as `▁`."""
    from tokenizers import Tokenizer, pre_tokenizers

    tokenizer = Tokenizer(model)
    spaces = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="never", split=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, spaces]) if split else spaces
    tokenizer.decoder = decoder()
    tokenizer.add_special_tokens(specials)
    return tokenizer


def decoder() -> decoders.Decoder:
    """Return what turns `▁` into spaces and byte tokens into characters."""
    from tokenizers import decoders

    return decoders.Sequence(
        [decoders.Metaspace(replacement=SPACE, prepend_scheme="never"), decoders.ByteFallback(), decoders.Fuse()]
    )
