"""Verdicts: the rules of all filters of a pass over its signals, and what follows for every document.

Cheap by design: signals are read, rules are compared, documents are written. The first filter (in the order of the
pass) whose rule holds names the rejection, its first rule the reason; beside them stand all reasons that hold and
all signals. A rejected document keeps the text it would have been kept with, so that what a rewrite masked stays
masked; its original stands in the input under the same id.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from workbench.artifacts.corpus import read_shard
from workbench.artifacts.ledger import Ledger
from workbench.contracts.component import Component
from workbench.contracts.filters import RewriteFilter
from workbench.contracts.records import DOCUMENT
from workbench.engine.corpus.mapping import blaming
from workbench.engine.corpus.poison import documents_of
from workbench.engine.corpus.signals import Measured, Member, measure, members_of
from workbench.engine.corpus.writing import write_part_shard
from workbench.errors import PluginError, StepError

if TYPE_CHECKING:
    from workbench.engine.corpus.mapping import Task


@dataclass(frozen=True)
class Mask:
    """The documents for which one rule of one filter holds."""

    filter: str
    reason: str
    holds: pl.Series


def judge_shard(component: Component, task: Task) -> Task:
    """Judge one shard by the signals stored for it, and write what is kept and what is rejected."""
    batch = documents_of(task)
    signals = read_shard(Path(task["signals"]) / "signals" / task["name"])
    rewritten = Path(task["signals"]) / "rewritten" / task["name"]
    if not signals["id"].equals(batch["id"]):
        raise StepError("the signals belong to other documents", where=f"shard {task['name']}")
    if rewritten.exists():
        batch = batch.with_columns(read_shard(rewritten).drop("id").get_columns())
    return _write(members_of(component), Measured(batch, signals), task)


def measure_and_judge_shard(component: Component, task: Task) -> Task:
    """Do both for one shard without storing signals: for passes that only rewrite."""
    members = members_of(component)
    return _write(members, measure(members, documents_of(task), task["name"]), task)


def _write(members: Sequence[Member], measured: Measured, task: Task) -> Task:
    masks = judge(members, measured.signals, task["name"])
    verdicts = _verdicts(masks, measured.signals.height)
    judged = pl.concat([measured.batch.select(*DOCUMENT), verdicts], how="horizontal")
    is_rejected = verdicts["reason"].is_not_null()
    signals = measured.signals.filter(is_rejected).drop("id")
    rejected = judged.filter(is_rejected).with_columns(_signals_json(signals))
    kept = measured.batch.filter(~is_rejected)
    listed = write_part_shard(Path(task["output"]), task["name"], kept, rejected)
    ledger = Ledger(
        read=measured.batch.height,
        kept=kept.height,
        rejected=Counter(rejected["reason"].to_list()),
        by_filter=_by_filter(members, masks),
        edited=_edited(members, measured.signals),
    )
    return {**listed, "ledger": ledger.to_json()}


def judge(members: Sequence[Member], signals: pl.DataFrame, shard: str) -> list[Mask]:
    """Return for every rule, in the order of the pass, for which documents it holds.

    Raises:
        PluginError: When a rule asks for a signal that its filter does not measure, or is no condition.
    """
    masks = []
    for member in members:
        own = member.columns(signals)
        with blaming(member.filter, shard):
            masks += [
                Mask(member.name, reason, _holds(reason, rule, own, signals.height))
                for reason, rule in member.filter.rules().items()
            ]
    return masks


def _holds(reason: str, rule: pl.Expr, own: pl.DataFrame, height: int) -> pl.Series:
    try:
        holds = own.select(rule.alias(reason)).to_series() if own.width else pl.select(rule.alias(reason)).to_series()
    except pl.exceptions.ColumnNotFoundError as error:
        name = str(error).partition('"')[2].partition('"')[0] or str(error).splitlines()[0]
        raise PluginError(
            f"the rule {reason!r} asks for the signal {name!r}, which is not measured",
            expected=f"one of: {', '.join(own.columns)}",
        ) from error
    if holds.dtype != pl.Boolean:
        raise PluginError(f"the rule {reason!r} gives {holds.dtype}, not true or false")
    if holds.len() == 1 and rule.meta.root_names() == []:
        holds = holds.new_from_index(0, height)  # a constant: a rule that is switched off
    if holds.len() != height:
        raise PluginError(f"the rule {reason!r} gives {holds.len()} values for {height} documents")
    return holds.fill_null(value=False)


def _verdicts(masks: Sequence[Mask], height: int) -> pl.DataFrame:
    """Return `filter`, `reason`, `reasons` for every document; null where no rule holds.

    Documents for which the same rules hold are told together: there are few such sets, and the words for each are put
    together once.
    """
    schema = {"filter": pl.String, "reason": pl.String, "reasons": pl.String}
    if not masks or not height:
        return pl.DataFrame({name: pl.Series([None] * height, dtype=dtype) for name, dtype in schema.items()})
    holds = np.stack([mask.holds.to_numpy() for mask in masks])
    packed = np.ascontiguousarray(np.packbits(holds, axis=0).T)
    _, firsts, places = np.unique(packed.view(f"V{packed.shape[1]}").ravel(), return_index=True, return_inverse=True)
    owners, rules = np.nonzero(holds[:, firsts].T)
    borders = np.searchsorted(owners, np.arange(len(firsts) + 1)).tolist()
    said = [json.dumps(f"{mask.filter}: {mask.reason}", ensure_ascii=False) for mask in masks]
    rows: list[tuple[str | None, str | None, str | None]] = []
    for start, end in pairwise(borders):
        held = rules[start:end].tolist()
        first = masks[held[0]] if held else None
        listed = f"[{', '.join([said[number] for number in held])}]"
        rows.append((first.filter, first.reason, listed) if first else (None, None, None))
    return pl.DataFrame(rows, schema=schema, orient="row")[places]


def _signals_json(signals: pl.DataFrame) -> pl.Series:
    """Return one JSON object for each document, signal name → value."""
    if not signals.width:
        return pl.Series("signals", ["{}"] * signals.height, dtype=pl.String)
    return signals.select(pl.struct(pl.all()).struct.json_encode().alias("signals")).to_series()


def _by_filter(members: Sequence[Member], masks: Sequence[Mask]) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {member.name: Counter() for member in members if member.filter.rules()}
    for mask in masks:
        counts[mask.filter][mask.reason] += int(mask.holds.sum())
    return counts


def _edited(members: Sequence[Member], signals: pl.DataFrame) -> dict[str, Counter[str]]:
    edited: dict[str, Counter[str]] = {}
    for member in members:
        if isinstance(member.filter, RewriteFilter):
            own = member.columns(signals)
            edited[member.name] = Counter({kind: int(own[kind].sum()) for kind in own.columns})
    return edited
