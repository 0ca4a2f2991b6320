"""Filters as steps: signals of every document, verdicts from signals, the ledger, and contracts that are broken."""

import errno
import json
from pathlib import Path
from typing import ClassVar

import polars as pl
import pytest

from workbench.artifacts import Artifact, Corpus
from workbench.artifacts.ledger import Ledger
from workbench.contracts.context import Context
from workbench.contracts.filters import CorpusFilter, Kernel, RewriteFilter, Rewritten, RowFilter
from workbench.contracts.records import documents
from workbench.engine.corpus.chain import Chain
from workbench.engine.corpus.filtering import run
from workbench.engine.corpus.mapping import blaming
from workbench.engine.corpus.writing import CorpusWriter
from workbench.errors import PluginError
from workbench.testing.trials import digest_of


class Length(RowFilter):
    """Keep texts in a range of length."""

    shortest: int = 3
    longest: int = 10

    def signals(self):
        return {"length": pl.col("text").str.len_chars(), "is_shouted": pl.col("text").str.contains("!")}

    def rules(self):
        n = pl.col("length")
        return {"too-short": n < self.shortest, "too-long": n > self.longest, "shouted": pl.col("is_shouted")}


class Stars(RewriteFilter):
    """Replace every star by the word `star`."""

    most: int | None = None

    def rewrite(self, batch):
        edits = batch.select(star=pl.col("text").str.count_matches("*", literal=True))
        return Rewritten(batch.with_columns(pl.col("text").str.replace_all("*", "star", literal=True)), edits)

    def rules(self):
        return {} if self.most is None else {"too-many-stars": pl.col("star") > self.most}


class Vowels(Kernel):
    """Count vowels, and how often it is asked to."""

    calls: ClassVar[list[int]] = []

    def compute(self, batch):
        Vowels.calls.append(batch.height)
        return batch.select(vowels=pl.col("text").str.count_matches("[aeiou]"))


class Singing(RowFilter):
    """Keep texts with vowels."""

    least: int = 1

    def signals(self):
        return {"vowels": Vowels().column("vowels")}

    def rules(self):
        return {"mute": pl.col("vowels") < self.least}


class Same(CorpusFilter):
    """Keep the first of equal texts, by id."""

    def sketch(self, batch):
        return batch.select("id", "text")

    def resolve(self, sketches):
        first = pl.col("id").min().over("text")
        frame = sketches.with_columns(duplicate_of=first).filter(pl.col("id") != pl.col("duplicate_of"))
        return frame.select("id", "duplicate_of", reason=pl.lit('a "copy"')).collect()


def make_corpus(folder: Path, shards: dict[str, list[str]]) -> Corpus:
    """Return a corpus with these shards; ids are `<shard>/<row>`, parts follow from names such as `train-0`."""
    writer = CorpusWriter(folder)
    listed, parts = [], []
    for name, texts in shards.items():
        part, _, number = name.rpartition("-")
        rows = [
            {"id": f"{name}/{row}", "text": text, "source": "s", "meta": {"n": row}} for row, text in enumerate(texts)
        ]
        frame = documents(rows) if rows else documents([{"id": "", "text": "", "source": ""}]).clear()
        listed.append(writer.add(part or None, int(number), frame))
        if part and part not in parts:
            parts.append(part)
    total = sum(len(texts) for texts in shards.values())
    writer.finish(Ledger(read=total, kept=total), listed, parts)
    return Corpus(folder, "fp")


def run_step(component, corpus, folder, *, mapper=None, stages=None) -> Corpus:
    """Run the stages of a filter as the engine does and return the result."""
    given = {"corpus": corpus}
    output = folder / "data"
    for stage in stages or (("signals", "verdict") if component.measures else ("all",)):
        output = folder / ("signals" if stage == "signals" else "data")
        ctx = Context("clean", "filter/test", 1, folder, output, folder / "scratch", folder / "partial", given)
        if mapper:
            ctx.mapper = mapper
        ctx.output.mkdir(parents=True)
        ctx.scratch.mkdir(exist_ok=True)
        run(component, ctx, stage)
        given["signals"] = Artifact(output)
    return Corpus(output, "fp2")


def texts_of(corpus: Corpus) -> list[str]:
    return corpus.scan().collect()["text"].to_list()


