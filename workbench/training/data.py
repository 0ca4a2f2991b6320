"""What a model is trained on: rows of packed tokens, or encoded records. Both by number, both traceable to documents.

Shapes: T tokens in a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from workbench.artifacts.corpus import Corpus
from workbench.artifacts.tokens import WHOLE, Tokens
from workbench.contracts.context import Context
from workbench.contracts.model import Objective
from workbench.errors import StepError

if TYPE_CHECKING:
    import polars as pl
    from transformers import PreTrainedTokenizerFast

Indices = Sequence[int] | np.ndarray[Any, np.dtype[np.int64]]
UNREAD = ("text", "source", "meta")  # columns that no label is in


class Examples(Protocol):
    """Examples that are found by their number."""

    def __len__(self) -> int:
        """Return how many there are."""

    def rows(self, numbers: Indices) -> list[Mapping[str, Any]]:
        """Return these examples, as an objective takes them."""

    def document_ids(self, numbers: Indices) -> list[str]:
        """Return the ids of the documents that these examples come from, each once, in order."""

    def num_tokens(self, numbers: Indices | None = None) -> int:
        """Return the tokens of these examples, or of all."""


class PackedRows:
    """The rows of one part of packed tokens. Only what is asked for is read from disk."""

    def __init__(self, tokens: Tokens, part: str) -> None:
        self.context = tokens.context
        self._num_rows = tokens.num_rows(part)
        self._stride = self.context
        self._ids = tokens.ids(part)
        self._documents = tokens.documents(part)
        self._start_d = self._documents["start"].to_numpy()

    def __len__(self) -> int:
        return self._num_rows

    def rows(self, numbers: Indices) -> list[Mapping[str, Any]]:
        """Return `input_ids`, `segment_ids` and `position_ids`, each int64[T], of each row."""
        return [self._row(int(number)) for number in numbers]

    def _row(self, number: int) -> dict[str, Any]:
        first = number * self._stride
        place_t = np.arange(self.context)
        starts_t = np.zeros(self.context, dtype=np.int64)
        starts_t[self._start_d[self._documents_after(number)] - first] = 1
        return {
            "input_ids": self._ids[first : first + self.context].astype(np.int64),
            "segment_ids": 1 + np.cumsum(starts_t),
            "position_ids": place_t - np.maximum.accumulate(place_t * starts_t),
        }

    def _documents_after(self, number: int) -> slice:
        """Return which documents begin in row `number` behind its first token."""
        first = number * self._stride
        begin = np.searchsorted(self._start_d, first, side="right")
        return slice(int(begin), int(np.searchsorted(self._start_d, first + self.context, side="left")))

    def document_ids(self, numbers: Indices) -> list[str]:
        """Return the ids of the documents that overlap these rows, each once, in order."""
        found: dict[str, None] = {}
        for number in numbers:
            behind = self._documents_after(int(number))
            found.update(dict.fromkeys(self._documents["id"][behind.start - 1 : behind.stop]))
        return list(found)

    def num_tokens(self, numbers: Indices | None = None) -> int:
        """Return the tokens of these rows, or of all."""
        return self.context * (len(self) if numbers is None else len(numbers))


class Windows(PackedRows):
    """Rows that begin at any token of the packed ones; an example's number is the place of its first token."""

    def __init__(self, tokens: Tokens, part: str) -> None:
        super().__init__(tokens, part)
        self._stride = 1
        self._num_rows = max(0, len(self._ids) - self.context + 1) // self.context  # whatever token the first begins at


class Records:
    """Encoded records, held in memory as int32 arrays."""

    def __init__(self, ids: list[str], examples: list[Mapping[str, Any]]) -> None:
        self._ids = ids
        self._examples = examples

    def __len__(self) -> int:
        return len(self._examples)

    @property
    def lengths(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Tokens of every record, without padding."""
        return np.array([len(example.get("input_ids", ())) for example in self._examples], dtype=np.int64)

    def rows(self, numbers: Indices) -> list[Mapping[str, Any]]:
        """Return what the objective's `encode` gave for these records."""
        return [self._examples[number] for number in numbers]

    def document_ids(self, numbers: Indices) -> list[str]:
        """Return the ids of these records, each once, in order."""
        return list(dict.fromkeys(self._ids[number] for number in numbers))

    def num_tokens(self, numbers: Indices | None = None) -> int:
        """Return the tokens of these records, or of all, without padding."""
        chosen = self._examples if numbers is None else self.rows(numbers)
        return sum(len(example.get("input_ids", ())) for example in chosen)


def part_names(data: Corpus | Tokens) -> tuple[str | None, str | None]:
    """Return the parts to train and to validate on: the chosen one, else `train` and `valid`, else the whole."""
    if data.part is not None:
        return data.part, None
    if not data.parts:
        return (WHOLE if isinstance(data, Tokens) else None), None
    if "train" not in data.parts:
        raise StepError(
            f"{data.step or 'the data'} has no part 'train'",
            expected=f"one of its parts {', '.join(data.parts)} to be chosen",
            advice=f"write {data.step or 'STEP'}.{data.parts[0]} as the input",
        )
    return "train", "valid" if "valid" in data.parts else None


def of_part(corpus: Corpus, part: str | None) -> Corpus:
    """Return the corpus with `part` chosen."""
    return Corpus(corpus.path, corpus.fingerprint, part, corpus.step)


def label_frame(corpus: Corpus) -> pl.DataFrame:
    """Return the id and the task columns of every record, without its text."""
    import polars as pl

    columns = [name for name in corpus.columns if name not in UNREAD]
    return pl.concat(list(corpus.batches(columns)))


def encode_records(
    corpus: Corpus,
    objective: Objective,
    tokenizer: PreTrainedTokenizerFast,
    labels: Sequence[str] | None,
    length: int,
    ctx: Context,
) -> Records:
    """Return every record of `corpus` as the objective encodes it."""
    ids: list[str] = []
    examples: list[Mapping[str, Any]] = []
    total = corpus.num_rows
    for batch in corpus.batches():
        for record in batch.iter_rows(named=True):
            ids.append(record["id"])
            examples.append(_compact(objective.encode(record, tokenizer, labels, length)))
        ctx.progress(len(ids), total, "records")
    return Records(ids, examples)


def _compact(example: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _as_array(value) for name, value in example.items()}


def _as_array(value: Any) -> Any:
    if isinstance(value, list) and value and all(isinstance(item, int) for item in value):
        return np.array(value, dtype=np.int32)
    return value
