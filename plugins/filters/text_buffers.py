"""The text of a batch as Arrow holds it: one run of bytes and the places where each document starts.

Compiled kernels and digests read these buffers as they lie, so no Python string is made for any document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl


def text_buffers(texts: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    r"""Return `offsets` (int64, one more than there are documents) and `content` (uint8): UTF-8, nulls as empty text.

    >>> import polars as pl
    >>> offsets, content = text_buffers(pl.Series(["ab", None, "é"]))
    >>> offsets.tolist(), bytes(content)
    ([0, 2, 2, 4], b'ab\xc3\xa9')
    """
    array = texts.fill_null("").rechunk().to_arrow()
    _, offset_buffer, content_buffer = array.buffers()
    if len(array) == 0 or content_buffer is None:
        return np.zeros(len(array) + 1, dtype=np.int64), np.zeros(0, dtype=np.uint8)
    offsets = np.frombuffer(offset_buffer, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    return offsets, np.frombuffer(content_buffer, dtype=np.uint8)