def test_first_reason_counts_and_all_reasons_are_known(tmp_path):
    """The first rule that holds names the rejection; beside it stand every reason and every signal."""
    corpus = make_corpus(tmp_path / "in", {"0": ["ok so", "a!", "much too long!", "!!!!!"]})
    result = run_step(Length(), corpus, tmp_path)
    assert texts_of(result) == ["ok so"]
    rejects = result.rejects().collect()
    assert rejects["reason"].to_list() == ["too-short", "too-long", "shouted"]
    assert rejects["filter"].to_list() == ["Length"] * 3
    assert [json.loads(text) for text in rejects["reasons"]] == [
        ["Length: too-short", "Length: shouted"],
        ["Length: too-long", "Length: shouted"],
        ["Length: shouted"],
    ]
    assert json.loads(rejects["signals"][0]) == {"Length.length": 2, "Length.is_shouted": True}
    assert rejects["text"].to_list() == ["a!", "much too long!", "!!!!!"]
    assert result.ledger.to_json() == {
        "read": 4,
        "kept": 1,
        "rejected": {"too-short": 1, "too-long": 1, "shouted": 1},
        "quarantined": 0,
        "by_filter": {"Length": {"too-short": 1, "too-long": 1, "shouted": 3}},
        "edited": {},
    }


def test_chain_measures_every_document_in_every_filter(tmp_path):
    """A document that the first filter rejects still has the later filters' signals and reasons."""
    corpus = make_corpus(tmp_path / "in", {"0": ["a sky***", "xyz", "!* zz", "hm"]})
    chain = Chain(filters=(Length(longest=99), Stars(most=2), Singing()))
    result = run_step(chain, corpus, tmp_path)
    # by hand: 1. three stars, vowels after the rewrite a, a, a, a = 4; 2. no vowel; 3. shouted, one star → "star" has
    # one vowel; 4. two characters, no vowel
    rejects = {row["id"]: row for row in result.rejects().collect().iter_rows(named=True)}
    assert {name: (row["filter"], row["reason"]) for name, row in rejects.items()} == {
        "0/0": ("Stars", "too-many-stars"),
        "0/1": ("Singing", "mute"),
        "0/2": ("Length", "shouted"),
        "0/3": ("Length", "too-short"),
    }
    assert json.loads(rejects["0/3"]["reasons"]) == ["Length: too-short", "Singing: mute"]
    assert json.loads(rejects["0/0"]["signals"]) == {
        "Length.length": 8,
        "Length.is_shouted": False,
        "Stars.edits.star": 3,
        "Singing.vowels": 4,
    }
    assert rejects["0/0"]["text"] == "a skystarstarstar"
    assert result.ledger.edited == {"Stars": {"star": 4}}
    assert result.ledger.by_filter["Singing"] == {"mute": 2}
    assert result.ledger.rejected == {"too-many-stars": 1, "mute": 1, "shouted": 1, "too-short": 1}


def test_a_signal_before_a_rewrite_sees_the_text_before_it(tmp_path):
    """The order of the chain decides what a filter reads: `*` is 1 character before and 4 after."""
    corpus = make_corpus(tmp_path / "in", {"0": ["*"]})
    chain = Chain(filters=(Length(shortest=0), Stars(), Length(shortest=0)))
    run_step(chain, corpus, tmp_path)
    signals = pl.read_parquet(tmp_path / "signals" / "signals" / "00000.parquet")
    assert signals.row(0, named=True) == {
        "id": "0/0",
        "Length.length": 1,
        "Length.is_shouted": False,
        "Stars.edits.star": 1,
        "Length-2.length": 4,
        "Length-2.is_shouted": False,
    }
    assert texts_of(Corpus(tmp_path / "data")) == ["star"]


def test_equal_signals_are_computed_once_between_rewrites(tmp_path):
    """Two filters with the same kernel compute it once; after a rewrite, once more."""
    corpus = make_corpus(tmp_path / "in", {"0": ["aa", "b"]})
    Vowels.calls.clear()
    run_step(Chain(filters=(Singing(), Singing(least=2), Stars(), Singing())), corpus, tmp_path, stages=["signals"])
    assert Vowels.calls == [2, 2]


def test_verdicts_need_no_text_of_the_filters(tmp_path):
    """Another threshold gives another verdict from the same signals, the same as a run from the start."""
    corpus = make_corpus(tmp_path / "in", {"0": ["one", "three", "seventeen"], "1": ["**", ""]})
    first, second = Chain(filters=(Stars(), Length())), Chain(filters=(Stars(), Length(longest=5)))
    run_step(first, corpus, tmp_path / "a", stages=["signals"])
    run_step(second, corpus, tmp_path / "b")
    given = {"corpus": corpus, "signals": Artifact(tmp_path / "a" / "signals")}
    ctx = Context("s", "c", 1, tmp_path, tmp_path / "c", tmp_path, tmp_path, given)
    run(second, ctx, "verdict")
    assert digest_of(tmp_path / "c") == digest_of(tmp_path / "b" / "data")
    run_step(second, corpus, tmp_path / "d", stages=["all"])
    assert digest_of(tmp_path / "d" / "data") == digest_of(tmp_path / "c")


