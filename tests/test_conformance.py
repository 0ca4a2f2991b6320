"""Every registered component runs through the kit of its kind: the bundled plugins on the same footing as any other.

Settings that the defaults will not do for, and every exception with its reason, stand in the two tables below.
"""

import bz2
import gzip
import io
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl
import tokenizers
from tokenizers.pre_tokenizers import ByteLevel

from workbench.artifacts import Artifact, Corpus
from workbench.contracts.references import ComponentRef
from workbench.pipeline.settings import component_from_json
from workbench.registry import shared_registry
from workbench.testing import kit_for, small_corpus, trial

LINES = "".join(f'{{"text": "document number {n}, of ordinary length", "page": {n}}}\n' for n in range(30)).encode()

PAGE = b"<html><body><p>A page with a sentence in it.</p></body></html>"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE
DUMP = b"<mediawiki>\n<page><title>A</title><ns>0</ns><id>1</id><revision><id>2</id><text>'''A''' is a [[letter]].</text></revision></page>\n</mediawiki>\n"


def warc_record(kind: str, content_type: str, block: bytes) -> bytes:
    """Return one WARC record."""
    head = f"WARC/1.0\r\nWARC-Type: {kind}\r\nContent-Type: {content_type}\r\nContent-Length: {len(block)}\r\n\r\n"
    return head.encode() + block + b"\r\n\r\n"


def one_page_pdf(text: bytes) -> bytes:
    """Return a PDF with one line of text."""
    stream = b"BT /F1 12 Tf 72 720 Td (" + text + b") Tj ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> /MediaBox [0 0 612 792] >>",
        b"<< /Length %d >>\nstream\n" % len(stream) + stream + b"\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(b"%010d 00000 n \n" % len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"xref\n0 6\n0000000000 65535 f \n" + b"".join(places)
    return body + table + b"trailer << /Root 1 0 R /Size 6 >>\nstartxref\n%d\n%%%%EOF\n" % len(body)


def _parquet() -> bytes:
    sink = io.BytesIO()
    pl.DataFrame({"text": [f"document {n}" for n in range(9)]}).write_parquet(sink)
    return sink.getvalue()


def byte_tokenizer() -> bytes:
    """Return a `tokenizer.json` of bytes, without a special token."""
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.BPE({letter: number for number, letter in enumerate(sorted(ByteLevel.alphabet()))}, [])
    )
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    return tokenizer.to_str().encode()


SETTINGS: dict[str, dict[str, Any]] = {
    "corpus/label": {"key": "language", "top": 2},
    "corpus/sample": {"share": 0.5},
    "corpus/sort": {"by": "random"},
    "corpus/split": {"valid": 0.3},
    "evaluator/generation": {"max_tokens": 8, "prompts": ["the river was", "春天来了"]},
    "filter/chain": {"filters": [{"use": "filter/unicode"}, {"use": "filter/word-count", "with": {"min_words": 5}}]},
    "filter/adult": {"positive": ["zh"], "lists": ["lists/adult.txt"], "bucket_bits": 12},
    "filter/classifier-quality": {"bucket_bits": 12},
    "filter/model-quality": {"label": "zh", "device": "cpu"},
    "filter/semantic-dedup": {"device": "cpu"},
    "filter/toxicity": {"positive": ["zh"], "bucket_bits": 12},
    "filter/url-list": {"block": ["lists/block.txt"], "drop_without_url": True},
    "filter/perplexity": {"characters": 2000},  # the small network reads 32 tokens at once
    "source/books": {"paths": ["data/*.txt"]},
    "source/code": {"paths": ["data"]},
    "source/html": {"paths": ["data/*.html"]},
    "source/installed-docs": {"packages": ["pluggy", "click"], "stdlib": False},
    "source/csv": {"paths": ["data/*.csv"]},
    "source/huggingface": {"paths": ["data"]},
    "source/jsonl": {"paths": ["data/*.jsonl*"]},
    "source/parquet": {"paths": ["data/*.parquet"], "allow_damaged": True},
    "source/pdf": {"paths": ["data/*.pdf"]},
    "source/social": {"paths": ["data/*.jsonl"]},
    "source/text": {"paths": ["data/*.txt"]},
    "source/warc": {"paths": ["data/*.warc.gz"]},
    "source/wet": {"paths": ["data/*.wet"]},
    "source/wikipedia-dump": {"paths": ["data/*.xml.bz2"]},
    "architecture/pretrained": {"model": "model"},
    "objective/distillation": {"objective": {"use": "objective/causal"}},
    "objective/multi": {"objectives": [{"use": "objective/masked"}, {"use": "objective/next-sentence"}]},
    "tokenizer/byte": {},
    "tokenizer/pretrained": {"path": "tokenizer.json"},
    "tokens/pack": {"context": 32},
    "train/pretrain": {
        "architecture": {"use": "architecture/llama", "with": {"layers": 1, "width": 16, "heads": 2}},
        "objective": {"use": "objective/causal"},
        "budget": {"steps": 3},
        "batch_size": 2,
    },
    "train/tune": {
        "tuning": {"use": "tuning/lora", "with": {"rank": 2}},
        "objective": {"use": "objective/classification"},
        "budget": {"steps": 3},
        "batch_size": 2,
    },
}
FILES: dict[str, dict[str, bytes]] = {
    "filter/adult": {"lists/adult.txt": "river\n河\n".encode()},
    "filter/url-list": {"lists/block.txt": b"ads.example\n0.0.0.0 bad.example\n"},
    "source/books": {"data/a.txt": b"*** START OF THE PROJECT GUTENBERG EBOOK A ***\nA book.\n*** END OF THE PROJECT"},
    "source/code": {
        "data/LICENSE": b"Permission is hereby granted, free of charge, to any person obtaining a copy",
        "data/src/a.py": b"# SPDX-License-Identifier: MIT\nprint('a')\n",
        "data/src/b.go": b"package b\n",
    },
    "source/html": {"data/a.html": PAGE},
    "source/csv": {"data/a.csv": b"text,page\n" + b"a text of some length,1\n" * 9},
    "source/huggingface": {
        "data/test.jsonl": LINES,
        "data/train.json": b'[{"text": "an item of a list", "label": 1}, {"text": "\xe7\xac\xac\xe4\xba\x8c"}]',
    },
    "source/parquet": {"data/a.parquet": _parquet()},
    "source/jsonl": {"data/a.jsonl": LINES, "data/b.jsonl.gz": gzip.compress(LINES, mtime=0)},
    "source/pdf": {"data/a.pdf": one_page_pdf(b"A line of text.")},
    "source/social": {
        "data/a.jsonl": b'{"id": "a", "title": "A title", "selftext": "A text", "subreddit": "x", "author": "y"}\n'
        b'{"id": "b", "body": "[deleted]"}\n{"id": "c", "body": "A comment"}\n{"id_str": "1", "full_text": "A tweet"}\n'
    },
    "source/text": {"data/a.txt": b"first text\n", "data/b.txt": "第二个文件。\n".encode()},
    "source/warc": {
        "data/a.warc.gz": gzip.compress(warc_record("response", "application/http", RESPONSE) * 2, mtime=0)
    },
    "source/wet": {"data/a.wet": warc_record("conversion", "text/plain", "第一页。".encode())},
    "source/wikipedia-dump": {"data/a.xml.bz2": bz2.compress(DUMP)},
    "tokenizer/pretrained": {"tokenizer.json": byte_tokenizer()},
}
EXCEPTIONS: dict[str, dict[str, str]] = {
    "architecture/pretrained": {
        "test_seed_decides_the_weights": "its weights are those of a folder",
        "test_saved_and_loaded_gives_the_same_logits": "its own test makes a folder",
        "test_has_an_objective": "its family is a setting",
    },
    "objective/contrastive": {
        "test_loss_falls_for_every_family": "a text is nearest to itself from the start; the matrix has pairs that differ"
    },
    "filter/chain": {"test_stores_the_signals_of_every_document": "its signals are those of its filters"},
}


