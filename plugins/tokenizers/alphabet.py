"""Which characters a vocabulary knows, settled before it is learned.

The trainers of `tokenizers` leave to hash order which of the equally rare characters belong. Here the most frequent
ones do, ties by code point, which takes a first pass over the texts; they wait for the second in a file of the scratch
folder.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from workbench_plugins.tokenizers.spaces import SPACE


def copied(texts: Iterable[str], copy: Path) -> Iterator[str]:
    """Pass the texts on and write them into `copy`, for a second reading."""
    with copy.open("w", encoding="utf-8") as file:
        for text in texts:
            file.write(json.dumps(text) + "\n")
            yield text


def read_again(copy: Path) -> Iterator[str]:
    """Yield the texts that `copied` wrote."""
    with copy.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def count_characters(texts: Iterable[str]) -> Counter[str]:
    """Return how often each character stands in the texts; `▁` counts as the space it is read as."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    counts[" "] += counts.pop(SPACE, 0)
    return counts


def frequent(counts: Counter[str], most: int, coverage: float = 1.0) -> list[str]:
    """Return the most frequent characters, sorted by code point; the space is always among them.

    Args:
        counts: Character → how often.
        most: How many at most.
        coverage: The share of all characters that they have to make up; rarer ones are left out.

    >>> frequent(Counter("aaaabbbcd"), 4), frequent(Counter("aaaabbbcd"), 9, 0.7)
    ([' ', 'a', 'b', 'c'], [' ', 'a', 'b'])
    """
    known: list[str] = []
    left = counts.total() * coverage
    for letter in sorted({*counts, " "}, key=lambda letter: (letter != " ", -counts[letter], letter)):
        if known and (len(known) == most or left <= 0):
            break
        known.append(letter)
        left -= counts[letter]
    return sorted(known)


def known_parts(texts: Iterable[str], counts: Counter[str], known: Iterable[str]) -> Iterator[str]:
    """Yield what stands between unknown characters, so that nothing is learned across them.

    >>> list(known_parts(["ab?c", "??"], Counter("ab?c??"), "abc"))
    ['ab', 'c']
    """
    unknown = sorted(set(counts).difference(known))
    if not unknown:
        yield from texts
        return
    table = dict.fromkeys(map(ord, unknown), unknown[0])
    for text in texts:
        yield from filter(None, text.translate(table).split(unknown[0]))
