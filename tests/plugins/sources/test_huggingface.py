"""Data sets as `datasets` keeps them: what it writes is read, split by split, and nothing it would run is run."""

import json
import time

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError
from workbench_plugins.sources.datasets_layout import _pattern
from workbench_plugins.sources.huggingface import HuggingFace

from workbench.errors import DataError, EnvironmentProblem, StepError
from workbench.files.digest import digest_file
from workbench.testing.trials import trial

TRAIN = [{"text": f"text {n} 文字", "label": n % 2, "page": n} for n in range(30)]
TEST = [{"text": f"held out {n}", "label": 1, "page": 100 + n} for n in range(5)]
FEATURES = {
    "info": {
        "features": {
            "text": {"dtype": "string", "_type": "Value"},
            "label": {"names": ["bad", "good"], "_type": "ClassLabel"},
            "tags": {"feature": {"names": ["O", "PER"], "_type": "ClassLabel"}, "_type": "List"},
        }
    }
}


def read(folder, *paths, **settings):
    (folder / "trial").mkdir()
    given = tuple(str(folder / path) for path in paths)
    corpus = trial(HuggingFace(paths=given, **settings), {}, folder / "trial")
    assert corpus.ledger.read == corpus.ledger.kept + corpus.ledger.rejected.total() + corpus.ledger.quarantined
    return corpus


def texts(corpus):
    return corpus.scan().collect()["text"].to_list()


def meta(corpus):
    return [json.loads(value) for value in corpus.scan().collect()["meta"]]


def bad(corpus):
    return corpus.quarantine().collect().select("place", "reason").rows()


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def table(rows, **more):
    return pa.table({name: [row[name] for row in rows] for name in rows[0]} | more).replace_schema_metadata(
        {"huggingface": json.dumps(FEATURES)}
    )


def stream(rows, **more):
    sink = pa.BufferOutputStream()
    made = table(rows, **more)
    with pa.ipc.new_stream(sink, made.schema) as writer:
        writer.write_table(made, max_chunksize=10)
    return sink.getvalue().to_pybytes()


def saved(folder, rows, name="data-00000-of-00001.arrow"):
    """Write what `save_to_disk` writes of one split."""
    write(folder / name, stream(rows))
    write(folder / "state.json", json.dumps({"_data_files": [{"filename": name}], "_split": None}))


@pytest.fixture(scope="module")
def by_the_library(tmp_path_factory):
    """A dict of splits, as the library itself saves it."""
    from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

    folder = tmp_path_factory.mktemp("saved")
    features = Features({"text": Value("string"), "label": ClassLabel(names=["bad", "good"]), "page": Value("int64")})
    data = {"train": TRAIN, "test": TEST}
    splits = DatasetDict({name: Dataset.from_list(rows, features=features) for name, rows in data.items()})
    splits.save_to_disk(str(folder / "dict"), num_shards={"train": 3, "test": 1})
    splits["train"].filter(lambda row: row["page"] > 9).save_to_disk(str(folder / "one"))
    splits["train"].to_parquet(str(folder / "files" / "train.parquet"))
    splits["test"].to_csv(str(folder / "files" / "test.csv"))
    splits["test"].to_json(str(folder / "files" / "validation.jsonl"))
    return folder


def test_what_save_to_disk_writes_is_read_in_order(tmp_path, by_the_library):
    """All shards of all splits; labels by name, other columns in meta, places with row numbers."""
    corpus = read(tmp_path, by_the_library / "dict", columns=("label",))
    frame = corpus.scan().collect()
    assert texts(corpus) == [row["text"] for row in (*TRAIN, *TEST)]
    assert frame["label"].to_list() == [("bad", "good")[row["label"]] for row in (*TRAIN, *TEST)]
    assert meta(corpus)[0] == {"page": 0, "split": "train"}
    assert meta(corpus)[-1] == {"page": 104, "split": "test"}
    assert frame["source"][10].endswith("train/data-00001-of-00003.arrow:1")


