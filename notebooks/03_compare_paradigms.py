# %% [markdown]
# # Six ways to learn a language
#
# The same pipeline as `pipelines/paradigms.yaml`, cell by cell. One corpus, one tokenizer, about 1.3 million parameters
# and the same 300,000 tokens, read once, go through five kinds of networks, each with the objective it is known for, and
# through n-grams, which only count. Then all are asked the same two questions: how many bits does a byte of unseen text
# cost, and how much can a linear classifier read off the frozen vectors?
#
# | | sees | predicts | like |
# |---|---|---|---|
# | `masked` | both sides | hidden tokens, 15 % | BERT |
# | `causal` | what stands before | every next token | GPT, Llama |
# | `spans` | both sides of the holes | what was cut out, 15 % | T5 |
# | `prefix` | a prefix from both sides | the rest, token by token | UniLM |
# | `permuted` | what came earlier in a random order | the last sixth of that order | XLNet |
# | `kneser-ney`, `additive` | the two tokens before | every next token | n-grams |

# %%
import os

import workbench as wb

p = wb.Pipeline("paradigms", seed=1234, store=os.environ.get("WORKBENCH_STORE", "../.workbench"))

# %% [markdown]
# ## One corpus, one tokenizer
#
# The text of the quickstart: documentation that is installed on this machine. What that notebook has computed is taken
# from the store. A tenth of the documents is what every model learns from.

# %%
raw = p.source.installed_docs(name="raw", max_per_package=200)
clean = p.filter.chain(
    raw,
    [wb.filter.unicode(), wb.filter.gopher_quality(min_words=30), wb.filter.pii()],
    name="clean",
)
exact = p.filter.exact_dedup(clean, name="exact")
unique = p.filter.minhash_dedup(exact, threshold=0.8, name="unique")
split = p.corpus.split(unique, valid=0.2, name="split")
bpe = p.tokenizer.byte_bpe(split.train, vocab_size=4096, mask=True, name="bpe")
few = p.corpus.sample(split, share=0.1, name="few")
ids = p.tokens.pack(few, bpe, context=128, name="ids")

# %% [markdown]
# ## Five networks
#
# A decoder of an encoder-decoder has a second attention, and XLNet a matrix more in each; their feed-forward layers are
# narrower, so that the number of parameters is about the same. Batches, learning rate and budget are the same for all,
# and tuned for none: at another size or budget the order may be another.

# %%
masked = p.train.pretrain(
    ids,
    architecture=wb.architecture.bert(layers=4, width=128),
    objective=wb.objective.masked(),
    optimizer={"lr": 2e-3},
    budget={"epochs": 1},
    batch_size=8,
    name="masked",
)
causal = p.train.pretrain(
    ids,
    architecture=wb.architecture.llama(layers=4, width=128),
    objective=wb.objective.causal(),
    optimizer={"lr": 2e-3},
    budget={"epochs": 1},
    batch_size=8,
    name="causal",
)
spans = p.train.pretrain(
    ids,
    architecture=wb.architecture.t5(layers=2, width=128, ffn_width=256),
    objective=wb.objective.span_corruption(),
    optimizer={"lr": 2e-3},
    budget={"epochs": 1},
    batch_size=8,
    name="spans",
)
prefix = p.train.pretrain(
    ids,
    architecture=wb.architecture.prefix_lm(layers=4, width=128),
    objective=wb.objective.prefix(),
    optimizer={"lr": 2e-3},
    budget={"epochs": 1},
    batch_size=8,
    name="prefix",
)
permuted = p.train.pretrain(
    ids,
    architecture=wb.architecture.xlnet(layers=4, width=128, ffn_width=448),
    objective=wb.objective.permutation(),
    optimizer={"lr": 2e-3},
    budget={"epochs": 1},
    batch_size=8,
    name="permuted",
)

# %% [markdown]
# ## What pretraining has to beat
#
# The same network after one step that changes nothing, n-grams that read the same tokens, and the words of a text,
# weighted by how rare they are (350 characters are about the 128 tokens that the networks read of a text). Only what
# lies above these was learned by training a network. At this small budget that is not much: with `share=1.0` in `few`
# every model reads ten times as much, in about ten times the time.

# %%
untrained = p.train.pretrain(
    ids,
    architecture=wb.architecture.llama(layers=4, width=128),
    objective=wb.objective.causal(),
    optimizer={"lr": 1e-9},
    budget={"steps": 1},
    batch_size=8,
    name="untrained",
)
kneser_ney = p.train.pretrain(ids, architecture=wb.architecture.ngram(order=3), name="kneser-ney")
additive = p.train.pretrain(ids, architecture=wb.architecture.ngram(order=3, smoothing="additive"), name="additive")
words = p.train.pretrain(corpus=few, architecture=wb.architecture.tfidf(characters=350), name="words")

