"""Report: scores as JSON, tables as Parquet, and a page a person can read.

report.json          {"scores": [...], "notes": [...], "tables": [...], "pictures": [{"name", "alt", "caption"}],
                     "model": fingerprint of the model that was judged, if one was}
tables/<name>.parquet
pictures/<name>.svg
by_document.parquet  what each document adds to scores, where an evaluator tells it (`Scores.by_document`)
report.html          self-contained
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.artifacts.base import Artifact
from workbench.contracts.evaluation import Drawn, Score, Scores
from workbench.files.atomic import write_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import polars as pl


BY_DOCUMENT = "by_document.parquet"


@dataclass(frozen=True)
class Report(Artifact):
    """Scores on disk."""

    type: ClassVar[str] = "report"

    @property
    def scores(self) -> list[Score]:
        """Every score, in order."""
        return [Score(**item) for item in self.read_json("report.json")["scores"]]

    @property
    def notes(self) -> list[str]:
        """What a reader should know."""
        return list(self.read_json("report.json")["notes"])

    @property
    def model(self) -> str:
        """The fingerprint of the model that was judged; empty where none was."""
        return str(self.read_json("report.json").get("model", ""))

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """Every table by name."""
        import polars as pl

        names = self.read_json("report.json")["tables"]
        return {name: pl.read_parquet(self.path / "tables" / f"{name}.parquet") for name in names}

    @property
    def by_document(self) -> pl.DataFrame | None:
        """What each document adds to scores: `id`, `score`, `part`, `units`; None where it was not told."""
        import polars as pl

        file = self.path / BY_DOCUMENT
        return pl.read_parquet(file) if file.is_file() else None

    @property
    def pictures(self) -> list[Drawn]:
        """Every picture, in order."""
        listed = self.read_json("report.json").get("pictures", [])
        return [
            Drawn(
                item["name"],
                (self.path / "pictures" / f"{item['name']}.svg").read_bytes(),
                item["alt"],
                item["caption"],
            )
            for item in listed
        ]


def write_scores(path: Path, scores: Scores, pictures: Sequence[Drawn] = (), model: str = "") -> None:
    """Write scores, tables and pictures into a report's data folder (the page is written by the engine).

    Args:
        path: The folder.
        scores: What was found.
        pictures: What shows it.
        model: The fingerprint of the model that was judged, if one was.
    """
    pictures = [*scores.pictures, *pictures]
    content: dict[str, Any] = {
        "scores": [asdict(score) for score in scores.scores],
        "notes": scores.notes,
        "tables": list(scores.tables),
    }
    if model:
        content["model"] = model
    if pictures:
        content["pictures"] = [{"name": item.name, "alt": item.alt, "caption": item.caption} for item in pictures]
    write_json(path / "report.json", content)
    if scores.by_document is not None:
        scores.by_document.write_parquet(path / BY_DOCUMENT)
    for name, table in scores.tables.items():
        (path / "tables").mkdir(exist_ok=True)
        table.write_parquet(path / "tables" / f"{name}.parquet")
    for item in pictures:
        (path / "pictures").mkdir(exist_ok=True)
        (path / "pictures" / f"{item.name}.svg").write_bytes(item.svg)
