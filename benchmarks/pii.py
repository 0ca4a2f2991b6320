"""Cost and recall of `pii` beside datatrove and presidio, all in one run.

    WORKBENCH_BENCH_DATA=FOLDER python -m benchmarks.pii [SPANS.json …]

English and Chinese of `benchmarks.corpora`, 20 MB or more each; every tenth document is given personal data in its
middle, glued to what stands there. Figures are MB of UTF-8 per second of CPU time of one process, median of three.
Peers run in environments of their own on the first documents up to the sample printed (presidio: its pattern
recognisers alone, with an NLP engine that does nothing; its default adds a language model and is slower). Recall is
the share of the planted values of the sample that no longer stand in the text (presidio: that one span covers).
With files of presidio-research (`full_text`, `spans`), the scores by span follow.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import polars as pl
import zstandard
from workbench_plugins.filters.pii import Pii
from workbench_plugins.filters.secrets_filter import Secrets

from benchmarks.corpora import both
from benchmarks.peers import python_of
from workbench.api import RewriteFilter

EVERY = 10
FEW = ("jane.doe@mail.example.com", "93.184.216.34")
MORE = ("+1 415-555-2671", "13812345678", "4111111111111111", "GB82WEST12345698765432", "536-90-4399")
PLANTED = "".join(f" {value} " for value in (*FEW[1:], *MORE))
COMPONENTS: dict[str, RewriteFilter] = {
    "e-mail and IP": Pii(entities=("email", "ip")),
    "all entities": Pii(),
    "secrets": Secrets(),
}
PEERS = {"datatrove": (4_000_000, "e-mail and IP", FEW), "presidio": (400_000, "all entities", (*FEW, *MORE))}
GOLD = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "IP_ADDRESS": "ip",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "US_SSN": "ssn",
}
RUNNER = """
import json, statistics, sys, time
texts, peer, values = json.load(open(sys.argv[1]))
if peer == "datatrove":
    from datatrove.pipeline.formatters import PIIFormatter
    act = PIIFormatter().format
else:
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine
    class Nothing(NlpEngine):
        def load(self): pass
        def is_loaded(self): return True
        def process_text(self, text, language): return NlpArtifacts([], [], [], [], self, language)
        def process_batch(self, texts, language, **_): return ((t, self.process_text(t, language)) for t in texts)
        def is_stopword(self, word, language): return False
        def is_punct(self, word, language): return False
        def get_supported_entities(self): return []
        def get_supported_languages(self): return ["en"]
    from presidio_analyzer import predefined_recognizers as known
    names = ("CreditCardRecognizer", "CryptoRecognizer", "DateRecognizer", "EmailRecognizer", "IbanRecognizer",
             "IpRecognizer", "PhoneRecognizer", "UsSsnRecognizer", "UsPassportRecognizer")
    registry = RecognizerRegistry(recognizers=[getattr(known, name)() for name in names], supported_languages=["en"])
    class NoContext:
        def enhance_using_context(self, text, raw_results, *_, **__): return raw_results
    engine = AnalyzerEngine(registry=registry, nlp_engine=Nothing(), supported_languages=["en"],
                            context_aware_enhancer=NoContext())
    def act(text):
        for found in sorted(engine.analyze(text, "en"), key=lambda one: -one.start):
            text = text[:found.start] + "\\x00" + text[found.end:]
        return text
times = []
for _ in range(3):
    start = time.process_time()
    done = [act(text) for text in texts]
    times.append(time.process_time() - start)
