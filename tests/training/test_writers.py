"""Every generative architecture scores texts and continues prompts: probabilities add up, and what is written is chosen
as it should be, worked out step by step without any cache."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
import torch

from workbench.testing.artifacts import small_model
from workbench.training.masks import model_inputs
from workbench.training.writers import open_language_model
from workbench.training.writing import Writing

DECODERS = ("gpt-j", "gpt-neox", "gpt2", "llama", "mixtral", "mpt", "palm", "qwen")
MODELS = {
    **dict.fromkeys(DECODERS, "causal"),
    "prefix-lm": "prefix",
    "xlnet": "permutation",
    "t5": "span-corruption",
    "bart": "denoising",
}
PROMPT = [40, 50, 60]


@cache
def trained(name):
    folder = Path(mkdtemp())
    return small_model(folder, architecture=f"architecture/{name}", objective=f"objective/{MODELS[name]}", steps=2)


@pytest.fixture(params=MODELS)
def language(request):
    with open_language_model(trained(request.param), "cpu") as opened:
        torch.manual_seed(1)
        for weight in opened.model.parameters():  # two steps leave every token as likely as any other
            if weight.ndim > 1:
                weight.copy_(torch.randn_like(weight) * 0.3)
        opened.name = request.param
        yield opened


def test_the_next_token_is_one_of_the_vocabulary(language):
    """The probabilities of all continuations by one token add up to one."""
    rows = [[*PROMPT, token] for token in range(language.vocab_size)]
    scores = language.score(rows)
    assert sum(np.exp(row[-1]) for row in scores) == pytest.approx(1, abs=1e-4)
    assert scores[0][0] == pytest.approx(-np.log(language.vocab_size))


def test_a_text_has_the_probability_it_has_alone(language):
    """Texts of other lengths in the batch change nothing, and every token's score depends on those before it only."""
    rows = [[*PROMPT, 70, 80], [90], [33, 44]]
    together, alone = language.score(rows), [language.score([row])[0] for row in rows]
    for one, other in zip(together, alone, strict=True):
        assert np.allclose(one, other, atol=1e-4)
    if language.name != "t5":  # its last place is told apart by nothing but what comes before it, too
        changed = language.score([[*PROMPT, 70, 81]])[0]
        assert np.allclose(changed[:4], together[0][:4], atol=1e-5)
        assert abs(changed[4] - together[0][4]) > 1e-6


def by_hand(language, prompt, number):
    """Return the likeliest tokens one after another, each from a pass of its own."""
    model, written = language.model, []
    for _ in range(number):
        ids = torch.tensor([[*prompt, *written]])
        batch = {"input_ids": ids, "segment_ids": torch.ones_like(ids)}
        if language.name == "prefix-lm":
            batch["prefix_mask"] = torch.arange(ids.shape[1])[None] < len(prompt)
        elif language.name == "xlnet":
            ids = torch.cat([ids, torch.zeros(1, 1, dtype=torch.int64)], 1)
            order = torch.zeros_like(ids)
            order[0, -1] = 1
            batch = {"input_ids": ids, "segment_ids": torch.ones_like(ids), "order": order}
            batch["target_positions"] = torch.tensor([[ids.shape[1] - 1]])
        elif language.name in ("t5", "bart"):
            read = torch.tensor([[*prompt, *language.missing]])
            begun = prompt if language.denoises else language.span[:1]
            ids = torch.tensor([[model.config.decoder_start_token_id, *begun, *written]])
            batch = {"input_ids": read, "segment_ids": torch.ones_like(read)}
            batch |= {"decoder_input_ids": ids, "decoder_segment_ids": torch.ones_like(ids)}
        token = int(model(**model_inputs(model, batch)).logits[0, -1].argmax())
        if token in (language.tokenizer.eos_token_id, *getattr(language, "span", [])[1:]):
            break
        written.append(token)
    return written


def test_the_likeliest_token_is_written(language):
    """Greedy writing, with whatever the model remembers, is the argmax of a pass over everything."""
    prompts = [PROMPT, [33], [44, 55, 66, 77]]
    written = language.write(prompts, Writing(max_tokens=6), np.random.default_rng(1))
    assert written == [by_hand(language, prompt, 6) for prompt in prompts]


@pytest.mark.parametrize("how", [Writing(6, beams=3), Writing(6, 1.0, top_k=5), Writing(6, 1.0, top_p=0.9)])
def test_beams_and_draws(language, how):
    """Something is written, no longer than asked for; the same generator draws the same."""
    first, again = (language.write([PROMPT, [33]], how, np.random.default_rng(1)) for _ in range(2))
    assert first == again
    assert all(len(row) <= 6 and all(0 <= token < language.vocab_size for token in row) for row in first)
    assert any(first)
