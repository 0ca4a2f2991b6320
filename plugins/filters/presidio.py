"""Names and addresses, by the recognisers of presidio-analyzer: an extra, since it brings a language model.

pip install presidio-analyzer && python -m spacy download en_core_web_sm
"""

from __future__ import annotations

from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import polars as pl
from pydantic import model_validator
from workbench_plugins.filters.pii_actions import Action, Replacer, check_salt, counted, drop_rules, key_digest
from workbench_plugins.filters.pii_spans import Span, without_overlaps

from workbench.api import EnvironmentProblem, Field, RewriteFilter, Rewritten

if TYPE_CHECKING:
    from collections.abc import Callable

WHERE = "filter/presidio"


class Presidio(RewriteFilter):
    """Find what presidio recognises in one language and act on it, with the actions of `pii`.

    Entities have presidio's names (`PERSON`, `LOCATION`, `NRP`, …), tags too: `<PERSON>`. The model runs over every
    document, some thousand times slower than `pii`: put it behind the filters that drop documents.
    """

    version: ClassVar[int] = 1
    language: str = Field("en", min_length=2, description="language of the documents, as the model's")
    model: str = Field("en_core_web_sm", min_length=1, description="installed spaCy model, or a folder with one")
    entities: tuple[str, ...] = Field(("PERSON", "LOCATION"), min_length=1)
    min_score: float = Field(0.5, ge=0, le=1, description="lowest confidence taken")
    action: Action = "tag"
    actions: dict[str, Action] = Field({}, description="entity → action, where it is not `action`")
    salt: str | None = Field(None, description="${env:NAME}: the variable that holds the key of `hash`")
    languages: tuple[str, ...] = Field((), description="count these languages and the others apart (`language`)")

    @model_validator(mode="after")
    def _check_settings(self) -> Self:
        unknown = sorted(set(self.actions) - set(self.entities))
        if unknown:
            raise ValueError(f"actions for entities that are not looked for: {', '.join(unknown)}")
        check_salt(self.salt, set(self.action_of.values()))
        return self

    @property
    def action_of(self) -> dict[str, Action]:
        """Return entity, in lower case, → action."""
        return {entity.lower(): self.actions.get(entity, self.action) for entity in self.entities}

    def digests(self, base: Path, digest: Callable[[Path], str]) -> dict[str, str]:
        """Return a slow digest of the key, so that another key gives another result and none can be guessed."""
        del base, digest
        return {} if self.salt is None else {self.salt: key_digest(self.salt, WHERE)}

    @cached_property
    def _analyzer(self) -> Any:
        if find_spec("presidio_analyzer") is None:
            raise EnvironmentProblem(f"{WHERE} needs presidio-analyzer", advice="pip install presidio-analyzer")
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import NlpEngineProvider

        if find_spec(self.model) is None and not Path(self.model).is_dir():
            raise EnvironmentProblem(
                f"{WHERE}: the spaCy model {self.model!r} is not installed",
                advice=f"python -m spacy download {self.model}, or give the folder of a model",
            )
        models = [{"lang_code": self.language, "model_name": self.model}]
        engine = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models}).create_engine()
        return AnalyzerEngine(nlp_engine=engine, supported_languages=[self.language])

    def rewrite(self, batch: pl.DataFrame) -> Rewritten:
        """Return the batch with what was recognised in `text` replaced, and how many of each entity there were."""
        text = batch["text"]
        found = {entity: [0] * len(batch) for entity in self.action_of}
        replacer, rewritten = Replacer(self.action_of, self.salt, WHERE), []
        for row, document in enumerate(text):
            spans = self.find(document or "")
            rewritten.append(document and replacer.replaced(str(batch["id"][row]), document, spans))
            for span in spans:
                found[span.entity][row] += 1
        rows = pl.Series(range(len(batch)), dtype=pl.UInt32)
        result = batch.with_columns(pl.Series("text", rewritten, dtype=pl.String))
        return Rewritten(result, counted(batch, found, rows, self.languages))

    def rules(self) -> dict[str, pl.Expr]:
        """Drop documents that hold an entity whose action that is."""
        return drop_rules(self.action_of, self.languages)

    def find(self, text: str) -> list[Span]:
        """Return what presidio recognises in a text, in order and without overlaps."""
        results = self._analyzer.analyze(
            text=text, language=self.language, entities=list(self.entities), score_threshold=self.min_score
        )
        spans = [Span(result.start, result.end, result.entity_type.lower()) for result in results]
        return without_overlaps(spans, dict.fromkeys(self.action_of, 0))
