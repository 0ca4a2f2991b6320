"""Lists of words by path, one entry a line, and what of them stands in a text.

An entry is compared without case and width, white space counting as one blank. In scripts with spaces it stands alone:
neither a letter nor a digit before or behind it (`ass` is not in `class`). In scripts without spaces it may stand
anywhere, since nothing says where a word ends: `三级片` is found within a sentence. The lists meant are those of Raffel
et al. 2020 (section 2.2) or of that kind.
"""

from __future__ import annotations

import unicodedata
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from workbench_plugins.filters.named_files import read_entries
from workbench_plugins.filters.text_buffers import text_buffers

from workbench.api import Kernel, StepError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ARRAYS = ("keys", "targets", "fails", "outputs", "entries", "lengths", "edges_spaced", "entry_words")
NAMES = "entries.parquet"
LONGEST = 1000  # characters of an entry; a longer line is no word


def write_automaton(base: Path, names: Iterable[str], folder: Path, shortest: int = 1) -> tuple[int, int]:
    """Write the automaton over the entries of some files into `folder`; return how many entries it has and lacks.

    Entries of fewer than `shortest` characters, all of scripts without spaces, are left out.

    Raises `StepError` for a line that is too long or has nothing that can be looked for, and for lists without entries.
    """
    from workbench_plugins.filters.word_lists_kernel import UNSPACED

    names, left_out = list(names), 0
    texts: dict[tuple[int, ...], str] = {}
    kinds: list[np.ndarray] = []
    for entry in read_entries(base, names):
        points, own_kinds = folded_entry(entry.text)
        if not points or len(points) > LONGEST:
            raise StepError(
                "the entry has nothing to look for" if not points else f"the entry has {len(points)} characters",
                where=f"{names[entry.file]}, line {entry.line}",
                expected=f"one word or phrase a line, of {LONGEST} characters at most",
            )
        if len(points) < shortest and (own_kinds == UNSPACED).all():
            left_out += 1
        elif points not in texts:
            texts[points] = entry.text
            kinds.append(own_kinds)
    if not texts:
        raise StepError("there is no entry in the word lists", where=", ".join(names), expected="one word a line")
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in zip(ARRAYS, built(list(texts), kinds), strict=True):
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    pl.DataFrame({"entry": list(texts.values())}).write_parquet(folder / NAMES)
    return len(texts), left_out


def folded_entry(text: str) -> tuple[tuple[int, ...], np.ndarray]:
    """Return the folded characters of an entry, and what each is (see `word_lists_kernel.folded`)."""
    from workbench_plugins.filters.minhash_kernel import CLASSES
    from workbench_plugins.filters.word_lists_kernel import fold

    text = unicodedata.normalize("NFC", text)
    points, kinds = np.empty(len(text), dtype=np.int64), np.empty(len(text), dtype=np.int8)
    number = fold(np.frombuffer(text.encode(), dtype=np.uint8), CLASSES, points, kinds)
    return tuple(points[:number].tolist()), kinds[:number]


def built(entries: list[tuple[int, ...]], kinds: list[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Return the arrays of the automaton, in the order of `ARRAYS`, as `word_lists_kernel.find_entries` takes them."""
    from workbench_plugins.filters.word_lists_kernel import NONE, SPACED, UNSPACED, lay_out

    children: list[dict[int, int]] = [{}]
    ends = [NONE]
    for number, points in enumerate(entries):
        state = 0
        for point in points:
            following = children[state].setdefault(point, len(children))
            if following == len(children):
                children.append({})
                ends.append(NONE)
            state = following
        ends[state] = number
    fails, outputs = linked(children, ends)
    edges = [(state, point, target) for state, own in enumerate(children) for point, target in own.items()]
    size = 1 << (2 * len(edges)).bit_length()
    keys, targets = np.full(size, NONE, dtype=np.int64), np.zeros(size, dtype=np.int32)
    lay_out(np.array(edges, dtype=np.int64), keys, targets)
    spaced = np.array([[own[0] == SPACED, own[-1] == SPACED] for own in kinds], dtype=np.bool_)
    words = [
        int((own == UNSPACED).sum() + ((own == SPACED) & (np.append(0, own[:-1]) != SPACED)).sum()) for own in kinds
    ]
    numbers = [np.array(column, dtype=np.int32) for column in (fails, outputs, ends, [len(one) for one in entries])]
    return keys, targets, *numbers, spaced, np.array(words, dtype=np.uint32)


def linked(children: list[dict[int, int]], ends: list[int]) -> tuple[list[int], list[int]]:
    """Return for each state its failure link, and the nearest state along them (itself first) where an entry ends."""
    fails, outputs = [0] * len(children), [0] * len(children)
    waiting = deque([0])
    while waiting:
        state = waiting.popleft()
        outputs[state] = state if ends[state] >= 0 else outputs[fails[state]]
        for point, target in children[state].items():
            back = fails[state]
            while back and point not in children[back]:
                back = fails[back]
            fails[target] = children[back].get(point, 0) if state else 0
            waiting.append(target)
    return fails, outputs


@dataclass(frozen=True)
class ListedWords(Kernel):
    """What a text has of the lists: `listed_words`, `listed_share` and `listed_first`; all null without lists.

    `listed_words` counts the places where an entry stands, `listed_share` is the share of the text's words in them (a
    character of a script without spaces is a word), `listed_first` is the first entry found, as its list has it.

    Attributes:
        folder: Where `write_automaton` wrote; None when there are no lists.
    """

    folder: Path | None

    def compute(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return the three columns for every document."""
        if self.folder is None:
            nothing = {"listed_words": pl.UInt32, "listed_share": pl.Float64, "listed_first": pl.String}
            return pl.DataFrame(
                {name: pl.repeat(None, batch.height, dtype=kind, eager=True) for name, kind in nothing.items()}
            )
        from workbench_plugins.filters.minhash_kernel import CLASSES
        from workbench_plugins.filters.word_lists_kernel import find_entries

        arrays, entries = kept_automaton(self.folder)
        offsets, content = text_buffers(batch["text"])
        found, covered, words = (np.zeros(batch.height, dtype=np.uint32) for _ in range(3))
        first = np.empty(batch.height, dtype=np.int64)
        find_entries(*[offsets, content, CLASSES, *arrays, found, covered, words, first])
        return pl.DataFrame(
            {
                "listed_words": found,
                "listed_share": np.minimum(1.0, covered / np.maximum(1, words)),
                "listed_first": entries.gather(pl.Series(first).replace(-1, None)),
            }
        )


@lru_cache(maxsize=8)
def kept_automaton(folder: Path) -> tuple[list[np.ndarray], pl.Series]:
    """Return the arrays and the entries of an automaton, read once for each process."""
    arrays = [np.load(folder / f"{name}.npy", allow_pickle=False) for name in ARRAYS]
    return arrays, pl.read_parquet(folder / NAMES)["entry"]
