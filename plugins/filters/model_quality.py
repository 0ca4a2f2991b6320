"""Quality, topic or tone by a network: any sequence-classification model gives every document a score.

FineWeb-Edu (Penedo et al. 2024, section 4) is filtered so, by a regression from 0 to 5 over text embeddings. The model
is one that was trained here (`train/tune` with `objective/classification`), or any Hugging Face folder with
safetensors and `tokenizer.json`; code is never run from it.

What is promised: the score of a document does not depend on the number of workers, and on the documents beside it only
as far as the arithmetic of the machine does. Rows go through the network in batches of fixed shape (padded to one of a
few lengths, filled up with copies), one thread, float32, and four significant digits of the result are kept. On the
CPUs where this was tried rows were equal bit by bit whatever stood beside them; another kind of CPU or a GPU gives the
same digits but for a rare last one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, Self

import numpy as np
import polars as pl
from pydantic import PrivateAttr
from workbench_plugins.filters.given_model import folder_digests, given_model

from workbench.api import Field, Kernel, KernelColumn, Model, Port, RowFilter, Runtime, StepError, Threshold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from workbench.api import Context

HEAD = "sequence-classification"
MODEL = "model"
DIGITS = 4  # significant ones that are kept
STEPS = ((128, 16), (512, 64), (1 << 20, 256))  # rows up to so many tokens are padded to multiples of so many
TOKENS_AT_ONCE = {"cpu": 1 << 11, "cuda": 1 << 15}
LONGEST_TOKEN = 64  # characters; what lies behind this many for each token is not even cut into tokens


class Opened(NamedTuple):
    """A model in use: the network, its tokenizer, where it runs, and how many tokens of a text it reads."""

    network: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    device: torch.device
    length: int
    trained_here: bool


@dataclass(frozen=True)
class ModelScore(Kernel):
    """The column `score`: a probability, or the number of a regression; null for a text without a token.

    Attributes:
        folder: Where `ModelQuality.fit` left the model.
        label: The output that is the score.
        max_tokens: How many tokens of a text are read; None: as many as the model knows.
        device: Where it runs.
    """

    folder: Path
    label: str | None
    max_tokens: int | None
    device: str

    def compute(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return the score of every document."""
        import torch

        from workbench.api import repeatable

        opened = opened_model(self.folder, self.max_tokens, self.device)
        rows = encoded(opened, batch["text"].fill_null("").to_list())
        scores = np.full(len(rows), np.nan)
        with repeatable(opened.device, 1), torch.inference_mode():
            for members, size, length in batches(list(map(len, rows)), TOKENS_AT_ONCE[opened.device.type]):
                chosen = [rows[number] for number in members]
                logits = forward(opened, chosen, size, min(length, opened.length))
                scores[members] = score_of(opened.network.config, self.label, logits)
        return pl.DataFrame({"score": pl.Series(scores).fill_nan(None).round_sig_figs(DIGITS)})


