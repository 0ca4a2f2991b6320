"""The only door for plugin authors: everything a component may use, and nothing else.

Every name is imported on first use, so that a plugin's entry module, which needs `ComponentRef` and `hookimpl`
only, costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.artifacts import Corpus, Export, Model, Report, Tokens
    from workbench.artifacts.pages import Page
    from workbench.artifacts.tokenizer import encode_text
    from workbench.contracts.component import Component, Field, Runtime, Threshold
    from workbench.contracts.context import Context
    from workbench.contracts.evaluation import Evaluator, Exporter, Score, Scores
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
    from workbench.contracts.records import BadRecord, document_id, documents
    from workbench.contracts.references import ComponentRef
    from workbench.contracts.source import FileSource, Source
    from workbench.contracts.tokenizer import Tokenizer, Vocab
    from workbench.errors import DataError, EnvironmentProblem, StepError, WorkbenchError
    from workbench.files.atomic import write_text
    from workbench.files.input import DamagedInput, Line, open_input, read_lines, read_whole
    from workbench.files.text import safe_text
    from workbench.hookspecs import hookimpl
    from workbench.training.device import autocast, choose_device, repeatable
    from workbench.training.masks import model_inputs
    from workbench.training.models import load_model
    from workbench.training.padding import pad_rows

HOME = {
    "workbench.artifacts": ("Corpus", "Export", "Model", "Report", "Tokens"),
    "workbench.artifacts.pages": ("Page",),
    "workbench.artifacts.tokenizer": ("encode_text",),
    "workbench.contracts.component": ("Component", "Field", "Runtime", "Threshold"),
    "workbench.contracts.context": ("Context",),
    "workbench.contracts.evaluation": ("Evaluator", "Exporter", "Score", "Scores"),
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
    "workbench.contracts.records": ("BadRecord", "document_id", "documents"),
    "workbench.contracts.references": ("ComponentRef",),
    "workbench.contracts.source": ("FileSource", "Source"),
    "workbench.contracts.tokenizer": ("Tokenizer", "Vocab"),
    "workbench.errors": ("DataError", "EnvironmentProblem", "StepError", "WorkbenchError"),
    "workbench.files.atomic": ("write_text",),
    "workbench.files.input": ("DamagedInput", "Line", "open_input", "read_lines", "read_whole"),
    "workbench.files.text": ("safe_text",),
    "workbench.hookspecs": ("hookimpl",),
    "workbench.training.device": ("autocast", "choose_device", "repeatable"),
    "workbench.training.masks": ("model_inputs",),
    "workbench.training.models": ("load_model",),
    "workbench.training.padding": ("pad_rows",),
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
    "NEURAL",
    "Architecture",
    "BadRecord",
    "Component",
    "ComponentRef",
    "Context",
    "Corpus",
    "CorpusFilter",
    "DamagedInput",
    "DataError",
    "EnvironmentProblem",
    "Evaluator",
    "Examples",
    "Export",
    "Exporter",
    "Field",
    "FileSource",
    "Filter",
    "Kernel",
    "KernelColumn",
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
    "StepError",
    "Threshold",
    "Tokenizer",
    "Tokens",
    "Tuning",
    "Vocab",
    "WorkbenchError",
    "autocast",
    "choose_device",
    "document_id",
    "documents",
    "encode_text",
    "hookimpl",
    "load_model",
    "model_inputs",
    "open_input",
    "pad_rows",
    "read_lines",
    "read_whole",
    "repeatable",
    "safe_text",
    "write_text",
]
