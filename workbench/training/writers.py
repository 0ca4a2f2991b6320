"""Language models that are no plain decoders, on the footing of `language`: prefix decoders, XLNet, encoder-decoders.

What is the same for all: `score` is the log-probability of each token given those before it, and the first token of a
document counts as one out of the whole vocabulary. What differs is how a model is asked:

    prefix decoder    as a decoder when it scores; a prompt is read from both sides before it writes
    permutation       in the order of the text; the first token is given
    encoder-decoder   a text of which everything is missing is read, and the decoder writes it

Shapes: B rows, T tokens of a row, V vocabulary.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from workbench.contracts.static import StaticLanguageModel
from workbench.errors import StepError
from workbench.training.device import choose_device, repeatable
from workbench.training.language import LanguageModel, NeuralLanguage, StaticLanguage
from workbench.training.masks import model_inputs
from workbench.training.models import load_model
from workbench.training.padding import pad_rows
from workbench.training.static import is_static, load_static

if TYPE_CHECKING:
    import numpy as np
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from workbench.artifacts.model import Model
    from workbench.training.writing import Writing

WRITES = ("causal-lm", "permutation-lm", "seq2seq-lm")  # heads that say how a text goes on


class OneByOne(NeuralLanguage):
    """Models that write one text at a time: their prompts cannot be padded."""

    def write(self, rows: Sequence[Sequence[int]], how: Writing, rng: np.random.Generator) -> list[list[int]]:
        """Return how each row goes on."""
        import torch

        ends = self.ends()
        found = []
        with torch.random.fork_rng():
            torch.manual_seed(int(rng.integers(2**62)))
            for row in rows:
                written = self.go_on(list(row)[-max(1, (self.context or 0) - how.max_tokens) :], how)
                stop = next((place for place, token in enumerate(written) if token in ends), len(written))
                found.append(written[:stop])
        return found

    @abstractmethod
    def go_on(self, prompt: list[int], how: Writing) -> list[int]:
        """Return the tokens that follow a prompt, perhaps with what ends them."""

    def ends(self) -> list[int]:
        """Return the tokens that end a text."""
        end = self.tokenizer.eos_token_id
        return [] if end is None else [end]

    def options(self, how: Writing) -> dict[str, Any]:
        """Return how transformers is to choose tokens."""
        drawn = {"temperature": how.temperature, "top_p": how.top_p, "top_k": how.top_k} if how.samples else {}
        return {
            "max_new_tokens": max(1, min(how.max_tokens, (self.context or how.max_tokens + 1) - 1)),
            "do_sample": how.samples,
            "num_beams": how.beams,
            "pad_token_id": self.model.config.pad_token_id,
            "eos_token_id": self.ends() or None,
            **drawn,
        }


class PrefixLanguage(OneByOne):
    """A prefix decoder."""

    def go_on(self, prompt: list[int], how: Writing) -> list[int]:
        """Return what follows a prompt that is read from both sides.

        The cache is filled under the prefix's mask. Its last token is dropped again: transformers reads one token by
        itself before it writes, and the last one sees the whole prompt in either case.
        """
        import torch
        from transformers import DynamicCache

        ids_1t = torch.tensor([prompt], device=self.device)
        everything = torch.ones_like(ids_1t)
        given = {"input_ids": ids_1t, "segment_ids": everything, "prefix_mask": everything.bool()}
        cache = DynamicCache(config=self.model.config)
        self.model(**{**model_inputs(self.model, given), "use_cache": True, "past_key_values": cache})
        cache.crop(-1)
        if how.beams > 1:
            cache.batch_repeat_interleave(how.beams)
        remembered = {"past_key_values": cache} if len(prompt) > 1 else {}
        written = self.model.generate(ids_1t, attention_mask=everything, **remembered, **self.options(how))
        return written[0, len(prompt) :].tolist()  # type: ignore[no-any-return]


class PermutationLanguage(OneByOne):
    """XLNet, asked in the order of the text."""

    def logits(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Return float[B, T, V]: at each place what is said of the next token, as a decoder does; the last is empty."""
        import torch

        batch = {name: value.to(self.device) for name, value in pad_rows(rows, self.model.config.pad_token_id).items()}
        place_bt = batch["position_ids"]
        asked = {"order": place_bt * (batch["segment_ids"] > 0), "target_positions": place_bt[:, 1:]}
        logits_bnv = self.model(**model_inputs(self.model, {**batch, **asked})).logits.float()
        return torch.cat([logits_bnv, torch.zeros_like(logits_bnv[:, :1])], dim=1)

    def go_on(self, prompt: list[int], how: Writing) -> list[int]:
        """Return what follows a prompt, whose tokens all see each other."""
        import torch

        ids_1t = torch.tensor([prompt], device=self.device)
        written = self.model.generate(ids_1t, use_mems=False, **self.options(how))
        return written[0, len(prompt) :].tolist()  # type: ignore[no-any-return]


