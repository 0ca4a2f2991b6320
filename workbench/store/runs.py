"""The records of runs: what was asked, what it depended on, what happened and how long it took.

    runs/<id>/run.json            the record, rewritten as the run goes
    runs/<id>/pipeline.yaml       the pipeline as run, overrides applied
    runs/<id>/lock.json           what the run depended on
    runs/<id>/events.jsonl        one event in a line
    runs/<id>/metrics.parquet     the live measurements of training steps
    runs/<id>/logs/<step>.log     what components printed, and tracebacks

Everything that depends on time and machine stands here and nowhere else. A run holds a lock while it lives: a record
that says `running` without a holder belongs to a process that was killed, and reads as `interrupted`.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from workbench.errors import EnvironmentProblem, UnknownName, UsageError
from workbench.files.atomic import disk_errors, write_json, write_text
from workbench.store.locks import Locks

if TYPE_CHECKING:
    import polars as pl

RunStatus = Literal["running", "done", "failed", "interrupted"]
StepStatus = Literal["waiting", "running", "cached", "ran", "failed", "stopped", "skipped"]
HAS_RESULT = ("cached", "ran")
NUM_SHOWN = 12  # run ids in a message about an unknown one


@dataclass
class StepRecord:
    """What became of one step in one run.

    Attributes:
        name: The step.
        component: `kind/name`.
        fingerprint: Of its result.
        signals: Fingerprint of its signals, for filters that measure.
        status: `ran` and `cached` have a result; `skipped` ones needed a step that has none.
        seconds: How long it ran, with its signals; 0 when it did not.
        peak_bytes: The most memory its processes held, added up; 0 when it did not run or nobody can say.
        path: The data folder of the result; empty when there is none.
        error: The lines of the message when it failed.
        traceback: For `--debug`.
        exit_status: What the command ends with because of it.
    """

    name: str
    component: str
    fingerprint: str
    signals: str | None = None
    status: StepStatus = "waiting"
    seconds: float = 0.0
    peak_bytes: int = 0
    path: str = ""
    error: list[str] = field(default_factory=list)
    traceback: str = ""
    exit_status: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class RunRequest:
    """What is asked of a run.

    Attributes:
        name: The pipeline's name.
        pipeline: Its YAML text, overrides applied.
        lock: What it depends on.
        seed: The pipeline's seed.
        base: The folder that relative paths of settings start from.
        until: The last step asked for, or None for all.
        overrides: What was changed in the file, `path=value` each.
    """

    name: str
    pipeline: str
    lock: Mapping[str, Any]
    seed: int = 0
    base: str = ""
    until: str | None = None
    overrides: tuple[str, ...] = ()


@dataclass
class RunRecord:
    """One execution of a pipeline.

    Attributes:
        id: `<date>-<time>-<pipeline>-<four digits>`, time in UTC.
        name: The pipeline's name.
        folder: Where the record lies.
        status: `running`, `done`, `failed` or `interrupted`.
        started: ISO time, UTC.
        seconds: From start to end.
        steps: In the order they run.
        seed: The pipeline's seed.
        base: The folder that relative paths of settings start from.
        until: The last step asked for, or None for all.
        overrides: What was changed in the file, `path=value` each.
    """

    id: str
    name: str
    folder: Path
    status: RunStatus = "running"
    started: str = ""
    seconds: float = 0.0
    steps: list[StepRecord] = field(default_factory=list)
    seed: int = 0
    base: str = ""
    until: str | None = None
    overrides: list[str] = field(default_factory=list)

    @property
    def exit_status(self) -> int:
        """0 done, 130 interrupted, else what the first failed step asks for."""
        if self.status == "interrupted":
            return 130
        return next((step.exit_status for step in self.steps if step.status == "failed"), 0)

    @property
    def pipeline(self) -> str:
        """The YAML text as run."""
        return (self.folder / "pipeline.yaml").read_text("utf-8")

    @property
    def lock(self) -> dict[str, Any]:
        """What the run depended on; empty when it was killed before it could say."""
        path = self.folder / "lock.json"
        content: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
        return content

    def step(self, name: str) -> StepRecord:
        """Return the record of one step. Raises `UnknownName`."""
        for step in self.steps:
            if step.name == name:
                return step
        raise UnknownName.among("step", name, [step.name for step in self.steps], where=self.id)

    def log(self, step: str) -> Path:
        """Return the file that holds what the step's component printed."""
        return self.folder / "logs" / f"{step}.log"

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield the events in order; a line cut short by a kill is left out."""
        with (self.folder / "events.jsonl").open(encoding="utf-8") as lines:
            for line in lines:
                if line.endswith("\n"):
                    yield json.loads(line)

    def metrics(self, step: str | None = None) -> pl.DataFrame:
        """Return the live measurements of all steps or one: `step`, `number`, `time` and what they measured."""
        import polars as pl

        path = self.folder / "metrics.parquet"
        if not path.exists():
            return pl.DataFrame(schema={"step": pl.String, "number": pl.Int64, "time": pl.String})
        frame = pl.read_parquet(path)
        return frame if step is None else frame.filter(pl.col("step") == step)

    def save(self) -> None:
        """Write `run.json` anew."""
        write_json(self.folder / "run.json", self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        content = {name: value for name, value in vars(self).items() if name != "folder"}
        return {**content, "steps": [step.to_json() for step in self.steps]}


class Runs:
    """The runs recorded below one store folder."""

    def __init__(self, root: Path) -> None:
        self.folder = Path(root).absolute() / "runs"
        self._locks = Locks(Path(root).absolute() / "locks")

    def create(self, request: RunRequest, steps: Sequence[StepRecord]) -> RunRecord:
        """Start the record of a run; this process holds it until `finish`."""
        now = datetime.now(UTC)
        run_id = f"{now:%Y%m%d-%H%M%S}-{_slug(request.name)}-{secrets.token_hex(2)}"
        folder = self.folder / run_id
        with disk_errors(folder):
            self._locks.keep(f"run-{run_id}")
            (folder / "logs").mkdir(parents=True)
        record = RunRecord(
            run_id,
            request.name,
            folder,
            started=now.isoformat(timespec="microseconds"),
            steps=list(steps),
            seed=request.seed,
            base=request.base,
            until=request.until,
            overrides=list(request.overrides),
        )
        write_text(folder / "pipeline.yaml", request.pipeline)
        write_json(folder / "lock.json", request.lock)
        record.save()
        return record

    def finish(self, record: RunRecord, status: RunStatus) -> None:
        """Write how the run ended and let go of it."""
        record.status = status
        try:
            record.save()
        finally:
            self._locks.drop(f"run-{record.id}")

    def all(self) -> list[RunRecord]:
        """Return every run, oldest first."""
        records = [self._read(path.parent) for path in self.folder.glob("*/run.json")]
        return sorted(records, key=lambda record: record.started)

    def find(self, name: str) -> RunRecord:
        """Return the run with this id or prefix of one; `last` is the newest. Raises `UsageError`."""
        runs = self.all()
        found = runs[-1:] if name == "last" else [run for run in runs if run.id.startswith(name)]
        if len(found) == 1:
            return found[0]
        ids = [run.id for run in found or runs][-NUM_SHOWN:]
        if not found:
            raise UnknownName.among("run", name, ids, advice="workbench runs list")
        raise UsageError(
            f"{name!r} is the start of {len(found)} runs",
            expected=f"one of: {', '.join(ids)}",
            advice="give more of it",
        )

    def previous_keys(self, name: str) -> dict[str, dict[str, Any]]:
        """Return step → readable key from the newest run of pipeline `name` in which the step had a result."""
        keys: dict[str, dict[str, Any]] = {}
        for record in reversed(self.all()):
            unknown = [step for step in record.steps if step.status in HAS_RESULT and step.name not in keys]
            if record.name != name or not unknown:
                continue
            locked = record.lock.get("steps", {})
            keys.update({step.name: locked[step.name]["key"] for step in unknown if step.name in locked})
        return keys

    def _read(self, folder: Path) -> RunRecord:
        path = folder / "run.json"
        try:
            content = json.loads(path.read_text("utf-8"))
            steps = [StepRecord(**step) for step in content.pop("steps")]
            record = RunRecord(**content, folder=folder, steps=steps)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise EnvironmentProblem(
                "the record of a run is damaged, or of another version",
                where=str(path),
                advice="delete that folder, or move it out of the store; its results stay",
            ) from error
        if record.status == "running" and not self._locks.is_held(f"run-{record.id}"):
            record.status = "interrupted"
        return record


def _slug(name: str) -> str:
    """Return the name as it may stand in a folder's name.

    >>> _slug("My pipeline/../x")
    'my-pipeline-x'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "pipeline"