left = sum(value in after for before, after in zip(texts, done) for value in values if value in before)
held = sum(value in before for before in texts for value in values)
print(json.dumps([statistics.median(times), 1 - left / held]))
"""


def planted(batch: pl.DataFrame) -> pl.DataFrame:
    """Return the batch with personal data in the middle of every tenth document."""
    texts = [_with(text) if number % EVERY == 0 else text for number, text in enumerate(batch["text"])]
    return batch.with_columns(pl.Series("text", texts))


def _with(text: str) -> str:
    half = len(text) // 2
    glue = "" if not text[half - 1 : half].isascii() else " "  # Chinese has no space before an address
    return f"{text[:half]}{glue}{FEW[0]}{PLANTED}{text[half:]}"


def ours(component: RewriteFilter, batch: pl.DataFrame) -> float:
    """Return the median CPU time of three runs."""
    times = []
    for _ in range(3):
        start = time.process_time()
        component.rewrite(batch)
        times.append(time.process_time() - start)
    return statistics.median(times)


def recall(before: pl.DataFrame, after: pl.DataFrame, values: tuple[str, ...]) -> float:
    """Return the share of planted values that are gone."""
    pairs = list(zip(before["text"], after["text"], strict=True))
    held = sum(value in old for old, _ in pairs for value in values)
    left = sum(value in new for old, new in pairs for value in values if value in old)
    return 1 - left / held


def theirs(peer: str, texts: list[str], values: tuple[str, ...]) -> tuple[float, float]:
    """Return the median CPU time and the recall of a peer."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.json"
        path.write_text(json.dumps([texts, peer, values]))
        command = [python_of(peer), "-W", "ignore", "-c", RUNNER, path]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds, share = json.loads(printed.splitlines()[-1])
    return seconds, share


def scores(path: Path) -> dict[str, Counter[str]]:
    """Return entity → numbers of gold spans, of those found exactly, of other spans found, of gold spans cut.

    The set labels private and random addresses as IP too, so they are asked for; its births are plain dates.
    """
    content = path.read_bytes()
    data = json.loads(zstandard.ZstdDecompressor().stream_reader(content).read() if path.suffix == ".zst" else content)
    component, counts = (
        Pii(entities=tuple(GOLD.values()), private_ips=True),
        {name: Counter[str]() for name in GOLD.values()},
    )
    for example in data:
        _score(example, component, counts)
    return counts


def _score(example: dict[str, Any], component: Pii, counts: dict[str, Counter[str]]) -> None:
    gold = {
        (span["start_position"], span["end_position"], GOLD[span["entity_type"]])
        for span in example["spans"]
        if span["entity_type"] in GOLD
    }
    found = {tuple(span) for span in component.find(example["full_text"])}
    for start, end, entity in gold:
        cut = any(one < end and start < other and (one > start or other < end) for one, other, _ in found)
        counts[entity].update(gold=1, exact=(start, end, entity) in found, cut=cut)
    for _, _, entity in found - gold:
        counts[entity]["other"] += 1


def sample(batch: pl.DataFrame, size: int) -> pl.DataFrame:
    """Return the first documents up to a size in bytes of UTF-8."""
    return batch.filter(pl.col("text").str.len_bytes().cum_sum() <= size)


def compare() -> None:
    """Print what this and the peers reach on the same documents."""
    print(f"{'text':24} {'filter':24} {'MB':>6} {'MB/s':>8} {'recall':>7} {'x':>6}")
    for name, frame in both().items():
        documents = planted(frame)
        size, speed = documents["text"].str.len_bytes().sum() / 1e6, {}
        for label, component in COMPONENTS.items():
            speed[label] = size / ours(component, documents)
            print(f"{name:24} {label:24} {size:6.1f} {speed[label]:8.2f}", flush=True)
        for peer, (limit, label, values) in PEERS.items():
            part = sample(documents, limit)
            share = recall(part, COMPONENTS[label].rewrite(part).batch, values)
            seconds, their_share = theirs(peer, part["text"].to_list(), values)
            rate = part["text"].str.len_bytes().sum() / 1e6 / seconds
            print(f"{name:24} {peer:24} {limit / 1e6:6.1f} {rate:8.2f} {their_share:7.3f} {speed[label] / rate:6.1f}")
            print(f"{name:24} {'  ours on that sample':24} {'':6} {'':8} {share:7.3f}", flush=True)


if __name__ == "__main__":
    totals = {entity: Counter[str]() for entity in GOLD.values()}
    for file in sys.argv[1:]:
        for entity, numbers in scores(Path(file)).items():
            totals[entity].update(numbers)
    for entity, numbers in totals.items():
        if numbers["gold"]:
            precision = numbers["exact"] / max(1, numbers["exact"] + numbers["other"])
            print(f"{entity:8} {numbers['exact']}/{numbers['gold']} precision {precision:.3f} cut {numbers['cut']}")
    compare()
