"""A filter that compares documents may cut spans out of them: cut exactly, counted, and checked."""

import random

import polars as pl
import pytest

from tests.engine.corpus.test_filtering import make_corpus, run_step
from workbench.contracts.filters import CorpusFilter
from workbench.engine.corpus.cutting import cut_spans
from workbench.errors import PluginError

TYPES = {"id": pl.String, "reason": pl.String, "duplicate_of": pl.String, "start": pl.Int64, "end": pl.Int64}


class Cut(CorpusFilter):
    """Let go what the test says."""

    rows: tuple[tuple[str | int | None, ...], ...] = ()
    shortest: int = 0

    def sketch(self, batch):
        return batch.select("id")

    def resolve(self, sketches):
        return pl.DataFrame(self.rows, schema=TYPES, orient="row")

    def rules(self):
        return {"too-short": pl.col("characters") < self.shortest}


def test_documents_are_cut_dropped_and_rejected_and_the_ledger_balances(tmp_path):
    corpus = make_corpus(tmp_path / "in", {"0": ["一二三 four five", "gone", "a b"], "1": ["repeat", "  ", "stays"]})
    rows = (
        ("0/0", "said", "1/2", 0, 10),
        ("0/1", "copy", "0/0", None, None),
        ("0/2", "said", None, 1, 3),
        ("1/0", "said", "1/2", 0, 6),
    )
    result = run_step(Cut(rows=rows, shortest=2), corpus, tmp_path)
    result.ledger.check("")
    assert result.scan().select("id", "text").collect().rows() == [
        ("0/0", "four five"),
        ("1/1", "  "),
        ("1/2", "stays"),
    ]
    assert result.ledger.read == 6
    assert result.ledger.rejected == {"copy": 1, "too-short": 1, "nothing-left": 1}
    assert result.ledger.edited == {"Cut": {"said": 3}}
    rejects = result.rejects().select("id", "reason", "duplicate_of", "text").collect().rows()
    assert rejects == [
        ("0/1", "copy", "0/0", "gone"),
        ("0/2", "too-short", None, "a b"),
        ("1/0", "nothing-left", None, "repeat"),
    ]
    cuts = result.cuts().select("id", "reason", "duplicate_of", "start", "end").collect().rows()
    assert cuts == [("0/0", "said", "1/2", 0, 10), ("0/2", "said", None, 1, 3), ("1/0", "said", "1/2", 0, 6)]
    signals = result.rejects().filter(id="0/2").select("signals").collect().item()
    assert signals == '{"Cut.cuts":1,"Cut.characters":1,"Cut.characters_before":3}'


FAULTS = {
    "empty": ((("0/0", "r", None, 1, 1),), r"the span 1 to 1 of document 0/0 \(5 bytes\) is empty"),
    "beyond": ((("0/1", "r", None, 1, 9),), r"the span 1 to 9 of document 0/1 \(3 bytes\) reaches beyond the text"),
    "before": ((("0/1", "r", None, -1, 2), ("0/1", "r", None, -2, 2)), r"-2 to 2 .* beyond the text \(and 1 more\)"),
    "starts in a character": ((("0/0", "r", None, 3, 5),), "parts a character"),
    "ends in a character": ((("0/0", "r", None, 0, 3),), "parts a character"),
    "half a span": ((("0/0", "r", None, 0, None),), "1 spans have a start or an end, but not both"),
    "both": ((("0/0", "r", None, 0, 1), ("0/0", "r", None, None, None)), "1 documents are dropped and also cut"),
    "unknown": ((("x", "r", None, 0, 1),), "1 of 1 dropped ids are not in the corpus"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_spans_that_break_the_contract_are_named(tmp_path, case):
    rows, said = FAULTS[case]
    with pytest.raises(PluginError, match=said) as error:
        run_step(Cut(rows=rows), make_corpus(tmp_path / "in", {"0": ["ab\u00e9c", "abc"]}), tmp_path)
    assert "Cut" in str(error.value)
    assert not (tmp_path / "data" / "corpus.json").exists()


def test_overlapping_spans_are_cut_once_and_touching_ones_count_apart():
    batch = pl.DataFrame({"id": ["a", "b"], "text": ["0123456789", "0123456789"]})
    rows = [("b", "y", 2, 4), ("a", "x", 3, 8), ("a", "y", 1, 4), ("a", "z", 5, 6), ("b", "x", 4, 5)]
    spans = pl.DataFrame(rows, schema=["id", "reason", "start", "end"], orient="row")
    cut, counted = cut_spans(batch, spans)
    assert cut["text"].to_list() == ["089", "0156789"]
    assert counted.rows() == [("a", "y", 1, 8), ("b", "y", 2, 4), ("b", "x", 4, 5)]


def test_cutting_equals_cutting_character_by_character():
    """Against the plain way, on random texts of one to four bytes a character and random spans, on a slice."""
    chance = random.Random(3)
    texts = ["".join(chance.choices("aé中😀\n", k=chance.randrange(30))) for _ in range(300)]
    rows, expected = [], []
    for number, text in enumerate(texts):
        gone = set()
        for _ in range(chance.randrange(4) if text else 0):
            start, end = sorted(chance.sample(range(len(text) + 1), 2))
            gone |= set(range(start, end))
            rows.append((str(number), "r", len(text[:start].encode()), len(text[:end].encode())))
        expected.append("".join(character for place, character in enumerate(text) if place not in gone))
    batch = pl.DataFrame({"id": ["-", *map(str, range(300))], "text": ["before", *texts]})[1:]
    cut, _ = cut_spans(batch, pl.DataFrame(rows, schema=["id", "reason", "start", "end"], orient="row"))
    assert cut["text"].to_list() == expected
    assert cut_spans(batch, pl.DataFrame(schema=TYPES))[0] is batch
