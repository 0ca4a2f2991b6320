"""Two runs side by side, and a run against its reproduction.

A reproduction gives one of four verdicts for each step: `bit-equal` (the same files), `equal rows` (the same
documents or tokens in another arrangement), `within tolerance` (a model or scores close to those before), and
`different`. What could not be compared says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from workbench.artifacts import Artifact, Corpus, Model, Report, Tokens
from workbench.pipeline.lock import lock_differences
from workbench.pipeline.plan import key_changes
from workbench.wording import number

if TYPE_CHECKING:
    from workbench.store.objects import Store
    from workbench.store.runs import RunRecord, StepRecord

TOLERANCE = 0.02  # relative; two CPUs that add in another order stay well below it in a short training
BIT_EQUAL, EQUAL_ROWS, WITHIN_TOLERANCE, DIFFERENT = "bit-equal", "equal rows", "within tolerance", "different"
NOT_COMPARED = "not compared"


@dataclass
class StepComparison:
    """One step in two runs.

    Attributes:
        name: The step.
        status: `same`, `changed`, `only in the first` or `only in the second`.
        changes: In plain words; an input that changed is one of them.
        first, second: What came out: `ledger`, `training` or `scores`, as in `show`.
    """

    name: str
    status: str
    changes: list[str] = field(default_factory=list)
    first: dict[str, Any] = field(default_factory=dict)
    second: dict[str, Any] = field(default_factory=dict)

    @property
    def figures(self) -> list[tuple[str, str, str]]:
        """(what, first, second) for every number that one of the two has, where they differ."""
        before, after = dict(_flat(self.first)), dict(_flat(self.second))
        names = [*before, *(name for name in after if name not in before)]
        return [
            (name, number(before.get(name)), number(after.get(name)))
            for name in names
            if before.get(name) != after.get(name)
        ]


@dataclass
class Comparison:
    """How two runs differ.

    Attributes:
        first, second: The ids.
        packages: Differences of interpreter, platform and packages, in plain words.
        overrides: The overrides of each.
        steps: Every step of the two, in order.
    """

    first: str
    second: str
    packages: list[str]
    overrides: tuple[list[str], list[str]]
    steps: list[StepComparison]

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class StepVerdict:
    """How one reproduced step compares with the recorded one."""

    name: str
    verdict: str
    detail: str = ""


@dataclass
class Reproduction:
    """What came of running a recorded pipeline again in an empty store.

    Attributes:
        run: The run that was reproduced.
        status: How the reproduction ended.
        differences: What is not as it was then: code, packages, files.
        steps: One verdict for each step.
    """

    run: str
    status: str
    differences: list[str]
    steps: list[StepVerdict]

    @property
    def is_reproduced(self) -> bool:
        """Whether every step came out at least within tolerance."""
        return all(step.verdict not in (DIFFERENT, NOT_COMPARED) for step in self.steps)

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**asdict(self), "reproduced": self.is_reproduced}


def compare_runs(store: Store, first: RunRecord, second: RunRecord) -> Comparison:
    """Return how two runs differ."""
    locks = first.lock, second.lock
    names = [step.name for step in first.steps]
    names += [step.name for step in second.steps if step.name not in names]
    return Comparison(
        first.id,
        second.id,
        lock_differences({**locks[0], "steps": {}}, {**locks[1], "steps": {}}),
        (first.overrides, second.overrides),
        [_compare_step(store, name, first, second) for name in names],
    )


def _compare_step(store: Store, name: str, first: RunRecord, second: RunRecord) -> StepComparison:
    keys = [record.lock.get("steps", {}).get(name, {}).get("key") for record in (first, second)]
    records = [next((step for step in record.steps if step.name == name), None) for record in (first, second)]
    if records[0] is None or records[1] is None:
        return StepComparison(name, "only in the first" if records[0] else "only in the second")
    changes = list(key_changes(keys[0], keys[1])) if keys[0] and keys[1] else []
    same = records[0].fingerprint == records[1].fingerprint
    figures = [_figures(store, step) for step in records if step is not None]
    return StepComparison(name, "same" if same else "changed", [] if same else changes, *figures)


def _figures(store: Store, step: StepRecord) -> dict[str, Any]:
    """Return the numbers of a result that are worth comparing; none when it is not in the store."""
    from workbench.showing import figures_of

    return figures_of(store.artifact(step.fingerprint, step=step.name)) if store.has(step.fingerprint) else {}


def _flat(value: Mapping[str, Any], prefix: str = "") -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for name, item in value.items():
        if isinstance(item, Mapping):
            found += _flat(item, f"{prefix}{name} ")
        elif isinstance(item, (int, float)) and not isinstance(item, bool):
            found.append((f"{prefix}{name}", item))
    return found


def compare_results(store: Store, recorded: RunRecord, other: Store, again: RunRecord) -> Reproduction:
    """Return a verdict for every step of a recorded run and its repetition in another store."""
    verdicts = [_judge_step(store, step, other, again) for step in recorded.steps]
    return Reproduction(recorded.id, again.status, lock_differences(recorded.lock, again.lock), verdicts)


def _judge_step(store: Store, step: StepRecord, other: Store, again: RunRecord) -> StepVerdict:
    repeated = next((item for item in again.steps if item.name == step.name), None)
    if repeated is None or not other.has(repeated.fingerprint):
        detail = " ".join(repeated.error[:1]) if repeated and repeated.error else "it has no result now"
        return StepVerdict(step.name, NOT_COMPARED, detail)
    if not store.has(step.fingerprint):
        return StepVerdict(step.name, NOT_COMPARED, "the recorded result is not in the store")
    files = [_digests(store, step.fingerprint), _digests(other, repeated.fingerprint)]
    if files[0] == files[1]:
        return StepVerdict(step.name, BIT_EQUAL)
    before, after = store.artifact(step.fingerprint), other.artifact(repeated.fingerprint)
    verdict, detail = judge(before, after)
    changed = sorted(name for name in {*files[0], *files[1]} if files[0].get(name) != files[1].get(name))
    return StepVerdict(step.name, verdict, detail or f"in {', '.join(changed[:3])}")


def _digests(store: Store, fingerprint: str) -> dict[str, str]:
    return {name: str(file["sha256"]) for name, file in store.manifest(fingerprint)["files"].items()}


def judge(before: Artifact, after: Artifact) -> tuple[str, str]:
    """Return the verdict over two results whose files differ, and what it rests on."""
    if isinstance(before, Corpus) and isinstance(after, Corpus):
        return (EQUAL_ROWS, "") if _rows(before) == _rows(after) else (DIFFERENT, "")
    if isinstance(before, Tokens) and isinstance(after, Tokens):
        return (EQUAL_ROWS, "") if _spans(before) == _spans(after) else (DIFFERENT, "")
    if isinstance(before, Model) and isinstance(after, Model):
        losses = {"last loss": (before.card.get("last_loss"), after.card.get("last_loss"), 0.0)}
        return _judge_numbers(losses)
    if isinstance(before, Report) and isinstance(after, Report):
        later = {score.name: score.value for score in after.scores}
        return _judge_numbers(
            {score.name: (score.value, later.get(score.name), (score.high - score.low) / 2) for score in before.scores}
        )
    return DIFFERENT, ""


def _judge_numbers(pairs: Mapping[str, tuple[float | None, float | None, float]]) -> tuple[str, str]:
    """Judge (before, after, half the interval) of each named number: close is within tolerance or the interval."""
    for name, (before, after, half) in pairs.items():
        is_close = (
            before is not None and after is not None and abs(before - after) <= max(TOLERANCE * abs(before), half)
        )
        if not is_close:
            return DIFFERENT, f"{name} {number(before)} -> {number(after)}"
    shown = ", ".join(f"{name} {number(before)} -> {number(after)}" for name, (before, after, _) in pairs.items())
    return WITHIN_TOLERANCE, shown


def _rows(corpus: Corpus) -> list[tuple[str, int]]:
    """Return (id, hash of the row) for every document, sorted: equal for equal rows in any arrangement."""
    rows: list[tuple[str, int]] = []
    for batch in corpus.batches():
        rows += zip(batch["id"], batch.select(sorted(batch.columns)).hash_rows(), strict=True)
    return sorted(rows)


def _spans(tokens: Tokens) -> dict[str, dict[str, bytes]]:
    """Return part → document → a digest of its token ids."""
    return {
        part: {
            name: blake2b(tokens.ids(part)[start:end].tobytes(), digest_size=16).digest()
            for name, start, end in tokens.documents(part).iter_rows()
        }
        for part in tokens.card["parts"]
    }
