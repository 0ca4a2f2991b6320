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

    def vocab(self, max_length: int) -> Vocab:
        """Return the facts a model needs."""
        config = self.read_json("tokenizer_config.json")
        ids = {name: self._id(config.get(f"{name}_token")) for name in SPECIAL}
        pad = ids.pop("pad")
        return Vocab(size=self.fast.get_vocab_size(), max_length=max_length, pad=pad if pad is not None else 0, **ids)

    def _id(self, token: str | dict[str, str] | None) -> int | None:
        text = token["content"] if isinstance(token, dict) else token
        return None if text is None else self.fast.token_to_id(text)
