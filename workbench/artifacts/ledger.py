"""The ledger: read = kept + rejected + quarantined, for every corpus step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.errors import StepError


@dataclass
class Ledger:
    """What became of every document a step read.

    Attributes:
        read: Documents (or records) that came in.
        kept: Documents that went on.
        rejected: Reason → documents, each counted once, under the first reason that held.
        quarantined: Records that could not be read.
        by_filter: Filter → reason → documents for which that reason held, whether or not another did first.
        edited: Filter → kind of edit → number of edits, in the documents read.
    """

    read: int = 0
    kept: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    quarantined: int = 0
    by_filter: dict[str, Counter[str]] = field(default_factory=dict)
    edited: dict[str, Counter[str]] = field(default_factory=dict)

    def check(self, where: str) -> None:
        """Raise `StepError` unless read = kept + rejected + quarantined."""
        total = self.kept + self.rejected.total() + self.quarantined
        if self.read != total:
            raise StepError(
                f"the ledger does not balance: {self.read} read, but {self.kept} kept + "
                f"{self.rejected.total()} rejected + {self.quarantined} quarantined = {total}",
                where=where,
                advice="this is a defect of the component; nothing was stored",
            )

    def add(self, other: Ledger) -> None:
        """Add the counts of another ledger (another shard of the same step)."""
        self.read += other.read
        self.kept += other.kept
        self.rejected.update(other.rejected)
        self.quarantined += other.quarantined
        for mine, theirs in ((self.by_filter, other.by_filter), (self.edited, other.edited)):
            for name, counts in theirs.items():
                mine.setdefault(name, Counter()).update(counts)

    def to_json(self) -> dict[str, Any]:
        """Return JSON values, zero counts left out."""
        return {
            "read": self.read,
            "kept": self.kept,
            "rejected": _counts(self.rejected),
            "quarantined": self.quarantined,
            "by_filter": {name: _counts(counts) for name, counts in sorted(self.by_filter.items())},
            "edited": {name: _counts(counts) for name, counts in sorted(self.edited.items())},
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Ledger:
        """Read what `to_json` wrote."""
        return cls(
            read=value["read"],
            kept=value["kept"],
            rejected=Counter(value["rejected"]),
            quarantined=value["quarantined"],
            by_filter={name: Counter(counts) for name, counts in value.get("by_filter", {}).items()},
            edited={name: Counter(counts) for name, counts in value.get("edited", {}).items()},
        )


def _counts(counter: Counter[str]) -> dict[str, int]:
    return {name: number for name, number in sorted(counter.items()) if number}
