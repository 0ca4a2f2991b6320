"""Accuracy and cost of the language identifier beside another.

    WORKBENCH_BENCH_DATA=FOLDER python -m benchmarks.language

FOLDER holds a tar of texts of one language each, `…/sentences/xx.txt` and `…/single-words/xx.txt`, one item a line
(the test data of lingua). Without it nothing is measured. CPU time of one process; lingua knows the same languages only.
"""

import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import polars as pl
from workbench_plugins.filters.language import LanguageModel

from benchmarks.corpora import tar_members


def samples(folder: Path) -> dict[str, dict[str, list[str]]]:
    """Return kind → language → items."""
    found: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for name, content in tar_members(folder, "langid"):
        path = Path(name)
        if path.suffix == ".txt":
            found[path.parent.name][path.stem] = [line for line in content.decode().splitlines() if line.strip()]
    return found


def ours(texts: list[str]) -> list[str]:
    """Return the languages as the filter measures them."""
    return LanguageModel().compute(pl.DataFrame({"text": texts}))["language"].to_list()


def lingua(languages: set[str]) -> Callable[[list[str]], list[str]] | None:
    """Return the same by lingua, which may only answer with the languages of the test; None when not installed."""
    try:
        from lingua import IsoCode639_1, LanguageDetectorBuilder
    except ImportError:
        return None
    codes = [getattr(IsoCode639_1, code.upper()) for code in languages if hasattr(IsoCode639_1, code.upper())]
    detector = LanguageDetectorBuilder.from_iso_codes_639_1(*codes).build()

    def detect(texts: list[str]) -> list[str]:
        found = [detector.detect_language_of(text) for text in texts]
        return [one.iso_code_639_1.name.lower() if one else "und" for one in found]

    return detect


def main() -> None:
    """Print one line for each kind of item and identifier, and the languages that do worst."""
    folder = os.environ.get("WORKBENCH_BENCH_DATA")
    if not folder:
        sys.exit(print("set WORKBENCH_BENCH_DATA to a folder with test data"))
    print(f"{'items':14} {'identifier':12} {'languages':>9} {'accuracy':>9} {'zh':>6} {'MB/s':>7}  worst")
    for kind, by_language in samples(Path(folder)).items():
        texts = [text for items in by_language.values() for text in items]
        truth = [language for language, items in by_language.items() for _ in items]
        for name, identify in {"py3langid": ours, "lingua": lingua(set(by_language))}.items():
            if identify is None:
                continue
            identify(texts[:10])
            start = time.process_time()
            found = identify(texts)
            seconds = time.process_time() - start
            frame = pl.DataFrame({"truth": truth, "right": [a == b for a, b in zip(truth, found, strict=True)]})
            each = frame.group_by("truth").agg(pl.col("right").mean()).sort("right", "truth")
            worst = ", ".join(f"{language} {share:.2f}" for language, share in each.head(4).iter_rows())
            chinese = each.filter(pl.col("truth") == "zh")["right"].sum()
            speed = sum(len(text.encode()) for text in texts) / 1e6 / seconds
            accuracy = frame["right"].mean()
            print(f"{kind:14} {name:12} {len(each):>9} {accuracy:>9.3f} {chinese:>6.3f} {speed:>7.2f}  {worst}")


if __name__ == "__main__":
    main()
