"""Samples: prompts in any script, the seed, greedy choice, batches that do not mix."""

from dataclasses import replace

import pytest
import torch
from workbench_plugins.evaluators.generation import Generation
from workbench_plugins.evaluators.sampling import first_words

from workbench.api import StepError, load_model, safe_text

PROMPTS = ("Once upon a time", "很久很久以前，有一个", "x")


def test_the_seed_decides_what_is_written(saved_model, context):
    """The same seed writes the same, another seed something else."""
    model, ctx = saved_model(), context()
    texts = [
        Generation(prompts=PROMPTS, max_tokens=16)
        .evaluate(model, None, one)
        .tables["samples"]["continuation"]
        .to_list()
        for one in (ctx, replace(ctx), replace(ctx, seed=6))
    ]
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]


def test_greedy_takes_the_likeliest_token(saved_model, context, tokenizer):
    """At temperature 0 each prompt goes on as it does by taking the highest logit step by step, alone."""
    model = saved_model()
    result = Generation(prompts=PROMPTS, max_tokens=6, temperature=0).evaluate(model, None, context())
    network, fast = load_model(model), tokenizer.load()
    for prompt, text in zip(PROMPTS, result.tables["samples"]["continuation"], strict=True):
        ids = fast(prompt, add_special_tokens=False)["input_ids"]
        for _ in range(6):
            with torch.no_grad():
                ids.append(int(network(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1].argmax()))
        start = len(fast(prompt, add_special_tokens=False)["input_ids"])
        assert text == safe_text(fast.decode(ids[start:], skip_special_tokens=True))


def test_prompts_are_beginnings_of_documents(saved_model, corpus, context):
    """Without given prompts the first words of held-out documents are continued, and their real rest stands beside."""
    held = corpus(["alpha beta gamma delta", "今天天气很好"])
    result = Generation(prompt_words=2, max_tokens=4).evaluate(saved_model(), held, context())
    table = result.tables["samples"]
    assert table["prompt"].to_list() == ["alpha beta", "今天"]
    assert table["reference"].to_list() == [" gamma delta", "天气很好"]


def test_a_long_prompt_leaves_room(saved_model, context):
    """A prompt longer than the context is cut at its beginning."""
    settings = Generation(prompts=("word " * 200,), max_tokens=8, temperature=0)
    assert settings.evaluate(saved_model(length=16), None, context()).tables["samples"].height == 1


def test_no_prompt_is_said(saved_model, context):
    """The message says what can be given."""
    with pytest.raises(StepError, match="set `prompts`, or give the step an input `heldout`"):
        Generation().evaluate(saved_model(), None, context())


@pytest.mark.parametrize(
    "text,number,expected",
    [
        ("a b c", 2, "a b"),
        ("你好，世界", 3, "你好，世"),
        ("日本語 text", 4, "日本語 text"),
        ("...", 3, ""),
        ("", 1, ""),
    ],
)
def test_first_words(text, number, expected):
    """A word is a run of letters, or one character of a script without spaces."""
    assert first_words(text, number) == expected


def test_a_prompt_without_a_token_is_refused(saved_model, context):
    """A network has nothing to go on from; beside other prompts it would go on from padding."""
    with pytest.raises(StepError, match="prompt 2 of 2 has no token"):
        Generation(prompts=("A text", "")).evaluate(saved_model(), None, context())