def test_one_data_set_and_numbers_for_labels(tmp_path, by_the_library):
    """Rows that were filtered out before saving stay out."""
    corpus = read(tmp_path, by_the_library / "one", columns=("label",), label_names=False, keep_meta=False)
    assert texts(corpus) == [row["text"] for row in TRAIN[10:]]
    assert corpus.scan().collect()["label"].to_list() == [row["label"] for row in TRAIN[10:]]
    assert meta(corpus)[0] == {"split": "train"}


def test_files_of_all_formats_are_splits(tmp_path, by_the_library):
    """By their names; the columns of CSV are text."""
    corpus = read(tmp_path, by_the_library / "files")
    assert [row["split"] for row in meta(corpus)] == ["train"] * 30 + ["validation"] * 5 + ["test"] * 5
    assert [row["page"] for row in meta(corpus)[-6:]] == [104, "100", "101", "102", "103", "104"]
    assert meta(corpus)[0]["label"] == "bad"


def test_splits_are_chosen_by_name(tmp_path, by_the_library):
    """One that is not there is said, with those that are."""
    assert texts(read(tmp_path, by_the_library / "dict", splits=("test",))) == [row["text"] for row in TEST]
    with pytest.raises(StepError, match="train, test"):
        HuggingFace(paths=(str(by_the_library / "dict"),), splits=("dev",)).files(tmp_path)


