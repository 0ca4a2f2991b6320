"""Small artifacts made on the spot: a corpus, a tokenizer, tokens, a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from workbench.artifacts import Corpus, Model, Tokenizer, Tokens
from workbench.artifacts.corpus import write_shard
from workbench.artifacts.ledger import Ledger
from workbench.contracts.component import Component
from workbench.contracts.records import document_id, documents
from workbench.files.atomic import write_json
from workbench.pipeline.settings import component_from_json
from workbench.registry import shared_registry
from workbench.testing.texts import ordinary
from workbench.testing.trials import trial


def small_corpus(
    folder: Path, texts: Sequence[str] | None = None, *, parts: Sequence[str] = (), num_shards: int = 2, **columns: Any
) -> Corpus:
    """Write `texts` (default: 60 ordinary documents) as a corpus with two shards, or with that many per part.

    Args:
        folder: An empty folder.
        texts: The documents, in order.
        parts: Names of parts; the documents are dealt out to them in turn.
        num_shards: Shards, per part where there are parts.
        columns: Further columns, one value per text (`label=[…]`).
    """
    texts = ordinary(60) if texts is None else list(texts)
    rows = [
        {
            "id": document_id("small", index),
            "text": text,
            "source": f"small.txt:{index + 1}",
            "meta": {"language": "zh" if "，" in text else "en"},
            **{name: values[index] for name, values in columns.items()},
        }
        for index, text in enumerate(texts)
    ]
    shards = []
    names: Sequence[str | None] = list(parts) or [None]
    for place, part in enumerate(names):
        own = rows[place :: len(names)]
        for index in range(num_shards):
            chunk = own[index * len(own) // num_shards : (index + 1) * len(own) // num_shards]
            frame = documents([dict(row) for row in chunk])
            if not chunk:
                frame = documents([dict(rows[0])]).clear() if rows else frame
            name = f"{part}-{index:05}.parquet" if part else f"{index:05}.parquet"
            write_shard(folder / "shards" / name, frame)
            shards.append({"name": name, "part": part, "rows": len(chunk)})
    schema = documents([dict(row) for row in rows[:1]]).schema if rows else {}
    kinds = {name: str(kind) for name, kind in schema.items()}
    write_json(folder / "corpus.json", {"parts": list(parts), "columns": kinds, "shards": shards})
    write_json(folder / "ledger.json", Ledger(read=len(rows), kept=len(rows)).to_json())
    return Corpus(folder, "small-corpus", step="small")


def small_component(use: str, **settings: Any) -> Component:
    """Return a registered component with these settings."""
    return component_from_json(shared_registry(), {"use": use, "with": settings})


def small_tokenizer(folder: Path, corpus: Corpus | None = None, *, use: str = "tokenizer/byte-bpe") -> Tokenizer:
    """Train a tokenizer of 400 tokens on a small corpus."""
    corpus = corpus or small_corpus(folder / "corpus")
    component = small_component(use, vocab_size=400)
    return cast("Tokenizer", trial(component, {"corpus": corpus}, folder / "tokenizer"))


def small_tokens(folder: Path, *, tokenizer: str = "tokenizer/byte-bpe", context: int = 32) -> Tokens:
    """Pack a small corpus with parts `train` and `valid` into rows of `context` tokens."""
    corpus = small_corpus(folder / "corpus", parts=("train", "valid"))
    learned = small_tokenizer(folder, Corpus(corpus.path, corpus.fingerprint, "train", "small"), use=tokenizer)
    component = small_component("tokens/pack", context=context)
    return cast("Tokens", trial(component, {"corpus": corpus, "tokenizer": learned}, folder / "tokens"))


def small_model(
    folder: Path, *, architecture: str = "architecture/llama", objective: str = "objective/causal", steps: int = 2
) -> Model:
    """Train a model of one layer and width 16 for a few steps."""
    tokenizer = "tokenizer/wordpiece" if objective == "objective/masked" else "tokenizer/byte-bpe"
    tokens = small_tokens(folder, tokenizer=tokenizer)
    component = small_component(
        "train/pretrain",
        architecture={"use": architecture, "with": {"layers": 1, "width": 16, "heads": 2}},
        objective={"use": objective, "with": {}},
        budget={"steps": steps},
        batch_size=2,
    )
    return cast("Model", trial(component, {"tokens": tokens}, folder / "model"))


def labelled_corpus(folder: Path, *, parts: Sequence[str] = ("train", "valid")) -> Corpus:
    """Write a small corpus with a `label` column, the language of each document; every part has both."""
    labelled = sorted(("zh" if "，" in text else "en", text) for text in ordinary(40))
    labels, texts = zip(*labelled, strict=True)
    return small_corpus(folder, texts, parts=parts, label=labels)


def small_classifier(folder: Path, *, steps: int = 2) -> Model:
    """Tune a small model for a few steps to tell the language of a document."""
    component = small_component(
        "train/tune",
        tuning={"use": "tuning/full", "with": {}},
        objective={"use": "objective/classification", "with": {}},
        budget={"steps": steps},
        batch_size=2,
    )
    inputs = {"model": small_model(folder), "data": labelled_corpus(folder / "labelled")}
    return cast("Model", trial(component, inputs, folder / "classifier"))
