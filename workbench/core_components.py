"""The core's own components: the kinds `corpus`, `tokens` and `train`, and the chain of filters."""

from workbench.contracts.references import ComponentRef

CORE = (
    ComponentRef("corpus", "audit", "workbench.engine.corpus.audit:Audit", "whom filters hit: drop rates by group"),
    ComponentRef("corpus", "concat", "workbench.engine.corpus.concat:Concat", "several corpora as one"),
    ComponentRef("corpus", "label", "workbench.engine.corpus.label:Label", "a label for each document from its meta"),
    ComponentRef("corpus", "mix", "workbench.engine.corpus.mix:Mix", "corpora in stated proportions, shuffled"),
    ComponentRef("corpus", "sample", "workbench.engine.corpus.sample:Sample", "a random share or number of documents"),
    ComponentRef("corpus", "sort", "workbench.engine.corpus.sort:Sort", "by length, id, a column, meta, or at random"),
    ComponentRef("corpus", "split", "workbench.engine.corpus.split:Split", "train, valid, test at random or by time"),
    ComponentRef(
        "corpus", "statistics", "workbench.engine.corpus.statistics:Statistics", "a card with pictures of what is in it"
    ),
    ComponentRef("filter", "chain", "workbench.engine.corpus.chain:Chain", "several filters in one pass"),
    ComponentRef("tokens", "pack", "workbench.engine.tokens.pack:Pack", "token ids in rows with document boundaries"),
    ComponentRef("train", "pretrain", "workbench.training.pretrain:Pretrain", "train a new model on tokens"),
    ComponentRef("train", "tune", "workbench.training.tune:Tune", "tune a trained model on a task or on more text"),
)