def test_null_and_not_a_number_are_kept(tmp_path):
    """What could not be measured is kept: a rule that gives null, and a signal 0/0, drop nothing."""

    class Ratio(RowFilter):
        def signals(self):
            return {"ratio": pl.col("text").str.count_matches("x") / pl.col("text").str.len_chars()}

        def rules(self):
            return {"too-many-x": pl.col("ratio") > 0.5, "never": pl.lit(None, pl.Boolean), "off": pl.lit(value=False)}

    result = run_step(Ratio(), make_corpus(tmp_path / "in", {"0": ["", "xx", "axe"]}), tmp_path)
    assert texts_of(result) == ["", "axe"]


def test_rewrites_alone_run_in_one_pass(tmp_path):
    """A pass without rules keeps everything, changed, and counts the edits."""
    corpus = make_corpus(tmp_path / "in", {"train-0": ["a*b"], "valid-0": ["**", "c"]})
    result = run_step(Stars(), corpus, tmp_path)
    assert not Stars().measures
    assert texts_of(result) == ["astarb", "starstar", "c"]
    assert result.ledger.to_json()["edited"] == {"Stars": {"star": 3}}
    assert result.parts == ("train", "valid")


def test_comparing_drops_across_parts_and_says_what_for(tmp_path):
    """A copy in another part is found; the reject names the document that is kept instead."""
    corpus = make_corpus(tmp_path / "in", {"train-0": ["a", "b", "a"], "train-1": [], "valid-0": ["b", "c"]})
    result = run_step(Same(), corpus, tmp_path)
    assert [shard.name for shard in result.shards] == [shard.name for shard in corpus.shards]
    assert texts_of(result) == ["a", "b", "c"]
    rejects = result.rejects().select("id", "filter", "reason", "reasons", "duplicate_of", "text").collect()
    said = json.dumps(['Same: a "copy"'])
    assert rejects.rows() == [
        ("train-0/2", "Same", 'a "copy"', said, "train-0/0", "a"),
        ("valid-0/0", "Same", 'a "copy"', said, "train-0/1", "b"),
    ]
    assert result.ledger.to_json()["rejected"] == {'a "copy"': 2}


def test_task_columns_pass_through_even_with_names_of_rejects(tmp_path):
    """A corpus may have columns called `reason` or `signals`: they stay with what is kept."""
    writer = CorpusWriter(tmp_path / "in")
    frame = documents(
        [{"id": str(n), "text": t, "source": "s", "reason": n, "signals": [n]} for n, t in enumerate("ab")]
    )
    writer.finish(Ledger(read=2, kept=2), [writer.add(None, 0, frame)])
    for name, component in {"row": Length(shortest=1), "corpus": Same()}.items():
        result = run_step(component, Corpus(tmp_path / "in"), tmp_path / name)
        assert result.scan().select("reason", "signals").collect().rows() == [(0, [0]), (1, [1])]


def test_a_chosen_part_becomes_a_corpus_in_one_piece(tmp_path):
    """`split.train` as input: only its documents, no parts, shard names without the part."""
    corpus = make_corpus(tmp_path / "in", {"train-0": ["abc"], "valid-0": ["abcd"]})
    result = run_step(Length(), Corpus(corpus.path, part="valid"), tmp_path)
    assert result.parts == ()
    assert [(shard.name, shard.part) for shard in result.shards] == [("00000.parquet", None)]
    assert texts_of(result) == ["abcd"]


def test_a_corpus_without_shards_stays_one(tmp_path):
    """Nothing in, nothing out, for every shape of filter."""
    corpus = make_corpus(tmp_path / "in", {})
    for component in (Length(), Stars(), Same(), Chain(filters=(Stars(), Length()))):
        result = run_step(component, corpus, tmp_path / type(component).__name__)
        assert result.num_rows == 0
        assert set(result.columns) == {"id", "text", "source", "meta"}


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.ENOSPC, "no space")])
def test_what_the_machine_lacks_is_not_the_fault_of_a_filter(error):
    """The engine has its own words, and exit status, for both."""
    with pytest.raises(type(error)), blaming(Length(), "00000"):
        raise error