def _filtered(corpus: Corpus, folder: Path) -> list[Artifact]:
    """Return what a filter made of a corpus, for an audit of it."""
    folder.mkdir(parents=True)
    component = component_from_json(shared_registry(), {"use": "filter/word-count", "with": {"min_words": 40}})
    return [trial(component, {"corpus": corpus}, folder)]


def _audited(suite: Any, artifact_type: str, port: str, folder: Path) -> Artifact:
    """Return the corpus that was filtered, and the result of the filter."""
    corpus = small_corpus(folder / "corpus")
    return corpus if port == "corpus" else _filtered(corpus, folder / "filtered")[0]


OTHER: dict[str, dict[str, Any]] = {
    "corpus/audit": {
        "artifact": _audited,
        "inputs_of": lambda _, corpus, inputs: {
            "corpus": corpus,
            "steps": _filtered(corpus, corpus.path.parent / "again"),
        },
    },
    "corpus/statistics": {"optional_ports": ("before", "tokenizer")},
    "exporter/html-report": {"optional_ports": ("corpora", "models")},
    "filter/adult": {"optional_ports": ("data",)},
    "filter/classifier-quality": {"optional_ports": ("good", "ordinary")},
    "filter/model-quality": {"optional_ports": ("model",)},
    "filter/semantic-dedup": {"optional_ports": ("model",)},
    "filter/toxicity": {"optional_ports": ("data",)},
    "tokenizer/bpe": {"lossless": True},
    "tokenizer/byte": {"lossless": True},
    "tokenizer/byte-bpe": {"lossless": True},
    "tokenizer/character": {"lossless": True},
    "tokenizer/pretrained": {"lossless": True},
    "tokenizer/unigram": {"lossless": True},
    "train/pretrain": {"optional_ports": ("tokens",)},
}


def _families(ref: ComponentRef) -> tuple[str, ...]:
    """Return the model families of an architecture or an objective; nothing for other kinds."""
    cls: Any = shared_registry().load(ref.id) if ref.kind in ("architecture", "objective") else None
    return getattr(cls, "families", None) or ((getattr(cls, "family", ""),) if ref.kind == "architecture" else ())


def _suite() -> dict[str, type]:
    classes = {}
    for ref in shared_registry().refs():
        if ref.requires and any(find_spec(entry.partition(":")[0]) is None for entry in ref.requires):
            continue  # an extra that is not installed; its own test has a stand-in
        members = {
            "use": ref.id,
            "files": FILES.get(ref.id, {}),
            "exceptions": EXCEPTIONS.get(ref.id, {}),
            **({"settings": SETTINGS[ref.id]} if ref.id in SETTINGS else {}),
            **OTHER.get(ref.id, {}),
        }
        name = "Test" + ref.id.title().replace("/", "").replace("-", "")
        classes[name] = type(name, (kit_for(ref.kind, _families(ref)),), members)
    return classes


SUITE = _suite()
globals().update(SUITE)


def test_the_suite_covers_every_component():
    """Nothing registered is left out, and nothing in the tables is left over."""
    uses = {cls.use for cls in SUITE.values()}  # type: ignore[attr-defined]
    assert len(uses) >= 28
    assert set(SETTINGS) | set(FILES) | set(EXCEPTIONS) | set(OTHER) <= uses
