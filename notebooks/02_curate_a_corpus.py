# %% [markdown]
# # Curate a corpus
#
# The same pipeline as `pipelines/web-corpus.yaml`, cell by cell: from web archives, an encyclopedia and books to one
# corpus of clean text in stated proportions. What was thrown away, and why, stands beside what was kept; thresholds are
# tried on stored signals before they are set; and an audit says whom the filters hit.
#
# The first cell makes small archives out of the documentation on this machine (about half a minute, once, without a
# network). To curate files of your own, put them into `pipelines/data` before.

# %%
import json
import os

import polars as pl
import web_sample

import workbench as wb

pl.Config.set_fmt_str_lengths(120).set_tbl_rows(25).set_tbl_hide_dataframe_shape(True).set_tbl_hide_column_data_types(
    True
)
web_sample.write_sample()

# %%
# The store that the command line fills when it runs in the project's folder.
store = os.environ.get("WORKBENCH_STORE", "../.workbench")
p = wb.Pipeline("web-corpus", seed=1234, store=store, base="pipelines")

# %% [markdown]
# ## From pages to text
#
# A WARC file holds pages as a crawler got them, with their markup. `filter/html-text` takes the main text out of them,
# and `filter/language-tag` writes the language of each into a column, so that everything after can be counted by it.

# %%
pages = p.source.warc(paths=["data/*.warc.gz"], max_bad_share=0.01, name="pages")
html = p.filter.html_text(pages, name="html")
tagged = p.filter.language_tag(html, name="tagged")

# %%
pages.head(2)

# %%
tagged.head(3)

# %% [markdown]
# ## Filters
#
# One pass over the text for the whole chain. Every signal of every document is stored, whether it is kept or not.

# %%
web = p.filter.chain(
    tagged,
    [
        wb.filter.unicode(),
        wb.filter.whitespace(),
        wb.filter.boilerplate_lines(),
        wb.filter.gopher_quality(min_words=30),
        wb.filter.gopher_repetition(),
        wb.filter.fineweb(),
        wb.filter.secrets(),
        wb.filter.pii(languages=["en", "zh"]),
    ],
    name="web",
)
web.result

# %% [markdown]
# The ledger balances: read = kept + rejected + quarantined. Under *Edits* stands what was taken out of the texts that
# stayed: addresses, telephone numbers and secrets became tags such as `<EMAIL>`. A few documents that were rejected,
# with every rule that held:

# %%
rejects = web.result.artifact.rejects().collect()
rejects.select("reasons", pl.col("text").str.head(110)).sample(5, seed=1)

# %% [markdown]
# And what the filter that rejected the first of them had measured:

# %%
first = rejects.sample(5, seed=1).row(0, named=True)
{name: value for name, value in json.loads(first["signals"]).items() if name.startswith(first["filter"])}

# %%
counts = rejects.group_by("filter", "reason").len().sort("len", "reason", descending=[True, False])
counts

# %% [markdown]
# ## What if a threshold were another?
#
# Most go for their most frequent string of four words. The rule drops a text when that string makes up more than 16 %
# of its characters, a number found on long pages; these are short. The signals are stored, so other thresholds can be
# tried without reading any text: `signals` holds one row for every document that was read.

# %%
signals = web.signals
top = signals["gopher-repetition.top_4_gram_share"]
thresholds = [0.10, 0.16, 0.25, 0.40, 0.60]
what_if = pl.DataFrame({"threshold": thresholds, "documents over it": [int((top > at).sum()) for at in thresholds]})
what_if

# %% [markdown]
# The same as a picture: how many documents have how much of it, and where the threshold stands.

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(8, 2.6), layout="constrained")
axes.hist(top.drop_nulls().to_numpy(), bins=60, color="#0a5ad0")
axes.axvline(0.16, color="#b35900", linestyle="--", label="threshold 0.16")
axes.set_xlabel("share of characters in the most frequent string of four words")
axes.set_ylabel("documents")
axes.legend(frameon=False)
plt.show()

# %% [markdown]
# `bench()` holds all thresholds of the step at once. Last in a cell it shows a slider for each of them, with counts and
# examples that follow; here a threshold is moved by its name. *No other rule* counts the documents that only this rule
# drops: the others would go anyway.

# %%
bench = web.bench()
bench.move("gopher-repetition.max_top_n_grams.4", 0.25)
bench.table

