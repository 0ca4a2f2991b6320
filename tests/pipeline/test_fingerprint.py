"""A fingerprint holds what the result depends on, and nothing else; a plan says what changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.contracts.component import settings_of
from workbench.errors import EnvironmentProblem
from workbench.pipeline import fingerprint as module
from workbench.pipeline.fingerprint import Identity, canonical_json, identify
from workbench.pipeline.graph import Graph
from workbench.pipeline.lock import lock_differences, make_lock
from workbench.pipeline.plan import make_plan
from workbench.pipeline.settings import component_from_json
from workbench.registry import Registry

Read = Callable[..., Graph]
STEPS = """\
  raw: {use: source/words, with: {paths: [a], max_bad: 7}}
  clean: {use: filter/several, inputs: raw, with: {filters: [{use: filter/length, with: {min_words: 50}}]}}
  split: {use: corpus/halves, inputs: clean}
  bpe: {use: tokenizer/plain, inputs: split.train}
  ids: {use: tokens/rows, inputs: {corpus: split, tokenizer: bpe}}
  base: {use: train/learn, inputs: ids, with: {architecture: {use: architecture/decoder}, optimizer: {lr: 1}}}
"""


@pytest.fixture(autouse=True)
def _no_runners(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the engine's own modules: what they say is not what is tested here."""
    monkeypatch.setattr(module, "RUNNERS", {})


def names(graph: Graph, digests: str = "0") -> dict[str, Identity]:
    return identify(graph, lambda path: f"{path.name}{digests}")


def changed(one: Graph, other: Graph) -> list[str]:
    before, after = names(one), names(other)
    return [name for name in before if name in after and before[name].fingerprint != after[name].fingerprint]


ALL = ["raw", "clean", "split", "bpe", "ids", "base"]
SAME = {
    "the pipeline's name": ("name: t", "name: other"),
    "run options": ("use: tokenizer/plain,", "use: tokenizer/plain, run: {workers: 3, device: cpu},"),
    "a default written out": ("use: tokenizer/plain,", "use: tokenizer/plain, with: {vocab_size: 16_000},"),
    "1 and 1.0": ("lr: 1", "lr: 1.0"),
    "1 and 1e0": ("lr: 1", "lr: 1e0"),
    "a runtime setting": ("min_words: 50", "min_words: 50, batch: 1"),
    "the long form of inputs": ("inputs: ids", "inputs: {tokens: ids}"),
    "quotes": ("inputs: clean", "inputs: 'clean'"),
}
OTHER = {
    "a setting": ("max_bad: 7", "max_bad: 8", ALL),
    "a threshold": ("min_words: 50", "min_words: 30", ALL[1:]),
    "the seed": ("seed: 1", "seed: 2", ALL[2:]),
    "a part": ("split.train", "split.valid", ["bpe", "ids", "base"]),
    "a group's setting": ("lr: 1", "lr: 2", ["base"]),
    "a nested component": ("{use: architecture/decoder}", "{use: architecture/decoder, with: {layers: 2}}", ["base"]),
    "an input": ("inputs: clean", "inputs: raw", ALL[2:]),
}


@pytest.mark.parametrize("change", SAME)
def test_what_does_not_matter_is_not_in_the_key(change: str, read: Read) -> None:
    """Names, run options, spelling."""
    old, new = SAME[change]
    head = "workbench: 1\nname: t\nseed: 1\n"
    assert old in head + STEPS
    assert changed(read(STEPS), read(STEPS.replace(old, new), head=head.replace(old, new))) == []


@pytest.mark.parametrize("change", OTHER)
def test_what_matters_changes_the_step_and_those_after_it(change: str, read: Read) -> None:
    """And no other."""
    old, new, steps = OTHER[change]
    head = "workbench: 1\nname: t\nseed: 1\n"
    assert changed(read(STEPS), read(STEPS.replace(old, new), head=head.replace(old, new))) == steps


def test_the_name_of_a_step_does_not_matter(read: Read) -> None:
    """A renamed step keeps its result."""
    renamed = read(STEPS.replace("clean", "tidy"))
    assert names(renamed)["tidy"].fingerprint == names(read(STEPS))["clean"].fingerprint
    assert changed(read(STEPS), renamed) == []


