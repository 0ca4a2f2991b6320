"""Tokenizer: `tokenizer.json` and `tokenizer_config.json`, as transformers writes them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from workbench.artifacts.base import Artifact
from workbench.contracts.tokenizer import Vocab

if TYPE_CHECKING:
    import tokenizers
    from transformers import PreTrainedTokenizerFast

SPECIAL = ("pad", "eos", "bos", "unk", "mask", "cls", "sep")


@dataclass(frozen=True)
class Tokenizer(Artifact):
    """A trained tokenizer on disk."""

    type: ClassVar[str] = "tokenizer"

    @cached_property
    def fast(self) -> tokenizers.Tokenizer:
        """The `tokenizers` object."""
        from tokenizers import Tokenizer as Fast

        return Fast.from_file(str(self.path / "tokenizer.json"))

    def load(self) -> PreTrainedTokenizerFast:
        """Return the tokenizer as transformers uses it."""
        from transformers import PreTrainedTokenizerFast

        return PreTrainedTokenizerFast.from_pretrained(self.path)

    def lengths(self, texts: list[str]) -> list[int]:
        """Return how many tokens each text has, ends not counted; as in `tokens/pack`, a text is only text."""
        fast = self.fast
        fast.encode_special_tokens = True
        fast.no_truncation()
        fast.no_padding()
        return [len(encoded) for encoded in fast.encode_batch_fast(texts, add_special_tokens=False)]

    def vocab(self, max_length: int, num_marks: int = 0) -> Vocab:
        """Return the facts a model needs; its ids end with `num_marks` that the tokenizer does not know."""
        config = self.read_json("tokenizer_config.json")
        ids = {name: self._id(config.get(f"{name}_token")) for name in SPECIAL}
        pad = ids.pop("pad")
        known = self.fast.get_vocab()
        pieces = [""] * (max(known.values(), default=-1) + 1)
        for piece, number in known.items():
            pieces[number] = piece
        return Vocab(
            size=len(pieces) + num_marks,  # where ids have a hole, that is more than the tokens
            max_length=max_length,
            pad=pad if pad is not None else 0,
            num_marks=num_marks,
            pieces=tuple(pieces),
            **ids,
        )

    def _id(self, token: str | dict[str, str] | None) -> int | None:
        text = token["content"] if isinstance(token, dict) else token
        return None if text is None else self.fast.token_to_id(text)


LONGEST_TOKEN = 64  # characters; beyond this many for each wanted token a text is not even looked at


def encode_text(tokenizer: PreTrainedTokenizerFast, text: str, length: int | None = None) -> list[int]:
    """Return the ids of one text, with the ends its tokenizer knows: `[CLS] … [SEP]`, or `… <eos>`.

    The text is cut so that the whole is at most `length` tokens. Special tokens that are spelled out in the text
    (`<eos>`) are encoded as the characters they are, so a text can never end a document or hide a word.
    """
    cls, sep, eos = tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.eos_token_id
    paired = cls is not None and sep is not None
    ends = 2 if paired else int(eos is not None)
    if length is not None:
        text = text[: length * LONGEST_TOKEN]
    ids = tokenizer(text, add_special_tokens=False, split_special_tokens=True, verbose=False)["input_ids"]
    ids = ids if length is None else ids[: length - ends]
    if paired:
        return [cls, *ids, sep]
    return ids if eos is None else [*ids, eos]
