"""`tokens/pack`: a corpus as one stream of token ids, with the span of every document.

Shards are encoded side by side in worker processes and joined in their order, so the bytes are the same for any
number of workers. Text is only text here: a document that spells out `<eos>` gets its characters, not the token.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

import numpy as np

from workbench.artifacts.corpus import Corpus, Shard, read_shard, write_shard
from workbench.artifacts.tokenizer import Tokenizer
from workbench.artifacts.tokens import WHOLE
from workbench.contracts.component import Field
from workbench.contracts.context import Context
from workbench.contracts.ports import Port
from workbench.contracts.step import CoreStep, Facts
from workbench.errors import PluginError
from workbench.files.atomic import write_json

if TYPE_CHECKING:
    import polars as pl
    import tokenizers

DOCUMENTS_PER_CALL = 256
SMALL_VOCABULARY = 1 << 16


class Pack(CoreStep):
    """Encode every document, end it with the tokenizer's end token, and lay all of them one after the other."""

    kind: ClassVar[str] = "tokens"
    inputs: ClassVar[Mapping[str, Port]] = {
        "corpus": Port("corpus", whole=True, about="the documents, split or not"),
        "tokenizer": Port("tokenizer"),
    }
    output: ClassVar[str] = "tokens"

    context: int = Field(512, ge=8, le=1 << 20, description="tokens in a row, the longest stretch a model sees at once")

    def facts(self, inputs: Mapping[str, Facts]) -> Facts:
        """Say that the result is tokens, so that an objective on records can be refused before anything runs."""
        del inputs
        return {"data": "tokens"}

    def run(self, ctx: Context) -> None:
        """Encode the shards, join them part by part, and write the card."""
        corpus: Corpus = ctx.inputs["corpus"]
        tokenizer: Tokenizer = ctx.inputs["tokenizer"]
        vocab_size = max(tokenizer.fast.get_vocab().values(), default=-1) + 1  # ids may have a hole
        dtype = "uint16" if vocab_size <= SMALL_VOCABULARY else "uint32"
        shards = corpus.shards
        tasks = [_task(number, shard, tokenizer, dtype, ctx.scratch) for number, shard in enumerate(shards)]
        ctx.map(f"{__name__}:encode_shard", tasks)
        encoded: dict[str, list[str]] = defaultdict(list)
        for shard, task in zip(shards, tasks, strict=True):
            encoded[shard.part or WHOLE].append(task["output"])
        parts = {part: join(encoded[part], ctx.output / part, np.dtype(dtype)) for part in _parts(corpus)}
        for sizes in parts.values():
            sizes["rows"] = sizes["tokens"] // self.context
        card = {"context": self.context, "dtype": dtype, "parts": parts, "vocab_size": vocab_size}
        write_json(ctx.output / "tokens.json", card)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(tokenizer.path / name, ctx.output / name)


def _parts(corpus: Corpus) -> tuple[str, ...]:
    return (corpus.part,) if corpus.part else corpus.parts or (WHOLE,)


def _task(number: int, shard: Shard, tokenizer: Tokenizer, dtype: str, scratch: Path) -> dict[str, Any]:
    return {
        "shard": str(shard.path),
        "tokenizer": str(tokenizer.path),
        "dtype": dtype,
        "output": str(scratch / f"{number:05d}"),
    }


def encode_shard(task: dict[str, Any]) -> dict[str, Any]:
    """Encode one shard into `<output>.bin` and `<output>.parquet` (a worker's task)."""
    tokenizer = Tokenizer(Path(task["tokenizer"]))
    fast = tokenizer.fast
    fast.encode_special_tokens = True
    fast.no_truncation()
    fast.no_padding()
    end = end_token(tokenizer)
    frame = read_shard(Path(task["shard"]), ["id", "text"])
    lengths: list[int] = []
    with Path(f"{task['output']}.bin").open("wb") as file:
        for start in range(0, len(frame), DOCUMENTS_PER_CALL):
            texts = frame["text"][start : start + DOCUMENTS_PER_CALL].to_list()
            lengths += _write_ids(file, fast, texts, end, np.dtype(task["dtype"]))
    write_shard(Path(f"{task['output']}.parquet"), spans(frame["id"], np.array(lengths, dtype=np.int64), 0))
    return {"documents": len(frame), "tokens": sum(lengths)}


def _write_ids(
    file: BinaryIO, fast: tokenizers.Tokenizer, texts: list[str], end: int, dtype: np.dtype[Any]
) -> list[int]:
    lengths = []
    for encoding in fast.encode_batch_fast(texts):
        ids = encoding.ids
        if not ids or ids[-1] != end:
            ids = [*ids, end]
        file.write(np.array(ids, dtype=dtype.newbyteorder("<")).tobytes())
        lengths.append(len(ids))
    return lengths


def end_token(tokenizer: Tokenizer) -> int:
    """Return the id that ends a document: eos, else sep. Raises `PluginError` when there is neither."""
    vocab = tokenizer.vocab(1)
    end = vocab.eos if vocab.eos is not None else vocab.sep
    if end is None:
        raise PluginError("the tokenizer has no token that ends a document", expected="eos_token or sep_token")
    return end


def spans(ids: pl.Series, length_d: np.ndarray[Any, np.dtype[np.int64]], offset: int) -> pl.DataFrame:
    """Return `id, start, end` for documents of these lengths, the first one starting at `offset`."""
    import polars as pl

    end_d = offset + np.cumsum(length_d)
    return pl.DataFrame({"id": ids, "start": end_d - length_d, "end": end_d})


def join(encoded: list[str], folder: Path, dtype: np.dtype[Any]) -> dict[str, int]:
    """Join encoded shards in order into `folder`; return the numbers of tokens and documents."""
    import polars as pl

    folder.mkdir(parents=True)
    tables = [pl.DataFrame({"id": [], "start": [], "end": []}, {"id": pl.String, "start": pl.Int64, "end": pl.Int64})]
    num_tokens = 0
    with (folder / "ids.bin").open("wb") as whole:
        for name in encoded:
            table = read_shard(Path(f"{name}.parquet"))
            tables.append(table.with_columns(pl.col("start", "end") + num_tokens))
            with Path(f"{name}.bin").open("rb") as piece:
                shutil.copyfileobj(piece, whole, 1 << 20)
            num_tokens = whole.tell() // dtype.itemsize
    documents = pl.concat(tables)
    write_shard(folder / "documents.parquet", documents)
    return {"tokens": num_tokens, "documents": len(documents)}
