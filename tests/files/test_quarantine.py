import pyarrow.parquet as pq
import pytest

from workbench.errors import DataError
from workbench.files import quarantine as quarantine_module
from workbench.files.bad_record import BadRecord
from workbench.files.quarantine import Limits, Quarantine

COLUMNS = dict.fromkeys(("file", "place", "reason", "detail", "head", "digest"), "String")


def bad(number, reason="invalid-json", *, fatal=False):
    return BadRecord("a.jsonl", f"line {number}", reason, "what", b"\x1b{\xff", "00", fatal)


def test_records_are_kept_for_a_person_to_look_at(tmp_path, monkeypatch):
    """In files of a bounded number of records, heads escaped, in order."""
    monkeypatch.setattr(quarantine_module, "RECORDS_PER_FILE", 2)
    quarantine = Quarantine(tmp_path / "quarantine", COLUMNS)
    for number in range(5):
        quarantine.add(bad(number))
    quarantine.finish(5)
    files = sorted((tmp_path / "quarantine").iterdir())
    assert [file.name for file in files] == ["00000.parquet", "00001.parquet", "00002.parquet"]
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    assert [row["place"] for row in rows] == [f"line {number}" for number in range(5)]
    assert rows[0] == {
        "file": "a.jsonl",
        "place": "line 0",
        "reason": "invalid-json",
        "detail": "what",
        "head": "\\x1b{\\xff",
        "digest": "00",
    }


def test_nothing_bad_leaves_no_folder(tmp_path):
    """An empty quarantine is not there."""
    Quarantine(tmp_path / "quarantine", COLUMNS).finish(10)
    assert not (tmp_path / "quarantine").exists()


def test_one_more_than_max_bad_fails_at_once(tmp_path):
    """The message names the setting, the counts and the first bad record, in at most five lines."""
    quarantine = Quarantine(tmp_path, COLUMNS, Limits(max_bad=2), "raw")
    quarantine.add(bad(1))
    quarantine.add(bad(2, "invalid-utf8"))
    with pytest.raises(DataError) as problem:
        quarantine.add(bad(3))
    assert problem.value.message == (
        "raw: a.jsonl line 1: more than max_bad = 2 bad records: invalid-json 2, invalid-utf8 1\n"
        "  expected: readable records; the first bad one: invalid-json (what), \\x1b{\\xff\n"
        "  do: repair the file, or raise max_bad in the settings of this step"
    )


@pytest.mark.parametrize(
    "has_encoding, advice",
    [
        (True, "set how the file is encoded (such as encoding: gb18030)"),
        (False, "repair the file (its text must be UTF-8)"),
    ],
)
def test_bytes_of_another_encoding_are_led_to_the_setting(tmp_path, has_encoding, advice):
    """Where the source can read other encodings, that is the remedy, and not to put up with the loss."""
    quarantine = Quarantine(tmp_path, COLUMNS, Limits(max_bad_share=0.001, has_encoding=has_encoding), "raw")
    quarantine.add(bad(1, "invalid-utf8"))
    with pytest.raises(DataError) as problem:
        quarantine.finish(1)
    assert problem.value.advice == f"{advice}, or raise max_bad_share in the settings of this step"


@pytest.mark.parametrize("num_read, fails", [(1000, False), (999, True), (1, True)])
def test_the_share_is_of_all_records(tmp_path, num_read, fails):
    """1 of 1,000 is put up with at 0.001, 1 of 999 is not."""
    quarantine = Quarantine(tmp_path, COLUMNS, Limits(max_bad_share=0.001))
    quarantine.add(bad(1))
    if fails:
        with pytest.raises(DataError, match=r"max_bad_share = 0\.001"):
            quarantine.finish(num_read)
    else:
        quarantine.finish(num_read)


def test_a_damaged_container_fails_unless_it_is_allowed(tmp_path):
    """The advice names allow_damaged."""
    with pytest.raises(DataError, match="allow_damaged: true"):
        Quarantine(tmp_path, COLUMNS, Limits(allow_damaged=False)).add(bad(1, "truncated-gzip", fatal=True))
    Quarantine(tmp_path, COLUMNS, Limits(allow_damaged=True)).add(bad(1, "truncated-gzip", fatal=True))
