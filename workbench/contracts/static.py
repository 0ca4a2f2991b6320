"""Static models: those that learn by counting, or by a method of their own, and not down a gradient of torch.

An architecture of this family brings `fit`, which returns a `StaticModel`: tables (arrays) and facts (JSON values).
The core writes both, and hands them to `restore` when the model is loaded; so nothing is pickled and a folder can name
no code but that of an installed component. What a model can do follows from its head: see the classes below.

Shapes: N tokens of a stream, D documents, T tokens of a row, V vocabulary, W width, L labels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from workbench.contracts.component import Field
from workbench.contracts.model import AnyArchitecture, AnyObjective

if TYPE_CHECKING:
    import polars as pl

    from workbench.contracts.context import Context
    from workbench.contracts.model import Family, Head
    from workbench.contracts.tokenizer import Vocab

Floats = np.ndarray[Any, np.dtype[np.float64]]
Table = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class TokenStream:
    """The tokens of a part, document after document.

    Attributes:
        ids_n: Token ids, unsigned integers[N], possibly memory-mapped.
        bounds: int64[D + 1]; document d is `ids_n[bounds[d]:bounds[d + 1]]` and ends with the end token.
    """

    ids_n: Table
    bounds: np.ndarray[Any, np.dtype[np.int64]]

    def __len__(self) -> int:
        return len(self.ids_n)


@dataclass(frozen=True)
class Lesson:
    """What a static architecture learns from.

    Attributes:
        tokens, valid_tokens: For architectures that read tokens.
        records, valid_records: For those that read documents: each call goes through the frames from the start.
        vocab: Of the tokenizer; None for documents.
        objective: What is predicted, for architectures that can learn in several ways.
    """

    tokens: TokenStream | None = None
    valid_tokens: TokenStream | None = None
    records: Callable[[], Iterator[pl.DataFrame]] | None = None
    valid_records: Callable[[], Iterator[pl.DataFrame]] | None = None
    vocab: Vocab | None = None
    objective: AnyObjective | None = None


class StaticModel(ABC):
    """A model of the family `static`, in memory."""

    @abstractmethod
    def tables(self) -> dict[str, Table]:
        """Return name → array of everything it learned; written as safetensors."""

    def facts(self) -> dict[str, Any]:
        """Return what else it needs to be restored, as JSON values."""
        return {}

    @property
    def num_parameters(self) -> int:
        """How many numbers were learned."""
        return sum(table.size for table in self.tables().values())


class StaticLanguageModel(StaticModel):
    """Head `causal-lm`: knows the probability of each next token."""

    vocab_size: int

    @abstractmethod
    def score(self, ids: Sequence[int] | Table) -> Floats:
        """Return float64[T]: the log-probability, in nats, of each token of one document given those before it."""

    @abstractmethod
    def next_log_probabilities(self, ids: Sequence[int] | Table) -> Floats:
        """Return float64[V]: the log-probability, in nats, of each token to come after the beginning of a document."""


class StaticClassifier(StaticModel):
    """Head `sequence-classification`: knows the probability of each label of a text."""

    labels: list[str]

    @abstractmethod
    def predict(self, texts: Sequence[str]) -> Floats:
        """Return float64[texts, L], each row a distribution over `labels`."""


class StaticVectors(StaticModel):
    """Head `embedding`: a vector for each token.

    Attributes:
        vectors_vw: float32[V, W]; a row of zeros for a token that was never seen.
    """

    vectors_vw: Table

    def neighbours(self, token: int, number: int = 10) -> list[tuple[int, float]]:
        """Return the tokens with the highest cosine to `token`, itself left out, the nearest first."""
        norms_v = np.maximum(np.linalg.norm(self.vectors_vw, axis=1), np.finfo(np.float32).tiny)
        cosine_v = (self.vectors_vw @ self.vectors_vw[token]) / (norms_v * norms_v[token])
        cosine_v[token] = -np.inf
        cosine_v[~self.vectors_vw.any(axis=1)] = -np.inf
        order = np.lexsort((np.arange(len(cosine_v)), -cosine_v))[:number]
        return [(int(other), float(cosine_v[other])) for other in order if cosine_v[other] > -np.inf]


class StaticFeatures(StaticModel):
    """Head `features`: a sparse vector for each text.

    Attributes:
        names: What each column counts.
    """

    names: list[str]

    @abstractmethod
    def transform(self, texts: Sequence[str]) -> Any:
        """Return a scipy CSR matrix, float64[texts, columns]."""


@dataclass
class Fitted:
    """What `fit` gives back.

    Attributes:
        model: The model.
        curve: One row for each measured point of the training: `number`, `tokens`, `loss`, … as far as there is such.
    """

    model: StaticModel
    curve: list[dict[str, float]] = field(default_factory=list)


class StaticArchitecture(AnyArchitecture):
    """Learn a model by a method of its own. It has no layers, width or heads, and no optimizer.

    Class facts beside those of every architecture:

    - `data`: what it reads, `tokens` (packed) or `records` (documents of a corpus).
    - `takes_objective`: whether it learns by an objective, one for its family and with its head; else it takes none.
    """

    family: ClassVar[Family] = "static"
    data: ClassVar[Literal["tokens", "records"]] = "tokens"
    takes_objective: ClassVar[bool] = False

    @abstractmethod
    def fit(self, lesson: Lesson, ctx: Context) -> Fitted:
        """Learn from the lesson. Equal lessons and seeds give equal bytes, whatever the machine does beside."""

    @abstractmethod
    def restore(self, tables: Mapping[str, Table], facts: Mapping[str, Any]) -> StaticModel:
        """Return the model again. Raises `ValueError` when tables and facts do not belong together."""


class WindowObjective(AnyObjective):
    """Predict a token from those around it, or these from it, with negative samples; for architectures with kernels.

    Source: Mikolov et al. 2013, Distributed representations of words and phrases and their compositionality.
    """

    families: ClassVar[tuple[Family, ...]] = ("static",)
    head: ClassVar[Head] = "embedding"
    averages: ClassVar[bool]  # whether the mean of the window predicts its centre, or the centre each of the window

    window: int = Field(5, ge=1, le=1000, description="tokens to each side; for each centre it shrinks at random")
    negative: int = Field(5, ge=1, le=1000, description="tokens drawn for each that was there, to be told from it")

    @abstractmethod
    def loss(self, hidden_w: Floats, true_w: Floats, drawn_kw: Floats) -> float:
        """Return the loss, in nats, of one prediction.

        Args:
            hidden_w: float[W], what predicts: the vector of the centre, or the mean of the window.
            true_w: float[W], the output vector of the token that was there.
            drawn_kw: float[negative, W], the output vectors of those that were drawn.
        """
