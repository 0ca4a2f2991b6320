"""Shards: the same bytes for the same rows, columns as asked for, and nothing heavy to read and write them."""

import subprocess
import sys

import polars as pl
import pytest

from workbench.artifacts.corpus import read_shard, write_shard
from workbench.errors import DamagedObject

FRAME = pl.DataFrame({"id": ["a", "b", "c"], "text": ["one", "二", None], "n": [1, 2, 3]})


def test_columns_come_in_the_order_asked_for(tmp_path):
    """Whatever their order in the file."""
    write_shard(tmp_path / "a.parquet", FRAME)
    assert read_shard(tmp_path / "a.parquet").equals(FRAME)
    assert read_shard(tmp_path / "a.parquet", ["text", "id"]).equals(FRAME.select("text", "id"))


def test_a_column_that_is_not_there_is_said(tmp_path):
    """With the file that lacks it."""
    write_shard(tmp_path / "a.parquet", FRAME)
    with pytest.raises(DamagedObject, match=r"a\.parquet.*meta"):
        read_shard(tmp_path / "a.parquet", ["id", "meta"])


def test_the_bytes_do_not_tell_how_the_rows_lay_in_memory(tmp_path):
    """Chunks, slices and filters leave no trace."""
    write_shard(tmp_path / "a.parquet", FRAME)
    ways = (
        pl.concat([FRAME[:1], FRAME[1:]], rechunk=False),
        pl.concat([FRAME, FRAME])[3:],
        pl.concat([FRAME, FRAME.with_columns(n=pl.lit(9, pl.Int64))]).filter(pl.col("n") < 9),
    )
    for frame in ways:
        write_shard(tmp_path / "b.parquet", frame)
        assert (tmp_path / "b.parquet").read_bytes() == (tmp_path / "a.parquet").read_bytes()


def test_texts_inside_structs_and_categories_are_written(tmp_path):
    """Labels and messages are columns of a corpus too."""
    frame = FRAME.with_columns(
        said=pl.struct(role="id", content="text"), label=pl.col("id").cast(pl.Categorical), turns=pl.concat_list("text")
    )
    write_shard(tmp_path / "a.parquet", frame)
    assert read_shard(tmp_path / "a.parquet").to_dicts() == frame.to_dicts()


def test_pandas_is_not_imported(tmp_path):
    """pyarrow would, at 0.2 CPU-seconds in every worker process."""
    program = (
        "import sys\nfrom pathlib import Path\nimport polars as pl\n"
        "from workbench.artifacts.corpus import read_shard, write_shard\n"
        "from workbench.engine.corpus.writing import check_same_columns\n"
        "folder = Path(sys.argv[1])\n"
        "write_shard(folder / 'a.parquet', pl.DataFrame({'id': ['a'], 'n': [1]}))\n"
        "read_shard(folder / 'a.parquet', ['id'])\n"
        "check_same_columns(folder, ['a.parquet'], '')\n"
        "print('pandas' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
