"""Other thresholds over stored signals, in memory: what each rule would drop, without reading a text.

The signals that the rules ask for are held as columns; a threshold that moves re-evaluates the rules of its filter
alone. Counts come from one number for each document, of how many rules hold for it.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from pydantic import ValidationError

from workbench.contracts.component import Component, Threshold, is_marked
from workbench.contracts.filters import RewriteFilter, RowFilter
from workbench.engine.corpus.chain import Chain
from workbench.engine.corpus.signals import Member, members_of
from workbench.engine.corpus.verdicts import judge
from workbench.errors import UnknownName, UsageError

if TYPE_CHECKING:
    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]

Value = int | float | None
TRIED = (1, -1, 0.5, -0.5, 0.05, -0.05)  # added to a threshold to see which rules follow it


@dataclass(frozen=True)
class Dial:
    """One threshold: a setting of a filter, or one number of a setting that holds several.

    Attributes:
        name: `gopher-quality.min_words`, `gopher-repetition.max_top_n_grams.4`.
        member: The place of its filter in the pass.
        setting: The name of the setting.
        key: Which of its numbers; None when it is one.
        description: What the filter says of it.
        reasons: The rules that follow it.
        signal: The first column of numbers that the first of them looks at; empty when it looks at none.
    """

    name: str
    member: int
    setting: str
    key: Any
    description: str
    reasons: tuple[str, ...]
    signal: str


@dataclass(frozen=True)
class RuleCount:
    """How many documents one rule drops, and how many go because of it alone."""

    filter: str
    reason: str
    drops: int
    alone: int


@dataclass(frozen=True)
class Counts:
    """What the thresholds as they stand do."""

    read: int
    kept: int
    rules: tuple[RuleCount, ...]


class ThresholdBoard:
    """The filters of one pass over stored signals, with thresholds that move.

    Args:
        component: The filter or chain whose signals they are.
        signals: A row for each document, with at least the columns that `columns_for(component)` names.
    """

    def __init__(self, component: Component, signals: pl.DataFrame) -> None:
        self._component = component
        self._signals = signals
        self._members = members_of(component)
        numbers = {name for name, dtype in signals.schema.items() if dtype.is_numeric() or dtype == pl.Boolean}
        self.dials = {dial.name: dial for dial in _dials(self._members, numbers)}
        self._number = np.zeros(signals.height, dtype=np.uint16)  # rules that hold for each document
        self._holds: list[dict[str, Mask]] = [{} for _ in self._members]
        for place, member in enumerate(self._members):
            self._judge(place, member)

    @property
    def component(self) -> Component:
        """The filter or chain with the thresholds as they stand."""
        filters = tuple(member.filter for member in self._members)
        return self._component.model_copy(update={"filters": filters}) if self._is_chain else filters[0]

    @property
    def signals(self) -> pl.DataFrame:
        """What is judged."""
        return self._signals

    @property
    def thresholds(self) -> dict[str, Value]:
        """Every threshold as it stands."""
        return {name: self.value(name) for name in self.dials}

    def value(self, name: str) -> Value:
        """Return a threshold. Raises `UnknownName`."""
        dial = self._dial(name)
        value: Value = _value(self._members[dial.member].filter, dial.setting, dial.key)
        return value

    def move(self, name: str, value: Value) -> None:
        """Set a threshold. Raises `UnknownName`, and `UsageError` for a value that its filter refuses."""
        dial = self._dial(name)
        member = self._members[dial.member]
        try:
            moved = _moved(member.filter, dial.setting, dial.key, value)
        except ValidationError as error:
            raise UsageError(f"{name} cannot be {value!r}: {error.errors()[0]['msg']}", where=name) from None
        self._judge(dial.member, Member(member.name, moved))

    def counts(self) -> Counts:
        """Return what the thresholds as they stand keep and drop."""
        lone = self._number == 1
        rules = tuple(
            RuleCount(member.name, reason, int(mask.sum()), int((mask & lone).sum()))
            for member, holds in zip(self._members, self._holds, strict=True)
            for reason, mask in holds.items()
        )
        return Counts(self._signals.height, int((self._number == 0).sum()), rules)

    @property
    def is_dropped(self) -> Mask:
        """For each document whether a rule holds."""
        return self._number > 0

    def dropped_by(self, name: str, reason: str, *, alone: bool = False) -> npt.NDArray[np.int64]:
        """Return the rows for which a rule of the filter `name` holds, with `alone` no other."""
        for member, holds in zip(self._members, self._holds, strict=True):
            if member.name == name and reason in holds:
                return np.flatnonzero(holds[reason] & (self._number == 1) if alone else holds[reason])
        known = [f"{count.filter}: {count.reason}" for count in self.counts().rules]
        raise UnknownName.among("rule", f"{name}: {reason}", known)

    def grid(self, name: str, wanted: int = 200) -> list[Value]:
        """Return values that a threshold may take, in increasing order: quantiles of its signal, and what it is now."""
        dial, now = self._dial(name), self.value(name)
        values: set[Any] = {now} if now is not None else set()
        if dial.signal:
            column = self._signals[dial.signal].cast(pl.Float64).drop_nulls().to_numpy()
            column = column[np.isfinite(column)]
            if column.size:
                cuts = np.quantile(column, np.linspace(0, 1, wanted))
                values |= {_rounded(cut, is_whole=isinstance(now, int)) for cut in cuts}
        member = self._members[dial.member]
        return sorted(value for value in values if _is_valid(member.filter, dial.setting, dial.key, value))

    @property
    def _is_chain(self) -> bool:
        return isinstance(self._component, Chain)

    def _dial(self, name: str) -> Dial:
        if name not in self.dials:
            raise UnknownName.among("threshold", name, self.dials)
        return self.dials[name]

    def _judge(self, place: int, member: Member) -> None:
        """Put a filter in its place and evaluate its rules; where they fail, everything stays as it was."""
        masks = judge([member], self._signals, "(all)")
        for held in self._holds[place].values():
            self._number -= held
        self._members[place] = member
        self._holds[place] = {mask.reason: mask.holds.to_numpy() for mask in masks}
        for held in self._holds[place].values():
            self._number += held


def columns_for(component: Component) -> list[str]:
    """Return the columns of signals that the rules look at, whatever the thresholds."""
    found: dict[str, None] = {}
    for member in members_of(component):
        wanted = [
            member.filter,
            *(moved for dial in _dials([member], ()) for moved in _neighbours(member.filter, dial)),
        ]
        for variant in wanted:
            found |= {
                f"{member.prefix}{name}": None for rule in variant.rules().values() for name in rule.meta.root_names()
            }
    return list(found)


def _dials(members: Sequence[Member], numbers: Container[str]) -> Iterator[Dial]:
    """Yield the thresholds of all filters; `numbers` are the columns of signals that can be drawn on an axis."""
    for place, member in enumerate(members):
        cls = type(member.filter)
        for setting in cls.model_fields:
            if not is_marked(cls, setting, Threshold):
                continue
            value = getattr(member.filter, setting)
            for key in value if isinstance(value, Mapping) else [None]:
                if not _is_number(_value(member.filter, setting, key)):
                    continue
                name = ".".join([member.name, setting, *([] if key is None else [str(key)])])
                text = cls.model_fields[setting].description or ""
                yield _with_rules(Dial(name, place, setting, key, text, (), ""), member, numbers)


def _with_rules(dial: Dial, member: Member, numbers: Container[str]) -> Dial:
    """Return the dial with the rules that change when it does."""
    before = member.filter.rules()
    for moved in _neighbours(member.filter, dial):
        after = moved.rules()
        changed = [reason for reason, rule in after.items() if reason not in before or not rule.meta.eq(before[reason])]
        if changed:
            columns = (f"{member.prefix}{name}" for name in after[changed[0]].meta.root_names())
            signal = next((column for column in columns if column in numbers), "")
            return replace(dial, reasons=tuple(changed), signal=signal)
    return dial


def _neighbours(component: RowFilter | RewriteFilter, dial: Dial) -> Iterator[RowFilter | RewriteFilter]:
    """Yield the filter with other values of a threshold, as far as it takes them."""
    now = _value(component, dial.setting, dial.key)
    for step in TRIED:
        value = (now or 0) + (int(step) if isinstance(now, int) else step)
        if value != now and _is_valid(component, dial.setting, dial.key, value):
            yield _moved(component, dial.setting, dial.key, value)


def _moved(component: RowFilter | RewriteFilter, setting: str, key: Any, value: Value) -> RowFilter | RewriteFilter:
    """Return the filter with another threshold. Raises pydantic's `ValidationError`."""
    cls = type(component)
    given = {name: getattr(component, name) for name in component.model_fields_set}
    given[setting] = value if key is None else {**getattr(component, setting), key: value}
    return cls.model_validate(given)


def _is_valid(component: RowFilter | RewriteFilter, setting: str, key: Any, value: Value) -> bool:
    try:
        _moved(component, setting, key, value)
    except ValidationError:
        return False
    return True


def _value(component: Component, setting: str, key: Any) -> Any:
    value = getattr(component, setting)
    return value if key is None else value[key]


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _rounded(value: float, *, is_whole: bool) -> Value:
    """Return a value that a person would write: whole, or with three digits that count."""
    return round(value) if is_whole else float(f"{value:.3g}")
