"""Tokenizers, and the vocabulary facts that models and objectives need."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import field_validator

from workbench.contracts.chat import TEMPLATES, check_template
from workbench.contracts.component import Component, Field
from workbench.contracts.ports import Port
from workbench.errors import StepError

if TYPE_CHECKING:
    import tokenizers

    from workbench.contracts.context import Context


SPECIAL_FORM = re.compile(r"[^\w\s]\S*\w\S*[^\w\s]")


class Tokenizer(Component):
    """Learn a tokenizer from a corpus; saved as `tokenizer.json`, which transformers loads.

    One that has nothing to learn declares no port, and is given no text.
    """

    kind: ClassVar[str] = "tokenizer"
    inputs: ClassVar[Mapping[str, Port]] = {"corpus": Port("corpus", about="the text to learn from")}
    output: ClassVar[str] = "tokenizer"
    special_tokens: ClassVar[Mapping[str, str]] = {"pad_token": "<pad>", "unk_token": "<unk>", "eos_token": "<eos>"}

    chat_template: str | None = Field(
        None, min_length=1, description="how a conversation becomes one text: `chatml`, or a jinja template of your own"
    )
    extra_tokens: tuple[str, ...] = Field((), description="further special tokens, such as your chat template writes")

    @field_validator("chat_template")
    @classmethod
    def _is_jinja(cls, template: str | None) -> str | None:
        if template is not None and template not in TEMPLATES:
            check_template(template)
        return template

    @field_validator("extra_tokens")
    @classmethod
    def _are_tokens(cls, tokens: tuple[str, ...]) -> tuple[str, ...]:
        """Ask for a form that no trainer can take for a word, or ordinary text would turn into the token."""
        odd = [token for token in tokens if not SPECIAL_FORM.fullmatch(token)]
        if odd or len(set(tokens)) < len(tokens):
            raise ValueError(f"{odd[0]!r} is not of the form <name> or [name]" if odd else "a token stands there twice")
        return tokens

    @abstractmethod
    def train(self, texts: Iterator[str], ctx: Context) -> tokenizers.Tokenizer:
        """Return a trained `tokenizers.Tokenizer` that knows every token of `specials()`."""

    def roles(self) -> Mapping[str, str]:
        """Return role → special token (`pad_token` → `<pad>`), in the order of their ids."""
        return self.special_tokens

    def specials(self) -> list[str]:
        """Return every special token: those with a role, those of the chat template, and `extra_tokens`."""
        of_template = TEMPLATES[self.chat_template].marks if self.chat_template in TEMPLATES else ()
        return list(dict.fromkeys([*self.roles().values(), *of_template, *self.extra_tokens]))

    def configuration(self, trained: tokenizers.Tokenizer, ctx: Context) -> dict[str, Any]:
        """Return what `tokenizer_config.json` says of `trained`: roles, further special tokens, chat template."""
        del trained, ctx
        roles = dict(self.roles())
        others = [token for token in self.specials() if token not in roles.values()]
        template = TEMPLATES[self.chat_template].text if self.chat_template in TEMPLATES else self.chat_template
        return {
            **roles,
            **({"extra_special_tokens": others} if others else {}),
            **({"chat_template": template} if template else {}),
        }


@dataclass(frozen=True)
class Vocab:
    """What a model has to know of its tokenizer.

    Attributes:
        size: Number of token ids.
        max_length: The longest row, in tokens, that the model will see in training.
        pad, eos, bos, unk, mask, cls, sep: Token ids, None where the tokenizer has no such token.
        num_marks: The last ids of `size`, which the tokenizer does not know: objectives mark places with them, such
            as the spans that were cut out.
        pieces: The tokens as the tokenizer writes them (`Ġthe`, `##ing`, `▁the`), by id; marks have none.
    """

    size: int
    max_length: int
    pad: int
    eos: int | None = None
    bos: int | None = None
    unk: int | None = None
    mask: int | None = None
    cls: int | None = None
    sep: int | None = None
    num_marks: int = 0
    pieces: Sequence[str] = field(default=(), compare=False, repr=False)

    def mark(self, number: int) -> int:
        """Return the id of a mark, counted from 0. Raises `StepError` when the model has fewer."""
        if number >= self.num_marks:
            raise StepError(
                f"mark {number} is asked for, but the model has {self.num_marks}",
                expected="a model that was pretrained with this objective, or one that needs as many marks",
            )
        return self.size - self.num_marks + number
