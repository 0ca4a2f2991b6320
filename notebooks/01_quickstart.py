# %% [markdown]
# # From real text to a tuned, evaluated model
#
# The same pipeline as `pipelines/quickstart.yaml`, cell by cell: the documentation that is installed on this machine is
# cleaned, deduplicated and stripped of personal data; a tokenizer and a small Llama are trained on it; the model is
# tuned to tell which library a passage comes from and scored beside two baselines. Nothing runs before it is asked for,
# and nothing runs twice: what `make quickstart` has computed is taken from the store.

# %%
import os

import workbench as wb

# The store that `make quickstart` fills, so that the notebook finds what is already there.
p = wb.Pipeline("quickstart", seed=1234, store=os.environ.get("WORKBENCH_STORE", "../.workbench"))

# %% [markdown]
# ## The corpus
#
# A step is a call; its result is a handle. `p.source.<TAB>` lists what is installed.

# %%
raw = p.source.installed_docs(name="raw", max_per_package=200)
clean = p.filter.chain(
    raw,
    [wb.filter.unicode(), wb.filter.gopher_quality(min_words=30), wb.filter.pii()],
    name="clean",
)
exact = p.filter.exact_dedup(clean, name="exact")
unique = p.filter.minhash_dedup(exact, threshold=0.8, name="unique")
split = p.corpus.split(unique, valid=0.1, name="split")

# %% [markdown]
# What would run, and why? The plan is exact without running anything.

# %%
p.plan()

# %% [markdown]
# `head` runs what is missing and shows the first documents.

# %%
unique.head(5)

# %% [markdown]
# Every document that was read is accounted for: kept, rejected with a reason, or quarantined.

# %%
clean.result

# %% [markdown]
# ## Tokens and a model

# %%
bpe = p.tokenizer.byte_bpe(split.train, vocab_size=4096, name="bpe")
ids = p.tokens.pack(split, bpe, context=128, name="ids")
base = p.train.pretrain(
    ids,
    architecture=wb.architecture.llama(layers=4, width=128),
    objective=wb.objective.causal(),
    optimizer={"lr": 2e-3},
    budget={"tokens": 600_000},
    batch_size=32,
    name="base",
)

# %% [markdown]
# ## A task
#
# Which of five libraries does a passage come from? The label is in the data, and the parts of `split` stay apart, so no
# passage is both learned and asked. LoRA adds a few weights to the frozen model and merges them in the end.

# %%
labelled = p.corpus.label(split, key="package", top=5, name="labelled")
topic = p.train.tune(
    base,
    labelled,
    tuning=wb.tuning.lora(rank=16, embeddings=True),
    objective=wb.objective.classification(),
    optimizer={"lr": 3e-3},
    budget={"steps": 160},
    batch_size=32,
    max_length=64,
    name="topic",
)

# %% [markdown]
# ## Scores
#
# A score comes with the number of items, an interval, and what simpler methods reach on the same items: always guessing
# the most frequent label, and a linear model over TF-IDF.

# %%
language = p.evaluator.suite(model=base, heldout=split.valid, train=split.train, name="language")
scores = p.evaluator.classification(model=topic, heldout=labelled.valid, train=labelled.train, name="scores")
samples = p.evaluator.generation(base, split.valid, name="samples")

# %%
scores.result

# %%
language.result

# %%
samples.result

# %% [markdown]
# ## What leaves the workbench
#
# A folder that plain transformers loads, and one page with the ledger, the curves, the samples and the scores.

# %%
export = p.exporter.huggingface(base, name="export")
page = p.exporter.html_report(
    corpora=[raw, clean, exact, unique, split, labelled],
    models=[base, topic],
    reports=[language, scores, samples],
    name="page",
)
run = p.run()
run

# %% [markdown]
# The pipeline as a file: the two forms are one and the same, down to every fingerprint.

# %%
print(p.to_yaml())
