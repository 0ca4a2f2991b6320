"""A corpus leaves as a data set that plain `datasets` reads, and comes back as it was."""

import json

import polars as pl
import pytest
from workbench_plugins.exporters.datasets_folder import DatasetsFolder
from workbench_plugins.exporters.datasets_schema import plain_type
from workbench_plugins.sources.huggingface import HuggingFace

from workbench.api import Context, Corpus, StepError
from workbench.artifacts.ledger import Ledger
from workbench.engine.corpus.writing import CorpusWriter, write_part_shard
from workbench.testing.trials import digest_of, trial

ROWS = 2500  # more than two batches


def corpus(folder, parts=("train", "held-out"), rows=ROWS):
    frame = pl.DataFrame(
        {
            "id": [f"{number:024x}" for number in range(rows)],
            "text": [f"document {number} 第{number}篇" for number in range(rows)],
            "source": [f"a.jsonl:{number}" for number in range(rows)],
            "meta": [json.dumps({"page": number}) for number in range(rows)],
            "label": pl.Series(["good", None] * (rows // 2), dtype=pl.Categorical),
            "score": [number / 2 for number in range(rows)],
            "turns": [[{"role": "user", "content": f"hi {number}"}] for number in range(rows)],
        }
    )
    names = parts or (None,)
    bounds = [0, rows - 500 * (len(names) - 1), rows]
    listed = [
        write_part_shard(folder, f"{name}-00000.parquet" if name else "00000.parquet", frame[start:end])
        for name, start, end in zip(names, bounds, bounds[1:], strict=False)
    ]

    CorpusWriter(folder).finish(Ledger(read=rows, kept=rows), listed, parts, None, "made")
    return Corpus(folder, "f" * 64, None, "made")


def export(made, folder, **settings):
    folder.mkdir(exist_ok=True)
    ctx = Context("export", "exporter/datasets", 1, folder, folder, folder, folder, {"corpus": made})
    DatasetsFolder(**settings).export(made, folder, ctx)
    return folder


def again(folder, path, **settings):
    folder.mkdir()
    return trial(HuggingFace(paths=(str(path),), exported=True, **settings), {}, folder).scan().collect()


def rows_of(frame):
    return frame.with_columns(pl.col("label").cast(pl.String)).sort("id").to_dicts()


def test_load_from_disk_reads_every_column(tmp_path):
    """As a dict of splits, text for text, in order, and checked by the library against its own features."""
    from datasets import load_from_disk

    made = corpus(tmp_path / "corpus")
    loaded = load_from_disk(str(export(made, tmp_path / "export")))
    assert {name: data.num_rows for name, data in loaded.items()} == {"train": 2000, "held_out": 500}
    assert loaded["train"].column_names == ["id", "text", "source", "meta", "label", "score", "turns"]
    expected = rows_of(made.scan().collect())
    assert [*loaded["train"], *loaded["held_out"]] == expected
    assert str(loaded["train"].split) == "train"


def test_load_dataset_reads_the_parquet_files(tmp_path):
    """By the front matter of their card, from a folder of that name."""
    from datasets import load_dataset

    made = corpus(tmp_path / "corpus")
    folder = export(made, tmp_path / "export", form="parquet", licence="cc-by-4.0")
    loaded = load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {name: data.num_rows for name, data in loaded.items()} == {"train": 2000, "held_out": 500}
    assert loaded["held_out"][0]["text"] == "document 2000 第2000篇"
    assert (folder / "README.md").read_text("utf-8").startswith('---\nlicense: "cc-by-4.0"\n')


@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_a_corpus_comes_back_as_it_was(tmp_path, form):
    """Ids, texts, sources, meta and further columns of every split."""
    made = corpus(tmp_path / "corpus")
    folder = export(made, tmp_path / "export", form=form)
    frame = again(tmp_path / "again", folder, columns=("label", "score", "turns"))
    assert rows_of(frame) == rows_of(made.scan().collect())


def test_one_piece_is_one_data_set(tmp_path):
    """No dict of splits, and a part that was chosen goes alone."""
    from datasets import Dataset, load_from_disk

    whole = load_from_disk(str(export(corpus(tmp_path / "one", parts=()), tmp_path / "a", split="all")))
    assert isinstance(whole, Dataset)
    assert (whole.num_rows, str(whole.split)) == (ROWS, "all")
    made = corpus(tmp_path / "two")
    part = Corpus(made.path, made.fingerprint, "held-out", made.step)
    assert load_from_disk(str(export(part, tmp_path / "b"))).num_rows == 500


def test_files_stay_below_their_size(tmp_path, monkeypatch):
    """Their number stands in their names, and the library finds them all."""
    from datasets import load_from_disk
    from workbench_plugins.exporters import datasets_folder

    made = corpus(tmp_path / "corpus", parts=())
    frame = made.scan().collect()
    listed = [write_part_shard(made.path, f"{n:05}.parquet", frame[n * 500 : n * 500 + 500]) for n in range(5)]

    CorpusWriter(made.path).finish(Ledger(read=ROWS, kept=ROWS), listed, (), None, "made")
    monkeypatch.setattr(datasets_folder, "BATCH_ROWS", 100)
    component = DatasetsFolder.model_construct(
        form="arrow", split="train", title=None, licence=None, max_shard_bytes=120_000
    )
    folder = tmp_path / "export"
    folder.mkdir()
    component.export(made, folder, Context("x", "exporter/datasets", 1, folder, folder, folder, folder))
    names = sorted(path.name for path in folder.glob("*.arrow"))
    assert names[0] == f"data-00000-of-{len(names):05}.arrow"
    assert len(names) >= 3
    assert load_from_disk(str(folder))["id"][:] == frame["id"].to_list()


def test_an_empty_part_is_an_empty_split(tmp_path):
    """With the columns of the others."""
    from datasets import load_from_disk

    made = corpus(tmp_path / "corpus")
    frame = made.scan().collect()

    listed = [
        write_part_shard(made.path, "train-00000.parquet", frame),
        write_part_shard(made.path, "test-00000.parquet", frame[:0]),
    ]
    CorpusWriter(made.path).finish(Ledger(read=ROWS, kept=ROWS), listed, ("train", "test"), None, "made")
    loaded = load_from_disk(str(export(made, tmp_path / "export")))
    assert (loaded["train"].num_rows, loaded["test"].num_rows) == (ROWS, 0)
    assert loaded["test"].column_names == loaded["train"].column_names


def test_the_same_corpus_gives_the_same_bytes(tmp_path):
    """Also the fingerprint that the library asks for."""
    made = corpus(tmp_path / "corpus")
    assert digest_of(export(made, tmp_path / "a")) == digest_of(export(made, tmp_path / "b"))


def test_parts_that_would_be_one_split_are_refused(tmp_path):
    """`a-b` and `a_b`."""
    made = corpus(tmp_path / "corpus", parts=("a-b", "a_b"))
    with pytest.raises(StepError, match="one split"):
        export(made, tmp_path / "export")


def test_types_become_plain_ones():
    """Text and lists with 32-bit offsets, categories as text; what is plain stays."""
    import pyarrow as pa

    given = pa.struct([("a", pa.large_list(pa.string_view())), ("b", pa.dictionary(pa.int32(), pa.large_string()))])
    expected = pa.struct([("a", pa.list_(pa.string())), ("b", pa.string())])
    assert plain_type(given) == expected
    assert plain_type(pa.timestamp("us")) == pa.timestamp("us")


def test_a_title_cannot_break_the_card(tmp_path):
    """Names from elsewhere are shown, not interpreted."""
    folder = export(
        corpus(tmp_path / "corpus"), tmp_path / "export", title="<script>\n# [x](y) | z", licence='a"\nb: c'
    )
    text = (folder / "README.md").read_text("utf-8")
    assert "<script>" not in text
    assert text.startswith('---\nlicense: "a\\"\\nb: c"\nsize')
