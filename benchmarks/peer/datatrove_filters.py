"""Run in datatrove's environment: judge documents with its filters and time them.

    python datatrove_filters.py DOCUMENTS.jsonl RESULT.json split|LANGUAGE FILTER…

With `split`, words are those of `str.split()` and a sentence is one of `sentences`; else words are those of datatrove's
tokenizer for the language (`eng`: its default; `cmn_Hani`). For each filter the reasons (null: kept) and the CPU seconds of
`RUNS` runs (three); FILTER `chain` is all four, each seeing what the one before it kept, `every` all four on every document.
"""

import json
import os
import re
import sys
import time
from importlib import import_module
from pathlib import Path

from datatrove.data import Document

RUNS = int(os.environ.get("RUNS", "3"))
FILTERS = {
    "gopher-quality": ("gopher_quality_filter", "GopherQualityFilter"),
    "gopher-repetition": ("gopher_repetition_filter", "GopherRepetitionFilter"),
    "c4": ("c4_filters", "C4QualityFilter"),
    "fineweb": ("fineweb_quality_filter", "FineWebQualityFilter"),
}


def sentences(line: str, _language: str = "") -> list[str]:
    """Return the sentences of a line: what `.`, `!` or `?` before a space, or a Chinese full stop, ends."""
    return [part for part in re.split(r"(?<=[.!?])\s+|(?<=[。！？])", line) if part.strip()]  # noqa: RUF001


def split_words() -> None:
    """Make all filters take `str.split()` for words and `sentences` for sentences."""
    for module, _ in FILTERS.values():
        loaded = import_module(f"datatrove.pipeline.filters.{module}")
        for function, own in (("split_into_words", lambda text, _: text.split()), ("split_into_sentences", sentences)):
            if hasattr(loaded, function):
                setattr(loaded, function, own)


def judge(documents: list, names: list[str], language: str) -> list[str | None]:
    """Return the first reason for each document; an error of a filter stands for a reason."""
    chain = []
    for name in names:
        module, cls = FILTERS[name]
        chain.append(getattr(import_module(f"datatrove.pipeline.filters.{module}"), cls)(language=language))
    reasons: list[str | None] = []
    for document in documents:
        reason = None
        for component in chain:
            try:
                verdict = component.filter(document)
            except (ValueError, ZeroDivisionError) as error:
                verdict = (False, type(error).__name__)
            if verdict is not True:
                reason = verdict[1] if isinstance(verdict, tuple) else "no"
                break
        reasons.append(reason)
    return reasons


def documents_of(texts: list[str]) -> list[Document]:
    """Return new documents."""
    return [Document(text=text, id=str(number)) for number, text in enumerate(texts)]


def main() -> None:
    """Write the result."""
    documents, result, words, *names = sys.argv[1:]
    with Path(documents).open(encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    language = words
    if words == "split":
        split_words()
        language = "eng"
    answer = {}
    for name in names:
        passes = [[one] for one in FILTERS] if name == "every" else [list(FILTERS) if name == "chain" else [name]]
        for chain in passes:
            judge(documents_of(texts[:20]), chain, language)
        seconds = []
        for _ in range(RUNS):
            made = [documents_of(texts) for _ in passes]  # C4's filter changes what it keeps
            start = time.process_time()
            for chain, own in zip(passes, made, strict=True):
                reasons = judge(own, chain, language)
            seconds.append(time.process_time() - start)
        answer[name] = {"reasons": reasons, "seconds": seconds}
    Path(result).write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
