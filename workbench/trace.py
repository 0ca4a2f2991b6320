"""Where a document went: from its place in a source file through every step to its span of tokens.

Works on what the store keeps, so it needs no component and runs nothing: ids stay the same from step to step, a
corpus holds the documents it rejected with the reason, and token files index their documents.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.artifacts import Artifact, Corpus, Model, Tokens
from workbench.errors import UnknownName, UsageError
from workbench.wording import count, number

if TYPE_CHECKING:
    import polars as pl

    from workbench.store.objects import Store
    from workbench.store.runs import RunRecord, StepRecord

KEPT, REJECTED, ENCODED = "kept", "rejected", "encoded"
FOLLOWED = ("corpus", "tokens")
PLAIN_COLUMNS = ("id", "text", "source", "meta")
BEGINS = 60  # characters of a document that stand for it in a list
NUM_CANDIDATES = 6  # ids named when a prefix fits several documents


@dataclass
class DocumentStep:
    """What one step did to the document.

    Attributes:
        name: The step.
        component: `kind/name`.
        fingerprint: Of its result.
        outcome: `kept`, `rejected` or `encoded`.
        details: More of it: `part`, `filter`, `reason`, `reasons`, `signals`, `edits`, `characters`,
            `duplicate_of`, `tokens`, and columns of task data such as `label`.
    """

    name: str
    component: str
    fingerprint: str
    outcome: str
    details: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "name": self.name,
            "component": self.component,
            "fingerprint": self.fingerprint,
            "outcome": self.outcome,
            **self.details,
        }

    @property
    def summary(self) -> str:
        """What happened, in a few words."""
        details = self.details
        if self.outcome == ENCODED:
            span = details["tokens"]
            return f"{count(span['end'] - span['start'], 'token')}, {span['start']} to {span['end']} of {span['part']}"
        if self.outcome == REJECTED:
            copy = f", a copy of {details['duplicate_of']}" if details.get("duplicate_of") else ""
            return f"rejected by {details['filter']}: {details['reason']}{copy}"
        words = [f"kept in {details['part']}" if details.get("part") else "kept"]
        words += [f"{name} {value}" for name, value in details.get("columns", {}).items()]
        edits = ", ".join(f"{name} {times}" for name, times in details.get("edits", {}).items())
        if edits:
            words.append(f"edited: {edits}")
        if "characters_before" in details:
            words.append(f"{number(details['characters_before'])} characters became {number(details['characters'])}")
        return "; ".join(words)


@dataclass
class DocumentTrace:
    """The way of one document through one run.

    Attributes:
        id: The whole id.
        run: The run that was followed.
        source: The source it came from.
        place: Where it stood: `file`, `line` and what else the source noted.
        steps: Every step that had it in hand, in order.
        first: Its text as read.
        last: Its text as it stood last; the same when nothing changed it.
    """

    id: str
    run: str
    source: str
    place: dict[str, Any]
    steps: list[DocumentStep]
    first: str
    last: str

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**vars(self), "steps": [step.to_json() for step in self.steps]}


def trace_document(store: Store, runs: list[RunRecord], wanted: str) -> DocumentTrace:
    """Follow the document whose id is, or starts with, `wanted` through the first of `runs` that has it.

    Raises `UnknownName` when no run has such a document, `UsageError` when the prefix fits several.
    """
    for record in runs:
        steps = list(_results(store, record))
        found = sorted(
            {name for _, corpus in steps if isinstance(corpus, Corpus) for name in _matching(corpus, wanted)}
        )
        if wanted in found:
            found = [wanted]
        if len(found) > 1:
            raise _ambiguous(wanted, found)
        if found:
            return _Tracer(store, record, found[0]).follow(steps)
    looked = count(len(runs), "run")
    raise UnknownName(
        f"no document {wanted!r} in {looked}",
        expected="an id or the start of one",
        advice="workbench show last:STEP shows documents with their ids",
    )


def _ambiguous(wanted: str, found: list[str]) -> UsageError:
    """Return the error for a prefix that fits several; past `NUM_CANDIDATES` they are not counted to the end."""
    more = len(found) > NUM_CANDIDATES
    number_of = f"more than {NUM_CANDIDATES} documents" if more else count(len(found), "document")
    return UsageError(
        f"{wanted!r} is the start of {number_of}",
        expected=f"one of: {', '.join(found[:NUM_CANDIDATES])}{', …' if more else ''}",
        advice="give more of it",
    )


class _Tracer:
    def __init__(self, store: Store, record: RunRecord, document: str) -> None:
        self._store = store
        self._record = record
        self._id = document
        self._source = ""
        self._place: dict[str, Any] = {}
        self._texts: dict[str, str] = {}  # fingerprint of a corpus -> the text there

    def follow(self, results: list[tuple[StepRecord, Artifact]]) -> DocumentTrace:
        steps = [step for record, artifact in results if (step := self._at(record, artifact)) is not None]
        texts = list(self._texts.values())
        return DocumentTrace(self._id, self._record.id, self._source, self._place, steps, texts[0], texts[-1])

    def _at(self, record: StepRecord, artifact: Artifact) -> DocumentStep | None:
        step = DocumentStep(record.name, record.component, record.fingerprint, KEPT)
        if isinstance(artifact, Tokens):
            span = self._span(artifact)
            step.outcome = ENCODED
            step.details = {"tokens": span}
            return step if span else None
        if not isinstance(artifact, Corpus):
            return None
        row = self._row(artifact.scan())
        if row is not None:
            self._keep(step, artifact, row)
        else:
            row = self._row(artifact.rejects())
            if row is None:
                return None
            self._reject(step, row)
        self._measure(step, record)
        return step

    def _row(self, documents: pl.LazyFrame) -> dict[str, Any] | None:
        import polars as pl

        found = documents.filter(pl.col("id") == self._id).head(1).collect()
        return found.row(0, named=True) if found.height else None

    def _keep(self, step: DocumentStep, corpus: Corpus, row: dict[str, Any]) -> None:
        if not self._texts:
            self._source = row["source"] or ""
            self._place = json.loads(row["meta"] or "{}")
        if corpus.parts:
            step.details["part"] = self._part(corpus)
        columns = {name: value for name, value in row.items() if name not in PLAIN_COLUMNS and value is not None}
        if columns:
            step.details["columns"] = columns
        step.details["characters"] = len(row["text"])
        before = self._text_before(step.fingerprint)
        if before is not None and before != row["text"]:
            step.details["characters_before"] = len(before)
            step.details.update({"edits": edits} if (edits := self._cuts(step, corpus)) else {})
        self._texts[step.fingerprint] = row["text"]

    def _cuts(self, step: DocumentStep, corpus: Corpus) -> dict[str, int]:
        """Return how many spans a filter that compares documents cut out of the document, by reason."""
        import polars as pl

        name = step.component.partition("/")[2]
        counted = corpus.cuts().filter(pl.col("id") == self._id).group_by("reason").len().sort("reason").collect()
        return {f"{name}.{reason}": times for reason, times in counted.iter_rows()}

    def _text_before(self, fingerprint: str) -> str | None:
        inputs = self._store.manifest(fingerprint)["key"].get("inputs", {}).values()
        named = [name for value in inputs for name in (value if isinstance(value, list) else [value])]
        return next(
            (self._texts[name.partition("#")[0]] for name in named if name.partition("#")[0] in self._texts), None
        )

    def _part(self, corpus: Corpus) -> str | None:
        parts = (Corpus(corpus.path, corpus.fingerprint, part, corpus.step) for part in corpus.parts)
        return next((part.part for part in parts if self._row(part.scan()) is not None), None)

    def _reject(self, step: DocumentStep, row: dict[str, Any]) -> None:
        step.outcome = REJECTED
        step.details = {"filter": row["filter"], "reason": row["reason"], "reasons": json.loads(row["reasons"] or "[]")}
        if row["duplicate_of"]:
            step.details["duplicate_of"] = row["duplicate_of"]
        signals = json.loads(row["signals"] or "{}")
        if signals:
            step.details["signals"] = signals

    def _measure(self, step: DocumentStep, record: StepRecord) -> None:
        """Add what the filters measured, also for a document they kept."""
        import polars as pl

        if record.signals is None or not self._store.has(record.signals):
            return
        files = sorted((self._store.data(record.signals) / "signals").glob("*.parquet"))
        row = self._row(pl.scan_parquet(files)) if files else None
        measured = {name: value for name, value in (row or {}).items() if name != "id"}
        edits = {name.replace(".edits.", "."): value for name, value in measured.items() if ".edits." in name and value}
        signals = {name: value for name, value in measured.items() if ".edits." not in name}
        step.details.update({name: value for name, value in (("edits", edits), ("signals", signals)) if value})

    def _span(self, tokens: Tokens) -> dict[str, Any] | None:
        import polars as pl

        for part in tokens.card["parts"]:
            found = tokens.documents(part).filter(pl.col("id") == self._id)
            if found.height:
                start, end = found.row(0)[1:3]
                rows = [start // tokens.context, max(start, end - 1) // tokens.context]
                return {"part": part, "start": start, "end": end, "rows": rows}
        return None


def _results(store: Store, record: RunRecord) -> Iterator[tuple[StepRecord, Artifact]]:
    """Yield the corpora and tokens of a run that are still in the store, in the order of the steps."""
    for step in record.steps:
        if store.has(step.fingerprint) and store.manifest(step.fingerprint)["type"] in FOLLOWED:
            yield step, store.artifact(step.fingerprint, step=step.name)


def _matching(corpus: Corpus, wanted: str) -> set[str]:
    import polars as pl

    is_wanted = pl.col("id").str.starts_with(wanted)
    found: set[str] = set()
    for documents in (corpus.scan(), corpus.rejects()):
        found.update(documents.select("id").filter(is_wanted).head(NUM_CANDIDATES + 1).collect()["id"])
    return found


@dataclass
class BatchTrace:
    """The documents that one training step saw.

    Attributes:
        run: The run.
        step: The training step of the pipeline.
        number: The step of the training, counted from 1.
        documents: `id`, `source` and `begins` (how the text begins) of each, in the order of the batch.
    """

    run: str
    step: str
    number: int
    documents: list[dict[str, str]]

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return dict(vars(self))


def trace_batch(store: Store, record: RunRecord, step: str, position: int) -> BatchTrace:
    """Return the documents that training step `position` of the pipeline's `step` saw."""
    from workbench.training.provenance import data_of, documents_of_step

    found = record.step(step)
    model = store.artifact(found.fingerprint, step=step)
    if not isinstance(model, Model):
        raise UsageError(f"{step} gives a {model.type}, not a model", where=record.id, expected="a training step")
    data = store.artifact(data_of(model)["data"])
    assert isinstance(data, (Corpus, Tokens))
    ids = documents_of_step(model, data, position)
    known = _heads(_texts_of(store, data), ids)
    rows = [{"id": name, **known.get(name, {"source": "", "begins": ""})} for name in ids]
    return BatchTrace(record.id, step, position, rows)


