"""A page a person can read: headings, text, tables, pictures and quotes in one HTML file without scripts.

The one place where HTML is made. Everything shown goes through `safe_text` and jinja's escaping, pictures stand in the
file itself, and the page forbids itself (by a content security policy) to load or run anything. The same content
gives the same bytes.
"""

from __future__ import annotations

import base64
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from workbench.files.text import safe_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from workbench.contracts.evaluation import Score, Scores

TEMPLATE = Path(__file__).with_name("page.html")
LONG_CHARACTERS = 60  # a column with longer cells gets room and keeps its line ends
NOTHING = "–"
NUMBER = re.compile(rf"-?[\d,.]+(e-?\d+)?%?|{NOTHING}")


@dataclass(frozen=True)
class Block:
    """One thing below a heading; `kind` chooses how the template shows it."""

    kind: ClassVar[str]


@dataclass(frozen=True)
class Heading(Block):
    """A heading of the third level."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True)
class Text(Block):
    """A paragraph."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True)
class Notes(Block):
    """Sentences as a list; quiet ones stand back behind what they explain."""

    kind: ClassVar[str] = "notes"
    notes: list[str]
    quiet: bool


@dataclass(frozen=True)
class Quote(Block):
    """Text somebody or some model wrote; `given` is the part of it that was given, shown bold."""

    kind: ClassVar[str] = "quote"
    text: str
    source: str
    given: str


@dataclass(frozen=True)
class Picture(Block):
    """An image inside the file."""

    kind: ClassVar[str] = "picture"
    address: str
    alt: str
    caption: str


@dataclass(frozen=True)
class Column:
    """The head of a table column and how its cells are set: `number`, `long` or plain."""

    name: str
    style: str


@dataclass(frozen=True)
class Table(Block):
    """A table whose first column names its rows."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: list[Column]
    rows: list[list[str]]


@dataclass
class Section:
    """A heading of the second level and what stands below it."""

    title: str
    blocks: list[Block] = field(default_factory=list)


class Page:
    """Build a page from top to bottom; every method returns the page, so that calls can be chained.

    >>> html = Page("Results").section("Scores").text("<b>5</b>").render()
    >>> "&lt;b&gt;5&lt;/b&gt;" in html, "<script" in html
    (True, False)
    """

    def __init__(self, title: str, lead: str = "") -> None:
        self.title = safe_text(title)
        self.lead = safe_text(lead)
        self.sections: list[Section] = []

    def section(self, title: str) -> Self:
        """Begin a section."""
        self.sections.append(Section(safe_text(title)))
        return self

    def heading(self, text: str) -> Self:
        """Add a heading inside the section."""
        return self._add(Heading(safe_text(text)))

    def text(self, text: str) -> Self:
        """Add a paragraph."""
        return self._add(Text(safe_text(text)))

    def points(self, points: Sequence[str]) -> Self:
        """Add a list of things to take away; nothing when there is none."""
        return self._add(Notes([safe_text(point) for point in points], quiet=False)) if points else self

    def notes(self, notes: Sequence[str]) -> Self:
        """Add a list of what a reader should know of the things above; nothing when there is none."""
        return self._add(Notes([safe_text(note) for note in notes], quiet=True)) if notes else self

    def quote(self, text: str, *, source: str = "", given: str = "") -> Self:
        """Add text from a corpus or a model, line ends kept; `given` is its beginning that was not written by it."""
        return self._add(Quote(safe_text(text), safe_text(source), safe_text(given)))

    def picture(self, svg: bytes, *, alt: str, caption: str) -> Self:
        """Add an SVG picture; `alt` says in words what it shows."""
        address = "data:image/svg+xml;base64," + base64.b64encode(svg).decode("ascii")
        return self._add(Picture(address, safe_text(alt), safe_text(caption)))

    def table(self, caption: str, frame: pl.DataFrame) -> Self:
        """Add a table with the columns of a frame; the first one names the rows."""
        columns = [_column(frame, name) for name in frame.columns]
        rows = [[shown(value) for value in row] for row in frame.iter_rows()]
        return self._add(Table(safe_text(caption), columns, rows))

    def scores(self, caption: str, scores: Sequence[Score]) -> Self:
        """Add a table of scores, each with its interval, its baseline and n."""
        return self.table(caption, scores_frame(scores)) if scores else self

    def report(self, scores: Scores) -> Self:
        """Add everything an evaluator gave: pictures, scores, notes, tables."""
        for drawn in scores.pictures:
            self.picture(drawn.svg, alt=drawn.alt, caption=drawn.caption)
        self.scores("Scores", scores.scores).notes(scores.notes)
        for name, table in scores.tables.items():
            if not table.is_empty():
                self.table(name.replace("-", " ").capitalize(), table)
        return self

    def render(self) -> str:
        """Return the page as HTML."""
        import jinja2

        environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
        return environment.from_string(TEMPLATE.read_text("utf-8")).render(page=self)

    def _add(self, block: Block) -> Self:
        if not self.sections:
            self.section(self.title)
        self.sections[-1].blocks.append(block)
        return self


def scores_frame(scores: Sequence[Score]) -> pl.DataFrame:
    """Return scores as a table for people."""
    import polars as pl

    rows = [
        {
            "score": f"{score.name} ({score.unit})" if score.unit else score.name,
            "value": shown(score.value),
            "95 % interval": f"{shown(score.low)} to {shown(score.high)}",
            "baseline": NOTHING if score.baseline is None else shown(score.baseline),
            "what the baseline is": score.baseline_name,
            "n": score.n,
            "better is": "higher" if score.higher_is_better else "lower",
        }
        for score in scores
    ]
    return pl.DataFrame(rows)


def shown(value: Any) -> str:
    """Return a cell as text: whole numbers in groups of three, others with four significant digits.

    >>> shown(1234567), shown(0.123456), shown(1234.56), shown(None), shown(1e-9)
    ('1,234,567', '0.1235', '1,235', '–', '1e-09')
    """
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return _decimal(value)
    return safe_text(str(value))


def _decimal(value: float) -> str:
    if not math.isfinite(value):
        return NOTHING if math.isnan(value) else str(value)
    size = abs(value)
    if size >= 1000:  # noqa: PLR2004  # four digits without a decimal point
        return f"{value:,.0f}"
    return f"{value:.4g}"


def _column(frame: pl.DataFrame, name: str) -> Column:
    series = frame[name]
    cells = [str(value) for value in series if value is not None]
    if series.dtype.is_numeric() or (cells and all(map(NUMBER.fullmatch, cells))):
        return Column(safe_text(name), "number")
    longest = max(map(len, cells), default=0)
    return Column(safe_text(name), "long" if longest > LONG_CHARACTERS else "")
