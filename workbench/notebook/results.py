"""Results of a pipeline in a notebook: each shows its view, drawn by `workbench.notebook.display`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.artifacts import Artifact, Corpus, Tokens
from workbench.artifacts.corpus import read_shard
from workbench.errors import StepError, UsageError
from workbench.notebook.display import as_html, as_text
from workbench.pipeline.plan import Plan
from workbench.showing import Grid, View, view_artifact, view_plan, view_run

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from workbench.notebook.handles import Handle
    from workbench.session import Session
    from workbench.store.runs import RunRecord

CELL = 300  # characters of a value that a table shows


@dataclass(frozen=True)
class Result:
    """A finished result with its view.

    Attributes:
        artifact: What lies in the store.
        view: What is worth seeing of it.
        frame: The first rows, for `head()` of a corpus.
    """

    artifact: Artifact
    view: View
    frame: pl.DataFrame | None = None

    def __repr__(self) -> str:
        return as_text(self.view)

    def _repr_html_(self) -> str:
        return as_html(self.view)


class ShownPlan(Plan):
    """A plan that a cell shows as a table."""

    def __repr__(self) -> str:
        return as_text(view_plan(self))

    def _repr_html_(self) -> str:
        return as_html(view_plan(self))


@dataclass(frozen=True)
class Run:
    """A finished run; `run["clean"]` is the result of a step."""

    record: RunRecord
    session: Session

    @property
    def id(self) -> str:
        """The run's id."""
        return self.record.id

    @property
    def status(self) -> str:
        """How it ended."""
        return self.record.status

    def __getitem__(self, step: str) -> Result:
        """Return the result of `step` or `step.part`."""
        component = self.record.step(step.partition(".")[0]).component
        artifact = self.session.artifact(f"{self.record.id}:{step}")
        return Result(artifact, view_artifact(artifact, component))

    def __repr__(self) -> str:
        return as_text(view_run(self.record))

    def _repr_html_(self) -> str:
        return as_html(view_run(self.record))


def result_of(handle: Handle, rows: int | None = None) -> Result:
    """Return the result behind a handle, run first where it is missing; with `rows`, only the first of a corpus."""
    if rows is not None and rows < 1:
        raise UsageError(f"head() takes a number from 1, got {rows}", where=str(handle.ref))
    pipeline = handle.pipeline
    fingerprint = handle.fingerprint
    store = pipeline.session.store
    if not store.has(fingerprint):
        _check_finished(handle.run().record)
    artifact = store.artifact(fingerprint, handle.part, handle.step)
    component = pipeline.graph.steps[handle.step].component.component_id
    if rows is None or not isinstance(artifact, (Corpus, Tokens)):
        return Result(artifact, view_artifact(artifact, component))
    frame = first_rows(artifact, rows)
    title = f"{handle.ref}  first {frame.height} of {component}"
    grid = Grid("", tuple(frame.columns), [tuple(_shown(value) for value in row) for row in frame.iter_rows()])
    return Result(artifact, View(title, grids=[grid]), frame)


def signals_of(handle: Handle) -> pl.DataFrame:
    """Return the stored signals behind a handle, run first where they are missing."""
    import polars as pl

    folder = signals_folder(handle) / "signals"
    frames = [read_shard(path) for path in sorted(folder.glob("*.parquet"))]
    return pl.concat(frames) if frames else pl.DataFrame(schema={"id": pl.String})


def signals_folder(handle: Handle) -> Path:
    """Return where the signals behind a handle lie, see `engine.corpus.signals`; run first where they are missing."""
    pipeline = handle.pipeline
    fingerprint = pipeline.session.identify(pipeline.graph)[handle.step].signals
    if fingerprint is None:
        component = pipeline.graph.steps[handle.step].component.component_id
        raise UsageError(
            "there are no signals", where=str(handle.ref), expected=f"a filter that measures; this is a {component}"
        )
    store = pipeline.session.store
    if not store.has(fingerprint):
        _check_finished(handle.run().record)
    return store.data(fingerprint)


def _check_finished(record: RunRecord) -> None:
    failed = next((step for step in record.steps if step.error), None)
    if failed is not None:
        raise StepError("\n".join(failed.error))
    if record.status != "done":
        raise StepError(f"the run ended as {record.status}", where=record.id, advice="run it again to go on")


def first_rows(artifact: Corpus | Tokens, wanted: int) -> pl.DataFrame:
    """Return the first documents of a corpus, or the first documents of tokens with their text."""
    import polars as pl

    if isinstance(artifact, Tokens):
        return pl.DataFrame(list(_token_rows(artifact, wanted)), schema=["id", "tokens", "text"], orient="row")
    frames, missing = [], wanted
    for batch in artifact.batches():
        frames.append(batch.head(missing))
        missing -= frames[-1].height
        if not missing:
            break
    return pl.concat(frames) if frames else artifact.scan().head(0).collect()


def _token_rows(tokens: Tokens, wanted: int) -> Iterator[tuple[str, int, str]]:
    parts = [tokens.part] if tokens.part else list(tokens.card["parts"])
    for part in parts:
        ids = tokens.ids(part)
        for row in tokens.documents(part).head(wanted).iter_rows(named=True):
            span = ids[row["start"] : row["end"]]
            yield row["id"], len(span), tokens.tokenizer.fast.decode(span[:CELL].tolist(), skip_special_tokens=False)
        wanted -= min(wanted, tokens.documents(part).height)


def _shown(value: object) -> str:
    return "" if value is None else str(value)
