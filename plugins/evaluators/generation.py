"""Samples continued from prompts, for a person to read.

Special here: prompts are given, or are the first words of held-out documents, and then the text as it really went on
stands beside the continuation. N-grams and networks write alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import polars as pl
from pydantic import model_validator
from workbench_plugins.evaluators.sampling import first_words, sample_documents

from workbench.api import Evaluator, Field, Port, Scores, StepError, Writing, open_language_model, safe_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from workbench.api import Context, Corpus, LanguageModel, Model

CHARACTERS_PER_TOKEN = 6  # shown of the real text; English has about 4.5


@dataclass(frozen=True)
class Prompt:
    """Text to be continued, and how it really went on (empty when nobody knows)."""

    text: str
    reference: str = ""


class Generation(Evaluator):
    """Continue prompts with a causal model."""

    version: ClassVar[int] = 1
    stochastic: ClassVar[bool] = True
    inputs: ClassVar[Mapping[str, Port]] = {
        "model": Port("model"),
        "heldout": Port("corpus", optional=True, about="documents whose first words are prompts"),
    }
    heads: ClassVar = ("causal-lm", "permutation-lm", "seq2seq-lm")

    prompts: tuple[str, ...] = Field((), description="texts to continue; default: beginnings of held-out documents")
    documents: int = Field(8, ge=1, le=1000, description="how many beginnings of held-out documents")
    prompt_words: int = Field(12, ge=1, description="words of each document (characters in Chinese) that are given")
    max_tokens: int = Field(64, ge=1, description="tokens to write at most")
    temperature: float = Field(0.8, ge=0, le=10, description="0 always takes the likeliest token")
    top_p: float = Field(0.95, gt=0, le=1, description="choose among the likeliest tokens that hold this probability")
    top_k: int = Field(0, ge=0, description="choose among this many of the likeliest tokens; 0: among all")
    beams: int = Field(1, ge=1, le=64, description="continuations followed side by side; needs a temperature of 0")

    @model_validator(mode="after")
    def _beams_do_not_draw(self) -> Self:
        if self.beams > 1 and self.temperature:
            raise ValueError("beams follow the likeliest tokens: set temperature to 0, or beams to 1")
        return self

    def evaluate(self, model: Model, data: Corpus | None, ctx: Context) -> Scores:
        """Return a table of prompts and continuations. Raises `StepError` when there is no prompt."""
        prompts = self.collect(data, ctx)
        with open_language_model(model, ctx.device, ctx.threads) as language:
            texts = self.write(language, [prompt.text for prompt in prompts], ctx.rng_for("sampling"))
        limit = self.max_tokens * CHARACTERS_PER_TOKEN
        table = pl.DataFrame(
            {
                "prompt": [safe_text(prompt.text) for prompt in prompts],
                "continuation": [safe_text(text) for text in texts],
                "reference": [safe_text(prompt.reference, limit) for prompt in prompts],
            }
        )
        how = self.in_words()
        return Scores(tables={"samples": table}, notes=[f"temperature {self.temperature:g}, {how}"])

    def collect(self, data: Corpus | None, ctx: Context) -> list[Prompt]:
        """Return the given prompts, else the beginnings of a sample of documents."""
        if self.prompts:
            return [Prompt(text) for text in self.prompts]
        if data is None:
            raise StepError("no prompts", where=ctx.step, advice="set `prompts`, or give the step an input `heldout`")
        frame = sample_documents(data, self.documents, ctx.rng_for("documents"), ["text"])
        starts = [(first_words(text, self.prompt_words), text) for text in frame["text"]]
        return [Prompt(start, text[len(start) :]) for start, text in starts if start]

    def write(self, language: LanguageModel, prompts: Sequence[str], rng: np.random.Generator) -> list[str]:
        """Return how the model continues each prompt. Raises `StepError` for one without a token, which only n-grams continue."""
        tokenizer = language.tokenizer
        encoded = tokenizer(list(prompts), add_special_tokens=False, split_special_tokens=True, verbose=False)
        empty = [number for number, row in enumerate(encoded["input_ids"], 1) if not row]
        if empty and language.context is not None:
            raise StepError(
                f"prompt {empty[0]} of {len(prompts)} has no token",
                where=self.component_id,
                expected="a prompt that begins a text, since the network reads nothing before one",
            )
        how = Writing(self.max_tokens, self.temperature, self.top_k, self.top_p, self.beams)
        written = language.write(encoded["input_ids"], how, rng)
        return list(tokenizer.batch_decode(written, skip_special_tokens=True))

    def in_words(self) -> str:
        """Return how the next token is chosen."""
        if not self.temperature:
            return f"{self.beams} beams" if self.beams > 1 else "the likeliest token each time"
        return f"top-p {self.top_p:g}" + (f", top-k {self.top_k}" if self.top_k else "")