class Broken(RowFilter):
    """A filter whose signals and rules are chosen by the test."""

    case: str = ""

    def signals(self):
        text = pl.col("text")
        return {
            "mean": {"n": text.str.len_chars().mean()},
            "shorter": {"n": text.filter(text != "a")},
            "column": {"n": pl.col("txt")},
            "raises": {"n": text.map_elements(lambda _: 1 / 0, return_dtype=pl.Int64)},
        }.get(self.case, {"n": text.str.len_chars()})

    def rules(self):
        return {"signal": {"bad": pl.col("num") > 1}, "number": {"bad": pl.col("n") + 1}}.get(self.case, {})


@pytest.mark.parametrize(
    "case, said",
    [
        ("mean", "gives 1 values for 2 documents"),
        ("shorter", "gives 1 values for 2 documents"),
        ("column", 'unable to find column "txt"'),
        ("raises", "division by zero"),
        ("signal", "asks for the signal 'num', which is not measured"),
        ("number", "not true or false"),
    ],
)
def test_a_row_filter_that_breaks_its_contract_is_named(tmp_path, case, said):
    """The message names the filter and the shard, in at most five lines."""
    corpus = make_corpus(tmp_path / "in", {"0": ["a", "b"]})
    with pytest.raises(PluginError) as error:
        run_step(Chain(filters=(Length(), Broken(case=case))), corpus, tmp_path)
    assert said in str(error.value)
    assert "Broken, shard 00000.parquet" in str(error.value)
    assert len(str(error.value).splitlines()) <= 5


REWRITES = {
    "lost": (lambda b: Rewritten(b.head(1), b.head(1).select(n=pl.lit(1))), "gave 1 documents for 2"),
    "reordered": (
        lambda b: Rewritten(b.reverse(), b.select(n=pl.lit(1).repeat_by(1).list.first())),
        "reordered the ids",
    ),
    "no column": (lambda b: Rewritten(b.drop("meta"), b.select()), "lost the columns meta"),
    "edits": (lambda b: Rewritten(b, pl.DataFrame({"n": [1]})), "1 rows of edits for 2 documents"),
    "counts": (lambda b: Rewritten(b, b.select(n="text")), "no counts"),
    "null": (lambda b: Rewritten(b.with_columns(text=pl.lit(None, pl.String)), b.select()), "2 documents have no text"),
}


@pytest.mark.parametrize("case", REWRITES)
def test_a_rewrite_that_breaks_its_contract_is_named(tmp_path, case):
    """Documents lost, reordered or emptied, edits that are no counts: nothing is stored."""
    change, said = REWRITES[case]

    class Rewrite(RewriteFilter):
        def rewrite(self, batch):
            return change(batch)

    with pytest.raises(PluginError, match=said) as error:
        run_step(Rewrite(), make_corpus(tmp_path / "in", {"0": ["a", "b"]}), tmp_path)
    assert "00000.parquet" in str(error.value)
    assert not (tmp_path / "data" / "corpus.json").exists()


DROPS = {
    "unknown": ([("x", "r", None)], "1 of 1 dropped ids are not in the corpus"),
    "twice": ([("0/0", "r", None), ("0/0", "s", None)], "dropped more than once"),
    "no reason": ([("0/0", None, None)], "no id or no reason"),
    "in a ring": ([("0/0", "r", "0/1"), ("0/1", "r", "0/0")], "in favour of one that is dropped too"),
    "for nothing": ([("0/0", "r", "nobody")], "ids in 'duplicate_of' are not in the corpus"),
}


@pytest.mark.parametrize("case", DROPS)
def test_a_corpus_filter_that_breaks_its_contract_is_named(tmp_path, case):
    """It may drop only documents that are there, each once, with a reason, for one that stays."""
    rows, said = DROPS[case]

    class Drop(CorpusFilter):
        def sketch(self, batch):
            return batch.select("id")

        def resolve(self, sketches):
            schema = {"id": pl.String, "reason": pl.String, "duplicate_of": pl.String}
            return pl.DataFrame(rows, schema=schema, orient="row")

    with pytest.raises(PluginError, match=said):
        run_step(Drop(), make_corpus(tmp_path / "in", {"0": ["a", "b"]}), tmp_path)


def test_what_compares_documents_cannot_be_chained():
    """A corpus filter or a chain inside a chain is refused when the pipeline is checked, with what to do."""
    with pytest.raises(ValueError, match=r"Same \(number 2\) compares documents .* put it after the chain"):
        Chain(filters=(Length(), Same()))
    with pytest.raises(ValueError, match="list its filters here"):
        Chain(filters=(Chain(filters=(Length(),)),))
    with pytest.raises(ValueError, match="at least 1"):
        Chain(filters=())
    assert not Chain(filters=(Stars(),)).measures
    assert Chain(filters=(Stars(), Length())).measures
