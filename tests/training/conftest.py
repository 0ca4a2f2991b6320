"""A small corpus, a tokenizer and packed tokens for every test of training, made once."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from workbench_plugins.tokenizers.byte_bpe import ByteBpe
from workbench_plugins.tokenizers.wordpiece import WordPiece

from workbench.artifacts import Corpus, Tokenizer, Tokens
from workbench.artifacts.corpus import write_shard
from workbench.contracts.context import Context
from workbench.engine.tokens import learn
from workbench.engine.tokens.pack import Pack
from workbench.files.atomic import write_json

if TYPE_CHECKING:
    from workbench.training.job import Job

WORDS = "the cat sat on a mat while seven small birds sang about rain and 天气 很好 我们 去 公园"
TOPICS = {"animals": "cat dog bird fish", "weather": "rain snow wind sun"}


def make_context(folder: Path, component_id: str = "train/pretrain", **inputs: Any) -> Context:
    """Return a context with its four folders below `folder`."""
    folders = {name: folder / name for name in ("output", "scratch", "partial")}
    for path in folders.values():
        path.mkdir(parents=True, exist_ok=True)
    return Context("step", component_id, 1234, folder, inputs=inputs, device="cpu", **folders)


def write_corpus(folder: Path, parts: dict[str | None, list[dict[str, str]]], rows_per_shard: int = 16) -> Corpus:
    """Write a corpus of these rows; several shards for each part."""
    shards = []
    columns: dict[str, str] = {}
    for part, rows in parts.items():
        for number, start in enumerate(range(0, len(rows), rows_per_shard)):
            frame = pl.DataFrame(rows[start : start + rows_per_shard])
            name = f"{part}-{number:05d}.parquet" if part else f"{number:05d}.parquet"
            write_shard(folder / "shards" / name, frame)
            shards.append({"name": name, "part": part, "rows": len(frame)})
            columns = {name: str(kind) for name, kind in frame.schema.items()}
    write_json(folder / "corpus.json", {"parts": [p for p in parts if p], "columns": columns, "shards": shards})
    return Corpus(folder, "c0", step="corpus")


def sentences(rng: random.Random, words: list[str]) -> str:
    """Return between 3 and 60 words."""
    return " ".join(rng.choice(words) for _ in range(rng.randint(3, 60)))


def rows_of(prefix: str, number: int, seed: int) -> list[dict[str, str]]:
    """Return documents with a label that their words give away."""
    rng = random.Random(seed)
    rows = []
    for index in range(number):
        label = rng.choice(sorted(TOPICS))
        text = sentences(rng, WORDS.split() + TOPICS[label].split() * 3)
        rows.append({"id": f"{prefix}{index:03d}", "text": text, "source": "test", "meta": "{}", "label": label})
    return rows


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """120 training and 24 validation documents with labels, in English and Chinese."""
    parts = {"train": rows_of("t", 120, 1), "valid": rows_of("v", 24, 2)}
    return write_corpus(tmp_path_factory.mktemp("corpus"), parts)


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory, corpus: Corpus) -> Tokenizer:
    """Byte-level BPE with 300 tokens."""
    ctx = make_context(tmp_path_factory.mktemp("bpe"), "tokenizer/byte-bpe", corpus=corpus)
    learn.run(ByteBpe(vocab_size=300), ctx)
    return Tokenizer(ctx.output, "bpe0", step="bpe")


@pytest.fixture(scope="session")
def wordpiece(tmp_path_factory: pytest.TempPathFactory, corpus: Corpus) -> Tokenizer:
    """WordPiece with 150 tokens."""
    ctx = make_context(tmp_path_factory.mktemp("wordpiece"), "tokenizer/wordpiece", corpus=corpus)
    learn.run(WordPiece(vocab_size=150), ctx)
    return Tokenizer(ctx.output, "wp0", step="wordpiece")


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Tokens]:
    """Return a function that packs a corpus."""

    def packed(corpus: Corpus, tokenizer: Tokenizer, context: int = 32) -> Tokens:
        ctx = make_context(tmp_path_factory.mktemp("tokens"), "tokens/pack", corpus=corpus, tokenizer=tokenizer)
        Pack(context=context).run(ctx)
        return Tokens(ctx.output, "ids0", step="ids")

    return packed


@pytest.fixture(scope="session")
def tokens(pack: Callable[..., Tokens], corpus: Corpus, tokenizer: Tokenizer) -> Tokens:
    """The corpus in rows of 32 tokens."""
    return pack(corpus, tokenizer)


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    """A context of a training step."""
    return Context("base", "train/pretrain", 5, tmp_path, tmp_path, tmp_path, tmp_path, device="cpu")


@pytest.fixture
def job(tokens: Tokens, ctx: Context) -> "Job":
    """Twelve steps of a small Llama on the packed tokens."""
    import torch
    from workbench_plugins.architectures.llama import Llama
    from workbench_plugins.objectives.causal import Causal

    from workbench.training.data import PackedRows
    from workbench.training.job import Job
    from workbench.training.settings import Optimizer

    vocab = tokens.tokenizer.vocab(tokens.context)
    torch.manual_seed(0)
    return Job(
        model=Llama(layers=1, width=16).build(vocab, ctx),
        objective=Causal(),
        tuning=None,
        train=PackedRows(tokens, "train"),
        valid=PackedRows(tokens, "valid"),
        vocab=vocab,
        optimizer=Optimizer(lr=1e-2, warmup=0),
        num_steps=12,
        batch_size=6,
        accumulate=1,
        eval_every=5,
        eval_rows=10,
        precision="float32",
        checkpoint_seconds=1e9,
    )
