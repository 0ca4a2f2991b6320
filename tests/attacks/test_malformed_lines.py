"""1,001 good records and one fault: what every reader trips over, and what it must cost here."""

import gzip
import hashlib
import json

import pytest
import zstandard
from workbench_plugins.sources.jsonl import JsonLines

from workbench.testing.trials import trial

GOOD = [json.dumps({"text": f"record {number}", "url": number}).encode() for number in range(1001)]
AT = 500  # the fault stands in line 501
DEEP = b"[" * 100_000

BAD_LINES = {
    "byte-ff": (b'{"text": "a\xffb"}', "invalid-utf8"),
    "overlong-utf8": (b'{"text": "\xc0\xaf"}', "invalid-utf8"),
    "surrogate-bytes": (b'{"text": "\xed\xa0\x80"}', "invalid-utf8"),
    "cut-utf8": (b'{"text": "\xe4\xb8', "invalid-utf8"),
    "brackets": (b'{"text": "a", "x": ' + DEEP, "nested-too-deep"),
    "closed-brackets": (b'{"text": "a", "x": ' + DEEP + b"]" * 100_000 + b"}", "nested-too-deep"),
    "braces": (b'{"a":' * 100_000, "nested-too-deep"),
    "500-brackets": (b'{"text": "a", "x": ' + b"[" * 500 + b"]" * 500 + b"}", "nested-too-deep"),
    "surrogate": (rb'{"text": "a \ud800 b"}', "lone-surrogate"),
    "surrogates-swapped": (rb'{"text": "\udc00\ud800"}', "lone-surrogate"),
    "surrogate-in-key": (rb'{"text": "a", "\ud800": 1}', "lone-surrogate"),
    "number": (b'{"text": 5}', "text-not-string"),
    "list": (b'{"text": ["a"]}', "text-not-string"),
    "true": (b'{"text": true}', "text-not-string"),
    "missing": (b'{"txt": "a"}', "text-missing"),
    "empty-object": (b"{}", "text-missing"),
    "array": (b'["text"]', "not-an-object"),
    "string": (b'"text"', "not-an-object"),
    "null": (b"null", "not-an-object"),
    "twice": (b'{"text": "a", "text": "b"}', "duplicate-key"),
    "twice-in-deep": (b'{"text": "a", "x": {"text": 1, "text": 2}}', "duplicate-key"),
    "nan": (b'{"text": "a", "x": NaN}', "invalid-json"),
    "infinity": (b'{"text": "a", "x": 1e999}', "invalid-json"),
    "huge-integer": (b'{"text": "a", "x": ' + b"9" * 100_000 + b"}", "invalid-json"),
    "single-quotes": (b"{'text': 'a'}", "invalid-json"),
    "comma": (b'{"text": "a",}', "invalid-json"),
    "cut": (b'{"text": "a', "invalid-json"),
    "two-objects": (b'{"text": "a"} {"text": "b"}', "invalid-json"),
    "raw-control": (b'{"text": "a\x01b"}', "invalid-json"),
    "nul-bytes": (b"\0" * 50, "invalid-json"),
    "comment": (b"// a comment", "invalid-json"),
    "bom-inside": (b'\xef\xbb\xbf{"text": "a"}', "invalid-json"),
    "lone-cr": (b'{"text": "a"}\r{"text": "b"}', "invalid-json"),
    "next-line": ('{"text": "a"}\u0085{"text": "b"}'.encode(), "invalid-json"),
}
GOOD_LINES = {
    "nul": (rb'{"text": "a\u0000b"}', "a\0b"),
    "line-separator": ('{"text": "a\u2028b\u2029c"}'.encode(), "a\u2028b\u2029c"),
    "pair": (rb'{"text": "\ud83d\udc4d"}', "👍"),
    "text-as-value": (b'{"kind": "text", "text": "a", "x": "text"}', "a"),
    "escaped-braces": (b'{"text": "[[[[{\\"text\\": 1}"}', '[[[[{"text": 1}'),
    "spaces": (b' \t{"text": "a"} ', "a"),
    "hundred-brackets": (b'{"text": "a", "x": ' + b"[" * 100 + b"]" * 100 + b"}", "a"),
    "carriage-return": (b'{"text": "a"}\r', "a"),
}
WRITERS = {
    "plain": lambda content: content,
    "gzip": lambda content: gzip.compress(content, mtime=0),
    "zstd": zstandard.compress,
}