def test_thresholds_are_in_the_verdicts_only(read: Read) -> None:
    """Signals computed once serve every threshold, also inside a chain."""
    before, after = names(read(STEPS))["clean"], names(read(STEPS.replace("min_words: 50", "min_words: 30")))["clean"]
    assert before.signals == after.signals != None  # noqa: E711  # three things at once
    assert before.fingerprint != after.fingerprint
    unit = names(read(STEPS.replace("min_words: 50", "unit: character")))["clean"]
    assert unit.signals != before.signals
    assert before.signals_key
    assert before.signals_key["stage"] == "signals"


def test_steps_that_measure_nothing_have_no_signals(read: Read) -> None:
    """Only filters that measure have two artifacts."""
    assert [name for name, identity in names(read(STEPS)).items() if identity.signals] == ["clean"]


def test_the_seed_is_in_the_key_of_stochastic_components_only(read: Read) -> None:
    """Of their own or of one in their settings."""
    assert [name for name, identity in names(read(STEPS)).items() if "seed" in identity.key] == ["split", "base"]


def test_the_key_is_readable(read: Read) -> None:
    """Full settings, nested components with their version and code, inputs by fingerprint and part."""
    found = names(read(STEPS))
    key = found["clean"].key
    assert key["component"] == "filter/several"
    assert key["inputs"] == {"corpus": found["raw"].fingerprint}
    assert found["bpe"].key["inputs"] == {"corpus": f"{found['split'].fingerprint}#train"}
    inner = key["settings"]["filters"][0]
    assert (inner["use"], inner["version"]) == ("filter/length", 1)
    assert inner["with"] == {"min_words": 50, "max_words": 1000, "unit": "word"}
    assert inner["code"]


def test_a_file_that_changes_changes_the_source(read: Read) -> None:
    """Through its digest."""
    graph = read(STEPS)
    assert names(graph)["raw"].fingerprint != names(graph, "1")["raw"].fingerprint


def test_a_file_that_cannot_be_read_stops_the_plan(read: Read) -> None:
    """A plan is exact or there is none."""

    def digest(path: Path) -> str:
        raise EnvironmentProblem("cannot be read", where=str(path))

    with pytest.raises(EnvironmentProblem):
        identify(read(STEPS), digest)


def test_canonical_json_is_one_text_for_one_value() -> None:
    """Order, white space and the spelling of whole numbers do not count; truth values are no numbers."""
    assert canonical_json({"b": 1.0, "a": [2.0**53, 0.1, -0.0, True]}) == '{"a":[9007199254740992,0.1,0,true],"b":1}'
    assert canonical_json({"é": "\ud800"}) == '{"\\u00e9":"\\ud800"}'


REASONS = {
    "config": ("min_words: 50", "min_words: 30", "clean", ("config min_words 50 -> 30 of filter/length",)),
    "own config": ("max_bad: 7", "max_bad: 8", "raw", ("config max_bad 7 -> 8",)),
    "group": ("lr: 1", "lr: 0.5", "base", ("config optimizer.lr 1 -> 0.5",)),
    "input": ("max_bad: 7", "max_bad: 8", "clean", ("input raw changed",)),
    "seed": ("seed: 1", "seed: 2", "split", ("seed 1 -> 2",)),
    "nothing": ("tokenizer/plain", "tokenizer/plain", "bpe", ()),
    "another nested one": (
        "architecture/decoder}",
        "architecture/encoder}, objective: {use: objective/hidden}",
        "base",
        (
            "config architecture architecture/decoder -> architecture/encoder",
            "config objective objective/next -> objective/hidden",
        ),
    ),
    "a list of another length": (
        "{use: filter/length,",
        "{use: filter/length}, {use: filter/length,",
        "clean",
        ("config filters [filter/length] -> [filter/length, filter/length]",),
    ),
}


