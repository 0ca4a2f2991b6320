"""Cost of `pii` and `unicode`.

    python -m benchmarks.pii [FILE.jsonl | FILE.parquet]       a file with a column `text`

Without a file, English-like and Chinese-like documents are made up, and one in ten is given an e-mail address, an IP
address, a telephone number and a date. Figures are MB of UTF-8 per second of CPU time of this process, best of three.
For scale, on one core (November 2026): datatrove e-mail and IP 9.0 MB/s, presidio without its language model 0.62.
"""

import os
import sys
import time

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import polars as pl
from workbench_plugins.filters.pii import Pii
from workbench_plugins.filters.unicode import Unicode

from benchmarks.filters import samples
from workbench.api import RewriteFilter

EVERY = 10
PLANTED = " jane.doe@example.com 203.0.113.7 +1 415-555-2671 2024-01-15 12:30 手机13812345678 "
COMPONENTS: dict[str, RewriteFilter] = {
    "e-mail and IP": Pii(entities=("email", "ip")),
    "all entities": Pii(),
    "unicode": Unicode(),
}


def planted(batch: pl.DataFrame) -> pl.DataFrame:
    """Return the batch with personal data in the middle of every tenth document."""
    texts = [
        text[: len(text) // 2] + PLANTED + text[len(text) // 2 :] if number % EVERY == 0 else text
        for number, text in enumerate(batch["text"])
    ]
    return batch.with_columns(pl.Series("text", texts))


def seconds(component: RewriteFilter, batch: pl.DataFrame) -> float:
    """Return the least CPU time of three runs."""
    times = []
    for _ in range(3):
        start = time.process_time()
        component.rewrite(batch)
        times.append(time.process_time() - start)
    return min(times)


if __name__ == "__main__":
    print(f"{'text':20} {'filter':14} {'MB/s':>7} {'edits':>8}")
    for name, frame in samples().items():
        documents = frame if len(sys.argv) > 1 else planted(frame)
        size = documents["text"].str.len_bytes().sum() / 1e6
        for label, component in COMPONENTS.items():
            edits = sum(component.rewrite(documents).edits.sum().row(0))
            print(f"{name:20} {label:14} {size / seconds(component, documents):7.1f} {edits:8}")
