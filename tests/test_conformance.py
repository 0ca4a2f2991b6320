"""Every registered component runs through the kit of its kind: the bundled plugins on the same footing as any other.

Settings that the defaults will not do for, and every exception with its reason, stand in the two tables below.
"""

import gzip
from typing import Any

from workbench.registry import shared_registry
from workbench.testing import kit_for

LINES = "".join(f'{{"text": "document number {n}, of ordinary length", "page": {n}}}\n' for n in range(30)).encode()

SETTINGS: dict[str, dict[str, Any]] = {
    "corpus/label": {"key": "language", "top": 2},
    "corpus/sample": {"share": 0.5},
    "corpus/split": {"valid": 0.3},
    "evaluator/generation": {"max_tokens": 8, "prompts": ["the river was", "春天来了"]},
    "filter/chain": {"filters": [{"use": "filter/unicode"}, {"use": "filter/word-count", "with": {"min_words": 5}}]},
    "source/installed-docs": {"packages": ["pluggy", "click"], "stdlib": False},
    "source/jsonl": {"paths": ["data/*.jsonl*"]},
    "source/text": {"paths": ["data/*.txt"]},
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
    "source/jsonl": {"data/a.jsonl": LINES, "data/b.jsonl.gz": gzip.compress(LINES, mtime=0)},
    "source/text": {"data/a.txt": b"first text\n", "data/b.txt": "第二个文件。\n".encode()},
}
EXCEPTIONS: dict[str, dict[str, str]] = {
    "filter/chain": {"test_stores_the_signals_of_every_document": "its signals are those of its filters"},
}
OTHER: dict[str, dict[str, Any]] = {
    "exporter/html-report": {"optional_ports": ("corpora", "models")},
    "tokenizer/byte-bpe": {"lossless": True},
}


def _suite() -> dict[str, type]:
    classes = {}
    for ref in shared_registry().refs():
        members = {
            "use": ref.id,
            "files": FILES.get(ref.id, {}),
            "exceptions": EXCEPTIONS.get(ref.id, {}),
            **({"settings": SETTINGS[ref.id]} if ref.id in SETTINGS else {}),
            **OTHER.get(ref.id, {}),
        }
        name = "Test" + ref.id.title().replace("/", "").replace("-", "")
        classes[name] = type(name, (kit_for(ref.kind),), members)
    return classes


SUITE = _suite()
globals().update(SUITE)


def test_the_suite_covers_every_component():
    """Nothing registered is left out, and nothing in the tables is left over."""
    uses = {cls.use for cls in SUITE.values()}  # type: ignore[attr-defined]
    assert len(uses) >= 28
    assert set(SETTINGS) | set(FILES) | set(EXCEPTIONS) | set(OTHER) <= uses
