"""Random spans of a document: how many tokens they hold, where they lie, and what stands in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from workbench.api import Vocab

Ints = np.ndarray[Any, np.dtype[np.int64]]
Span = tuple[int, int]


def random_spans(
    length: int, share: float, mean: float, rng: np.random.Generator, most: int | None = None
) -> list[Span]:
    """Return spans (start, end) over a document, in order, none at its begin and none touching another.

    As Raffel et al. 2020, section 3.1.4, do it: round(length · share) tokens, at least one and at most all but one,
    fall into round(tokens / mean) spans; both the spans and the stretches between them are cut at random, each of at
    least one token.

    Args:
        length: Tokens of the document; fewer than two give no span.
        share: Of the tokens that fall into spans.
        mean: Tokens of a span.
        rng: Where they lie.
        most: Spans at most; they grow longer instead.
    """
    if length < 2:  # noqa: PLR2004  # nothing would be left
        return []
    inside = min(max(round(length * share), 1), length - 1)
    number = min(max(round(inside / mean), 1), inside, length - inside, most or length)
    sizes, gaps = cut(inside, number, rng), cut(length - inside, number, rng)
    ends = np.cumsum(np.stack([gaps, sizes], axis=1).ravel())
    return [(int(start), int(end)) for start, end in ends.reshape(-1, 2)]


def cut(total: int, number: int, rng: np.random.Generator) -> Ints:
    """Return `number` sizes of at least 1 that add up to `total`, each way of cutting equally likely."""
    places = np.sort(rng.choice(total - 1, number - 1, replace=False)) + 1
    return np.diff(np.concatenate([[0], places, [total]]))


def mark_spans(document: Ints, spans: list[Span], vocab: Vocab, first: int = 0) -> tuple[Ints, Ints]:
    """Return the document with a mark for each span, and the spans, each behind its mark, with one more mark at the end.

    `Thank you <X> me to your party <Y> week.` and `<X> for inviting <Y> last <Z>` (Raffel et al. 2020, figure 2).
    """
    read: list[Ints] = []
    written: list[Ints] = []
    end = 0
    for number, (start, stop) in enumerate(spans):
        mark = np.array([vocab.mark(first + number)], dtype=np.int64)
        read += [document[end:start], mark]
        written += [mark, document[start:stop]]
        end = stop
    read.append(document[end:])
    written.append(np.array([vocab.mark(first + len(spans))], dtype=np.int64))
    return np.concatenate(read), np.concatenate(written)
