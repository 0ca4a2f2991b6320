"""Run in datatrove's environment: judge documents with its filters and time them.

    python datatrove_filters.py DOCUMENTS.jsonl RESULT.json split|default FILTER…

With `split`, words are those of `str.split()` and a sentence is one of `sentences`. For each filter the reasons (null:
kept) and the CPU seconds of three runs.
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


def judge(judged: list, component: object) -> list[str | None]:
    """Return the reason for each document; an error of the filter stands for a reason."""
    reasons = []
    for document in judged:
        try:
            verdict = component.filter(document)
        except (ValueError, ZeroDivisionError) as error:
            verdict = (False, type(error).__name__)
        reasons.append(None if verdict is True else verdict[1] if isinstance(verdict, tuple) else "no")
    return reasons


def main() -> None:
    """Write the result."""
    documents, result, words, *names = sys.argv[1:]
    with Path(documents).open(encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    answer = {}
    for name in names:
        module, cls = FILTERS[name]
        module = import_module(f"datatrove.pipeline.filters.{module}")
        if words == "split":
            for function, own in (
                ("split_into_words", lambda text, _: text.split()),
                ("split_into_sentences", sentences),
            ):
                if hasattr(module, function):
                    setattr(module, function, own)
        component = getattr(module, cls)()
        judge([Document(text=text, id="0") for text in texts[:20]], component)
        seconds = []
        for _ in range(3):
            made = [Document(text=text, id=str(number)) for number, text in enumerate(texts)]
            start = time.process_time()
            reasons = judge(made, component)
            seconds.append(time.process_time() - start)
        answer[name] = {"reasons": reasons, "seconds": seconds}
    Path(result).write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