class ModelQuality(RowFilter):
    """Keep documents whose score by a sequence-classification model lies in a range.

    The model comes from the input `model`, or from the folder `folder`. The score is the probability of `label`; with
    one output it is that number itself, as the model was trained to give it (FineWeb-Edu: 0 to 5). Of a long text the
    first `max_tokens` are read.
    """

    version: ClassVar[int] = 1
    inputs: ClassVar[Mapping[str, Port]] = {
        "corpus": Port("corpus", whole=True),
        "model": Port("model", optional=True, about="a classifier tuned here"),
    }
    heads: ClassVar[tuple[str, ...]] = (HEAD,)
    folder: str | None = Field(None, description="a Hugging Face folder with a classifier, instead of the input")
    label: str | None = Field(None, description="the output that is the score; not needed where there is one only")
    max_tokens: int | None = Field(None, ge=4, description="tokens read of a text; default: as many as the model knows")
    min_score: Annotated[float | None, Threshold] = Field(None, description="score that a document needs")
    max_score: Annotated[float | None, Threshold] = Field(None, description="score that a document may have")
    device: Annotated[str, Runtime] = Field("auto", description="auto, cpu, cuda or cuda:N")
    _learned: Path | None = PrivateAttr(None)

    def digests(self, base: Path, digest: Callable[[Path], str]) -> dict[str, str]:
        """Return the digests of the files of the folder that are used."""
        return folder_digests(self.folder, base, digest)

    def fit(self, ctx: Context, folder: Path) -> None:
        """Lay the model down in `folder`, and see that it can be loaded and gives the score that is asked for."""
        given = given_model(ctx, self.folder)
        check_classifier(given.path, where=f"{ctx.step}, {given.name}")
        given.lay_down(folder / MODEL)
        opened = open_model(folder / MODEL, self.max_tokens, "cpu")
        output_of(opened.network.config, self.label)
        ctx.log(f"reads the first {opened.length} tokens of a text")

    def fitted(self, folder: Path) -> Self:
        """Return this filter with the model that `fit` laid down."""
        learned = self.model_copy()
        learned._learned = folder / MODEL  # noqa: SLF001 - its own copy
        return learned

    def signals(self) -> Mapping[str, KernelColumn]:
        """Return the score of the model."""
        kernel = ModelScore(self._learned or Path(), self.label, self.max_tokens, self.device)
        return {"score": kernel.column("score")}

    def rules(self) -> dict[str, pl.Expr]:
        """Drop what scores too low or too high."""
        rules = {}
        if self.min_score is not None:
            rules["score-too-low"] = pl.col("score") < self.min_score
        if self.max_score is not None:
            rules["score-too-high"] = pl.col("score") > self.max_score
        return rules


def check_classifier(path: Path, where: str) -> None:
    """Raise `StepError` unless the folder says that it holds a classifier, with weights for its head and a tokenizer.

    Without these checks a model of another kind would be given a random head, and every score would be noise.
    """
    from safetensors import safe_open

    expected = "a folder with config.json of a …ForSequenceClassification, *.safetensors and tokenizer.json"
    try:
        config = json.loads((path / "config.json").read_text("utf-8"))
        names = [str(name) for name in config.get("architectures") or []]
        keys: list[str] = []
        for file in sorted(path.glob("*.safetensors")):
            with safe_open(file, "numpy") as weights:
                keys += weights.keys()
    except Exception as error:  # a foreign folder can fail in any way
        raise StepError(f"this is no model: {str(error)[:120]}", where=where, expected=expected) from error
    if not keys:
        raise StepError(
            "there are no weights in safetensors",
            where=where,
            expected=expected,
            advice="load it where you trust it and call model.save_pretrained(folder), which writes them",
        )
    if not any(name.endswith("ForSequenceClassification") for name in names):
        raise StepError(f"this model is a {', '.join(names) or 'thing without a name'}", where=where, expected=expected)
    if not any(key.partition(".")[0] in ("classifier", "score", "classification_head", "logits_proj") for key in keys):
        raise StepError("the weights of the classifier's head are missing", where=where, expected=expected)
    if not (path / "tokenizer.json").is_file():
        raise StepError(
            "there is no tokenizer.json",
            where=where,
            expected=expected,
            advice="load the tokenizer where you trust it and call save_pretrained(folder), which writes it",
        )


@lru_cache(maxsize=2)
def opened_model(folder: Path, max_tokens: int | None, device: str) -> Opened:
    """Return the model in a folder, loaded once for each process."""
    return open_model(folder, max_tokens, device)


def open_model(folder: Path, max_tokens: int | None, device: str) -> Opened:
    """Return the model in a folder, in float32 on its device."""
    from transformers import PreTrainedTokenizerFast

    from workbench.api import choose_device, load_model

    place, model = choose_device(device), Model(folder)
    is_ours = (folder / "training.json").is_file()
    network = load_model(model, HEAD, device=place)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    config = network.config
    known = [int(config.max_position_embeddings)] if getattr(config, "max_position_embeddings", None) else []
    if known and not is_ours and "roberta" in str(config.model_type):
        known = [known[0] - int(config.pad_token_id) - 1]  # its positions count from behind the padding's
    if is_ours and model.card.get("context"):
        known.append(int(model.card["context"]))
    length = min([*known, int(tokenizer.model_max_length), max_tokens or 1 << 20, 1 << 20])
    return Opened(network, tokenizer, place, length, is_ours)


