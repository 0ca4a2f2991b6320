"""A sweep: one run for each combination of the values to try."""

from __future__ import annotations

import itertools
import json
from typing import Any

from workbench.errors import UsageError
from workbench.pipeline.graph import Graph
from workbench.pipeline.yaml_write import INVISIBLE

MAX_COMBINATIONS = 1000


def expand(graph: Graph) -> list[tuple[str, list[str]]]:
    """Return (label, overrides) for each combination of a graph's sweep; a graph without one gives `[("", [])]`.

    Reading the pipeline again with these overrides gives the graph of that run, which has no sweep left. Steps that
    the swept settings do not reach have the same fingerprints in all of them, so they run once.
    """
    axes = [[(path, _written(value)) for value in values] for path, values in graph.sweep.items()]
    total = 1
    for axis in axes:
        total *= len(axis)
    if total > MAX_COMBINATIONS:
        raise UsageError(
            f"the sweep has {total:,} combinations", where=graph.name, expected=f"at most {MAX_COMBINATIONS:,}"
        )
    combinations = []
    for chosen in itertools.product(*axes):
        overrides = [f"{path}={value}" for path, value in chosen]
        combinations.append((", ".join(overrides), overrides))
    return combinations


def _written(value: Any) -> str:
    r"""Return a value on one line as JSON that YAML reads, too: no pairs of surrogates, no line ends of its own.

    >>> _written(["𠮷\u2028", 3e-4])
    '["𠮷\\u2028", 0.0003]'
    """
    text = json.dumps(value, ensure_ascii=False)
    return INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
