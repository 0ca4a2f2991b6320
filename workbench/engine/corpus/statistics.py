"""The statistics card of a corpus: what is in it, on one page with pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import polars as pl

from workbench.artifacts.report import write_scores
from workbench.contracts.component import Field
from workbench.contracts.evaluation import Scores
from workbench.contracts.ports import Port
from workbench.contracts.step import CoreStep
from workbench.engine.corpus.axes import OWN
from workbench.engine.corpus.keywords import Weighted, ngrams, tokens_of
from workbench.engine.corpus.statistics_counts import as_json, counted, repeated_lines, repeats, sampled
from workbench.engine.corpus.statistics_page import card_page, card_pictures, card_tables
from workbench.files.atomic import write_json, write_text

if TYPE_CHECKING:
    from workbench.artifacts import Corpus
    from workbench.contracts.context import Context
    from workbench.engine.corpus.statistics_counts import Repeats

LANGUAGE = "language"


class Statistics(CoreStep):
    """Write a card about a corpus: size, lengths, languages, sources, domains, registers, repeats, keywords, topics.

    Languages and domains come from a column or a key of meta of that name (`filter/language-tag`, `source/warc`); what
    a corpus has not is left out with a note. Repeats are counted exactly: the same text, and the same but for case and
    white space. Keywords, n-grams, topics and repeated lines are of a random sample that follows from the seed and the
    ids: terms by TF-IDF, topics by NMF or LDA over it; Chinese words are found in the sample without a dictionary (see
    `keywords`). With `before`, an earlier state of the corpus, sizes and shares of both stand side by side.

    Memory holds a shard for each worker, the sample, a million hashes, and a number for each domain and source.
    """

    kind: ClassVar[str] = "corpus"
    stochastic: ClassVar[bool] = True
    inputs: ClassVar[Mapping[str, Port]] = {
        "corpus": Port("corpus", whole=True),
        "before": Port("corpus", optional=True, whole=True, about="an earlier state of it, to stand beside"),
        "tokenizer": Port("tokenizer", optional=True, about="to count tokens"),
    }
    output: ClassVar[str] = "report"

    by: tuple[str, ...] = Field((), description="further columns or meta keys to count documents by")
    groups: int = Field(20, ge=1, le=200, description="languages, sources, domains shown, the largest")
    sample: int = Field(5000, ge=1, le=100_000, description="documents for keywords, n-grams, topics, repeated lines")
    sample_characters: int = Field(4000, ge=100, description="of each of them, from its beginning")
    keywords: int = Field(25, ge=1, le=200, description="keywords of each language, and n-grams of each length")
    topics: int = Field(8, ge=0, le=100, description="number of topics; 0 for none")
    topic_method: Literal["nmf", "lda"] = Field(
        "nmf", description="non-negative factors, or latent Dirichlet allocation"
    )

    def run(self, ctx: Context) -> None:
        """Count, compare, look into the sample, write the report."""
        corpus: Corpus = ctx.inputs["corpus"]
        before: Corpus | None = ctx.inputs.get("before")
        axes = list(dict.fromkeys((*(axis for axis in OWN if axis != "length"), *self.by)))
        now = counted(ctx, self, corpus, axes, ctx.scratch / "now")
        then = counted(ctx, self, before, axes, ctx.scratch / "before") if before else None
        found = [repeats(corpus, ctx.scratch / "now")]
        if before:
            found.append(repeats(before, ctx.scratch / "before"))
        tables, notes = self._read(ctx, corpus, found)
        missing = [axis for axis in axes if axis not in now.axes]
        notes += [f"No document has {axis!r}; it is left out." for axis in missing if now.totals["documents"]]
        tables = {**card_tables(now, then, found, self.groups), **tables}
        tables = {name: table for name, table in tables.items() if not table.is_empty()}
        pictures = card_pictures(now, then, corpus.step, before.step if before else "", self.groups)
        write_scores(ctx.output, Scores(tables=tables, notes=notes), pictures)
        content = {"corpus": as_json(now), **({"before": as_json(then)} if then else {})}
        write_json(ctx.output / "statistics.json", content)
        page = card_page(ctx.step, (corpus.step, before.step if before else None), tables, pictures, notes)
        write_text(ctx.output / "report.html", page.render())

    def _read(self, ctx: Context, corpus: Corpus, found: list[Repeats]) -> tuple[dict[str, pl.DataFrame], list[str]]:
        """Return the tables that come from the sample, and what to know of them."""
        sample = sampled(corpus, ctx.scratch / "now", self.sample, LANGUAGE, self.sample_characters)
        texts = sample["text"].to_list()
        documents = tokens_of(texts)
        weighted = Weighted(documents)
        share, lines = repeated_lines(texts, self.keywords)
        tables = {
            "repeated-texts": found[0].most,
            "repeated-lines": lines,
            "keywords": weighted.keywords(sample["group"].to_list(), self.keywords),
            "n-grams": ngrams(documents, self.keywords),
            "topics": weighted.topics(self.topics, self.topic_method, ctx.seed) if self.topics else pl.DataFrame(),
        }
        of_what = f"the first {self.sample_characters:,} characters of {len(texts):,} documents drawn at random"
        notes = [
            f"Keywords, n-grams, topics and repeated lines: of {of_what}.",
            f"Of the characters of that sample, {share:.1%} stand in lines that several of its documents have.",
        ]
        return tables, notes if texts else []