ONE = lines(TRAIN[:1])
LAYOUTS = {
    "no-names": ({"a.jsonl": ONE, "b/c.jsonl": ONE}, {"train": 2}),
    "words": (
        {"my_train.jsonl": ONE, "my-dev.jsonl": ONE, "testing.jsonl.gz": ONE},
        {"train": 1, "validation": 1, "test": 1},
    ),
    "no-words": ({"trainer.jsonl": ONE, "latest.jsonl": ONE}, {"train": 2}),
    "folders": ({"train/a.jsonl": ONE, "eval/a.jsonl": ONE, "eval/b.jsonl": ONE}, {"train": 1, "test": 2}),
    "numbered": (
        {"data/train-00000-of-00002.jsonl": ONE, "data/unsup-00000-of-00001.jsonl": ONE},
        {"train": 1, "unsup": 1},
    ),
    "others": (
        {"a.jsonl": ONE, "script.py": "1/0", "x.png": "", ".cache/a.jsonl": ONE, "dataset_info.json": "{}"},
        {"train": 1},
    ),
    "card": (
        {
            "README.md": "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: x/*.jsonl\n"
            "  - split: extra\n    path:\n    - y/**\n---\n# A\n",
            "x/a.jsonl": ONE,
            "x/deep/b.jsonl": ONE,
            "y/c.jsonl": ONE,
            "y/deep/d.jsonl": ONE,
            "test.jsonl": ONE,
        },
        {"train": 1, "extra": 2},
    ),
    "card-with-a-string": (
        {"README.md": "---\nconfigs:\n- data_files: '*.jsonl'\n---\n", "test.jsonl": ONE},
        {"train": 1},
    ),
    "card-with-a-folder": (
        {"README.md": "---\nconfigs:\n- data_dir: d\n---\n", "d/test.jsonl": ONE, "train.jsonl": ONE},
        {"test": 1},
    ),
    "card-beyond-the-folder": (
        {"README.md": "---\nconfigs:\n- data_files: ['../*.jsonl', '/etc/*', 'a.jsonl']\n---\n", "a.jsonl": ONE},
        {"train": 1},
    ),
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_splits_follow_card_names_and_folders(tmp_path, case):
    """As the documentation of the Hub has it."""
    files, expected = LAYOUTS[case]
    for name, content in files.items():
        write(tmp_path / "set" / name, content)
    write(tmp_path / "outside.jsonl", ONE)
    splits = [row["split"] for row in meta(read(tmp_path, "set"))]
    assert {split: splits.count(split) for split in splits} == expected


def test_the_library_sees_the_same_splits(tmp_path):
    """Held against `datasets` itself, on the layouts that both take."""
    from datasets.data_files import DataFilesPatternsDict, get_data_patterns

    for case in ("no-names", "words", "folders", "numbered"):
        files, expected = LAYOUTS[case]
        for name, content in files.items():
            write(tmp_path / case / name, content)
        folder = str(tmp_path / case)
        patterns = DataFilesPatternsDict.from_patterns(get_data_patterns(folder)).resolve(folder)
        assert {str(split): len(found) for split, found in patterns.items()} == expected, case


CONFIGS = "---\nconfigs:\n- config_name: en\n  data_files: en.jsonl\n- config_name: zh\n  data_files: zh.jsonl\n---\n"


def test_a_configuration_is_chosen(tmp_path):
    """Where there are several, one has to be; where README.md marks one, it is taken."""
    write(tmp_path / "set/README.md", CONFIGS)
    write(tmp_path / "set/en.jsonl", lines([{"text": "English"}]))
    write(tmp_path / "set/zh.jsonl", lines([{"text": "中文"}]))
    assert texts(read(tmp_path, "set", config="zh")) == ["中文"]
    for settings, message in (({}, "config: one of en, zh"), ({"config": "de"}, "no configuration 'de'")):
        with pytest.raises(StepError, match=message):
            HuggingFace(paths=(str(tmp_path / "set"),), **settings).files(tmp_path)
    write(tmp_path / "set/README.md", CONFIGS.replace("name: en\n", "name: en\n  default: true\n"))
    (tmp_path / "marked").mkdir()
    corpus = trial(HuggingFace(paths=(str(tmp_path / "set"),)), {}, tmp_path / "marked")
    assert texts(corpus) == ["English"]


REFUSED = {
    "nothing": ({}, "nothing at"),
    "no-data": ({"set/script.py": "1/0", "set/model.bin": ""}, "holds no data files"),
    "escape": ({"set/state.json": '{"_data_files": [{"filename": "../../x.arrow"}]}'}, "lists no data files"),
    "escaping-split": ({"set/dataset_dict.json": '{"splits": ["../x"]}'}, "names no splits"),
    "lost-shard": ({"set/state.json": '{"_data_files": [{"filename": "x.arrow"}]}'}, "has no file 'x.arrow'"),
    "lost-split": ({"set/dataset_dict.json": '{"splits": ["train"]}'}, "cannot be read"),
    "broken-state": ({"set/state.json": '{"_data_files"'}, "is no JSON"),
    "broken-card": ({"set/README.md": "---\na: [\n---\n", "set/a.jsonl": ONE}, "is no YAML"),
    "card-that-runs": (
        {"set/README.md": "---\na: !!python/object/apply:os.abort []\n---\n", "set/a.jsonl": ONE},
        "is no YAML",
    ),
    "no-text": ({"set/a.csv": "body\na\n"}, "has no column 'text'"),
    "twice": ({"set/a.csv": "text,text\na,b\n"}, "stands twice"),
    "one-object": ({"set/a.json": '{\n "data": [\n  {"text": "a"}\n ]\n}\n'}, "one JSON object over many lines"),
    "number": ({"set/a.arrow": stream([{"text": 1}])}, "is int64"),
    "no-column": ({"set/a.arrow": stream([{"body": "x"}])}, "has no column 'text'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_will_not_do_is_said_at_once(tmp_path, case):
    """In a few lines; nothing is run, and no name leads out of the folder."""
    files, message = REFUSED[case]
    for name, content in files.items():
        write(tmp_path / name, content)
    with pytest.raises((StepError, EnvironmentProblem), match=message) as problem:
        read(tmp_path, "set")
    assert len(problem.value.message.splitlines()) <= 5


def test_a_bad_record_costs_one_record(tmp_path):
    """In every format, at its place."""
    write(tmp_path / "a/train.jsonl", lines(TRAIN[:2]) + '{"text": 5}\n' + lines(TRAIN[2:4]))
    write(tmp_path / "a/dev.json", '[{"text": "a"}, {"text": ["b"]}, {"txt": ""}, 7, {"text": "c", "label": 1,}]')
    write(tmp_path / "a/test.csv", b"text,label\na,1\nb\ncaf\xe9,2\n")
    corpus = read(tmp_path, "a", max_bad_share=1)
    assert bad(corpus) == [
        ("line 3", "text-not-string"),
        ("item 2 (byte 15)", "text-not-string"),
        ("item 3 (byte 32)", "text-missing"),
        ("item 4 (byte 45)", "not-an-object"),
        ("item 5 (byte 48)", "invalid-json"),
        ("line 3", "wrong-number-of-fields"),
        ("line 4", "invalid-utf8"),
    ]
    assert corpus.ledger.kept == 6


def test_text_of_arrow_that_is_no_utf8_costs_its_row(tmp_path):
    """And a null text is rejected, a label without a name bad, a missing label null."""
    broken = pa.array([b"good", b"caf\xe9", None, b"x", b"y"]).view(pa.string())
    rows = [{"label": label} for label in (0, 1, 1, 2, -1)]
    write(tmp_path / "a/x.arrow", stream(rows, text=broken, tags=[[0, 1], [], [], [], []]))
    corpus = read(tmp_path, "a", max_bad_share=1, columns=("label", "tags"))
    assert bad(corpus) == [("row 2", "invalid-utf8"), ("row 4", "unknown-label")]
    assert dict(corpus.ledger.rejected) == {"empty": 1}
    frame = corpus.scan().collect()
    assert frame["label"].to_list() == ["bad", None]
    assert frame["tags"].to_list() == [["O", "PER"], []]


def test_a_cut_arrow_file_is_seen_wherever_it_is_cut(tmp_path):
    """Also between two batches, where the library sees nothing: every cut fails the step, good rows can be kept."""
    whole = stream(TRAIN)
    component = HuggingFace(paths=(str(tmp_path / "x.arrow"),), allow_damaged=True, max_bad_share=1.0)
    for cut in range(0, len(whole), 61):
        write(tmp_path / "x.arrow", whole[:cut])
        (tmp_path / str(cut)).mkdir()
        corpus = trial(component, {}, tmp_path / str(cut))
        assert corpus.ledger.quarantined == 1, cut
        assert texts(corpus) == [row["text"] for row in TRAIN[: corpus.ledger.kept]], cut
    write(tmp_path / "x.arrow", whole[:-9])
    with pytest.raises(DataError, match="allow_damaged: true"):
        read(tmp_path, "x.arrow")


def test_the_file_format_of_arrow_is_read_too(tmp_path):
    """With its own magic."""
    made = table(TRAIN)
    with pa.OSFile(str(tmp_path / "a.arrow"), "wb") as sink, pa.ipc.new_file(sink, made.schema) as writer:
        writer.write_table(made)
    assert read(tmp_path, "a.arrow").ledger.kept == 30


def test_digests_follow_all_that_says_how_to_read(tmp_path):
    """The files, and what names their splits."""
    saved(tmp_path / "set" / "train", TRAIN)
    write(tmp_path / "set/dataset_dict.json", '{"splits": ["train"]}')
    component = HuggingFace(paths=("set",))
    before = component.digests(tmp_path, digest_file)
    assert sorted(before) == ["set/dataset_dict.json", "set/train/data-00000-of-00001.arrow", "set/train/state.json"]
    write(tmp_path / "set/dataset_dict.json", '{"splits": ["train"], "x": 1}')
    assert component.digests(tmp_path, digest_file) != before


@pytest.mark.parametrize(
    "settings",
    [{}, {"paths": ("a",), "hub": "a/b"}, {"hub": "../x"}, {"hub": "a/b/c"}, {"hub": "a/b", "revision": "x/../y"}],
)
def test_one_origin_with_a_name_that_is_one(settings):
    """A path that is missing is never taken for a name of the Hub."""
    with pytest.raises(ValidationError):
        HuggingFace(**settings)


def test_exported_documents_must_be_some(tmp_path):
    """`exported` holds the folder to what the exporter writes."""
    rows = [
        {"id": "a", "text": "x", "source": "y", "meta": "{}"},
        {"id": "b", "text": "x", "source": "y", "meta": "[]"},
    ]
    write(tmp_path / "a/x.jsonl", lines(rows))
    corpus = read(tmp_path, "a", exported=True, max_bad_share=1)
    assert bad(corpus) == [("line 2", "not-exported")]
    assert corpus.scan().collect().select("id", "source", "meta").rows() == [("a", "y", "{}")]


def test_a_parquet_page_is_checked(tmp_path):
    """A flipped bit in a page that has a checksum is damage at its row group."""
    sink = pa.BufferOutputStream()
    pq.write_table(table(TRAIN), sink, write_page_checksum=True, compression="none", use_dictionary=False)
    whole = sink.getvalue().to_pybytes()
    at = whole.index(b"text 15")
    write(tmp_path / "a.parquet", whole[:at] + b"T" + whole[at + 1 :])
    assert bad(read(tmp_path, "a.parquet", allow_damaged=True, max_bad_share=1)) == [("row group 0", "damaged-parquet")]


def test_frames_hold_columns_of_one_type(tmp_path):
    """Labels of several files are one column; another type in a later file is a bad record."""
    write(tmp_path / "a/1.jsonl", lines([{"text": "a", "label": 1}]))
    write(tmp_path / "a/2.jsonl", lines([{"text": "b", "label": "one"}]))
    corpus = read(tmp_path, "a", columns=("label",), max_bad_share=1)
    assert corpus.scan().collect_schema()["label"] == pl.Int64
    assert bad(corpus) == [("line 1", "column-type")]


def test_a_file_in_two_splits_is_read_for_each(tmp_path):
    """As the card has it; one that two paths name is read once."""
    card = "---\nconfigs:\n- data_files:\n  - {split: train, path: '*.csv'}\n  - {split: test, path: test.csv}\n---\n"
    for name, content in {"README.md": card, "a.csv": "text\none\n", "test.csv": "text\ntwo\n"}.items():
        write(tmp_path / "set" / name, content)
    corpus = read(tmp_path, "set", "set")
    splits = [row["split"] for row in meta(corpus)]
    assert list(zip(texts(corpus), splits, strict=True)) == [("one", "train"), ("two", "train"), ("two", "test")]


def test_deep_nesting_costs_its_record(tmp_path):
    """What cannot be written as meta again is a bad record."""
    write(tmp_path / "a.jsonl", '{"text": "a", "m": ' + "[" * 300 + "]" * 300 + '}\n{"text": "b"}\n')
    corpus = read(tmp_path, "a.jsonl", max_bad_share=1)
    assert (texts(corpus), bad(corpus)) == (["b"], [("line 1", "nested-too-deep")])


@pytest.mark.parametrize("key", ["config_name: *i", "data_dir: *i", "data_files: [[*i]]", "data_files: {train: [*i]}"])
def test_a_card_that_unfolds_without_end_is_refused(tmp_path, key):
    """References to references: a few lines that would be written as gigabytes."""
    lists = [
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    card = "\n".join(["---", "a: &a [x, x, x]", *lists, f"configs: [{{data_files: x, {key}}}]", "---", ""])
    card = card.replace("data_files: x, data_files", "data_files")
    write(tmp_path / "set" / "README.md", card)
    write(tmp_path / "set" / "a.csv", "text\none\n")
    with pytest.raises(StepError, match=r"a list|cannot be understood") as raised:
        read(tmp_path, "set")
    assert len(str(raised.value)) < 300


def test_stars_beside_each_other_are_one():
    """Each of them would try all the folders again."""
    start = time.process_time()
    assert not _pattern("**/" * 30 + "x").fullmatch("a/" * 40 + "y")
    assert _pattern("**/" * 30 + "x").fullmatch("a/" * 40 + "x")
    assert time.process_time() - start < 0.2
