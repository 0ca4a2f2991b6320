"""A plugin-based, notebook-first workbench for language-model data and models.

    import workbench as wb
    p = wb.Pipeline("tiny-en", seed=1234)
    clean = p.filter.chain(p.source.text(paths=["*.md"]), [wb.filter.unicode(), wb.filter.pii()])

Every name is imported on first use, so that `import workbench` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from workbench.contracts.references import KINDS

if TYPE_CHECKING:
    from workbench.contracts.component import Component
    from workbench.notebook.namespaces import Namespace
    from workbench.notebook.pipeline import Pipeline, load
    from workbench.notebook.registering import register
    from workbench.session import Session

    source: Namespace[Component]
    filter: Namespace[Component]  # noqa: A001  # the kind's own name
    corpus: Namespace[Component]
    tokenizer: Namespace[Component]
    tokens: Namespace[Component]
    architecture: Namespace[Component]
    objective: Namespace[Component]
    tuning: Namespace[Component]
    train: Namespace[Component]
    evaluator: Namespace[Component]
    exporter: Namespace[Component]

_HOME = {
    "Pipeline": "workbench.notebook.pipeline",
    "Session": "workbench.session",
    "load": "workbench.notebook.pipeline",
    "register": "workbench.notebook.registering",
}
__all__ = [
    "Pipeline",
    "Session",
    "architecture",
    "corpus",
    "evaluator",
    "exporter",
    "filter",
    "load",
    "objective",
    "register",
    "source",
    "tokenizer",
    "tokens",
    "train",
    "tuning",
]


def __getattr__(name: str) -> Any:
    if name in KINDS:
        value = import_module("workbench.notebook.namespaces").kind_namespace(name)
    elif name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
