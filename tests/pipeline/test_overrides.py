"""Overrides and sweeps go through the same checks as the file."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from workbench.errors import UsageError
from workbench.pipeline.graph import Graph
from workbench.pipeline.sweep import expand

Read = Callable[..., Graph]
Mistakes = Callable[..., list[str]]
STEPS = """\
  raw: {use: source/words, with: {paths: [a]}}   # a comment
  chain: {use: filter/several, inputs: raw, with: {filters: [{use: filter/length}, {use: filter/length}]}}
"""
SWEEP = "sweep: {raw.with.max_bad: [1, 2], chain.with.filters.0.with: [{min_words: 3}]}\n"


def test_a_value_is_set_where_the_path_leads(read: Read) -> None:
    """Settings, settings of items of a list, and the seed; values are read as in the file."""
    graph = read(
        STEPS,
        "raw.with.max_bad=1_0",
        "raw.with.paths=[x, no]",
        "steps.chain.with.filters.1.with.unit=character",
        "seed=7",
    )
    raw, chain = graph.steps["raw"].component, graph.steps["chain"].component
    assert (raw.max_bad, raw.paths, graph.seed) == (10, ("x", "no"), 7)  # type: ignore[attr-defined]
    assert [inner.unit for inner in chain.filters] == ["word", "character"]  # type: ignore[attr-defined]


def test_the_source_is_the_text_as_run(read: Read) -> None:
    """Untouched without overrides; with them, the text that gives the same graph without any."""
    assert "# a comment" in read(STEPS).source
    changed = read(STEPS, "raw.with.max_bad=3").source
    body = changed.partition("steps:\n")[2]
    assert read(body).steps["raw"].component == read(STEPS, "raw.with.max_bad=3").steps["raw"].component


WRONG = {
    "raw.with.max_bad": "1:1: an override is written path=value, such as base.with.optimizer.lr=1e-3",
    "rwa.with.max_bad=1": "1:1: unknown step 'rwa'; did you mean 'raw'?",
    "sede=1": "1:1: unknown step 'sede'; did you mean 'seed'?",
    "raw.with.max_bd=1": "1:1: unknown option 'max_bd' of source/words; did you mean 'max_bad'?",
    "raw.wiht.max_bad=1": "1:1: unknown key 'wiht' of step 'raw'; did you mean 'with'?",
    "raw.with.max_bad=-1": "1:18: max_bad must be at least 0, got -1",
    "raw.with.paths=[a, 3]": "1:20: paths.1 must be a text, got 3",
    "raw.with.max_bad.x=1": "1:1: nothing can be set below a single value: 'x'",
    "raw.with" + ".a" * 999 + "=1": "1:1: a path of 1001 parts; a file is nested 100 levels at most",
    "raw..max_bad=1": "1:1: the path 'raw..max_bad' has an empty part",
    "chain.with.filters.2.with.min_words=1": "1:1: expected the number of an item, 0 to 1, got '2'",
    "chain.with.filters.first=1": "1:1: expected the number of an item, 0 to 1, got 'first'",
    "seed=x": "1:6: seed must be a whole number from 0, got 'x'",
}


@pytest.mark.parametrize("override", WRONG)
def test_a_wrong_override_is_shown_where_it_was_made(override: str, read: Read, mistakes: Mistakes) -> None:
    """The place is the override itself."""
    steps = STEPS.replace("paths: [a]", "paths: [a], max_bad: 5")
    read(steps)
    assert mistakes(steps, override) == [f"-s {override}:{WRONG[override]}"]


def test_a_value_that_is_no_yaml_is_refused(mistakes: Mistakes) -> None:
    """In one line."""
    (found,) = mistakes(STEPS, "raw.with.paths=[a")
    assert found.startswith("-s raw.with.paths=[a:1:")
    assert "not YAML" in found


def test_a_sweep_is_every_combination(read: Read) -> None:
    """In the order of the file, each with a label and the overrides that give it."""
    graph = read(STEPS, tail=SWEEP)
    assert graph.sweep == {"raw.with.max_bad": [1, 2], "chain.with.filters.0.with": [{"min_words": 3}]}
    labels = [label for label, _ in expand(graph)]
    filters = 'chain.with.filters.0.with={"min_words": 3}'
    assert labels == [f"raw.with.max_bad=1, {filters}", f"raw.with.max_bad=2, {filters}"]
    graphs = [read(STEPS, *overrides, tail=SWEEP) for _, overrides in expand(graph)]
    assert [found.steps["raw"].component.max_bad for found in graphs] == [1, 2]  # type: ignore[attr-defined]
    assert [found.sweep for found in graphs] == [{}, {}]


def test_a_sweep_over_any_text(read: Read) -> None:
    """Han beyond the first plane, an emoji, a line separator: each is read back as it was."""
    tail = 'sweep: {raw.with.paths: [[语料/𠮷.txt], ["\\U0001F600\\u2028\\x85\\\\"]]}\n'
    overrides = [chosen for _, chosen in expand(read(STEPS, tail=tail))]
    assert overrides[0] == ['raw.with.paths=["语料/𠮷.txt"]']
    found = [read(STEPS, *chosen, tail=tail).steps["raw"].component.paths for chosen in overrides]  # type: ignore[attr-defined]
    assert [list(paths) for paths in found] == [["语料/𠮷.txt"], ["\U0001f600\u2028\x85\\"]]


def test_an_override_fixes_what_a_sweep_varies(read: Read) -> None:
    """The setting given by hand is not varied any more."""
    assert list(read(STEPS, "raw.with.max_bad=9", tail=SWEEP).sweep) == ["chain.with.filters.0.with"]


def test_a_pipeline_without_a_sweep_is_one_run(read: Read) -> None:
    """With no label and no overrides."""
    assert expand(read(STEPS)) == [("", [])]


def test_a_sweep_has_a_bound(read: Read) -> None:
    """More than a thousand combinations are a mistake."""
    many = f"sweep: {{raw.with.max_bad: {list(range(40))}, raw.with.limit: {list(range(40))}}}\n"
    with pytest.raises(UsageError, match="the sweep has 1,600 combinations"):
        expand(read(STEPS, tail=many))


def test_a_step_may_be_named_like_a_top_level_key(read: Read) -> None:
    """`steps.` says that the step is meant."""
    graph = read("  seed: {use: source/words, with: {paths: [a]}}\n", "steps.seed.with.max_bad=3", "seed=5")
    assert (graph.seed, graph.steps["seed"].component.max_bad) == (5, 3)  # type: ignore[attr-defined]


def test_what_an_override_replaces_is_shown_at_the_override(mistakes: Mistakes) -> None:
    """Also when the file holds the same wrong key."""
    steps = STEPS.replace("paths: [a]", "paths: [a], max_bd: 5")
    (found,) = mistakes(steps, "raw.with.max_bd=1")
    assert found.startswith("-s raw.with.max_bd=1:1:1: unknown option 'max_bd'")
