"""The only door for plugin authors: everything a component may use, and nothing else.

Every name is imported on first use, so that a plugin's entry module, which needs `ComponentRef` and `hookimpl`
only, costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.artifacts import Corpus, Export, Model, Report, Tokens
    from workbench.artifacts.drawing import drawing, plain, svg
    from workbench.artifacts.pages import Page
    from workbench.artifacts.tokenizer import encode_text
    from workbench.contracts.component import Component, Field, Runtime, Threshold
    from workbench.contracts.context import Context
    from workbench.contracts.evaluation import Drawn, Evaluator, Exporter, Score, Scores
    from workbench.contracts.filters import (
        CorpusFilter,
        Filter,
        Kernel,
        KernelColumn,
        RewriteFilter,
        Rewritten,
        RowFilter,
    )
    from workbench.contracts.model import NEURAL, Architecture, Examples, Objective, Tuning
    from workbench.contracts.ports import Port
    from workbench.contracts.records import TURNED_AWAY, BadRecord, document_id, documents
    from workbench.contracts.references import ComponentRef
    from workbench.contracts.source import FileSource, Source
    from workbench.contracts.static import (
        Fitted,
        Lesson,
        StaticArchitecture,
        StaticClassifier,
        StaticFeatures,
        StaticLanguageModel,
        StaticModel,
        StaticVectors,
        TokenStream,
        WindowObjective,
    )
    from workbench.contracts.tokenizer import Tokenizer, Vocab
    from workbench.errors import DataError, EnvironmentProblem, StepError, WorkbenchError
    from workbench.files.atomic import write_text
    from workbench.files.hub import HUB_NAME, HubFolder, commit_of
    from workbench.files.input import DamagedInput, Line, open_input, read_lines, read_whole
    from workbench.files.text import safe_text
    from workbench.hookspecs import hookimpl
    from workbench.training.beside import weights_beside
    from workbench.training.device import autocast, choose_device, repeatable
    from workbench.training.language import LanguageModel, batches_by_length, row_logits
    from workbench.training.losses import logits_loss, token_loss
    from workbench.training.masks import model_inputs
    from workbench.training.models import load_model
    from workbench.training.padding import pad_rows
    from workbench.training.static import load_static
    from workbench.training.writers import open_language_model
    from workbench.training.writing import Writing

HOME = {
    "workbench.artifacts": ("Corpus", "Export", "Model", "Report", "Tokens"),
    "workbench.artifacts.drawing": ("drawing", "plain", "svg"),
    "workbench.artifacts.pages": ("Page",),
    "workbench.artifacts.tokenizer": ("encode_text",),
    "workbench.contracts.component": ("Component", "Field", "Runtime", "Threshold"),
    "workbench.contracts.context": ("Context",),
    "workbench.contracts.evaluation": ("Drawn", "Evaluator", "Exporter", "Score", "Scores"),
    "workbench.contracts.filters": (
        "CorpusFilter",
        "Filter",
        "Kernel",
        "KernelColumn",
        "RewriteFilter",
        "Rewritten",
        "RowFilter",
    ),
    "workbench.contracts.model": ("Architecture", "Examples", "NEURAL", "Objective", "Tuning"),
    "workbench.contracts.ports": ("Port",),
    "workbench.contracts.records": ("TURNED_AWAY", "BadRecord", "document_id", "documents"),
    "workbench.contracts.references": ("ComponentRef",),
    "workbench.contracts.static": (
        "Fitted",
        "Lesson",
        "StaticArchitecture",
        "StaticClassifier",
        "StaticFeatures",
        "StaticLanguageModel",
        "StaticModel",
        "StaticVectors",
        "TokenStream",
        "WindowObjective",
    ),
    "workbench.contracts.source": ("FileSource", "Source"),
    "workbench.contracts.tokenizer": ("Tokenizer", "Vocab"),
    "workbench.errors": ("DataError", "EnvironmentProblem", "StepError", "WorkbenchError"),
    "workbench.files.atomic": ("write_text",),
    "workbench.files.hub": ("HUB_NAME", "HubFolder", "commit_of"),
    "workbench.files.input": ("DamagedInput", "Line", "open_input", "read_lines", "read_whole"),
    "workbench.files.text": ("safe_text",),
    "workbench.hookspecs": ("hookimpl",),
    "workbench.training.beside": ("weights_beside",),
    "workbench.training.device": ("autocast", "choose_device", "repeatable"),
    "workbench.training.language": ("LanguageModel", "batches_by_length", "row_logits"),
    "workbench.training.losses": ("logits_loss", "token_loss"),
    "workbench.training.masks": ("model_inputs",),
    "workbench.training.models": ("load_model",),
    "workbench.training.padding": ("pad_rows",),
    "workbench.training.static": ("load_static",),
    "workbench.training.writers": ("open_language_model",),
    "workbench.training.writing": ("Writing",),
}
_MODULES = {name: module for module, names in HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "HUB_NAME",
    "NEURAL",
    "TURNED_AWAY",
    "Architecture",
    "BadRecord",
    "Component",
    "ComponentRef",
    "Context",
    "Corpus",
    "CorpusFilter",
    "DamagedInput",
    "DataError",
    "Drawn",
    "EnvironmentProblem",
    "Evaluator",
    "Examples",
    "Export",
    "Exporter",
    "Field",
    "FileSource",
    "Filter",
    "Fitted",
    "HubFolder",
    "Kernel",
    "KernelColumn",
    "LanguageModel",
    "Lesson",
    "Line",
    "Model",
    "Objective",
    "Page",
    "Port",
    "Report",
    "RewriteFilter",
    "Rewritten",
    "RowFilter",
    "Runtime",
    "Score",
    "Scores",
    "Source",
    "StaticArchitecture",
    "StaticClassifier",
    "StaticFeatures",
    "StaticLanguageModel",
    "StaticModel",
    "StaticVectors",
    "StepError",
    "Threshold",
    "TokenStream",
    "Tokenizer",
    "Tokens",
    "Tuning",
    "Vocab",
    "WindowObjective",
    "WorkbenchError",
    "Writing",
    "autocast",
    "batches_by_length",
    "choose_device",
    "commit_of",
    "document_id",
    "documents",
    "drawing",
    "encode_text",
    "hookimpl",
    "load_model",
    "load_static",
    "logits_loss",
    "model_inputs",
    "open_input",
    "open_language_model",
    "pad_rows",
    "plain",
    "read_lines",
    "read_whole",
    "repeatable",
    "row_logits",
    "safe_text",
    "svg",
    "token_loss",
    "weights_beside",
    "write_text",
]