@pytest.mark.parametrize("change", REASONS)
def test_a_plan_says_why_a_step_will_run(change: str, read: Read) -> None:
    """In comparison with the last run of the pipeline."""
    old, new, step, reasons = REASONS[change]
    head = "workbench: 1\nname: t\nseed: 1\n"
    before = names(read(STEPS))
    graph = read(STEPS.replace(old, new), head=head.replace(old, new))
    stored = {identity.fingerprint for identity in before.values()}
    plan = make_plan(graph, names(graph), stored.__contains__, {name: item.key for name, item in before.items()})
    found = next(item for item in plan.steps if item.name == step)
    assert found.reasons == reasons
    assert found.status == ("run" if reasons else "cached")


def test_a_plan_knows_what_never_ran_and_what_was_lost(read: Read) -> None:
    """Three reasons that no change explains: a filter that measures is there only with its signals."""
    graph = read(STEPS)
    identities = names(graph)
    first = make_plan(graph, identities, lambda fingerprint: False, {})
    assert {item.reasons for item in first.steps} == {("not run before",)}
    lost = make_plan(
        graph, identities, lambda fingerprint: False, {name: item.key for name, item in identities.items()}
    )
    assert {item.reasons for item in lost.steps} == {("result missing from the store",)}
    signals = {item.signals for item in identities.values() if item.signals}
    unmeasured = make_plan(graph, identities, lambda fingerprint: fingerprint not in signals, {})
    reasons = {item.name: item.reasons for item in unmeasured.steps if item.status == "run"}
    measuring = [name for name, item in identities.items() if item.signals]
    assert measuring
    assert reasons == dict.fromkeys(measuring, ("signals missing from the store",))


def test_a_plan_names_changed_code_and_files(read: Read) -> None:
    """Bundled plugins by their short name."""
    graph = read(STEPS)
    identities = names(graph)
    before = {name: {**item.key} for name, item in identities.items()}
    before["raw"] |= {"digests": {"b": "x", "a": "y"}, "code": {"workbench_plugins/sources/words.py": "0"}}
    reasons = make_plan(graph, identities, lambda fingerprint: False, before).steps[0].reasons
    assert "code of sources/words.py changed" in reasons
    assert reasons[-2:] == ("file a changed", "file b removed")


def test_the_plan_as_json_is_what_the_command_prints(read: Read) -> None:
    """The names of architecture §8."""
    graph = read(STEPS)
    document = make_plan(graph, names(graph), lambda fingerprint: True, {}).to_json()
    assert set(document["steps"][0]) == {"name", "component", "fingerprint", "status", "reasons"}


def test_a_lock_differs_in_what_changed(read: Read) -> None:
    """Versions and steps, in words; nothing when all is as it was."""
    graph = read(STEPS)
    lock = make_lock(graph, names(graph), {names(graph)["raw"].fingerprint: "d"})
    assert lock["steps"]["raw"]["result"] == "d"
    assert lock["steps"]["raw"]["key"] == names(graph)["raw"].key
    assert {"polars", "workbench"} <= set(lock["distributions"])
    assert lock_differences(lock, make_lock(graph, names(graph))) == []
    other = read(STEPS.replace("max_bad: 7", "max_bad: 8").replace("  base:", "  basis:"))
    current = make_lock(other, names(other))
    current["distributions"] = {**current["distributions"], "polars": "0"}
    found = lock_differences(lock, current)
    assert f"package polars {lock['distributions']['polars']} -> 0" in found
    assert "step raw: config max_bad 7 -> 8" in found
    assert {"step base is gone", "step basis is new"} <= set(found)


def test_a_file_that_is_not_there_names_the_step(read: Read) -> None:
    """Who looks for the files of a pipeline says whose they are."""

    def lacking(path: Path) -> str:
        raise EnvironmentProblem("no file", where=str(path.name))

    with pytest.raises(EnvironmentProblem, match=r"^step raw: .*: no file"):
        identify(read(STEPS), lacking)


def test_settings_survive_the_way_to_a_worker(read: Read, registry: Registry) -> None:
    """`component_from_json` is the inverse of `settings_of`, for every step."""
    for step in read(STEPS).steps.values():
        component = step.component
        task = {"use": component.component_id, "with": settings_of(component)}
        assert component_from_json(registry, task) == component
