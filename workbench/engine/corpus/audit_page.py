"""The page of the diversity audit: what is flagged, with examples, and heat maps of drop rates."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

import polars as pl

from workbench.artifacts.drawing import GREY, INK, drawing, names_in, plain, svg
from workbench.artifacts.pages import Page
from workbench.contracts.evaluation import Drawn
from workbench.engine.corpus.audit_counts import ANY, most_telling
from workbench.engine.corpus.axes import file_names
from workbench.files.text import safe_line, safe_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.engine.corpus.audit import Audit
    from workbench.engine.corpus.audit_counts import Example

RULES_SHOWN = 24  # rows of a heat map: the rules that drop most
FLAGGED_SHOWN = 60
ROWS_SHOWN = 400  # of the table of all rates; the whole is in tables/drop-rates.parquet
EXAMPLE_CHARACTERS = 300
SIGNALS_SHOWN = 8
DARK = 0.55  # of the scale; beyond it letters are white
MARK = "▲"
RULE_CHARACTERS = 48
Cell = tuple[float, bool, bool]  # rate, flagged, too small to test


def audit_page(
    step: str,
    audit: Audit,
    table: pl.DataFrame,
    pictures: Sequence[Drawn],
    examples: Mapping[tuple[str, ...], list[Example]],
    notes: Sequence[str],
) -> Page:
    """Return the page of an audit."""
    page = Page(f"{step}: diversity audit", "Whom the filters hit: drop rates of groups of documents beside the whole.")
    telling = most_telling(table)
    page.section("At a glance").points(_glance(table, telling)).notes([*notes, *_how(audit)])
    if table.is_empty():
        return page
    page.section("Groups hit harder than the whole")
    if telling.is_empty():
        page.text("None, by the measure above.")
    else:
        page.table(
            f"Flagged, the surest first ({min(FLAGGED_SHOWN, telling.height)} of {telling.height})", _flagged(telling)
        )
    page.section("Drop rates")
    page.text(
        f"In each cell the share of the group's documents for which the rule held, in percent; {MARK} is flagged."
    )
    for drawn in pictures:
        page.picture(drawn.svg, alt=drawn.alt, caption=drawn.caption)
    if examples:
        page.section("Dropped documents of flagged groups")
        page.text(
            "Those with the smallest ids, which are hashes and so as good as drawn at random; with what the filter measured."
        )
        for cell, found in examples.items():
            page.heading(_heading(cell))
            for example in found:
                page.quote(_cut(example.text), source=f"{_signals(example.signals)} — {example.source}")
    page.section("All rates")
    shown = table.head(ROWS_SHOWN)
    page.table(
        f"Drop rates ({shown.height} of {table.height} rows; all are in tables/drop-rates.parquet)", _rates(shown)
    )
    return page


def _glance(table: pl.DataFrame, telling: pl.DataFrame) -> list[str]:
    if table.is_empty():
        return ["No step dropped any document."]
    whole = table.filter(pl.col("filter") == ANY).unique("step", maintain_order=True)
    said = [
        f"Step {step} dropped {dropped:,} of {read:,} documents ({dropped / read:.1%})."
        for step, dropped, read in whole.select("step", "whole_dropped", "whole_read").iter_rows()
    ]
    tested = table["p_adjusted"].drop_nulls().len()
    said.append(f"{telling.height} of {tested:,} tests of a rule in a group are flagged.")
    said += [
        f"{_rule(row)} drops {row['rate']:.1%} of {row['axis']} {row['group']} ({row['dropped']:,} of {row['read']:,}), "
        f"{row['ratio']:.1f} times its rate of {row['whole_rate']:.1%} in the whole."
        for row in telling.head(3).iter_rows(named=True)
    ]
    return said


def _how(audit: Audit) -> list[str]:
    test = (
        "Flagged: Fisher's exact test, one-sided, against the other documents, adjusted over all tests by Holm's method, "
        f"below {audit.alpha:g}; at least {audit.min_ratio:g} times the rate of the whole, and "
        f"{100 * audit.min_difference:g} percentage points above it. Groups of fewer than {audit.min_documents} documents "
        "are not tested."
    )
    independent = (
        "The test takes documents as independent; pages of one site are not, so a flag on a domain, or on a group that is "
        "mostly one domain, says less than its probability. A flag is a question to ask, not a fault."
    )
    return [
        test,
        "A rule counts wherever it held, whether or not another rejected the document first.",
        independent,
        "Registers are told by lists of marking words, for English and Chinese; text in other languages is 'other'.",
    ]


def _rule(row: Mapping[str, Any]) -> str:
    if row["filter"] == ANY:
        return f"{row['step']} as a whole"
    return f"{row['step']} {row['filter']}" + ("" if row["reason"] == ANY else f": {row['reason']}")


def _heading(cell: tuple[str, ...]) -> str:
    step, filter_, reason, axis, group = cell
    return f"{axis} {group} — {_rule({'step': step, 'filter': filter_, 'reason': reason})}"


def _flagged(telling: pl.DataFrame) -> pl.DataFrame:
    rows = [
        {
            "group": f"{row['axis']}: {row['group']}",
            "rule": _rule(row),
            "dropped": f"{row['dropped']:,} of {row['read']:,}",
            "rate": f"{row['rate']:.1%}",
            "95 % interval": f"{row['low']:.1%} to {row['high']:.1%}",
            "whole": f"{row['whole_rate']:.1%}",
            "times": f"{row['ratio']:.2g}",
            "p (Holm)": f"{row['p_adjusted']:.1g}",
        }
        for row in telling.head(FLAGGED_SHOWN).iter_rows(named=True)
    ]
    return pl.DataFrame(rows)


def _rates(table: pl.DataFrame) -> pl.DataFrame:
    rows = [
        {
            "rule": _rule(row),
            "group": f"{row['axis']}: {row['group']}",
            "dropped": row["dropped"],
            "read": row["read"],
            "rate": f"{row['rate']:.1%}",
            "95 % interval": f"{row['low']:.1%} to {row['high']:.1%}",
            "whole": f"{row['whole_rate']:.1%}",
            "p (Holm)": None if row["p_adjusted"] is None else f"{row['p_adjusted']:.1g}",
            "flagged": MARK if row["flagged"] else "",
        }
        for row in table.iter_rows(named=True)
    ]
    return pl.DataFrame(rows)


def _signals(signals: Mapping[str, Any]) -> str:
    said = [f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in signals.items()]
    more = f", {len(said) - SIGNALS_SHOWN} more" if len(said) > SIGNALS_SHOWN else ""
    return (safe_line(", ".join(said[:SIGNALS_SHOWN])) + more) or "no signals"


def _cut(text: str) -> str:
    return safe_text(text.strip(), EXAMPLE_CHARACTERS)


def drop_pictures(table: pl.DataFrame, tested: int) -> list[Drawn]:
    """Return one heat map for each axis: rules in rows, groups in columns; those of fewer than `tested` in grey."""
    if table.is_empty():
        return []
    rules = _rules_shown(table)
    names = file_names(table["axis"])
    return [_picture(table, rules, axis, f"drop-rates-{name}", tested) for axis, name in names.items()]


def _rules_shown(table: pl.DataFrame) -> list[tuple[str, str, str]]:
    """Return the steps of several rules as a whole and the rules that drop most, in the order of the table."""
    rules = table.select("step", "filter", "reason", "whole_dropped", "whole_rate").unique(maintain_order=True)
    is_step = pl.col("filter") == ANY
    hardest = rules.filter(~is_step & (pl.col("reason") != ANY)).sort(
        "whole_rate", descending=True, maintain_order=True
    )
    several = rules.filter(pl.col("reason") != ANY).group_by("step").len().filter(pl.col("len") > 1)
    whole = rules.filter(is_step).join(several.select("step"), on="step", how="semi")
    chosen = pl.concat([whole, hardest.head(RULES_SHOWN)]).select("step", "filter", "reason").rows()
    return [rule for rule in rules.select("step", "filter", "reason").rows() if rule in set(chosen)]


def _picture(table: pl.DataFrame, rules: Sequence[tuple[str, str, str]], axis: str, name: str, tested: int) -> Drawn:
    here = table.filter(pl.col("axis") == axis)
    groups = here["group"].unique(maintain_order=True).to_list()
    rates = here.select("rate", "flagged", pl.col("read") < tested).rows()
    cells = dict(zip(here.select("step", "filter", "reason", "group").rows(), rates, strict=True))
    whole = {row[:3]: row[3] for row in here.select("step", "filter", "reason", "whole_rate").iter_rows()}
    shown: list[list[Cell | None]] = [
        [(whole[rule], False, False), *(cells.get((*rule, group)) for group in groups)] for rule in rules
    ]
    sizes = dict(here.group_by("group").agg(pl.col("read").max()).iter_rows())
    written = names_in(groups)
    heads = ["all", *(f"{name} ({sizes[group]:,})" for name, group in zip(written, groups, strict=True))]
    named = [plain(_rule({"step": step, "filter": filter_, "reason": reason})) for step, filter_, reason in rules]
    marks = [f"#{number}" for number in range(1, len(groups) + 1)]
    numbered = [f"{mark} {group}" for mark, name, group in zip(marks, written, groups, strict=True) if mark == name]
    legend = f" In the picture: {'; '.join(numbered)}." if numbered else ""
    return Drawn(
        name,
        _heat(shown, named, heads),
        alt=f"Drop rates of {len(rules)} rules in {len(groups)} groups by {axis}. " + _spoken(here),
        caption=f"By {axis} (documents read): percent for which the rule held; {MARK} flagged, grey too few to test.{legend}",
    )


def _spoken(here: pl.DataFrame) -> str:
    flagged = here.filter("flagged")
    if flagged.is_empty():
        return "None is flagged."
    return (
        "Flagged: "
        + "; ".join(
            f"{_rule(row)} in {row['group']}, {row['rate']:.0%}" for row in flagged.head(8).iter_rows(named=True)
        )
        + "."
    )


def _heat(shown: Sequence[Sequence[Cell | None]], named: Sequence[str], heads: Sequence[str]) -> bytes:
    """Draw rates as numbers on colours; cells that nobody tested have a number and no colour."""
    coloured = [[nan if cell is None or cell[2] else cell[0] for cell in row] for row in shown]
    top = max(rate for row in coloured for rate in (*row, 1e-9) if rate == rate)  # noqa: PLR0124  # not nan
    with drawing(1.3 + 0.25 * len(named) + 0.045 * max(map(len, heads))) as (figure, axes):
        axes.imshow(coloured, cmap="YlOrBr", vmin=0, vmax=top, aspect="auto")
        for row, cells in enumerate(shown):
            for column, cell in enumerate(cells):
                if cell is not None:
                    _number(axes, column, row, cell, top)
        axes.set_xticks(range(len(heads)), heads, rotation=40, ha="right", rotation_mode="anchor", fontsize=8)
        axes.set_yticks(range(len(named)), [cut_name(name) for name in named], fontsize=8)
        axes.axvline(0.5, color=INK, linewidth=1.2)
        axes.tick_params(length=0)
        return svg(figure)


def _number(axes: Any, column: int, row: int, cell: Cell, top: float) -> None:
    rate, flagged, is_small = cell
    percent = 100 * rate
    text = f"{percent:.0f}" if percent >= 10 or rate == 0 else f"{percent:.1f}"  # noqa: PLR2004  # two digits
    colour = GREY if is_small else "white" if rate > DARK * top else INK
    mark, weight = (MARK, "bold") if flagged else ("", "normal")
    axes.text(column, row, text + mark, ha="center", va="center", color=colour, fontsize=8, fontweight=weight)


def cut_name(name: str) -> str:
    """Return the name of a rule, cut to what a picture has room for."""
    return name if len(name) <= RULE_CHARACTERS else f"{name[: RULE_CHARACTERS - 1]}…"
