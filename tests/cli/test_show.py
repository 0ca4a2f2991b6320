"""show and trace over a corpus."""

import json

import pytest

from .conftest import DOCUMENTS, HOSTILE

FORBIDDEN = {"\x1b", "\u202e"}


def test_show_corpus_as_json(finished):
    """A corpus shows its kind, fingerprint, path, rows and balanced ledger."""
    shown = finished.json("show", "last:clean")
    assert shown["kind"] == "corpus"
    assert shown["rows"] == 7
    ledger = shown["ledger"]
    assert (ledger["read"], ledger["kept"], ledger["quarantined"]) == (8, 7, 0)
    assert ledger["rejected"] == {"too-few-words": 1}
    assert ledger["edited"]["pii"] == {"email": 1}
    assert (finished.store / "objects").as_posix() in shown["path"]


def test_statistics_are_those_of_the_text(finished):
    """Characters, length bins and files of the source are counted over the documents."""
    statistics = finished.json("show", "last:raw")["statistics"]
    assert statistics["documents"] == 8
    assert statistics["characters"] == sum(map(len, DOCUMENTS))
    assert statistics["lengths"] == [[8, 1], [16, 1], [64, 6]]
    assert statistics["sources"] == {"data.jsonl": 8}


def test_show_part(finished):
    """`RUN:STEP.PART` shows one part; together the parts are the whole."""
    rows = [finished.json("show", f"last:split{part}")["rows"] for part in ("", ".train", ".valid")]
    assert rows[0] == rows[1] + rows[2] == 6


def test_show_run(finished):
    """A run shows its steps as `run` answered them."""
    shown = finished.json("show", "last")
    assert [step["name"] for step in shown["steps"]] == ["raw", "clean", "unique", "split"]
    assert shown["run"].endswith(finished.json("show", shown["run"][:-2])["run"][-4:])


def test_hostile_text_does_not_act(finished, ids):
    """Neither escapes nor bidi controls of a document reach the terminal, and markup is only text."""
    for step in ("raw", "clean"):
        output = finished.call("show", f"last:{step}").stdout
        assert not FORBIDDEN & set(output)
    output = finished.call("trace", ids[7]).stdout
    assert "  | A sentence \\x1b[31mwith an escape\\x1b[0m, a <U+202E> override, [bold red]markup[/]" in output


@pytest.mark.parametrize(
    "reference,message",
    [
        ("nope", "unknown run 'nope'"),
        ("last:clen", "unknown step 'clen'; did you mean 'clean'?"),
        ("last:split.test", "unknown part 'test'"),
        ("last:raw.train", "raw has no parts"),
    ],
)
def test_show_what_is_not_there(finished, reference, message):
    """A name that nobody has is a wrong command line."""
    assert message in finished.call("show", reference, status=2).stderr


def test_result_gone_from_the_store(place):
    """A run whose result is no longer stored says so."""
    place.run("--until", "raw")
    import shutil

    shutil.rmtree(place.store / "objects")
    message = place.call("show", "last:raw", status=2).stderr
    assert "step raw has no result in the store" in message
    assert "do: run the pipeline again" in message


def test_a_failed_step_has_no_result(place):
    """Where a step failed, the way to the reason is named."""
    (place.folder / "data.jsonl").write_text("not JSON\n")
    place.call("run", place.file, status=1)
    run = place.json("show")["run"]
    assert f"do: workbench show {run} says why" in place.call("show", "last:raw", status=2).stderr


def test_quarantined_records_are_shown(place):
    """What could not be read is counted by reason, and the first records are shown with their place."""
    (place.folder / "data.jsonl").write_text('not JSON\n{"text": 5}\n{"text": 6}\n{"text": "good"}\n')
    place.run("--until", "raw", "-s", "raw.with.max_bad_share=1")
    assert place.json("show", "last:raw")["quarantine"] == {"text-not-string": 2, "invalid-json": 1}
    lines = place.call("show", "last:raw").stdout.splitlines()
    assert lines[lines.index("Quarantined") + 2].split() == ["text-not-string", "2"]
    assert lines[lines.index("Bad records (the first 3 of 3)") + 2].split() == [
        *("data.jsonl", "line", "1", "invalid-json", "not", "JSON")
    ]