def encoded(opened: Opened, texts: Sequence[str]) -> list[list[int]]:
    """Return the ids of each text, cut to the length the model reads, with the ends it was trained with."""
    from workbench.api import encode_text

    if opened.trained_here:
        return [encode_text(opened.tokenizer, text, opened.length) for text in texts]
    heads = [text[: opened.length * LONGEST_TOKEN] for text in texts]
    found: Any = opened.tokenizer(
        heads, truncation=True, max_length=opened.length, split_special_tokens=True, verbose=False
    )
    return [list(ids) for ids in found["input_ids"]]


def padded_length(length: int) -> int:
    """Return the length a row is padded to: one of few, so that batches have few shapes.

    >>> [padded_length(length) for length in (1, 17, 128, 129, 513)]
    [16, 32, 128, 192, 768]
    """
    step = next(step for most, step in STEPS if length <= most)
    return -(-length // step) * step


def batches(lengths: Sequence[int], tokens: int) -> Iterator[tuple[list[int], int, int]]:
    """Yield the numbers of rows that go through together, and the rows and tokens of their batch; no empty rows.

    >>> list(batches([3, 40, 0, 12, 9], 32))
    [([0, 3], 2, 16), ([4], 2, 16), ([1], 1, 48)]
    """
    by_length: dict[int, list[int]] = {}
    for number, length in enumerate(lengths):
        if length:
            by_length.setdefault(padded_length(length), []).append(number)
    for length, members in sorted(by_length.items()):
        size = max(1, tokens // length)
        for first in range(0, len(members), size):
            yield members[first : first + size], size, length


def forward(opened: Opened, rows: list[list[int]], size: int, length: int) -> np.ndarray:
    """Return float64[rows, outputs]: what the head says of the rows, in a batch of `size` rows of `length` tokens."""
    import torch

    from workbench.api import model_inputs

    pad = int(opened.network.config.pad_token_id or 0)
    filled = rows + [rows[0]] * (size - len(rows))
    ids = torch.full((size, length), pad, dtype=torch.int64)
    mask = torch.zeros((size, length), dtype=torch.int64)
    for number, row in enumerate(filled):
        ids[number, : len(row)] = torch.tensor(row, dtype=torch.int64)
        mask[number, : len(row)] = 1
    ids, mask = ids.to(opened.device), mask.to(opened.device)
    inputs: dict[str, Any] = {"input_ids": ids, "attention_mask": mask}
    if opened.trained_here:
        inputs = model_inputs(opened.network, {"input_ids": ids, "segment_ids": mask})
    logits = opened.network(**inputs).logits
    found: np.ndarray = logits[: len(rows)].double().cpu().numpy()
    return found


def output_of(config: Any, label: str | None) -> int:
    """Return the number of the output that is the score. Raises `StepError` when the label names none."""
    names = {int(number): str(name) for number, name in config.id2label.items()}
    if label is None and len(names) == 1:
        return 0
    for number, name in names.items():
        if label in (name, str(number)):
            return number
    raise StepError(
        "the model has several outputs and label names none" if label is None else f"the model has no label {label!r}",
        where="filter/model-quality",
        expected=f"one of: {', '.join(names[number] for number in sorted(names))}",
        advice="set label",
    )


def score_of(config: Any, label: str | None, logits: np.ndarray) -> np.ndarray:
    """Return the score of each row: the number of a regression, or the probability of the label.

    One label excludes the others (softmax), unless the model says `multi_label_classification` (sigmoid).
    """
    chosen = output_of(config, label)
    if logits.shape[1] == 1 and config.problem_type != "multi_label_classification":
        return logits[:, 0]
    if config.problem_type == "multi_label_classification":
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits[:, chosen], -50.0, 50.0))))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers[:, chosen] / powers.sum(axis=1))
