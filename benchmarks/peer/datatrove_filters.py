"""Run in datatrove's environment: judge documents with its filters and time them.

    python datatrove_filters.py DOCUMENTS.jsonl RESULT.json split|default FILTER…

With `split`, words are those of `str.split()` and a sentence is one of `sentences`. For each filter the reasons (null:
kept) and the CPU seconds of three runs; FILTER `chain` is all four, each seeing what the one before it kept.
"""

import json
import re
import sys
import time
from importlib import import_module
from pathlib import Path

from datatrove.data import Document

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


def judge(documents: list, names: list[str]) -> list[str | None]:
    """Return the first reason for each document; an error of a filter stands for a reason."""
    chain = []
    for name in names:
        module, cls = FILTERS[name]
        chain.append(getattr(import_module(f"datatrove.pipeline.filters.{module}"), cls)())
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


def main() -> None:
    """Write the result."""
    documents, result, words, *names = sys.argv[1:]
    with Path(documents).open(encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    if words == "split":
        split_words()
    answer = {}
    for name in names:
        chain = list(FILTERS) if name == "chain" else [name]
        judge([Document(text=text, id="0") for text in texts[:20]], chain)
        seconds = []
        for _ in range(3):
            made = [Document(text=text, id=str(number)) for number, text in enumerate(texts)]
            start = time.process_time()
            reasons = judge(made, chain)
            seconds.append(time.process_time() - start)
        answer[name] = {"reasons": reasons, "seconds": seconds}
    Path(result).write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
