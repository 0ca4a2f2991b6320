"""The runner of tokenizer components: streams the corpus, trains, writes the files that transformers reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from workbench.artifacts.corpus import Corpus
from workbench.contracts.context import Context
from workbench.contracts.tokenizer import Tokenizer
from workbench.errors import PluginError, StepError
from workbench.files.atomic import write_json, write_text

if TYPE_CHECKING:
    import tokenizers

REPORT_EVERY = 1000


def run(component: Tokenizer, ctx: Context) -> None:
    """Train `component` on the texts of the port `corpus`, if it has one; write the two files of a tokenizer."""
    corpus: Corpus | None = ctx.inputs.get("corpus")
    if corpus is not None and not corpus.num_rows:
        raise StepError("the corpus is empty", where=ctx.step, advice="workbench show the step before this one")
    trained = component.train(texts(corpus, ctx) if corpus else iter(()), ctx)
    _check_special_tokens(component, trained)
    write_text(ctx.output / "tokenizer.json", json.dumps(json.loads(trained.to_str()), ensure_ascii=False) + "\n")
    write_json(ctx.output / "tokenizer_config.json", configuration(component.configuration(trained, ctx)))


def texts(corpus: Corpus, ctx: Context) -> Iterator[str]:
    """Yield the text of every document, one shard in memory at a time, and report progress."""
    total, done = corpus.num_rows, 0
    for batch in corpus.batches(["text"]):
        for text in batch["text"]:
            yield text
            done += 1
            if done % REPORT_EVERY == 0 or done == total:
                ctx.progress(done, total)


def configuration(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return `tokenizer_config.json`: `AutoTokenizer` then gives the tokenizer exactly as it was trained."""
    return {
        "backend": "tokenizers",
        "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "attention_mask"],
        "tokenizer_class": "PreTrainedTokenizerFast",
        **said,
    }


def _check_special_tokens(component: Tokenizer, trained: tokenizers.Tokenizer) -> None:
    missing = [token for token in component.specials() if trained.token_to_id(token) is None]
    if missing:
        raise PluginError(
            f"train() gave a tokenizer that does not know {', '.join(missing)}", where=component.component_id
        )
