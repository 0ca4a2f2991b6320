"""The compiled count of words, by the definition in `words`."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
from workbench_plugins.filters.minhash_kernel import compiled
from workbench_plugins.filters.repetition_kernel import MARK, SEPARATING, SPACE, UNSPACED, decode
from workbench_plugins.filters.text_statistics import character_classes

LETTER = 32  # a further bit of a class
WORDS, LETTERED, ALONE, SPACED_CHARACTERS = 0, 1, 2, 3
NUM_COUNTS = 4


@compiled
def count_words(offsets: np.ndarray, content: np.ndarray, classes: np.ndarray, counts: np.ndarray) -> None:
    """Fill int64 counts (documents, 4): words; those with a letter; those of one character; characters in the others."""
    for document in range(len(offsets) - 1):
        place, end = offsets[document], offsets[document + 1]
        words = lettered = alone = characters = 0
        while place < end:
            point, size = decode(content, place)
            kind = classes[point]
            place += size
            if kind & SPACE:
                continue
            if kind & UNSPACED:
                words, lettered, alone = words + 1, lettered + 1, alone + 1
                while place < end:
                    point, size = decode(content, place)
                    kind = classes[point]
                    if not kind & MARK:
                        break
                    characters += not kind & (UNSPACED | SEPARATING)
                    place += size
                continue
            is_word, has_letter = not kind & SEPARATING, kind & LETTER != 0
            characters += not kind & SEPARATING
            while place < end:
                point, size = decode(content, place)
                kind = classes[point]
                if kind & (SPACE | UNSPACED):
                    break
                is_word = is_word or not kind & SEPARATING
                has_letter = has_letter or kind & LETTER != 0
                characters += not kind & SEPARATING
                place += size
            words += is_word
            lettered += has_letter
        counts[document, WORDS], counts[document, LETTERED] = words, lettered
        counts[document, ALONE], counts[document, SPACED_CHARACTERS] = alone, characters


@cache
def word_classes() -> np.ndarray:
    """Return uint8[1114112]: the classes of characters with the bit for letters."""
    points = [*range(0xD800), *range(0xE000, 0x110000)]
    letters = pl.Series([chr(point) for point in points]).str.contains(r"\p{L}").to_numpy()
    classes = character_classes().copy()
    classes[points] |= np.where(letters, LETTER, 0).astype(np.uint8)
    return classes
