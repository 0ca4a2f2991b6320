"""Texts as sparse vectors: counts of words or characters in a row, plain or weighted. Fitted by scikit-learn.

A word is a run of letters and digits, or a single character in scripts without spaces; so two words in a row are the
character bigrams that are the usual strong choice for Chinese.

    names      uint8, the names of the columns in UTF-8, one after the other
    offsets    int64[columns + 1], where each begins
    weights    float64[columns], the inverse document frequencies; ones for plain counts
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from workbench.api import Field, Fitted, StaticArchitecture, StaticFeatures, StepError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.api import Context, Lesson, StaticModel

Array = np.ndarray[Any, np.dtype[Any]]
UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han and kana
WORD = rf"[{UNSPACED}]|[^\W{UNSPACED}]+"


class TextFeatures(StaticArchitecture):
    """Base of the architectures that turn a text into counts."""

    stochastic: ClassVar[bool] = False
    head: ClassVar[Literal["features", "sequence-classification"]] = "features"
    data: ClassVar[Literal["tokens", "records"]] = "records"
    weighted: ClassVar[bool]  # whether counts are weighted by how few documents have them, and scaled to length one

    unit: Literal["word", "character"] = Field("word", description="what is counted; characters stay within words")
    shortest: int = Field(1, ge=1, le=20, description="units in a row that are counted, at least")
    longest: int = Field(1, ge=1, le=20, description="units in a row that are counted, at most")
    max_features: int = Field(50_000, ge=1, description="columns; the most frequent are taken")
    min_documents: int = Field(1, ge=1, description="documents that must have it for it to be a column")
    characters: int = Field(20_000, ge=1, description="how much of a text is read, from its beginning")

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.shortest > self.longest:
            raise ValueError(f"shortest {self.shortest} is more than longest {self.longest}")
        return self

    def vectorizer(self, names: Sequence[str] | None = None) -> Any:
        """Return scikit-learn's vectorizer, for the columns `names` or for those that it finds."""
        from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

        settings: dict[str, Any] = {
            "token_pattern": WORD if self.unit == "word" else None,
            "analyzer": "word" if self.unit == "word" else "char_wb",
            "ngram_range": (self.shortest, self.longest),
            "dtype": np.float64,
        }
        if names is None:
            settings |= {"max_features": self.max_features, "min_df": self.min_documents}
        else:
            settings |= {"vocabulary": {name: place for place, name in enumerate(names)}}
        return TfidfVectorizer(sublinear_tf=True, **settings) if self.weighted else CountVectorizer(**settings)

    def learn(self, texts: Sequence[str], where: str) -> tuple[SparseText, Any]:
        """Return the columns that the texts have, and their vectors. Raises `StepError` when there is none."""
        vectorizer = self.vectorizer()
        try:
            vectors = vectorizer.fit_transform(self.read(texts))
        except ValueError as error:
            raise StepError(
                f"no {self.unit} to count: {error}", where=where, advice="look at min_documents, and at the texts"
            ) from error
        names = vectorizer.get_feature_names_out().tolist()
        weights = vectorizer.idf_ if self.weighted else np.ones(len(names))
        return SparseText(self, names, weights), vectors

    def read(self, texts: Sequence[str]) -> list[str]:
        """Return the beginnings of the texts that are looked at."""
        return [text[: self.characters] for text in texts]

    def fit(self, lesson: Lesson, ctx: Context) -> Fitted:
        """Find the columns."""
        assert lesson.records is not None
        texts = [text or "" for frame in lesson.records() for text in frame["text"]]
        return Fitted(self.learn(texts, ctx.step)[0])

    def restore(self, tables: Mapping[str, Array], facts: Mapping[str, Any]) -> StaticModel:
        """Return the model again. Raises `ValueError` when tables do not belong together."""
        return self.columns(tables)

    def columns(self, tables: Mapping[str, Array]) -> SparseText:
        """Return the columns that stored tables name."""
        return SparseText(self, unpacked(tables["names"], tables["offsets"]), tables["weights"])


class SparseText(StaticFeatures):
    """Turns texts into sparse vectors.

    Args:
        settings: How texts are cut.
        names: What each column counts, sorted.
        weights: float64, of each column.
    """

    def __init__(self, settings: TextFeatures, names: list[str], weights: Array) -> None:
        if len(names) != len(weights) or not names or len(set(names)) != len(names):
            raise ValueError(f"{len(names)} names for {len(weights)} columns")
        self.settings = settings
        self.names = names
        self.weights = weights
        self._vectorizer = settings.vectorizer(names)
        if settings.weighted:
            self._vectorizer.idf_ = weights

    def tables(self) -> dict[str, Array]:
        """Return names and weights."""
        names, offsets = packed(self.names)
        return {"names": names, "offsets": offsets, "weights": np.asarray(self.weights, dtype=np.float64)}

    def transform(self, texts: Sequence[str]) -> Any:
        """Return a CSR matrix, float64[texts, columns]."""
        return self._vectorizer.transform(self.settings.read(texts))

    @property
    def num_parameters(self) -> int:
        """How many columns there are."""
        return len(self.names)


class Bow(TextFeatures):
    """Count the words of a text, whatever their order (Harris 1954)."""

    version: ClassVar[int] = 1
    weighted: ClassVar[bool] = False


class NgramCounts(TextFeatures):
    """Count runs of one to three words (or characters) of a text."""

    version: ClassVar[int] = 1
    weighted: ClassVar[bool] = False

    longest: int = Field(3, ge=1, le=20, description="units in a row that are counted, at most")


class Tfidf(TextFeatures):
    """Weigh words by how few documents have them (Spärck Jones 1972): (1 + log tf) (log((1 + n) / (1 + df)) + 1)."""

    version: ClassVar[int] = 1
    weighted: ClassVar[bool] = True

    longest: int = Field(2, ge=1, le=20, description="units in a row that are counted, at most")


def packed(names: Sequence[str]) -> tuple[Array, Array]:
    """Return texts as bytes and offsets.

    >>> [array.tolist() for array in packed(["a", "天"])]
    [[97, 229, 164, 169], [0, 1, 4]]
    """
    raw = [name.encode() for name in names]
    offsets = np.concatenate([[0], np.cumsum([len(name) for name in raw])]).astype(np.int64)
    return np.frombuffer(b"".join(raw), dtype=np.uint8), offsets


def unpacked(names: Array, offsets: Array) -> list[str]:
    """Return the texts that `packed` made bytes of. Raises `ValueError` when the arrays are none of its.

    >>> unpacked(*packed(["a", "天"]))
    ['a', '天']
    """
    if not len(offsets) or offsets[0] != 0 or offsets[-1] != len(names) or (np.diff(offsets) < 0).any():
        raise ValueError("offsets of names out of order")
    raw = names.tobytes()
    return [raw[begin:end].decode() for begin, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)]