class PairLanguage(OneByOne):
    """An encoder-decoder that was trained to write what is missing.

    Models with marks for spans write a span behind its mark, up to the next mark; those that denoise write a whole
    text, which begins with the prompt; any other one writes what it likes after reading the prompt.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerFast,
        device: torch.device,
        context: int | None = None,
        objective: str = "",
    ) -> None:
        super().__init__(model, tokenizer, device, context)
        known = max(tokenizer.get_vocab().values()) + 1  # ids may have a hole
        self.denoises = objective == "objective/denoising"
        first = known + (3 if objective == "objective/mixture-of-denoisers" else 0)
        has_spans = not self.denoises and self.vocab_size > first + 1
        self.span = [first, first + 1] if has_spans else []  # the marks of the first span and of its end
        mask = tokenizer.mask_token_id
        self.missing = [known if mask is None else mask] if self.denoises else self.span[:1]

    def ends(self) -> list[int]:
        """Return the end token, and the mark behind a span."""
        return super().ends() + self.span[1:]

    def logits(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Return float[B, T, V]: at each place of the written text what is said of the next token."""
        start = [self.model.config.decoder_start_token_id, *self.span[:1]]
        pad = self.model.config.pad_token_id
        read = pad_rows([self.missing or [pad]] * len(rows), pad)
        written = pad_rows([[*start, *row] for row in rows], pad)
        batch = {
            **read,
            "decoder_input_ids": written["input_ids"],
            "decoder_segment_ids": written["segment_ids"],
        }
        given = {name: value.to(self.device) for name, value in batch.items()}
        return self.model(**model_inputs(self.model, given)).logits[:, len(start) :].float()  # type: ignore[no-any-return]

    def go_on(self, prompt: list[int], how: Writing) -> list[int]:
        """Return what is written where the prompt ends."""
        import torch

        begun = [self.model.config.decoder_start_token_id, *self.span[:1], *(prompt if self.denoises else [])]
        ids_1t = torch.tensor([[*prompt, *self.missing]], device=self.device)
        written = self.model.generate(
            ids_1t,
            attention_mask=torch.ones_like(ids_1t),
            decoder_input_ids=torch.tensor([begun], device=self.device),
            **self.options(how),
        )
        return written[0, len(begun) :].tolist()  # type: ignore[no-any-return]


KINDS: dict[str, type[NeuralLanguage]] = {"permutation-lm": PermutationLanguage, "seq2seq-lm": PairLanguage}


def language_of(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, device: torch.device, card: dict[str, Any]
) -> NeuralLanguage:
    """Return the loaded model as a language model; `card` says how it was trained, and is empty for a foreign one."""
    context = card.get("context")
    if card.get("head") == "seq2seq-lm":
        return PairLanguage(model, tokenizer, device, context, str(card.get("objective", "")))
    if getattr(model.config, "attention_pattern", "") == "prefix":
        return PrefixLanguage(model, tokenizer, device, context)
    kind = KINDS.get(str(card.get("head")), NeuralLanguage)
    return kind(model, tokenizer, device, context)


@contextmanager
def open_language_model(model: Model, device: str = "auto", threads: int = 1) -> Iterator[LanguageModel]:
    """Give a trained model that says how texts go on, neural or static, ready for use.

    Args:
        model: The artifact.
        device: `auto`, `cpu`, `cuda` or `cuda:N`; a static model always runs on the CPU.
        threads: Of one process.

    Raises `StepError` when the model predicts no next token or cannot be loaded.
    """
    if is_static(model.path):
        loaded = load_static(model)
        if not isinstance(loaded, StaticLanguageModel):
            head = model.card.get("head")
            raise StepError(f"a model with a {head} head predicts no next token", where=model.step or str(model.path))
        yield StaticLanguage(loaded, model.tokenizer.load())
        return
    import torch

    card = model.card if (model.path / "training.json").is_file() else {"head": "causal-lm"}
    head = card["head"]
    if head not in WRITES:
        raise StepError(f"a model with a {head} head predicts no next token", where=model.step or str(model.path))
    chosen = choose_device(device)
    network = load_model(model, head, device=chosen).eval()
    with repeatable(chosen, threads), torch.inference_mode():
        yield language_of(network, model.tokenizer.load(), chosen, card)
