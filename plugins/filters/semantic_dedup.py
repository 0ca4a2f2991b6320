"""Semantic deduplication: one of every group of documents that mean the same, by the cosine of their embeddings.

SemDeDup (Abbas et al. 2023): embed every document, part the embeddings by k-means, and compare within a cluster only.
Special here: embeddings are kept as whole numbers, so small that no sum of products leaves what float32 holds exactly.
All that is decided over them is then the same for any number of threads and any order of shards. A document goes only
in favour of one that stays and is alike to it; no chains.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
import polars as pl
from pydantic import PrivateAttr
from workbench_plugins.filters.document_dedup import DocumentDedup
from workbench_plugins.filters.given_model import folder_digests, given_model
from workbench_plugins.filters.model_quality import TOKENS_AT_ONCE, Opened, batches, encoded

from workbench.api import Field, Model, Port, Runtime, StepError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from workbench.api import Context

REASON = "same-meaning"
MODEL = "model"
SCALE = 4000  # length of an embedding in whole numbers: 4000² < 2²⁴, so float32 adds products of two without rounding
CLUSTER_DOCUMENTS = 20_000  # of a cluster, on average, where `clusters` does not say


class SemanticDedup(DocumentDedup):
    """Keep one of all documents whose embeddings have a cosine of at least `threshold`.

    The embedding is the mean of an encoder's last hidden states over the tokens of the document, of a long one over the
    first `max_tokens`. The encoder is the input `model` or the Hugging Face folder `folder` (safetensors and
    `tokenizer.json`; no code is run from it). Documents are taken in the order of `keep` (the `longest` first, say):
    each is kept unless one that is kept already is alike. With `clusters: 1` all are compared; with more only those of
    one cluster, so that some pairs at its edge stay apart, and the cost of comparing falls by their number. Documents
    without text stay.
    """

    version: ClassVar[int] = 1
    inputs: ClassVar[Mapping[str, Port]] = {
        "corpus": Port("corpus", whole=True),
        "model": Port("model", optional=True, about="an encoder trained here"),
    }
    folder: str | None = Field(None, description="a Hugging Face folder with an encoder, instead of the input")
    threshold: float = Field(0.95, gt=0.0, le=1.0, description="cosine from which documents mean the same")
    clusters: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description=f"parts that are compared apart; default: one for {CLUSTER_DOCUMENTS} documents",
    )
    max_tokens: int = Field(256, ge=4, description="tokens read of a document, no more than the model knows")
    device: Annotated[str, Runtime] = Field("auto", description="auto, cpu, cuda or cuda:N")
    _learned: Path | None = PrivateAttr(None)

    def digests(self, base: Path, digest: Callable[[Path], str]) -> dict[str, str]:
        """Return the digests of the files of the folder that are used."""
        return folder_digests(self.folder, base, digest)

    def fit(self, ctx: Context, folder: Path) -> None:
        """Lay the encoder down in `folder`, and see that it can be loaded."""
        given = given_model(ctx, self.folder)
        if not (given.path / "tokenizer.json").is_file():
            raise StepError(
                "there is no tokenizer.json",
                where=f"{ctx.step}, {given.name}",
                expected="a folder with config.json, *.safetensors and tokenizer.json",
                advice="load the tokenizer where you trust it and call save_pretrained(folder), which writes it",
            )
        given.lay_down(folder / MODEL)
        ctx.log(f"reads the first {open_encoder(folder / MODEL, self.max_tokens, 'cpu').length} tokens of a document")

    def fitted(self, folder: Path) -> Self:
        """Return this filter with the encoder that `fit` laid down."""
        learned = self.model_copy()
        learned._learned = folder / MODEL  # noqa: SLF001 - its own copy
        return learned

    def sketch(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return `id`, what decides which one stays, and `embedding`: int16 numbers, little-endian."""
        has_text = batch["text"].fill_null("").str.strip_chars() != ""
        chosen = batch.filter(has_text)
        assert self._learned is not None, "the engine gives a fitted filter"
        opened = opened_encoder(self._learned, self.max_tokens, self.device)
        embeddings = whole_numbers(embed(opened, chosen["text"].to_list()))
        rows = [row.tobytes() for row in embeddings.astype("<i2")]
        return pl.DataFrame({**self.deciding(chosen), "embedding": pl.Series(rows, dtype=pl.Binary)})

    def resolve(self, sketches: pl.LazyFrame) -> pl.DataFrame:
        """Return every document that means the same as one that stays, with their cosine."""
        from workbench_plugins.filters.embedding_groups import alike, assigned

        labels = assigned(sketches, self.clusters, CLUSTER_DOCUMENTS, SCALE)
        drops = alike(sketches, labels, self.order, self.threshold)
        return drops.with_columns(reason=pl.lit(REASON))