def read(folder, content, name="data.jsonl", **settings):
    (folder / name).write_bytes(content)
    corpus = trial(JsonLines(paths=(name,), **settings), {}, folder)
    ledger = corpus.ledger
    assert ledger.read == ledger.kept + ledger.rejected.total() + ledger.quarantined
    return corpus


def with_line(line):
    return b"\n".join([*GOOD[:AT], line, *GOOD[AT:]]) + b"\n"


@pytest.mark.parametrize("case", BAD_LINES)
def test_one_bad_line_costs_one_record(tmp_path, case):
    """Quarantined under its reason, at its file and line, with digest and head; the other 1,001 are kept."""
    line, reason = BAD_LINES[case]
    corpus = read(tmp_path, with_line(line))
    assert (corpus.ledger.kept, corpus.ledger.quarantined) == (1001, 1)
    (row,) = corpus.quarantine().collect().to_dicts()
    assert (row["file"], row["place"], row["reason"]) == ("data.jsonl", f"line {AT + 1}", reason)
    assert row["digest"] == hashlib.sha256(line).hexdigest()
    assert row["head"]


@pytest.mark.parametrize("case", GOOD_LINES)
def test_a_strange_line_that_is_right_is_kept(tmp_path, case):
    """Its text is exact."""
    line, text = GOOD_LINES[case]
    corpus = read(tmp_path, with_line(line))
    assert corpus.ledger.kept == 1002
    assert corpus.scan().collect()["text"][AT] == text


@pytest.mark.parametrize("text", ["null", '""'])
def test_an_empty_text_is_rejected_and_not_bad(tmp_path, text):
    """It is a record, with nothing in it."""
    corpus = read(tmp_path, with_line(b'{"text": %b}' % text.encode()))
    assert (corpus.ledger.kept, dict(corpus.ledger.rejected)) == (1001, {"empty": 1})
    assert corpus.rejects().collect()["source"].to_list() == [f"data.jsonl:{AT + 1}"]


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("name", ["data.jsonl", "data.jsonl.gz", "data.jsonl.zst"])
def test_a_wrong_name_does_no_harm(tmp_path, writer, name):
    """The first bytes tell what it is."""
    corpus = read(tmp_path, WRITERS[writer](b"\n".join(GOOD)), name)
    assert corpus.ledger.kept == 1001


@pytest.mark.parametrize(
    "content, kept",
    [
        (b"", 0),
        (b"\n\n \n\r\n", 0),
        (b"\xef\xbb\xbf" + b"\n".join(GOOD), 1001),
        (b"\r\n".join(GOOD), 1001),
        (b"\n\n".join(GOOD), 1001),
    ],
    ids=["empty", "blank", "byte-order-mark", "crlf", "blank-lines"],
)
def test_the_shape_of_a_file_is_no_fault(tmp_path, content, kept):
    """Blank lines are no records, a last line needs no end."""
    corpus = read(tmp_path, content)
    assert (corpus.ledger.read, corpus.ledger.kept) == (kept, kept)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-be"])
def test_other_encodings_are_refused_whole(tmp_path, encoding):
    """No record of them is taken for text."""
    corpus = read(
        tmp_path, b"\n".join(GOOD).decode().encode(encoding), allow_damaged=True, max_bad=5000, max_bad_share=1
    )
    assert corpus.ledger.kept == 0
    assert corpus.ledger.quarantined > 0
