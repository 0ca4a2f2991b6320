"""The language of a text. Source: Lui and Baldwin 2012 (langid.py); the model is the one in py3langid, 140 languages.

A naive Bayes model over byte n-grams that an automaton finds: it sees the text and nothing else, ships in a package of
less than a megabyte and needs no network. What was measured beside others stands in docs/decisions/0018-language.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import polars as pl
from pydantic import field_validator

from workbench.api import Field, Kernel, KernelColumn, RewriteFilter, Rewritten, RowFilter, Threshold

if TYPE_CHECKING:
    from collections.abc import Iterable

CHARACTERS = 1000  # enough for the right answer; what comes after costs time and changes one in a thousand
UNDETERMINED = "und"  # ISO 639-2 for a text that shows no language
DIGITS = 4  # of a probability that is kept: the last ones depend on the machine's way to add
# ISO 639-1 where there is a code, else ISO 639-3, as the model has them.
CODES = (
    "ace af am an ar ary arz as az ba bcl be bg bn br bs ca crh cs cy da de dz el en eo es et eu ext fa fi fo fr fuv "
    "fy ga gcf gcr gd gl gom grc gu gug guw ha hbo he hi hr ht hu hy id ig is it ja jv ka kab kik kk km kn ko ku ky "
    "la lb lg lij ln lo lt ltg lv mg mk ml mn mr ms mt my ne nl nn no nso oc om or pa pcm pl ps pt qu ro ru rw sa sdh "
    "se si sk sl sn so sq sr st sv sw ta te tg th tk tl tr tt ug uk ur uz uzs vec vi vo wa wuu xh yo yue zh zu zxx"
)
LANGUAGES = frozenset(CODES.split())


@dataclass(frozen=True)
class LanguageModel(Kernel):
    """`language`, a code of ISO 639, and `language_probability`, float64 from 0 to 1, of the first characters."""

    characters: int = CHARACTERS

    def compute(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return one language for each document; `und` with probability 0 for one without any letter."""
        classify = identifier().classify
        heads = batch["text"].str.head(self.characters).fill_null("")
        has_letter = heads.str.contains(r"\p{L}")
        found = [
            classify(head) if letters else (UNDETERMINED, 0.0) for head, letters in zip(heads, has_letter, strict=True)
        ]
        return pl.DataFrame(
            {
                "language": pl.Series([language for language, _ in found], dtype=pl.String),
                "language_probability": pl.Series([round(sure, DIGITS) for _, sure in found], dtype=pl.Float64),
            }
        )


class Language(RowFilter):
    """Keep documents in some languages; measures the language of every document either way."""

    keep: Annotated[tuple[str, ...], Threshold] = Field((), description="codes (`en`, `zh`); all when empty")
    min_probability: Annotated[float, Threshold] = Field(
        0.0, ge=0, le=1, description="how sure the model must be; a short or mixed text is less sure"
    )
    characters: int = Field(CHARACTERS, ge=20, description="how much of a text is looked at, from its beginning")

    @field_validator("keep")
    @classmethod
    def _known(cls, keep: tuple[str, ...]) -> tuple[str, ...]:
        return known_languages(keep)

    def signals(self) -> dict[str, KernelColumn]:
        """Measure the language and how sure the model is."""
        kernel = LanguageModel(self.characters)
        return {name: kernel.column(name) for name in ("language", "language_probability")}

    def rules(self) -> dict[str, pl.Expr]:
        """Drop other languages and what is not sure."""
        rules = {"language-unsure": pl.col("language_probability") < self.min_probability}
        if self.keep:
            rules = {"other-language": ~pl.col("language").is_in(list(self.keep)), **rules}
        return rules


class LanguageTag(RewriteFilter):
    """Write the language of each document into a column, for steps that count or choose by it; drops nothing."""

    column: str = Field("language", min_length=1, description="the column; one that is there is replaced")
    min_probability: float = Field(0.0, ge=0, le=1, description="below it the language is `und`")
    characters: int = Field(CHARACTERS, ge=20, description="how much of a text is looked at, from its beginning")

    @field_validator("column")
    @classmethod
    def _not_of_every_document(cls, column: str) -> str:
        if column in ("id", "text", "source", "meta"):
            raise ValueError(f"every document has a column {column!r} of its own")
        return column

    def rewrite(self, batch: pl.DataFrame) -> Rewritten:
        """Return the documents with the column, and which of them are `und`."""
        found = LanguageModel(self.characters).compute(batch)
        is_sure = found["language_probability"] >= self.min_probability
        language = found.select(pl.when(is_sure).then("language").otherwise(pl.lit(UNDETERMINED))).to_series()
        edits = pl.DataFrame({"undetermined": (language == UNDETERMINED).cast(pl.UInt32)})
        return Rewritten(batch.with_columns(language.alias(self.column)), edits)


def known_languages(codes: Iterable[str]) -> tuple[str, ...]:
    """Return the codes. Raises `ValueError` for one that the model does not know."""
    codes = tuple(codes)
    unknown = sorted(set(codes) - LANGUAGES - {UNDETERMINED})
    if unknown:
        raise ValueError(
            f"unknown language {unknown[0]!r}; expected codes like en, de or zh ({len(LANGUAGES)} are known)"
        )
    return codes


@cache
def identifier() -> Any:
    """Return the model, read once for each process."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