@lru_cache(maxsize=2)
def opened_encoder(folder: Path, max_tokens: int, device: str) -> Opened:
    """Return the encoder in a folder, loaded once for each process."""
    return open_encoder(folder, max_tokens, device)


def open_encoder(folder: Path, max_tokens: int, device: str) -> Opened:
    """Return the body of the model in a folder, in float32 on its device."""
    from transformers import PreTrainedTokenizerFast

    from workbench.api import choose_device, load_model

    place, model = choose_device(device), Model(folder)
    is_ours = (folder / "training.json").is_file()
    network = load_model(model, "body", device=place)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    config = network.config
    known = [int(config.max_position_embeddings)] if getattr(config, "max_position_embeddings", None) else []
    if known and "roberta" in str(config.model_type):
        known = [known[0] - int(config.pad_token_id) - 1]  # its positions count from behind the padding's
    return Opened(network, tokenizer, place, min([*known, int(tokenizer.model_max_length), max_tokens]), is_ours)


def embed(opened: Opened, texts: Sequence[str]) -> np.ndarray:
    """Return float32[texts, width]: the mean of the last hidden states over the tokens of each text."""
    import torch

    from workbench.api import repeatable

    rows = encoded(opened, texts)
    width = int(opened.network.config.hidden_size)
    embeddings = np.zeros((len(rows), width), dtype=np.float32)
    with repeatable(opened.device, 1), torch.inference_mode():
        for members, size, length in batches(list(map(len, rows)), TOKENS_AT_ONCE[opened.device.type]):
            chosen = [rows[number] for number in members]
            embeddings[members] = pooled(opened, chosen, size, min(length, opened.length))
    return embeddings


def pooled(opened: Opened, rows: list[list[int]], size: int, length: int) -> np.ndarray:
    """Return the mean hidden states of the rows, which go through in a batch of `size` rows of `length` tokens."""
    import torch

    from workbench.api import model_inputs

    pad = int(opened.network.config.pad_token_id or 0)
    ids_bt = torch.full((size, length), pad, dtype=torch.int64)
    mask_bt = torch.zeros((size, length), dtype=torch.int64)
    for number, row in enumerate(rows + [rows[0]] * (size - len(rows))):
        ids_bt[number, : len(row)] = torch.tensor(row, dtype=torch.int64)
        mask_bt[number, : len(row)] = 1
    ids_bt, mask_bt = ids_bt.to(opened.device), mask_bt.to(opened.device)
    inputs: dict[str, Any] = {"input_ids": ids_bt, "attention_mask": mask_bt}
    if opened.trained_here:
        inputs = model_inputs(opened.network, {"input_ids": ids_bt, "segment_ids": mask_bt})
    hidden_btd = opened.network(**inputs).last_hidden_state.float()
    weight_bt1 = mask_bt.unsqueeze(-1).float()
    mean_bd = (hidden_btd * weight_bt1).sum(dim=1) / weight_bt1.sum(dim=1)
    found: np.ndarray = mean_bd[: len(rows)].cpu().numpy()
    return found


def whole_numbers(embeddings: np.ndarray) -> np.ndarray:
    """Return the embeddings, scaled to the length `SCALE`, as int16.

    >>> whole_numbers(np.array([[3.0, -4.0], [0.0, 0.0]])).tolist()
    [[2400, -3200], [0, 0]]
    """
    lengths = np.linalg.norm(embeddings.astype(np.float64), axis=1, keepdims=True)
    scaled = np.divide(embeddings, lengths, out=np.zeros(embeddings.shape), where=lengths > 0)
    numbers: np.ndarray = np.rint(scaled * SCALE).astype(np.int16)
    return numbers
