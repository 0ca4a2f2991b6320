"""The immutable results of steps, as they lie on disk: one module per artifact.

>>> sorted(ARTIFACTS)
['corpus', 'export', 'model', 'report', 'tokenizer', 'tokens']
"""

from workbench.artifacts.base import Artifact
from workbench.artifacts.corpus import Corpus
from workbench.artifacts.export import Export
from workbench.artifacts.model import Model
from workbench.artifacts.report import Report
from workbench.artifacts.tokenizer import Tokenizer
from workbench.artifacts.tokens import Tokens

ARTIFACTS: dict[str, type[Artifact]] = {
    "corpus": Corpus,
    "export": Export,
    "model": Model,
    "report": Report,
    "tokenizer": Tokenizer,
    "tokens": Tokens,
}

__all__ = ["ARTIFACTS", "Artifact", "Corpus", "Export", "Model", "Report", "Tokenizer", "Tokens"]
