"""Packing: every document whole, in order, ended, and found again."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from workbench_plugins.tokenizers.byte_bpe import ByteBpe
from workbench_plugins.tokenizers.wordpiece import WordPiece

from workbench.artifacts import Corpus, Tokenizer, Tokens
from workbench.artifacts.corpus import write_shard
from workbench.contracts.context import Context, call_task
from workbench.engine.tokens import learn, pack
from workbench.engine.tokens.pack import Pack
from workbench.errors import PluginError
from workbench.files.atomic import write_json

TEXTS = ["one two three", "", "四五六七八", "a text that spells <eos> and <pad> out", "x" * 300, "last"]


def context(folder: Path, **inputs) -> Context:
    output, scratch = folder / "output", folder / "scratch"
    for path in (output, scratch):
        path.mkdir(parents=True)
    return Context("ids", "tokens/pack", 1, folder, output, scratch, scratch, inputs=inputs)


def write_corpus(folder: Path, parts: dict[str | None, list[list[str]]]) -> Corpus:
    """Write a corpus: part → shards → texts."""
    shards = []
    for part, groups in parts.items():
        for number, texts in enumerate(groups):
            name = f"{part}-{number:05d}.parquet" if part else f"{number:05d}.parquet"
            ids = [f"{part}/{number}/{place}" for place in range(len(texts))]
            frame = pl.DataFrame({"id": ids, "text": texts}, schema={"id": pl.String, "text": pl.String})
            write_shard(folder / "shards" / name, frame)
            shards.append({"name": name, "part": part, "rows": len(texts)})
    write_json(
        folder / "corpus.json",
        {"parts": [part for part in parts if part], "columns": {"id": "String", "text": "String"}, "shards": shards},
    )
    return Corpus(folder, "c0", step="corpus")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Corpus:
    return write_corpus(tmp_path_factory.mktemp("corpus"), {None: [TEXTS[:2], [], TEXTS[2:]]})


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory, corpus) -> Tokenizer:
    ctx = context(tmp_path_factory.mktemp("bpe"), corpus=corpus)
    learn.run(ByteBpe(vocab_size=270, min_frequency=1), ctx)
    return Tokenizer(ctx.output, "t0")


def packed(folder: Path, corpus: Corpus, tokenizer: Tokenizer, context_length: int = 16) -> Tokens:
    ctx = context(folder, corpus=corpus, tokenizer=tokenizer)
    Pack(context=context_length).run(ctx)
    return Tokens(ctx.output, "i0", step="ids")


def test_every_document_is_whole_and_ends_with_eos(tmp_path, corpus, tokenizer):
    tokens = packed(tmp_path, corpus, tokenizer)
    ids, documents = tokens.ids("all"), tokens.documents("all")
    assert documents["id"].to_list() == ["None/0/0", "None/0/1", "None/2/0", "None/2/1", "None/2/2", "None/2/3"]
    assert documents["start"].to_list() == [0, *documents["end"].to_list()[:-1]]
    assert documents["end"][-1] == len(ids)
    for text, (start, end) in zip(TEXTS, documents.select("start", "end").iter_rows(), strict=True):
        assert ids[end - 1] == 1  # <eos>
        assert tokenizer.fast.decode(ids[start : end - 1].tolist(), skip_special_tokens=False) == text


def test_text_cannot_spell_a_special_token(tmp_path, corpus, tokenizer):
    """As many end tokens as documents, although one document spells `<eos>`; and no padding at all."""
    ids = packed(tmp_path, corpus, tokenizer).ids("all")
    assert int((ids == 1).sum()) == len(TEXTS)
    assert int((ids == 0).sum()) == 0


def test_the_card_counts(tmp_path, corpus, tokenizer):
    tokens = packed(tmp_path, corpus, tokenizer)
    num_tokens = len(tokens.ids("all"))
    sizes = {"tokens": num_tokens, "documents": 6, "rows": num_tokens // 16}
    assert tokens.card == {"context": 16, "dtype": "uint16", "parts": {"all": sizes}, "vocab_size": 270}
    assert (tokens.parts, tokens.num_rows("all")) == ((), num_tokens // 16)


def test_ids_beyond_a_hole_keep_their_digits(tmp_path, corpus, tokenizer):
    """Few tokens, but one with the id 70,000: 16 bits would make another token of it."""
    first = int(packed(tmp_path / "whole", corpus, tokenizer).ids("all")[0])
    shutil.copytree(tokenizer.path, tmp_path / "holed")
    path = tmp_path / "holed" / "tokenizer.json"
    content = json.loads(path.read_text("utf-8"))
    vocab = content["model"]["vocab"]
    vocab[next(piece for piece, number in vocab.items() if number == first)] = 70_000
    path.write_text(json.dumps(content), "utf-8")
    tokens = packed(tmp_path / "far", corpus, Tokenizer(tmp_path / "holed", "t1"))
    assert int(tokens.ids("all")[0]) == 70_000
    assert (tokens.card["dtype"], tokens.card["vocab_size"]) == ("uint32", 70_001)


def test_parts_stay_apart(tmp_path, corpus, tokenizer):
    parted = write_corpus(tmp_path / "c", {"train": [TEXTS[:3], TEXTS[3:]], "valid": [["held out"]], "test": []})
    tokens = packed(tmp_path / "whole", parted, tokenizer)
    assert tokens.parts == ("test", "train", "valid")
    assert tokenizer.fast.decode(tokens.ids("valid").tolist()) == "held out"
    assert np.array_equal(tokens.ids("train"), packed(tmp_path / "piece", corpus, tokenizer).ids("all"))
    assert len(tokens.ids("test")) == 0 == tokens.num_rows("test")
    one = packed(tmp_path / "one", Corpus(parted.path, "c0", "valid"), tokenizer)
    assert np.array_equal(one.ids("valid"), tokens.ids("valid"))


def test_large_vocabularies_need_four_bytes(tmp_path, corpus, tokenizer, monkeypatch):
    monkeypatch.setattr(pack, "SMALL_VOCABULARY", 269)
    wide = packed(tmp_path / "wide", corpus, tokenizer)
    monkeypatch.undo()
    narrow = packed(tmp_path / "narrow", corpus, tokenizer)
    assert (wide.card["dtype"], narrow.card["dtype"]) == ("uint32", "uint16")
    assert np.array_equal(wide.ids("all"), narrow.ids("all"))


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_order_of_the_workers_does_not_matter(tmp_path, corpus, tokenizer, monkeypatch):
    """Shards finished in reverse and two at a time, documents encoded three at a time: the same bytes."""

    def reversed_pair(function, tasks) -> Iterator[dict]:
        with ThreadPoolExecutor(2) as pool:
            futures = {
                number: pool.submit(call_task, function, tasks[number]) for number in reversed(range(len(tasks)))
            }
            yield from (futures[number].result() for number in range(len(tasks)))

    expected = digests(packed(tmp_path / "one", corpus, tokenizer).path)
    monkeypatch.setattr(pack, "DOCUMENTS_PER_CALL", 3)
    ctx = context(tmp_path / "two", corpus=corpus, tokenizer=tokenizer)
    ctx.mapper = reversed_pair
    Pack(context=16).run(ctx)
    assert digests(ctx.output) == expected


def test_wordpiece_puts_documents_between_cls_and_sep(tmp_path, corpus):
    ctx = context(tmp_path / "wp", corpus=corpus)
    learn.run(WordPiece(vocab_size=128), ctx)
    wordpiece = Tokenizer(ctx.output, "w0")
    tokens = packed(tmp_path / "ids", corpus, wordpiece)
    ids = tokens.ids("all")
    for start, end in tokens.documents("all").select("start", "end").iter_rows():
        assert (ids[start], ids[end - 1]) == (2, 3)
    assert int((ids == 3).sum()) == len(TEXTS)


def test_a_tokenizer_without_an_end_is_refused(tmp_path, corpus, tokenizer):
    folder = tmp_path / "endless"
    folder.mkdir()
    (folder / "tokenizer.json").write_bytes((tokenizer.path / "tokenizer.json").read_bytes())
    write_json(folder / "tokenizer_config.json", {"pad_token": "<pad>"})
    with pytest.raises(PluginError, match="no token that ends a document"):
        packed(tmp_path / "x", corpus, Tokenizer(folder))


def test_packing_says_that_it_gives_tokens():
    assert Pack().facts({"corpus": {}}) == {"data": "tokens"}
    assert Pack().parts({"corpus": ("train", "valid"), "tokenizer": ()}) == ("train", "valid")
