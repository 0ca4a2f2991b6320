"""Decontamination: documents that share word n-grams with evaluation sets.

Brown et al. 2020 (Language models are few-shot learners, appendix C) look for runs of 8 to 13 words that a document has
in common with an evaluation example, without case and punctuation. Signals say how long the longest such run is, what
share of the document's n-grams stands in an evaluation set, and in which; thresholds decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

import numpy as np
import polars as pl
from pydantic import PrivateAttr
from workbench_plugins.filters.spans import windows_of, words_of

from workbench.api import Corpus, Field, Kernel, KernelColumn, Port, RowFilter, StepError, Threshold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.api import Context

HASHES, SETS, NAMES = "ngrams.npy", "sets.npy", "names.parquet"


@dataclass(frozen=True)
class Overlap(Kernel):
    """The overlap with evaluation sets: `longest_match`, `matching_ngrams`, `matching_share`, `evaluation_set`.

    Attributes:
        folder: Where `Decontaminate.fit` wrote the n-grams of the evaluation sets.
        ngram: Words in an n-gram.
        ngram_characters: Characters in an n-gram of text without spaces.
    """

    folder: Path
    ngram: int
    ngram_characters: int

    def compute(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return the signals of every document."""
        from workbench_plugins.filters.decontaminate_kernel import match_documents

        hashes = np.load(self.folder / HASHES, mmap_mode="r", allow_pickle=False)
        sets = np.load(self.folder / SETS, mmap_mode="r", allow_pickle=False)
        names = pl.read_parquet(self.folder / NAMES)["name"]
        words = words_of(batch["text"])
        counts, grams = windows_of(words, self.ngram, self.ngram_characters)
        longest, matching, total = (np.zeros(batch.height, dtype=np.uint32) for _ in range(3))
        which = np.full(batch.height, -1, dtype=np.int64)
        match_documents(
            words.firsts, counts, grams, np.asarray(hashes), np.asarray(sets), longest, matching, total, which
        )
        return pl.DataFrame(
            {"longest_match": longest, "matching_ngrams": matching, "total": total, "which": which}
        ).select(
            "longest_match",
            "matching_ngrams",
            matching_share=pl.when(pl.col("total") > 0)
            .then(pl.col("matching_ngrams") / pl.col("total"))
            .otherwise(0.0),
            evaluation_set=names.gather(pl.Series(which).replace(-1, None)),
        )


class Decontaminate(RowFilter):
    """Drop documents that share an n-gram with an evaluation set.

    Words are compared without case, width and punctuation. The default of 13 words is the longest n-gram of Brown et al.
    2020, appendix C (theirs was shorter for sets of short examples); in scripts without spaces a word is a character, and
    26 of them make an n-gram, which is about 13 to 17 Chinese words; in mixed text both count in proportion. An
    evaluation text shorter than an n-gram is not looked for; the log says how many there are. A document goes when its
    longest match has `min_match` words or characters and `min_share` of its n-grams match: the default is any match.
    """

    version: ClassVar[int] = 1
    inputs: ClassVar[Mapping[str, Port]] = {
        "corpus": Port("corpus", whole=True),
        "evaluation": Port("corpus", many=True, whole=True, about="evaluation sets to keep out of the corpus"),
    }
    ngram: int = Field(13, ge=2, le=1000, description="words in an n-gram")
    ngram_characters: int = Field(26, ge=2, le=1000, description="characters in an n-gram of text without spaces")
    min_match: Annotated[int, Threshold] = Field(
        1, ge=1, description="words (characters without spaces) of the longest match from which a document goes"
    )
    min_share: Annotated[float, Threshold] = Field(
        0.0, ge=0.0, le=1.0, description="share of its n-grams that must match for a document to go"
    )
    _learned: Path | None = PrivateAttr(None)

    def fit(self, ctx: Context, folder: Path) -> None:
        """Write the n-grams of the evaluation sets, sorted by hash, each with the first set that has it."""
        corpora: list[Corpus] = ctx.inputs["evaluation"]
        found, short, texts = [], 0, 0
        for number, corpus in enumerate(corpora):
            for batch in corpus.batches(["text"]):
                words = words_of(batch["text"])
                counts, grams = windows_of(words, self.ngram, self.ngram_characters)
                has_one = np.zeros(batch.height, dtype=bool)
                has_one[np.searchsorted(words.firsts, np.flatnonzero(counts), side="right") - 1] = True
                short, texts = short + int((~has_one).sum()), texts + batch.height
                own = pl.DataFrame({"hash": grams[counts > 0]}).unique()
                found.append(own.with_columns(pl.lit(number, pl.UInt32).alias("set")))
        if not found or short == texts:
            raise StepError(
                f"none of the {texts} evaluation texts is as long as an n-gram, so nothing could ever match",
                where=ctx.step,
                expected=f"texts of {self.ngram} words, or {self.ngram_characters} characters without spaces, or more",
                advice="set a smaller ngram and ngram_characters",
            )
        if short:
            ctx.log(f"{short} of {texts} evaluation texts are shorter than an n-gram and are not looked for")
        table = pl.concat(found).group_by("hash").agg(pl.col("set").min()).sort("hash")
        folder.mkdir(parents=True)
        np.save(folder / HASHES, table["hash"].to_numpy(), allow_pickle=False)
        np.save(folder / SETS, table["set"].to_numpy(), allow_pickle=False)
        names = [corpus.step or f"evaluation {number}" for number, corpus in enumerate(corpora, 1)]
        pl.DataFrame({"name": names}).write_parquet(folder / NAMES)

    def fitted(self, folder: Path) -> Self:
        """Return this filter with the n-grams that `fit` wrote."""
        learned = self.model_copy()
        learned._learned = folder  # noqa: SLF001 - its own copy
        return learned

    def signals(self) -> Mapping[str, KernelColumn]:
        """Return the overlap with the evaluation sets."""
        overlap = Overlap(self._learned or Path(), self.ngram, self.ngram_characters)
        names = ("longest_match", "matching_ngrams", "matching_share", "evaluation_set")
        return {name: overlap.column(name) for name in names}

    def rules(self) -> dict[str, pl.Expr]:
        """Return the two thresholds as one rule."""
        long_enough = pl.col("longest_match") >= self.min_match
        return {"evaluation-overlap": long_enough & (pl.col("matching_share") >= self.min_share)}
