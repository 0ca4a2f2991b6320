"""A small corpus pipeline, run once for all tests of the command line."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from workbench.cli.root import root

HOSTILE = "A sentence \x1b[31mwith an escape\x1b[0m, a \u202e override, [bold red]markup[/] and enough other words."
DOCUMENTS = [
    "The lighthouse keeper climbed the stairs every evening and wound the clockwork.",
    "Too short.",
    "Write to keeper@example.com about the tour, and say how many people will come.",
    "The lighthouse keeper climbed the stairs every evening and wound the clockwork.",
    "Rice fields are small lakes with a purpose, and water keeps the weeds away.",
    "茶馆里很安静,几位老人坐在窗边下棋,外面的雨已经下了一整天。",
    HOSTILE,
    "Paper was first made from bark and hemp, beaten in water and dried in the sun.",
]
PIPELINE = """workbench: 1
name: small
seed: 7
steps:
  raw: {use: source/jsonl, with: {paths: [data.jsonl]}}
  clean:
    use: filter/chain
    inputs: raw
    with:
      filters:
        - {use: filter/word-count, with: {min_words: 5}}
        - {use: filter/pii}
  unique: {use: filter/exact-dedup, inputs: clean}
  split: {use: corpus/split, inputs: unique, with: {valid: 0.5}}
"""


@dataclass
class Place:
    """A folder with a pipeline, and its store."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "pipeline.yaml"

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def call(self, *arguments: object, status: int = 0) -> Result:
        """Call the command line on this store and expect an exit status."""
        result = CliRunner().invoke(root, [*map(str, arguments), "--store", str(self.store)])
        assert result.exit_code == status, result.output
        return result

    def json(self, *arguments: object, status: int = 0) -> Any:
        """Return the one JSON document that standard output holds."""
        return json.loads(self.call(*arguments, "--json", status=status).stdout)

    def run(self, *arguments: object, status: int = 0) -> Any:
        return self.json("run", self.file, "--executor", "inline", *arguments, status=status)


def make_place(folder: Path) -> Place:
    """Write the pipeline and its data."""
    lines = [json.dumps({"text": text, "topic": "tea" if "茶" in text else "other"}) for text in DOCUMENTS]
    (folder / "data.jsonl").write_text("\n".join(lines) + "\n")
    place = Place(folder)
    place.file.write_text(PIPELINE)
    return place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A pipeline that nobody has run."""
    return make_place(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A pipeline that was run once. Tests only look at it."""
    place = make_place(tmp_path_factory.mktemp("finished"))
    place.run()
    return place


@pytest.fixture(scope="session")
def ids(finished: Place) -> dict[int, str]:
    """Line of the data -> id of its document."""
    import polars as pl

    shards = Path(finished.json("show", "last:raw")["path"]).glob("shards/*.parquet")
    rows = pl.read_parquet(list(shards)).select("id", "source").iter_rows()
    return {int(source.rpartition(":")[2]): name for name, source in rows}
