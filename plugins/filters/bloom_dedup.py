"""Deduplication by a Bloom filter (Bloom 1970): what a set of bits says has been seen before goes.

A digest of 128 bits stands for each item. From its halves a and b come the places a + i·b of k bits (Kirsch and
Mitzenmacher 2006); an item whose bits are all set counts as seen. For n items at a false-positive rate p the set has
m = -n·ln p / (ln 2)² bits and k = m/n·ln 2 places for each item.
"""

from __future__ import annotations

from math import ceil, log
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
import polars as pl
from pydantic import PrivateAttr
from workbench_plugins.filters.exact_dedup import digest_texts
from workbench_plugins.filters.spans import parts_of, units_of

from workbench.api import Corpus, CorpusFilter, DataError, Field, Port

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.api import Context

SEEN = "seen.npy"
SECOND = np.uint64(0x9E3779B97F4A7C15)  # makes the second half of a digest out of a hash of 64 bits
MIX = np.uint64(0xBF58476D1CE4E5B9)
ITEM = ("digest_high", "digest_low")


class BloomDedup(CorpusFilter):
    """Drop documents, or cut paragraphs, that a Bloom filter says stand before in the corpus or in one seen earlier.

    Against `exact-dedup` it gains memory: 1.2 bytes for each item at one false positive in a hundred, 2.4 at one in ten
    thousand, where exact digests take 16 and an id; so the corpora of the port `seen` may be many times larger than
    what is filtered. It loses exactness (up to `false_positives` of the items go that stand nowhere else; no repeat
    stays) and the name of the document that stays (`duplicate_of` is empty). Items are tried in the order of their
    digests, equal ones in that of their ids and places: so the first of equal ones stays and neither shards nor
    workers enter the result.
    """

    version: ClassVar[int] = 1
    inputs: ClassVar[Mapping[str, Port]] = {
        "corpus": Port("corpus", whole=True),
        "seen": Port("corpus", optional=True, many=True, whole=True, about="corpora whose items are not wanted again"),
    }
    unit: Literal["document", "paragraph"] = Field("document", description="what is looked for")
    false_positives: float = Field(1e-4, gt=1e-12, lt=0.5, description="share of items that go without a like")
    expected_items: int = Field(
        10_000_000, ge=1, le=10**11, description="items in all corpora together that the filter is sized for"
    )
    min_characters: int = Field(20, ge=1, description="letters and digits of a paragraph; shorter ones are not tried")
    _learned: Path | None = PrivateAttr(None)

    def fit(self, ctx: Context, folder: Path) -> None:
        """Set the bits of every item of the corpora `seen`."""
        corpora: list[Corpus] = ctx.inputs.get("seen") or []
        if not corpora:
            return
        bits, number = self._empty_bits(), 0
        for corpus in corpora:
            for batch in corpus.batches(["id", "text"]):
                sketch = self.sketch(batch)
                number = self._counted(number, sketch.height)
                self._try(bits, sketch)
        folder.mkdir(parents=True)
        np.save(folder / SEEN, np.append(bits, np.uint64(number)), allow_pickle=False)

    def fitted(self, folder: Path) -> Self:
        """Return this filter with the bits that `fit` set; they are read when they are needed."""
        learned = self.model_copy()
        learned._learned = folder / SEEN if (folder / SEEN).exists() else None  # noqa: SLF001 - its own copy
        return learned

    def sketch(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return `id`, `start` and `end` (bytes; null for a document) and the digest of each item, sorted by it."""
        if self.unit == "paragraph":
            units = units_of(batch["text"], "paragraph", loose=True).filter(pl.col("length") >= self.min_characters)
            low = units["hash"].to_numpy() * SECOND
            frame = units.select(
                batch["id"].gather(units["row"]).alias("id"),
                "start",
                "end",
                digest_high="hash",
                digest_low=pl.Series((low ^ (low >> np.uint64(32))) * MIX, dtype=pl.UInt64),
            )
        else:
            digests = digest_texts(batch["text"].str.replace_all(r"\s+", " ").str.strip_chars(" "))
            nowhere = pl.lit(None, pl.Int64)
            frame = pl.DataFrame({"id": batch["id"], "digest_high": digests[:, 0], "digest_low": digests[:, 1]}).select(
                "id", nowhere.alias("start"), nowhere.alias("end"), *ITEM
            )
        return frame.sort(*ITEM, "id", "start")

    def resolve(self, sketches: pl.LazyFrame) -> pl.DataFrame:
        """Return every item whose bits were all set when its turn came."""
        bits, number = self._empty_bits(), 0
        if self._learned is not None:
            stored = np.load(self._learned, allow_pickle=False)
            bits, number = stored[:-1], int(stored[-1])
        self._counted(number, sketches.select(pl.len()).collect(engine="streaming").item())
        found = []
        for part in parts_of(sketches, ITEM[0]):
            ordered = part.sort(*ITEM, "id", "start")
            found.append(ordered.filter(pl.Series(self._try(bits, ordered), dtype=pl.Boolean)))
        reason = "seen-before" if self.unit == "document" else "seen-paragraph"
        return pl.concat(found).select("id", "start", "end", reason=pl.lit(reason))

    def size(self) -> tuple[int, int]:
        """Return how many bits there are, and how many of them stand for an item.

        >>> BloomDedup(false_positives=0.01, expected_items=1000).size()
        (9586, 7)
        """
        bits = ceil(-self.expected_items * log(self.false_positives) / log(2) ** 2)
        return bits, max(1, round(bits / self.expected_items * log(2)))

    def _empty_bits(self) -> np.ndarray:
        return np.zeros(-(-self.size()[0] // 64), dtype=np.uint64)

    def _try(self, bits: np.ndarray, items: pl.DataFrame) -> np.ndarray:
        from workbench_plugins.filters.bloom_kernel import add_to_bits

        high, low = (items[name].to_numpy() for name in ITEM)
        seen = np.zeros(items.height, dtype=np.bool_)
        add_to_bits(high, low, bits, *self.size(), seen)
        return seen

    def _counted(self, number: int, more: int) -> int:
        if number + more > self.expected_items:
            raise DataError(
                f"there are more than {self.expected_items} items, so more than {self.false_positives:g} of them "
                "would go without a like",
                where="bloom-dedup",
                expected="at most `expected_items`, in the corpus and those of the port `seen` together",
                advice=f"set expected_items to {number + more} or more (now or with what is still to come)",
            )
        return number + more
