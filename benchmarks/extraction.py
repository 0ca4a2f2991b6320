"""Main text out of HTML, and prose out of wikitext: how right and how fast, beside the libraries used bare.

    WORKBENCH_BENCH_DATA=FOLDER python -m benchmarks.extraction

Below FOLDER are looked for: `html-article-extraction/` (`ground-truth.json` and `html/ID.html.gz`, from the article
extraction benchmark) and MediaWiki dumps (`*.xml*.bz2`). Scores are those of that benchmark's evaluator: shingles of 4
tokens, precision and recall averaged over pages, F1 of the two averages; and the same with single tokens. Resiliparse
is no dependency: it is measured in an environment of its own.
"""

from __future__ import annotations

import bz2
import gzip
import html
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import polars as pl
from workbench_plugins.filters.html_text import HtmlText
from workbench_plugins.sources.charsets import decode_web
from workbench_plugins.sources.wikitext import strip_wikitext

from benchmarks.peers import python_of

TOKEN = re.compile(r"\w+")
RUNS = 3
PEER = """
import json, sys, time
pages = json.load(open(sys.argv[1]))
if sys.argv[2] == "wikitext":
    import mwparserfromhell
    work = lambda page: mwparserfromhell.parse(page).strip_code()
else:
    from resiliparse.extract.html2text import extract_plain_text
    options = json.loads(sys.argv[2])
    work = lambda page: extract_plain_text(page, **options)
start = time.process_time()
texts = {name: work(page) or "" for name, page in pages.items()}
json.dump({"seconds": time.process_time() - start, "texts": texts}, sys.stdout)
"""
Texts = dict[str, str]


def timed(work: Callable[[Texts], Texts], pages: Texts) -> tuple[Texts, float]:
    """Return the texts, and the median CPU time of three runs."""
    seconds = []
    for _ in range(RUNS):
        start = time.process_time()
        texts = work(pages)
        seconds.append(time.process_time() - start)
    return texts, statistics.median(seconds)


def by_peer(task: str) -> Callable[[Texts], tuple[Texts, float]]:
    """Return what runs a task in the environment of the peers, measured there."""

    def run(pages: Texts) -> tuple[Texts, float]:
        with tempfile.TemporaryDirectory() as folder:
            given = Path(folder, "pages.json")
            given.write_text(json.dumps(pages))
            command = [python_of("extraction"), "-c", PEER, str(given), task]
            answers = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(RUNS)]
        return answers[0]["texts"], statistics.median(answer["seconds"] for answer in answers)

    return run


def filtered(component: HtmlText) -> Callable[[Texts], Texts]:
    """Return what runs the filter as a chain does, a frame at a time."""

    def run(pages: Texts) -> Texts:
        found = component.rewrite(pl.DataFrame({"id": list(pages), "text": list(pages.values())})).batch
        return dict(zip(found["id"], found["text"], strict=True))

    return run


def bare_trafilatura(pages: Texts) -> Texts:
    """Return what the library gives with its own defaults."""
    from trafilatura import extract

    return {name: extract(page) or "" for name, page in pages.items()}


def scores(truth: Texts, found: Texts, size: int) -> tuple[float, float, float]:
    """Return F1, precision and recall over shingles of `size` tokens."""
    precisions, recalls = [], []
    for name, expected in truth.items():
        wanted, given = shingles(expected, size), shingles(found[name], size)
        both = (wanted & given).total()
        if given:
            precisions.append(both / given.total())
        if wanted:
            recalls.append(both / wanted.total())
    precision, recall = statistics.mean(precisions), statistics.mean(recalls)
    return 2 * precision * recall / (precision + recall), precision, recall


def shingles(text: str, size: int) -> Counter[tuple[str, ...]]:
    """Return how often each run of `size` tokens stands in the text; a shorter text is one shingle."""
    tokens = TOKEN.findall(text)
    return Counter(tuple(tokens[start : start + size]) for start in range(max(1, len(tokens) - size + 1)) if tokens)


def compare_pages(folder: Path) -> None:
    """Print the table for HTML."""
    gold = json.loads((folder / "ground-truth.json").read_text())
    files = {name: folder / "html" / f"{name}.html.gz" for name in sorted(gold)}
    content = {name: gzip.decompress(path.read_bytes()) for name, path in files.items() if path.exists()}
    pages = {name: decode_web(page).text for name, page in content.items()}
    truth = {name: gold[name].get("articleBody", "") for name in pages}
    megabytes = sum(map(len, content.values())) / 1e6
    print(f"{len(pages)} of {len(gold)} pages, {megabytes:.1f} MB")
    print(f"{'':38} {'F1 of 4-shingles':>17} {'P':>6} {'R':>6} {'F1 of tokens':>13} {'pages/s':>8} {'MB/s':>7}")
    rows: dict[str, Callable[[Texts], tuple[Texts, float]]] = {
        "html-text": lambda given: timed(filtered(HtmlText()), given),
        "html-text, favor precision": lambda given: timed(filtered(HtmlText(favor="precision")), given),
        "html-text, fallback": lambda given: timed(filtered(HtmlText(fallback=True)), given),
        "trafilatura bare": lambda given: timed(bare_trafilatura, given),
        "resiliparse, main content": by_peer('{"main_content": true}'),
        "resiliparse, no bullets, no alt texts": by_peer(
            '{"main_content": true, "list_bullets": false, "alt_texts": false}'
        ),
        "resiliparse, all text": by_peer("{}"),
    }
    for label, work in rows.items():
        found, seconds = work(pages)
        four, precision, recall = scores(truth, found, 4)
        one = scores(truth, found, 1)[0]
        print(
            f"{label:38} {four:17.3f} {precision:6.3f} {recall:6.3f} {one:13.3f}"
            f" {len(pages) / seconds:8.1f} {megabytes / seconds:7.2f}"
        )


def compare_wikitext(dump: Path) -> None:
    """Print the table for wikitext; agreement is by tokens, with the library's text as the truth."""
    content = bz2.decompress(dump.read_bytes())
    found = re.findall(rb"<text[^>]*>(.*?)</text>", content, re.DOTALL)
    pages = {str(number): html.unescape(text.decode()) for number, text in enumerate(found)}
    characters = sum(map(len, pages.values())) / 1e6
    ours, our_seconds = timed(lambda given: {name: strip_wikitext(page) for name, page in given.items()}, pages)
    theirs, their_seconds = by_peer("wikitext")(pages)
    print(f"\n{len(pages)} wiki pages, {characters:.1f} million characters")
    for label, seconds in (("wikipedia-dump", our_seconds), ("mwparserfromhell strip_code", their_seconds)):
        print(f"{label:38} {len(pages) / seconds:8.1f} pages/s {characters / seconds:7.2f} million characters/s")
    f1, precision, recall = scores(theirs, ours, 1)
    print(f"{'tokens that both give':38} F1 {f1:.3f}, of ours {precision:.3f}, of theirs {recall:.3f}")


if __name__ == "__main__":
    data = Path(os.environ.get("WORKBENCH_BENCH_DATA", "."))
    gold_files = sorted(data.rglob("html-article-extraction/ground-truth.json"))
    dumps = sorted(data.rglob("*wiki*.bz2"), key=lambda path: -path.stat().st_size)
    if not gold_files and not dumps:
        sys.exit(f"nothing to measure below {data}; set WORKBENCH_BENCH_DATA")
    if gold_files:
        compare_pages(gold_files[0].parent)
    if dumps:
        compare_wikitext(dumps[0])
