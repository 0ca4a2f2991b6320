"""The conformance kit: three lines test a component against everything its kind promises.

    from workbench.testing import FilterConformance

    class TestLetters(FilterConformance):
        use = "filter/letters"

Every bundled component runs through the same classes. They need pytest; nothing else in the core does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.testing.artifacts import small_corpus, small_model, small_tokenizer, small_tokens
    from workbench.testing.base import Conformance
    from workbench.testing.filters import FilterConformance
    from workbench.testing.kinds import (
        CoreConformance,
        CorpusStepConformance,
        EvaluatorConformance,
        ExporterConformance,
        SourceConformance,
    )
    from workbench.testing.models import (
        ArchitectureConformance,
        ObjectiveConformance,
        TokenizerConformance,
        TuningConformance,
    )
    from workbench.testing.static import StaticArchitectureConformance, StaticObjectiveConformance
    from workbench.testing.trials import trial

HOME = {
    "workbench.testing.artifacts": ("small_corpus", "small_model", "small_tokenizer", "small_tokens"),
    "workbench.testing.base": ("Conformance",),
    "workbench.testing.filters": ("FilterConformance",),
    "workbench.testing.kinds": (
        "CoreConformance",
        "CorpusStepConformance",
        "EvaluatorConformance",
        "ExporterConformance",
        "SourceConformance",
    ),
    "workbench.testing.models": (
        "ArchitectureConformance",
        "ObjectiveConformance",
        "TokenizerConformance",
        "TuningConformance",
    ),
    "workbench.testing.static": ("StaticArchitectureConformance", "StaticObjectiveConformance"),
    "workbench.testing.trials": ("trial",),
}
KITS = {
    "architecture": "ArchitectureConformance",
    "corpus": "CorpusStepConformance",
    "evaluator": "EvaluatorConformance",
    "exporter": "ExporterConformance",
    "filter": "FilterConformance",
    "objective": "ObjectiveConformance",
    "source": "SourceConformance",
    "tokenizer": "TokenizerConformance",
    "tokens": "CoreConformance",
    "train": "CoreConformance",
    "tuning": "TuningConformance",
}
_MODULES = {name: module for module, names in HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def kit_for(kind: str, families: tuple[str, ...] = ()) -> type[Conformance]:
    """Return the conformance class for a kind of component; `families` is that of an architecture, or of an objective."""
    name = KITS[kind]
    kit: type[Conformance] = __getattr__(f"Static{name}" if families == ("static",) else name)
    return kit


__all__ = [
    "ArchitectureConformance",
    "Conformance",
    "CoreConformance",
    "CorpusStepConformance",
    "EvaluatorConformance",
    "ExporterConformance",
    "FilterConformance",
    "ObjectiveConformance",
    "SourceConformance",
    "StaticArchitectureConformance",
    "StaticObjectiveConformance",
    "TokenizerConformance",
    "TuningConformance",
    "kit_for",
    "small_corpus",
    "small_model",
    "small_tokenizer",
    "small_tokens",
    "trial",
]
