"""Cost of the row filters `word-count` and `gopher-quality` in one pass.

    python -m benchmarks.filters [FILE.jsonl | FILE.parquet]       a file with a column `text`

Without a file, English-like and Chinese-like documents are made up from fixed word lists. Figures are MB of UTF-8 per
second of CPU time of this process, all threads counted, best of three; `measure` is what a stored signal saves,
`judge` what trying another threshold costs. For scale, on one core of a 2-core Xeon (November 2026): datatrove 0.10.1,
all four rule sets, 0.24 MB/s; Gopher quality alone as polars expressions 24 MB/s.
"""

import os
import random
import sys
import time
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import polars as pl

from workbench.engine.corpus.signals import measure, members_of
from workbench.engine.corpus.verdicts import judge
from workbench.registry import shared_registry

DOCUMENTS = 2000
ENGLISH = (
    "the of and to in a is that with for as was on be by have it this from at which are not or an were has river history "
    "people government music century language population different important however company university several between"
)
CHINESE = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"


def english(chance: random.Random) -> str:
    """Return one document of 100 to 900 words in sentences and paragraphs."""
    words = chance.choices(ENGLISH.split(), k=chance.randrange(100, 900))
    return " ".join(
        word + (".\n" if number % 40 == 0 else ". " if number % 13 == 0 else "") for number, word in enumerate(words, 1)
    )


def chinese(chance: random.Random) -> str:
    """Return one document of 200 to 1,500 characters in sentences and paragraphs."""
    characters = chance.choices(CHINESE, k=chance.randrange(200, 1500))
    return "".join(
        one + ("。\n" if number % 90 == 0 else "，" if number % 11 == 0 else "")  # noqa: RUF001  # data
        for number, one in enumerate(characters, 1)
    )


def samples() -> dict[str, pl.DataFrame]:
    """Return name → documents."""
    if len(sys.argv) > 1:
        path = Path(sys.argv[1])
        frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_ndjson(path)
        return {path.name: frame.select(pl.int_range(pl.len()).cast(pl.String).alias("id"), "text")}
    chance = random.Random(1)
    return {
        make.__name__: pl.DataFrame(
            {"id": map(str, range(DOCUMENTS)), "text": [make(chance) for _ in range(DOCUMENTS)]}
        )
        for make in (english, chinese)
    }


def main() -> None:
    """Print one line for each sample."""
    registry = shared_registry()
    filters = tuple(registry.load(f"filter/{name}")() for name in ("word-count", "gopher-quality"))
    members = members_of(registry.load("filter/chain")(filters=filters))
    print(f"{'text':<16}{'MB':>8}{'measure MB/s':>16}{'judge MB/s':>14}{'kept':>8}")
    for name, batch in samples().items():
        size = batch["text"].str.len_bytes().sum() / 1e6
        measuring, judging = [], []
        for _ in range(3):
            start = time.process_time()
            signals = measure(members, batch, name).signals
            measuring.append(time.process_time() - start)
            masks = judge(members, signals, name)
            judging.append(time.process_time() - start - measuring[-1])
        kept = pl.select(~pl.any_horizontal(*(mask.holds for mask in masks))).to_series().mean()
        print(f"{name:<16}{size:>8.1f}{size / min(measuring):>16.1f}{size / min(judging):>14.0f}{kept:>8.1%}")


if __name__ == "__main__":
    main()