# %% [markdown]
# Whom would it hit? And what exactly goes?

# %%
bench.by("language")

# %%
bench.examples("gopher-repetition: top-4-gram", 3, alone=True)

# %% [markdown]
# `bench.to_steps()` writes the step as it stands in a pipeline file, `bench.apply()` puts it into this pipeline. A setting
# that is a threshold only re-judges the stored signals when it is run: no text is measured again.

# %% [markdown]
# ## An encyclopedia and books

# %%
wiki = p.source.wikipedia_dump(paths=["data/*.xml*.bz2"], name="wiki")
articles = p.filter.chain(
    wiki,
    [
        wb.filter.unicode(),
        wb.filter.whitespace(),
        wb.filter.language_tag(),
        wb.filter.gopher_quality(min_words=30),
        wb.filter.gopher_repetition(),
        wb.filter.pii(),
    ],
    name="articles",
)
shelf = p.source.books(paths=["data/*.txt"], unit="chapter", name="shelf")
books = p.filter.chain(
    shelf,
    [
        wb.filter.unicode(),
        wb.filter.whitespace(),
        wb.filter.language_tag(),
        wb.filter.gopher_quality(min_words=30),
        wb.filter.pii(),
    ],
    name="books",
)
articles.head(2)

# %% [markdown]
# ## Duplicates
#
# The same text, then lines that stand on many pages, then texts that are nearly the same (also of the encyclopedia, and
# editions of one book); and what these have is not taken from the web a second time.

# %%
exact = p.filter.exact_dedup(web, name="exact")
lines = p.filter.line_dedup(exact, min_characters_left=100, name="lines")
unique = p.filter.minhash_dedup(lines, threshold=0.8, name="unique")
entries = p.filter.minhash_dedup(articles, threshold=0.8, name="entries")
volumes = p.filter.minhash_dedup(books, threshold=0.8, name="volumes")
apart = p.filter.decontaminate(unique, evaluation=[entries, volumes], min_share=0.5, name="apart")
apart.result

# %% [markdown]
# Two texts that were taken for one: what went, and what stays in its place.

# %%
gone = unique.result.artifact.rejects().select("duplicate_of", "text").collect()
kept = unique.result.artifact.scan().select("id", "text").collect()
pairs = gone.join(kept, left_on="duplicate_of", right_on="id", suffix=" that stays")
pairs.select(pl.col("text").str.head(110), pl.col("text that stays").str.head(110)).head(3)

# %% [markdown]
# ## Whom do the filters hit?
#
# The audit holds the drop rate of every rule in each language, source, domain, length and register against the whole.
# A flagged cell (▲) is a question: here short texts lose most to a rule made for long ones.

# %%
audit = p.corpus.audit(tagged, [web, exact, lines, unique, apart], min_documents=10, name="audit")
audit.result

# %% [markdown]
# ## The mixture
#
# Half web, three tenths encyclopedia, two tenths books, counted in characters and exact but for a document of each; then a split in which a site is in one
# part as a whole, so that nothing of it is both learned and asked.

# %%
mixed = p.corpus.mix(
    [apart, entries, volumes],
    weights=[5, 3, 2],
    unit="characters",
    names=["web", "encyclopedia", "books"],
    fill=True,
    name="mixed",
)
split = p.corpus.split(mixed, valid=0.1, by="domain", name="split")
mixture = mixed.result.artifact.scan().select("mixture", pl.col("text").str.len_chars().alias("characters"))
shares = mixture.group_by("mixture").sum().with_columns(share=pl.col("characters") / pl.col("characters").sum())
shares.sort("share", descending=True).collect()

# %% [markdown]
# ## What is in it
#
# The card of the mixture, and of the web beside what it was before the filters.

# %%
card = p.corpus.statistics(mixed, by=["mixture"], name="card")
card.result

# %%
web_card = p.corpus.statistics(apart, before=tagged, name="web_card")
web_card.result

# %% [markdown]
# ## One page for everybody else

# %%
page = p.exporter.html_report(
    corpora=[pages, html, web, exact, lines, unique, apart, mixed, split],
    reports=[card, web_card, audit],
    title="A web corpus",
    name="page",
)
run = p.run()
run

# %% [markdown]
# The pipeline as a file: the two forms are one and the same, down to every fingerprint.

# %%
print(p.to_yaml())
