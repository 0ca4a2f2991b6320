"""What a person sees of a result: facts, tables and passages, the same on a terminal and in a notebook.

A view says what is shown, not how: the command line prints it, the notebook draws it, `--json` gives its document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.artifacts import Artifact, Corpus, Export, Model, Report, Tokenizer, Tokens
from workbench.artifacts.ledger import Ledger
from workbench.showing_statistics import measure_corpus
from workbench.wording import count, duration, listed, number, share, shortened, size, spread

if TYPE_CHECKING:
    import polars as pl

    from workbench.pipeline.plan import Plan
    from workbench.store.runs import RunRecord

NUM_SAMPLES = 5
NUM_SOURCES = 8
NUM_FILES = 12
NUM_ROWS = 20
NUM_CLUSTERS = 8
NUM_BAD = 5  # quarantined records that are shown
HEADING = 60  # characters of a text that stand for it in a table
PASSAGE = 600  # characters of a sample that are shown
BAR = 24  # characters of the longest bar
TRAINING = ("steps", "tokens", "first_loss", "last_loss", "parameters", "trained_parameters")
TRY_TOKENS = ("The model reads text.", "语言模型 2026")  # one word-spaced, one not


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes:
        title: What it shows.
        headers: One for each column.
        rows: Cells as text.
        numbers: The columns set to the right.
        bars: For each row how long its bar is, 0 to 1; empty for a table without bars.
    """

    title: str
    headers: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    numbers: tuple[int, ...] = ()
    bars: tuple[float, ...] = ()

    def drawn(self, mark: str) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Return headers and rows, the bars drawn with `mark` as a column of their own."""
        if not self.bars:
            return self.headers, list(self.rows)
        lines = [mark * max(round(BAR * share), int(share > 0)) for share in self.bars]
        return (*self.headers, ""), [(*row, line) for row, line in zip(self.rows, lines, strict=True)]


@dataclass(frozen=True)
class Passage:
    """A piece of text from a corpus, with a line that says whose it is. The text is as it stands, not made safe."""

    heading: str
    text: str


@dataclass(frozen=True)
class Image:
    """A picture (SVG) and what it shows in words."""

    svg: bytes
    alt: str
    caption: str


@dataclass
class View:
    """Everything worth seeing of one result.

    Attributes:
        title: One line.
        facts: Name and value pairs.
        grids: Tables.
        passages: Samples of text.
        images: Pictures; where none can be shown, their words.
        document: The same as JSON values.
    """

    title: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    document: dict[str, Any] = field(default_factory=dict)


def view_artifact(artifact: Artifact, component: str = "") -> View:
    """Return the view of an artifact, or of the chosen part of one."""
    chosen = f".{artifact.part}" if artifact.part else ""
    view = View(
        title=f"{artifact.step}{chosen}  {artifact.type or 'result'} of {component}",
        facts=[("fingerprint", artifact.fingerprint), ("path", str(artifact.path))],
        document={"kind": artifact.type, "fingerprint": artifact.fingerprint, "path": str(artifact.path)},
    )
    VIEWS.get(artifact.type, _view_files)(artifact, view)
    return view


def figures_of(artifact: Artifact) -> dict[str, Any]:
    """Return the numbers of a result that runs are compared by: `ledger`, `training` or `scores`."""
    if isinstance(artifact, Corpus):
        return {"ledger": artifact.ledger.to_json()}
    if isinstance(artifact, Model):
        return {"training": {name: artifact.card.get(name) for name in TRAINING}}
    if isinstance(artifact, Report):
        return {"scores": {score.name: asdict(score) for score in artifact.scores}}
    return {}


def headline_figures(artifacts: Iterable[Artifact]) -> dict[str, float]:
    """Return what a run is judged by: the last loss of each model and every score, as `STEP NAME`."""
    found: dict[str, float] = {}
    for artifact in artifacts:
        figures = figures_of(artifact)
        if "training" in figures and figures["training"]["last_loss"] is not None:
            found[f"{artifact.step} last loss"] = figures["training"]["last_loss"]
        found.update({f"{artifact.step} {name}": score["value"] for name, score in figures.get("scores", {}).items()})
    return found


def view_run(record: RunRecord) -> View:
    """Return the view of a run: every step, its time, its memory and where its result lies."""
    rows = [
        (step.name, step.component, step.status, *_cost(step.seconds, step.peak_bytes), step.fingerprint[:12])
        for step in record.steps
    ]
    view = View(
        title=f"run {record.id}  {record.status}",
        facts=[
            ("pipeline", record.name),
            ("started", f"{record.started[:19].replace('T', ' ')} UTC"),
            ("took", duration(record.seconds)),
            *[("changed", change) for change in record.overrides],
        ],
        grids=[Grid("Steps", ("step", "component", "status", "seconds", "memory", "result"), rows, (3, 4))],
        document=describe_run(record),
    )
    view.facts += [
        (f"{step.name} {step.status}", " ".join(line.strip() for line in step.error))
        for step in record.steps
        if step.error
    ]
    return view


def _cost(seconds: float, peak_bytes: int) -> tuple[str, str]:
    """Return what a step took; nothing for one that was there already."""
    return (duration(seconds), size(peak_bytes)) if seconds or peak_bytes else ("", "")


def view_plan(plan: Plan) -> View:
    """Return the view of a plan: for every step whether its result is there, and if not, why it will run."""
    rows = [(step.name, step.component, step.status, listed(step.reasons)) for step in plan.steps]
    to_run = sum(step.status == "run" for step in plan.steps)
    title = f"{count(to_run, 'step')} to run" if to_run else "nothing to run: every result is in the store"
    return View(title, grids=[Grid("Plan", ("step", "component", "status", "why"), rows)], document=plan.to_json())


def describe_run(record: RunRecord) -> dict[str, Any]:
    """Return a run as JSON values, as `workbench run` answers: of a step there, `stopped` is among those that failed."""
    names = ("name", "fingerprint", "status", "seconds", "peak_bytes", "path")
    steps = [{name: getattr(step, name) for name in names} for step in record.steps]
    for described, step in zip(steps, record.steps, strict=True):
        described["component"] = step.component
        if step.status == "stopped":
            described["status"] = "failed"
        if step.error:
            described["error"] = step.error
    return {
        "run": record.id,
        "status": record.status,
        "name": record.name,
        "started": record.started,
        "seconds": record.seconds,
        "overrides": list(record.overrides),
        "steps": steps,
    }


def _view_corpus(corpus: Corpus, view: View) -> None:
    statistics = measure_corpus(corpus)
    view.facts += [("documents", number(statistics.documents)), ("characters", number(statistics.characters))]
    if corpus.parts and corpus.part is None:
        rows = {part: sum(shard.rows for shard in corpus.shards if shard.part == part) for part in corpus.parts}
        view.facts.append(("parts", ", ".join(f"{part} {number(count)}" for part, count in rows.items())))
    view.document["rows"] = statistics.documents
    view.document["statistics"] = asdict(statistics)
    view.document.update(figures_of(corpus))
    view.grids += [*grids_of_ledger(corpus.ledger), *_grids_of_quarantine(corpus, view)]
    view.grids += _grids_of_clusters(corpus, view)
    view.grids += [
        _lengths_grid(statistics.lengths),
        _counts_grid("Sources", "source", statistics.sources, statistics.documents, NUM_SOURCES),
    ]
    view.passages += sample_corpus(corpus)


def _grids_of_quarantine(corpus: Corpus, view: View) -> list[Grid]:
    """Return why records could not be read and where the first ones stand; none when all could."""
    import polars as pl

    if not corpus.ledger.quarantined:
        return []
    bad = corpus.quarantine()
    reasons = bad.group_by("reason").len().sort(pl.col("len") * -1, "reason").collect()
    view.document["quarantine"] = dict(reasons.iter_rows())
    first = bad.select("file", "place", "reason", "head").head(NUM_BAD).collect()
    rows = [
        (" ".join(filter(None, (file, place))), reason, shortened(head or "", HEADING))
        for file, place, reason, head in first.rows()
    ]
    counts = [(reason, number(times)) for reason, times in reasons.rows()]
    title = f"Bad records (the first {first.height} of {number(corpus.ledger.quarantined)})"
    return [
        Grid("Quarantined", ("reason", "number"), counts, (1,)),
        Grid(title, ("where", "reason", "begins"), rows),
    ]


def _grids_of_clusters(corpus: Corpus, view: View) -> list[Grid]:
    """Return the largest groups of alike documents, with the first words of the one that stays; none without groups."""
    sizes = corpus.cluster_sizes()
    if sizes.is_empty():
        return []
    view.document["clusters"] = {"clusters": sizes.height, "documents": int(sizes["documents"].sum())}
    shown = sizes.head(NUM_CLUSTERS)
    texts = dict(corpus.beginnings(shown["cluster"].to_list(), HEADING).iter_rows())
    rows = [(key, number(size), _cell(least), texts.get(key, "")) for key, size, least in shown.iter_rows()]
    title = f"Groups of alike documents (the largest {shown.height} of {number(sizes.height)})"
    return [Grid(title, ("stays", "documents", "least similarity", "text"), rows, (1, 2))]


def _view_tokenizer(tokenizer: Tokenizer, view: View) -> None:
    vocabulary = tokenizer.fast.get_vocab_size()
    view.facts.append(("vocabulary", number(vocabulary)))
    view.document["vocabulary"] = vocabulary
    rows = []
    for text in TRY_TOKENS:
        tokens = tokenizer.fast.encode(text).tokens
        rows.append((text, str(len(tokens)), " ".join(tokens)))
    view.grids.append(Grid("Tried on", ("text", "tokens", "pieces"), rows, (1,)))


def _view_tokens(tokens: Tokens, view: View) -> None:
    card = tokens.card
    view.facts += [("context", number(tokens.context)), ("vocabulary", number(card["vocab_size"]))]
    parts = {name: item for name, item in card["parts"].items() if tokens.part in (None, name)}
    view.document["rows"] = sum(item["rows"] for item in parts.values())
    view.document["parts"] = parts
    columns = ("documents", "tokens", "rows")
    rows = [(name, *(number(item[column]) for column in columns)) for name, item in parts.items()]
    view.grids.append(Grid("Parts", ("part", *columns), rows, (1, 2, 3)))


def _view_model(model: Model, view: View) -> None:
    card = model.card
    view.document.update(figures_of(model))
    view.document["card"] = card
    shown = [(name, value) for name, value in card.items() if isinstance(value, (str, int, float))]
    view.facts += [
        (name.replace("_", " "), number(value) if not isinstance(value, str) else value) for name, value in shown
    ]
    if card.get("parts"):
        total = sum(card["parts"].values())
        rows = [(name, number(amount), share(amount, total)) for name, amount in card["parts"].items()]
        view.grids.append(Grid("Parameters by part", ("part", "parameters", "share"), rows, (1, 2)))
    curve = model.metrics()
    if curve.height:
        view.grids.append(_curve_grid(curve))


def _view_report(report: Report, view: View) -> None:
    view.document.update(figures_of(report))
    view.document["notes"] = report.notes
    view.images += [Image(drawn.svg, drawn.alt, drawn.caption) for drawn in report.pictures]
    if view.document["scores"]:
        view.grids.append(scores_grid(view.document["scores"]))
    for name, table in report.tables.items():
        shown = table.head(NUM_ROWS)
        title = name if shown.height == table.height else f"{name} (first {NUM_ROWS} of {number(table.height)} rows)"
        rows = [tuple(_cell(value) for value in row) for row in shown.iter_rows()]
        numbers = tuple(index for index, kind in enumerate(table.dtypes) if kind.is_numeric())
        view.grids.append(Grid(title, tuple(table.columns), rows, numbers))
    view.facts += [("note", text) for text in report.notes]


def _view_files(artifact: Artifact, view: View) -> None:
    files = Export(artifact.path).files
    view.document["files"] = {file.relative_to(artifact.path).as_posix(): file.stat().st_size for file in files}
    rows = [(name, size(num_bytes)) for name, num_bytes in view.document["files"].items()]
    hidden = len(rows) - NUM_FILES
    view.grids.append(Grid("Files", ("file", "size"), rows[:NUM_FILES], (1,)))
    if hidden > 0:
        view.facts.append(("files", f"{len(rows)}, the first {NUM_FILES} below"))


VIEWS: Mapping[str, Callable[[Any, View], None]] = {
    "corpus": _view_corpus,
    "tokenizer": _view_tokenizer,
    "tokens": _view_tokens,
    "model": _view_model,
    "report": _view_report,
}


def sample_corpus(corpus: Corpus, wanted: int = NUM_SAMPLES) -> list[Passage]:
    """Return a few documents: those with the smallest ids, which are hashes and so as good as drawn at random."""
    if not corpus.num_rows:
        return []
    documents = corpus.scan().select("id", "source", "text").bottom_k(wanted, by="id").sort("id").collect()
    return [Passage(f"{name}  {source or ''}", shortened(text, PASSAGE)) for name, source, text in documents.rows()]


def grids_of_ledger(ledger: Ledger) -> list[Grid]:
    """Return what became of the documents read: the outcome, and what filters edited."""
    counts = [
        ("read", ledger.read),
        ("kept", ledger.kept),
        *((f"rejected: {reason}", documents) for reason, documents in ledger.rejected.most_common()),
        ("quarantined", ledger.quarantined),
    ]
    rows = [(name, number(documents), share(documents, ledger.read)) for name, documents in counts]
    bars = tuple(documents / max(ledger.read, 1) for _, documents in counts)
    grids = [Grid("Ledger", ("documents", "number", "of those read"), rows, (1, 2), bars)]
    edits = [
        (name, kind, number(count)) for name, kinds in ledger.edited.items() for kind, count in kinds.most_common()
    ]
    if edits:
        grids.append(Grid("Edits", ("filter", "kind", "number"), edits, (2,)))
    return grids


def scores_grid(scores: Mapping[str, Mapping[str, Any]]) -> Grid:
    """Return scores as a table, each with its interval, its baseline and the number of items."""
    rows = []
    for name, score in scores.items():
        baseline = number(score["baseline"])
        rows.append(
            (
                name,
                f"{number(score['value'])} {score['unit']}".strip(),
                f"{number(score['low'])} to {number(score['high'])}",
                f"{baseline} ({score['baseline_name']})" if baseline and score["baseline_name"] else baseline,
                number(score["n"]),
            )
        )
    return Grid("Scores", ("score", "value", "95 % interval", "baseline", "n"), rows, (1, 4))


def _counts_grid(title: str, header: str, counts: Mapping[str, int], total: int, shown: int) -> Grid:
    rows = [(str(name), number(count), share(count, total)) for name, count in list(counts.items())[:shown]]
    rest = sum(list(counts.values())[shown:])
    if rest:
        rows.append((f"{len(counts) - shown:,} more", number(rest), share(rest, total)))
    return Grid(title, (header, "documents", "share"), rows, (1, 2))


def _lengths_grid(bins: Sequence[tuple[int, int]]) -> Grid:
    most = max((documents for _, documents in bins), default=1)
    rows = [(number(start), number(documents)) for start, documents in bins]
    return Grid("Length in characters", ("from", "documents"), rows, (0, 1), tuple(item[1] / most for item in bins))


def _curve_grid(curve: pl.DataFrame) -> Grid:
    """Return at most ten points of a training curve, the first and the last among them."""
    columns = [name for name in curve.columns if curve[name].dtype.is_numeric()]
    chosen = curve.select(columns)[spread(curve.height, 10)]
    rows = [tuple(_cell(value) for value in row) for row in chosen.iter_rows()]
    return Grid("Training curve", tuple(columns), rows, tuple(range(len(columns))))


def _cell(value: object) -> str:
    return (
        number(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool)
        else ""
        if value is None
        else str(value)
    )
