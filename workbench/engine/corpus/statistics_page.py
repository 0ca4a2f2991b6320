"""The page of the statistics card."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from workbench.artifacts.drawing import BLUE, GREY, INK, drawing, names_in, plain, svg
from workbench.artifacts.pages import Page
from workbench.contracts.evaluation import Drawn
from workbench.engine.corpus.axes import NONE, OTHER, file_names, group_order
from workbench.engine.corpus.statistics_counts import UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.engine.corpus.statistics_counts import Counts, Repeats

TITLES = {"language": "Languages", "domain": "Top domains", "source": "Sources", "register": "Registers"}
COUNTED = ("documents", "share", "characters", "documents before", "share before")  # columns beside the groups
BARS_SHOWN = 15
BAR_CHARACTERS = 18
SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Size", ("size", "parts")),
    ("Repeats", ("repeats", "repeated-texts", "repeated-lines")),
    ("Keywords by TF-IDF", ("keywords",)),
    ("N-grams", ("n-grams",)),
    ("Topics", ("topics",)),
)
CAPTIONS = {
    "size": "Size",
    "parts": "Documents of each part",
    "repeats": "Documents that repeat another",
    "repeated-texts": "Texts that stand most often",
    "repeated-lines": "Lines that stand in most documents",
    "keywords": "Terms of the largest mean weight, the most telling first",
    "n-grams": "Strings of words in most documents",
    "topics": "Topics; a document counts for its strongest one",
}


def card_tables(now: Counts, before: Counts | None, found: Sequence[Repeats], shown: int) -> dict[str, pl.DataFrame]:
    """Return the tables of everything that is counted in full; with `before`, a column of it beside each number."""
    both = [now, *([before] if before else [])]
    heads = ["corpus", "before"][: len(both)]
    units = [unit for unit in UNITS if unit in now.totals]
    size = {"": [*units, "characters per document"]}
    for head, counts in zip(heads, both, strict=True):
        mean = counts.totals["characters"] // max(counts.totals["documents"], 1)
        size[head] = [*(counts.totals[unit] for unit in units), mean]  # type: ignore[list-item]
    tables = {"size": pl.DataFrame(size, strict=False)}
    if now.parts:
        tables["parts"] = pl.DataFrame({"part": list(now.parts), "documents": list(now.parts.values())})
    tables["repeats"] = _repeats(found, both, heads)
    names = file_names([*TITLES, *now.axes])
    for axis, groups in now.axes.items():
        tables[f"by-{names[axis]}"] = _by_group(axis, groups, both, heads, shown)
    return tables


def _repeats(found: Sequence[Repeats], both: Sequence[Counts], heads: Sequence[str]) -> pl.DataFrame:
    rows: dict[str, list[str]] = {
        "": ["the same text", "the same but for case and white space", "texts that stand more than once"]
    }
    for head, repeats, counts in zip(heads, found, both, strict=True):
        documents = max(counts.totals["documents"], 1)
        rows[head] = [
            f"{repeats.same:,} ({repeats.same / documents:.1%})",
            f"{repeats.alike:,} ({repeats.alike / documents:.1%})",
            f"{repeats.groups:,}",
        ]
    return pl.DataFrame(rows)


def _by_group(
    axis: str, groups: Mapping[str, list[int]], both: Sequence[Counts], heads: Sequence[str], shown: int
) -> pl.DataFrame:
    order = group_order(axis, {group: pair[0] for group, pair in groups.items()})
    named = [group for group in order if group not in (NONE, OTHER)][:shown]
    rows = [
        *named,
        *([OTHER] if len(order) > len(named) + (NONE in groups) else []),
        *([NONE] if NONE in groups else []),
    ]
    first = f"{axis} (key)" if axis in COUNTED else axis
    table: dict[str, list[str] | list[int] | list[float]] = {first: rows}
    for head, counts in zip(heads, both, strict=True):
        own = counts.axes.get(axis, {})
        total = max(counts.totals["documents"], 1)
        rest = [sum(pair[place] for group, pair in own.items() if group not in rows) for place in (0, 1)]
        pairs = [rest if group == OTHER and OTHER not in own else own.get(group, [0, 0]) for group in rows]
        suffix = " before" if head == "before" else ""
        table[f"documents{suffix}"] = [pair[0] for pair in pairs]
        table[f"share{suffix}"] = [f"{pair[0] / total:.1%}" for pair in pairs]
        if len(both) == 1:
            table["characters"] = [pair[1] for pair in pairs]
    return pl.DataFrame(table)


def card_pictures(now: Counts, before: Counts | None, step: str, step_before: str, shown: int) -> list[Drawn]:
    """Return the histogram of lengths and a bar picture for each axis; `before` beside each bar, as a share."""
    if not now.totals["documents"]:
        return []
    names = [plain(step) or "corpus", plain(step_before) or "before"][: 2 if before else 1]
    axes = [axis for axis in TITLES if axis in now.axes]
    return [_lengths(now, before, names), *(_bars(axis, now, before, names, min(shown, BARS_SHOWN)) for axis in axes)]


def _shares(counts: Counts, axis: str, groups: Sequence[str]) -> list[float]:
    total = max(counts.totals["documents"], 1)
    own = counts.axes.get(axis, {})
    return [own.get(group, [0, 0])[0] / total for group in groups]


def _bars(axis: str, now: Counts, before: Counts | None, names: Sequence[str], shown: int) -> Drawn:
    groups = group_order(axis, {group: pair[0] for group, pair in now.axes[axis].items()})[:shown]
    series = [_shares(now, axis, groups), *([_shares(before, axis, groups)] if before else [])]
    written = names_in(groups)
    with drawing(0.8 + 0.2 * len(groups) * len(series)) as (figure, axes):
        height = 0.8 / len(series)
        for place, (name, shares) in enumerate(zip(names, series, strict=True)):
            rows = [row + (place - (len(series) - 1) / 2) * height for row in range(len(groups))]
            colour, hatch = ((BLUE, ""), (GREY, "////"))[place]
            axes.barh(
                rows,
                [100 * share for share in shares],
                height,
                label=name,
                color=colour,
                hatch=hatch,
                edgecolor=INK,
                linewidth=0.4,
            )
            for row, share in zip(rows, shares, strict=True):
                axes.text(100 * share, row, _percent(share), va="center", fontsize=8, color=INK)
        axes.set_yticks(range(len(groups)), written)
        axes.invert_yaxis()
        axes.set_xlabel("percent of documents")
        axes.margins(x=0.1)
        if len(series) > 1:
            figure.legend(loc="outside upper left", ncols=2, frameon=False)
        content = svg(figure)
    numbered = [
        f"{mark} {group}" for mark, group in zip(written, groups, strict=True) if mark == f"#{groups.index(group) + 1}"
    ]
    spoken = "; ".join(f"{group} {share:.1%}" for group, share in zip(groups, series[0], strict=True))
    legend = f" In the picture: {'; '.join(numbered)}." if numbered else ""
    return Drawn(f"by-{axis}", content, alt=f"Shares of documents: {spoken}.", caption=f"{TITLES[axis]}.{legend}")


def _percent(share: float) -> str:
    """Return a share in percent with two digits, and all of them above ten.

    >>> _percent(1), _percent(0.0123), _percent(0.00012)
    (' 100', ' 1.2', ' 0.012')
    """
    percent = 100 * share
    return f" {percent:.0f}" if percent >= 10 else f" {percent:.2g}"  # noqa: PLR2004  # two digits


def _lengths(now: Counts, before: Counts | None, names: Sequence[str]) -> Drawn:
    starts = sorted({*now.lengths, *(before.lengths if before else {})})
    places = range(len(starts))
    series = [counts for counts in (now, before) if counts]
    width = 0.86 / len(series)
    with drawing(2.9) as (figure, axes):
        for place, (name, counts) in enumerate(zip(names, series, strict=True)):
            shift = (place - (len(series) - 1) / 2) * width
            colour, hatch = ((BLUE, ""), (GREY, "////"))[place]
            axes.bar([x + shift for x in places], [counts.lengths[start] for start in starts], width, label=name,
                     color=colour, hatch=hatch, edgecolor=INK, linewidth=0.4)  # fmt: skip
        axes.set_xticks(places, [f"{start:,}" for start in starts], rotation=35, ha="right")
        axes.set_xlabel("characters: from this number, to below the next")
        axes.set_ylabel("documents")
        axes.yaxis.set_major_formatter("{x:,.0f}")
        if len(series) > 1:
            figure.legend(loc="outside upper left", ncols=2, frameon=False)
        content = svg(figure)
    spoken = "; ".join(f"from {start:,}: {now.lengths[start]:,}" for start in starts)
    return Drawn(
        "lengths", content, alt=f"Documents by length in characters: {spoken}.", caption="Length of documents."
    )


def card_page(
    step: str,
    corpora: tuple[str, str | None],
    tables: Mapping[str, pl.DataFrame],
    pictures: Sequence[Drawn],
    notes: Sequence[str],
) -> Page:
    """Return the page of a card."""
    corpus, before = corpora
    beside = f", beside what it was at step {before}" if before else ""
    page = Page(f"{step}: the corpus of step {corpus}", f"What is in it{beside}.")
    drawn = {picture.name: picture for picture in pictures}
    _section(page, *SECTIONS[0], tables)
    page.notes(notes)
    for name, picture in drawn.items():
        page.section({"lengths": "Lengths"}.get(name) or TITLES[name.removeprefix("by-")])
        page.picture(picture.svg, alt=picture.alt, caption=picture.caption)
        if name in tables:
            page.table(TITLES[name.removeprefix("by-")], tables[name])
    for name, table in tables.items():
        if name.startswith("by-") and name not in drawn:
            page.section(f"By {table.columns[0]}").table(f"Documents by {table.columns[0]}", table)
    for title, names in SECTIONS[1:]:
        _section(page, title, names, tables)
    return page


def _section(page: Page, title: str, names: Sequence[str], tables: Mapping[str, pl.DataFrame]) -> None:
    shown = [name for name in names if name in tables and not tables[name].is_empty()]
    if shown:
        page.section(title)
    for name in shown:
        if name == "keywords":
            _keywords(page, tables[name])
        else:
            page.table(CAPTIONS[name], tables[name])


def _keywords(page: Page, table: pl.DataFrame) -> None:
    """Add one table of keywords for each group, with bars of text: letters of any script, in any browser."""
    for (group,), own in table.group_by("group", maintain_order=True):
        weights = own["weight"].to_list()
        top = max([*weights, 1e-9])
        bars = ["█" * max(1, round(BAR_CHARACTERS * weight / top)) for weight in weights]
        name = "all documents" if group is None else str(group)
        page.table(f"{CAPTIONS['keywords']}: {name}", own.drop("group").with_columns(pl.Series(" ", bars)))
