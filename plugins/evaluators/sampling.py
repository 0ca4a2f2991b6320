"""A seeded sample of a corpus, and the first words of a text in any script."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

import polars as pl

from workbench.api import StepError, safe_text

if TYPE_CHECKING:
    import numpy as np

    from workbench.api import Corpus

# A word is a run of letters and digits; in scripts without spaces, a single character (Han, kana).
UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
WORD = rf"[{UNSPACED}]|[^\W{UNSPACED}]+"


def sample_documents(corpus: Corpus, number: int, rng: np.random.Generator, columns: list[str]) -> pl.DataFrame:
    """Return at most `number` documents drawn without repetition, in the order of the corpus.

    Raises `StepError` when the corpus is empty or lacks one of the columns.
    """
    total = corpus.num_rows
    if not total:
        raise StepError("there is no document to evaluate on", where=corpus.step)
    missing = [name for name in columns if name not in corpus.columns]
    if missing:
        raise StepError(
            f"the corpus has no column {', '.join(missing)}",
            where=corpus.step,
            expected=f"some of: {', '.join(corpus.columns)}",
        )
    chosen = rng.choice(total, size=number, replace=False) if number < total else range(total)
    wanted = pl.Series(sorted(chosen), dtype=pl.UInt32)
    frames, offset = [], 0
    for batch in corpus.batches(columns):
        rows = wanted.filter((wanted >= offset) & (wanted < offset + len(batch))) - offset
        frames.append(batch[rows])
        offset += len(batch)
    return pl.concat(frames)


def beginning(text: str, characters: int = 160) -> str:
    r"""Return the beginning of a text on one line, safe to be shown.

    >>> beginning("one\n\n  two", 5)
    'one …'
    """
    return safe_text(" ".join(text[: 4 * characters].split()), characters)


def first_words(text: str, number: int) -> str:
    """Return the beginning of `text` up to its `number`-th word.

    >>> first_words("One two, three four", 3)
    'One two, three'
    >>> first_words("今天 天气很好", 3)
    '今天 天'
    """
    words = list(islice(re.finditer(WORD, text), number))
    return text[: words[-1].end()] if words else ""
