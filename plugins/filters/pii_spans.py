"""Spans of personal data: what one is, and how those that overlap become one."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple


class Span(NamedTuple):
    """Characters `start` to `end` of a text that are an `entity`."""

    start: int
    end: int
    entity: str


def without_overlaps(spans: list[Span], priority: dict[str, int]) -> list[Span]:
    """Return the spans in order, overlapping ones as one span over all of them.

    The one span is named after the longest, and after the lowest `priority` among equals. Taking the union leaves no
    piece of the shorter one behind.

    >>> without_overlaps([Span(0, 4, "phone"), Span(2, 9, "card")], {"phone": 1, "card": 0})
    [Span(start=0, end=9, entity='card')]
    """
    ordered = sorted(spans)
    if all(one.end <= other.start for one, other in pairwise(ordered)):
        return ordered
    groups: list[list[Span]] = []
    end = -1
    for span in ordered:
        if span.start >= end:
            groups.append([])
        groups[-1].append(span)
        end = max(end, span.end)
    merged = []
    for group in groups:
        best = min(group, key=lambda span: (span.start - span.end, priority[span.entity]))
        merged.append(Span(group[0].start, max(span.end for span in group), best.entity))
    assert all(one.end <= other.start for one, other in pairwise(merged))
    return merged