# %% [markdown]
# What will run, and what is there already:

# %%
p.plan()

# %% [markdown]
# ## Bits per byte
#
# A model that gives every text a probability is a code for it, and the length of the code in bits, divided by the bytes
# of the text, compares any two of them, whatever they were trained for. So this is asked of all that have such a
# probability, and the same tokens count for all:
#
# - `causal`, `kneser-ney`, `additive`: the next token, which is what they learned. Here a lower number is a better model.
# - `prefix`: as a decoder, with an empty prefix. It learned to predict second halves only.
# - `permuted`: in the order of the text, one of the orders it learned from; but mostly it was given five sixths of a text.
# - `spans`: it reads a text of which everything is missing and writes all of it. It learned to write three tokens at a
#   time with the rest before its eyes; this is far from that, and the number says how far.
# - `masked` gives no text a probability: what it says of one token depends on those behind it, and these numbers do not
#   multiply to that of a text. So it has no bits per byte. Its loss on hidden tokens stands in its card.

# %%
causal_bits = p.evaluator.perplexity(
    model=causal, heldout=split.valid, train=few.train, documents=200, name="causal-bits"
)
spans_bits = p.evaluator.perplexity(model=spans, heldout=split.valid, train=few.train, documents=200, name="spans-bits")
prefix_bits = p.evaluator.perplexity(
    model=prefix, heldout=split.valid, train=few.train, documents=200, name="prefix-bits"
)
permuted_bits = p.evaluator.perplexity(
    model=permuted, heldout=split.valid, train=few.train, documents=200, name="permuted-bits"
)
untrained_bits = p.evaluator.perplexity(
    model=untrained, heldout=split.valid, train=few.train, documents=200, name="untrained-bits"
)
kneser_ney_bits = p.evaluator.perplexity(
    model=kneser_ney, heldout=split.valid, train=few.train, documents=200, name="kneser-ney-bits"
)
additive_bits = p.evaluator.perplexity(
    model=additive, heldout=split.valid, train=few.train, documents=200, name="additive-bits"
)

# %%
causal_bits.result

# %%
kneser_ney_bits.result

# %% [markdown]
# ## What can be read off the vectors
#
# Which of ten libraries does a passage come from? Nothing of the networks is trained any more. A text becomes the mean of
# the states of a layer, and logistic regression learns from these vectors. The layer and the regularisation are chosen on
# a part of the training documents. That is done for three seeds; each draws other documents to learn from. The interval
# is over the judged documents and over these seeds. It does not say how another seed of the *pretraining* would come out:
# for that, run the pipeline again with another one, `workbench run pipelines/paradigms.yaml -s seed=1`.

# %%
labelled = p.corpus.label(split, key="package", top=10, name="labelled")
masked_probe = p.evaluator.probe(model=masked, heldout=labelled.valid, train=labelled.train, name="masked-probe")
causal_probe = p.evaluator.probe(model=causal, heldout=labelled.valid, train=labelled.train, name="causal-probe")
spans_probe = p.evaluator.probe(model=spans, heldout=labelled.valid, train=labelled.train, name="spans-probe")
prefix_probe = p.evaluator.probe(model=prefix, heldout=labelled.valid, train=labelled.train, name="prefix-probe")
permuted_probe = p.evaluator.probe(model=permuted, heldout=labelled.valid, train=labelled.train, name="permuted-probe")
untrained_probe = p.evaluator.probe(
    model=untrained, heldout=labelled.valid, train=labelled.train, name="untrained-probe"
)
words_probe = p.evaluator.probe(model=words, heldout=labelled.valid, train=labelled.train, name="words-probe")

# %%
masked_probe.result

# %%
untrained_probe.result

# %% [markdown]
# ## Side by side
#
# One page with the curves of all models over tokens, and every score of all models in one picture. The losses of
# different objectives are means over different tokens: a curve can be compared with itself only.

# %%
page = p.exporter.comparison(
    models=[masked, causal, spans, prefix, permuted, untrained, kneser_ney, additive, words],
    reports=[
        causal_bits,
        spans_bits,
        prefix_bits,
        permuted_bits,
        untrained_bits,
        kneser_ney_bits,
        additive_bits,
        masked_probe,
        causal_probe,
        spans_probe,
        prefix_probe,
        permuted_probe,
        untrained_probe,
        words_probe,
    ],
    title="Six ways to learn a language",
    name="page",
)
run = p.run()
run

# %%
from html import escape

from IPython.display import HTML

content = (run["page"].artifact.path / "index.html").read_text("utf-8")
HTML(f'<div><iframe srcdoc="{escape(content)}" width="100%" height="900" style="border: 0"></iframe></div>')

# %% [markdown]
# The pipeline as a file: the two forms are one and the same, down to every fingerprint.

# %%
print(p.to_yaml())
