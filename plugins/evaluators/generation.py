"""Samples continued from prompts, for a person to read.

Special here: prompts are given, or are the first words of held-out documents, and then the text as it really went on
stands beside the continuation. All prompts go through the model together, padded on the left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl
from workbench_plugins.evaluators.network import opened
from workbench_plugins.evaluators.sampling import first_words, sample_documents

from workbench.api import Evaluator, Field, Port, Scores, StepError, safe_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from workbench_plugins.evaluators.network import Network

    from workbench.api import Context, Corpus, Model

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
    heads: ClassVar = ("causal-lm",)

    prompts: tuple[str, ...] = Field((), description="texts to continue; default: beginnings of held-out documents")
    documents: int = Field(8, ge=1, le=1000, description="how many beginnings of held-out documents")
    prompt_words: int = Field(12, ge=1, description="words of each document (characters in Chinese) that are given")
    max_tokens: int = Field(64, ge=1, description="tokens to write at most")
    temperature: float = Field(0.8, ge=0, le=10, description="0 always takes the likeliest token")
    top_p: float = Field(0.95, gt=0, le=1, description="choose among the likeliest tokens that hold this probability")

    def evaluate(self, model: Model, data: Corpus | None, ctx: Context) -> Scores:
        """Return a table of prompts and continuations. Raises `StepError` when there is no prompt."""
        prompts = self.collect(data, ctx)
        with opened(model, ctx) as network:
            texts = self.write(network, [prompt.text for prompt in prompts], ctx.rng_for("sampling"))
        limit = self.max_tokens * CHARACTERS_PER_TOKEN
        table = pl.DataFrame(
            {
                "prompt": [safe_text(prompt.text) for prompt in prompts],
                "continuation": [safe_text(text) for text in texts],
                "reference": [safe_text(prompt.reference, limit) for prompt in prompts],
            }
        )
        how = "the likeliest token each time" if not self.temperature else f"top-p {self.top_p:g}"
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

    def write(self, network: Network, prompts: Sequence[str], rng: np.random.Generator) -> list[str]:
        """Return how the model continues each prompt."""
        import torch

        room = max(1, network.context - self.max_tokens)
        tokenizer = network.tokenizer
        encoded = tokenizer(list(prompts), add_special_tokens=False, split_special_tokens=True, verbose=False)
        rows = [ids[-room:] for ids in encoded["input_ids"]]
        longest = max(map(len, rows))
        pad = network.model.config.pad_token_id
        ids_bt = torch.tensor([[pad] * (longest - len(row)) + row for row in rows], device=network.device)
        mask_bt = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows], device=network.device)
        choice = {"temperature": self.temperature, "top_p": self.top_p, "top_k": 0} if self.temperature else {}
        with torch.random.fork_rng():
            torch.manual_seed(int(rng.integers(2**62)))
            written = network.model.generate(
                ids_bt,
                attention_mask=mask_bt,
                max_new_tokens=min(self.max_tokens, network.context - 1),
                do_sample=bool(self.temperature),
                pad_token_id=pad,
                **choice,
            )
        return list(tokenizer.batch_decode(written[:, longest:], skip_special_tokens=True))