def _texts_of(store: Store, data: Corpus | Tokens) -> Corpus | None:
    """Return the corpus behind the data of a training, when it is still in the store."""
    if isinstance(data, Corpus):
        return data
    named = str(store.manifest(data.fingerprint)["key"]["inputs"]["corpus"]).partition("#")[0]
    corpus = store.artifact(named) if store.has(named) else None
    return corpus if isinstance(corpus, Corpus) else None


def _heads(corpus: Corpus | None, ids: list[str]) -> dict[str, dict[str, str]]:
    import polars as pl

    if corpus is None or not corpus.shards:
        return {}
    begins = pl.col("text").str.head(BEGINS).str.replace_all(r"\s+", " ")
    rows = corpus.scan().filter(pl.col("id").is_in(ids)).select("id", "source", begins=begins).collect()
    return {row["id"]: {"source": row["source"] or "", "begins": row["begins"]} for row in rows.iter_rows(named=True)}


def parse_batch(text: str) -> tuple[str, str, int]:
    """Read `RUN:STEP:N`.

    >>> parse_batch("last:base:120")
    ('last', 'base', 120)
    """
    run, _, rest = text.partition(":")
    step, _, position = rest.rpartition(":")
    if not run or not step or not position.isdecimal():
        raise UsageError(f"{text!r} does not name a batch", expected="RUN:STEP:N, such as last:base:120")
    return run, step, int(position)
