"""Tokenizers: the same bytes everywhere, and a folder that plain transformers loads."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tokenizers import Tokenizer as Fast
from tokenizers import models
from transformers import AutoTokenizer
from workbench_plugins.tokenizers.bpe import Bpe
from workbench_plugins.tokenizers.byte import Byte
from workbench_plugins.tokenizers.byte_bpe import ByteBpe
from workbench_plugins.tokenizers.character import Character
from workbench_plugins.tokenizers.unigram import Unigram
from workbench_plugins.tokenizers.word import Word
from workbench_plugins.tokenizers.wordpiece import WordPiece

from workbench.artifacts import Corpus, Tokenizer
from workbench.contracts.context import Context
from workbench.engine.tokens import learn
from workbench.errors import PluginError, StepError
from workbench.files.atomic import write_json

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from train_tokenizer import corpus as write_corpus  # noqa: E402  # the same file runs as a process of its own
from train_tokenizer import texts  # noqa: E402


def context(folder: Path, corpus: Corpus) -> Context:
    output, scratch = folder / "output", folder / "scratch"
    for path in (output, scratch):
        path.mkdir(parents=True)
    return Context("bpe", "tokenizer/byte-bpe", 1, folder, output, scratch, scratch, inputs={"corpus": corpus})


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Corpus:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def test_files_do_not_depend_on_hash_seed_or_threads(tmp_path):
    """Four processes. The trainers of tokenizers alone give WordPiece another numbering and Unigram other pieces in each."""
    seen = set()
    for seed, threads in (("0", "1"), ("7", "2"), ("99", "1"), ("random", "2")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "RAYON_NUM_THREADS": threads}
        environment["TOKENIZERS_PARALLELISM"] = "true" if threads == "2" else "false"
        command = [sys.executable, str(HERE / "train_tokenizer.py"), str(tmp_path / f"{seed}-{threads}")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        seen.add(done.stdout)
    assert len(seen) == 1
    assert len(seen.pop().splitlines()) == 7


@pytest.mark.parametrize(
    "component",
    [
        Bpe(vocab_size=1300),
        Byte(),
        ByteBpe(vocab_size=400),
        Character(vocab_size=1300, mask=True),
        Unigram(vocab_size=2000, coverage=1),
        Word(vocab_size=3000, extra_tokens=("<user>",)),
        WordPiece(vocab_size=1000, alphabet=930),
    ],
)
def test_transformers_loads_the_folder_with_its_special_tokens(tmp_path, corpus, component):
    ctx = context(tmp_path, corpus)
    learn.run(component, ctx)
    loaded = AutoTokenizer.from_pretrained(ctx.output)
    assert {name: getattr(loaded, name) for name in component.roles()} == dict(component.roles())
    assert set(loaded.all_special_tokens) == set(component.specials())
    word = texts()[0].split()[0]
    text = f"{word} 一丁"
    assert loaded(text)["input_ids"] == Tokenizer(ctx.output).fast.encode(text).ids
    assert loaded.decode(loaded(text)["input_ids"], skip_special_tokens=True).replace(" ", "") == f"{word}一丁"
    assert sorted(path.name for path in ctx.output.iterdir()) == ["tokenizer.json", "tokenizer_config.json"]


def test_the_artifact_knows_its_vocabulary(tmp_path, corpus):
    ctx = context(tmp_path, corpus)
    learn.run(WordPiece(vocab_size=1000, alphabet=930), ctx)
    vocab = Tokenizer(ctx.output).vocab(64)
    assert (vocab.size, vocab.max_length) == (Tokenizer(ctx.output).fast.get_vocab_size(), 64)
    assert (vocab.pad, vocab.unk, vocab.cls, vocab.sep, vocab.mask, vocab.eos) == (0, 1, 2, 3, 4, None)


def test_progress_counts_documents(tmp_path, corpus):
    ctx = context(tmp_path, corpus)
    seen = []
    ctx.emit = lambda event, fields: seen.append((event, fields["done"], fields["total"]))
    learn.run(ByteBpe(vocab_size=300), ctx)
    assert seen == [("step-progress", 120, 120)]


def test_an_empty_corpus_is_said(tmp_path):
    write_json(tmp_path / "c" / "corpus.json", {"parts": [], "columns": {}, "shards": []})
    with pytest.raises(StepError, match="the corpus is empty"):
        learn.run(ByteBpe(), context(tmp_path / "x", Corpus(tmp_path / "c")))


def test_a_tokenizer_without_its_special_tokens_is_refused(tmp_path, corpus):
    class Forgetful(ByteBpe):
        def train(self, texts, ctx):
            return Fast(models.BPE())

    ctx = context(tmp_path, corpus)
    with pytest.raises(PluginError, match="does not know <pad>, <eos>"):
        learn.run(Forgetful(), ctx)
    assert list(ctx.output.iterdir()) == []


def test_files_are_readable(tmp_path, corpus):
    """Chinese stands in them as it is, not as escapes."""
    ctx = context(tmp_path, corpus)
    learn.run(WordPiece(vocab_size=1000, alphabet=930), ctx)
    content = (ctx.output / "tokenizer.json").read_text("utf-8")
    assert "一" in content
    assert json.loads(content)["model"]["vocab"]["[PAD]"] == 0