def test_trace_kept_and_edited(finished, ids):
    """A document is followed from its line in the file through every step, with what was edited."""
    found = finished.json("trace", ids[3])
    assert found["source"] == "data.jsonl:3"
    assert found["place"] == {"topic": "other"}
    assert [(step["name"], step["outcome"]) for step in found["steps"]] == [
        ("raw", "kept"),
        ("clean", "kept"),
        ("unique", "kept"),
        ("split", "kept"),
    ]
    assert found["steps"][1]["edits"] == {"pii.email": 1}
    assert found["steps"][1]["signals"] == {"word-count.num_words": 13}
    assert found["steps"][3]["part"] in ("train", "valid")
    assert "keeper@example.com" in found["first"]
    assert "keeper@example.com" not in found["last"]


def test_trace_rejected(finished, ids):
    """A rejected document ends with the filter, the reason and the signals."""
    found = finished.json("trace", ids[2])
    assert [step["outcome"] for step in found["steps"]] == ["kept", "rejected"]
    last = found["steps"][1]
    assert (last["filter"], last["reason"]) == ("word-count", "too-few-words")
    assert last["signals"]["word-count.num_words"] == 2
    assert "rejected by word-count: too-few-words" in finished.call("trace", ids[2]).stdout


def test_trace_duplicate(finished, ids):
    """Of two equal documents one is followed to the other."""
    pair = [ids[1], ids[4]]
    ends = {name: finished.json("trace", name)["steps"][-1] for name in pair}
    dropped = next(name for name, step in ends.items() if step["outcome"] == "rejected")
    kept = next(name for name in pair if name != dropped)
    assert ends[dropped]["name"] == "unique"
    assert ends[dropped]["duplicate_of"] == kept


def test_trace_by_prefix(finished, ids):
    """The start of an id is enough when it is one document's alone; otherwise the candidates are named, six at most."""
    assert finished.json("trace", ids[5][:12])["id"] == ids[5]
    ambiguous = finished.call("trace", "", status=2).stderr
    assert "is the start of more than 6 documents" in ambiguous
    assert [name in ambiguous for name in sorted(ids.values())].count(True) == 6


def test_a_prefix_of_two_is_counted():
    """Up to six documents are counted to the end."""
    from workbench.trace import _ambiguous

    assert "'ab' is the start of 2 documents" in _ambiguous("ab", ["ab1", "ab2"]).message
    assert "…" not in _ambiguous("ab", ["ab1", "ab2"]).message


def test_show_where_nothing_was_run(place):
    """Without a run the message names the store that was looked into, and what to do."""
    message = place.call("show", status=2).stderr
    assert message.startswith(f"{place.store}: there is no run 'last': nothing was run in this store yet\n")
    assert "--store DIR" in message
    assert "nothing was run" in place.call("trace", "--batch", "last:base:1", status=2).stderr


def test_a_long_passage_says_that_it_is_cut(place):
    """A sample shows 600 characters of a text, and how many it leaves out."""
    (place.folder / "data.jsonl").write_text(json.dumps({"text": "long " * 200}) + "\n")
    place.run("--until", "raw")
    assert f"{'long ' * 120}… (and 400 characters more)" in place.call("show", "last:raw").stdout


def test_trace_of_nobody(finished):
    """An id that no run has is a wrong command line, and says where ids are shown."""
    error = finished.json("trace", "ffffffffffffffffffffffff", status=2)["error"]
    assert error["message"].startswith("no document 'ffffffffffffffffffffffff' in ")
    assert "workbench show" in error["advice"]


def test_trace_needs_one_question(finished):
    """A document and a batch are two questions."""
    finished.call("trace", status=2)
    finished.call("trace", "abc", "--batch", "last:base:1", status=2)


def test_trace_batch_of_a_corpus(finished):
    """Only training steps have batches."""
    assert "raw gives a corpus, not a model" in finished.call("trace", "--batch", "last:raw:1", status=2).stderr
    assert "does not name a batch" in finished.call("trace", "--batch", "last:raw", status=2).stderr


def test_json_holds_the_text_as_it_is(finished, ids):
    """The document of --json is ASCII, and the text in it is the whole text."""
    result = finished.call("trace", ids[7], "--json")
    assert result.stdout.isascii()
    assert json.loads(result.stdout)["first"] == HOSTILE
