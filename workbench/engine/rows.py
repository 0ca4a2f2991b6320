"""A digest over the rows of a corpus that does not depend on how the Parquet files were written.

Two runs with different releases of a Parquet library give other bytes but the same rows; this is how that is told
from a real difference.
"""

from __future__ import annotations

import hashlib
import json

from workbench.artifacts import Corpus
from workbench.artifacts.corpus import read_shard


def rows_digest(corpus: Corpus) -> str:
    """Return SHA-256 over part, columns and values of every kept document, in order; shard borders do not count."""
    digest = hashlib.sha256()
    for shard in corpus.shards:
        head = json.dumps(shard.part).encode()
        for row in read_shard(shard.path).iter_rows(named=True):
            line = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
            digest.update(head + line.encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()
