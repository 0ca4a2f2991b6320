"""The Python form: checked at the line of the call, equal to the YAML form."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import workbench
from workbench.contracts.component import Field, Threshold
from workbench.contracts.evaluation import Exporter
from workbench.contracts.filters import Filter
from workbench.contracts.ports import Port
from workbench.contracts.references import ComponentRef
from workbench.contracts.source import Source
from workbench.contracts.step import CoreStep
from workbench.errors import PipelineError, StepError, UnknownName, UsageError
from workbench.notebook.pipeline import Pipeline, load
from workbench.registry import Registry


class Words(Source):
    """Documents from a list."""

    texts: tuple[str, ...] = ()
    limit: int | None = Field(None, ge=1, description="how many at most")
    share: float = 0.5
    meta: dict[str, str | int | float | bool | None] = Field(default_factory=dict)

    def read(self, ctx: Any) -> Any:
        """Read nothing."""


class Length(Filter):
    """Keep documents in a range."""

    min_words: Annotated[int, Threshold] = Field(50, ge=0)
    name: str = "length"
    from_: bool = Field(False)


class Chain(Filter):
    """Filters one after the other."""

    filters: tuple[Filter, ...] = Field(min_length=1)


class Split(CoreStep):
    """Two parts."""

    kind: ClassVar[str] = "corpus"
    inputs: ClassVar[Mapping[str, Port]] = {"corpus": Port("corpus", whole=True)}
    output: ClassVar[str] = "corpus"

    def run(self, ctx: Any) -> None:
        """Do nothing."""

    def parts(self, inputs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        """Return train and head."""
        return ("train", "head")


class Page(Exporter):
    """Many inputs."""

    inputs: ClassVar[Mapping[str, Port]] = {
        "corpora": Port("corpus", many=True, whole=True),
        "main": Port("corpus", optional=True),
    }

    def export(self, artifact: Any, path: Path, ctx: Any) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def registry() -> Registry:
    """Return a registry of the components above."""
    found = Registry.of([ComponentRef("filter", "broken", "no_such_module:Broken", "is broken")])
    for use, cls in {
        "source/words": Words,
        "filter/length": Length,
        "filter/chain": Chain,
        "filter/lambda": Length,
        "corpus/two-parts": Split,
        "exporter/page": Page,
    }.items():
        kind, _, name = use.partition("/")
        found.register(kind, name)(type(cls.__name__, (cls,), {"__module__": cls.__module__, "__doc__": cls.__doc__}))
    return found


@pytest.fixture
def p(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Return an empty pipeline over the components above."""
    return new(registry)


def new(registry: Registry, name: str = "t", seed: int = 3) -> Pipeline:
    return Pipeline(name, seed, registry=registry)


def test_steps_are_named_and_wired(p: Pipeline) -> None:
    """Handles fill the ports in order, further values the first setting, `name=` names the step."""
    raw = p.source.words(["a"], name="raw")
    split = p.corpus.two_parts(raw)
    p.exporter.page([raw, split], main=split.train)
    assert p.to_yaml() == (
        "workbench: 1\nname: t\nseed: 3\nsteps:\n"
        "  raw:\n    use: source/words\n    with:\n      texts: [a]\n"
        "  two_parts: {use: corpus/two-parts, inputs: raw}\n"
        "  page:\n    use: exporter/page\n    inputs:\n      corpora: [raw, two_parts]\n      main: two_parts.train\n"
    )


def test_names_are_listed_without_importing(p: Pipeline) -> None:
    """Hyphens become underscores, keywords get one at their end; a broken component is listed too."""
    assert dir(p.filter) == ["broken", "chain", "lambda_", "length"]
    assert dir(p.corpus) == ["two_parts"]
    assert {"source", "filter", "run", "plan"} <= set(dir(p))
    assert not {"architecture", "objective"} & set(dir(p))
    assert "no_such_module" not in sys.modules


def test_completion_and_help_come_from_the_settings(p: Pipeline) -> None:
    """Ports, then settings with their defaults; names that are taken get an underscore."""
    signature = inspect.signature(p.filter.length)
    assert list(signature.parameters) == ["corpus", "min_words", "name_", "from_", "name", "run"]
    assert signature.parameters["min_words"].default == 50
    assert "limit: int | None = None  how many at most" in str(p.source.words.__doc__)
    assert "is broken" in str(p.filter.broken.__doc__)
    assert "words" in repr(p.source)


def test_a_setting_whose_name_is_taken_is_spelled_with_an_underscore(p: Pipeline) -> None:
    """`name` is the step's name, `name_` the setting."""
    step = p.filter.length(p.source.words(), name="short", name_="other")
    assert (step.step, p.graph.steps["short"].component.name) == ("short", "other")  # type: ignore[attr-defined]


def test_unnamed_steps_are_numbered_and_equal_ones_shared(p: Pipeline) -> None:
    """Running a cell twice adds nothing."""
    first, second = p.source.words(), p.source.words(limit=1)
    assert (first.step, second.step, p.source.words(limit=1).step) == ("words", "words_2", "words_2")
    assert len(p) == 2


def test_a_named_step_is_replaced(p: Pipeline) -> None:
    """The steps after it follow; one that no longer fits is reported."""
    split = p.corpus.two_parts(p.source.words(), name="s")
    p.filter.length(split.train, name="f")
    p.corpus.two_parts(p.source.words(limit=2), name="s")
    assert str(p.graph.steps["s"].inputs["corpus"]) == "words_2"
    p.filter.length(p["words"], name="s")
    with pytest.raises(PipelineError, match="s has no parts"):
        _ = p.graph


WRONG = {
    "unknown option": (
        lambda p, raw: p.filter.length(raw, min_word=3),
        r"unknown option 'min_word' of filter/length; did you mean 'min_words'\?",
    ),
    "bad value": (lambda p, raw: p.filter.length(raw, min_words="3"), "min_words must be a number, got '3'"),
    "unknown component": (lambda p, raw: p.filter.lenght, r"unknown filter 'lenght'; did you mean 'length'\?"),
    "missing input": (lambda p, raw: p.filter.length(), "filter/length needs the input 'corpus'"),
    "too many inputs": (lambda p, raw: p.filter.length(raw, raw), "too many inputs"),
    "unknown input": (
        lambda p, raw: p.filter.length(corpse=raw),
        r"unknown input 'corpse' of filter/length; did you mean 'corpus'\?",
    ),
    "no step for an input": (
        lambda p, raw: p.filter.length(corpus=3),
        "'corpus' is an input and takes a step, got 3",
    ),
    "the name of its own input": (
        lambda p, raw: p.filter.length(raw, name="raw"),
        "'raw' is the name of its own input",
    ),
    "too many values": (lambda p, raw: p.source.words(["a"], 3), "too many values without a name"),
    "bad step name": (lambda p, raw: p.source.words(name="../x"), "cannot be a step's name"),
    "unknown part": (lambda p, raw: p.corpus.two_parts(raw)["trian"], r"unknown part 'trian'; did you mean 'train'\?"),
    "run option": (
        lambda p, raw: p.source.words(run={"wrokers": 1}),
        r"unknown option 'wrokers' of run; did you mean 'workers'\?",
    ),
    "another pipeline's": (
        lambda p, raw: new(p.session.registry).filter.length(raw),
        "an input belongs to another pipeline",
    ),
    "nested of another kind": (
        lambda p, raw: p.filter.chain(raw, [raw.pipeline.graph.steps["raw"].component]),
        "must be",
    ),
    "unknown step": (lambda p, raw: p["rwa"], r"unknown step 'rwa'; did you mean 'raw'\?"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_raised_at_the_call(name: str, p: Pipeline) -> None:
    """With what would be right; nothing is added."""
    raw = p.source.words(name="raw")
    call, message = WRONG[name]
    with pytest.raises(UsageError, match=message):
        call(p, raw)
    assert list(p) in (["raw"], ["raw", "two_parts"])


def test_an_unknown_component_is_an_attribute_error_too(p: Pipeline) -> None:
    """So that `hasattr` and completion behave."""
    assert not hasattr(p.filter, "nothing")
    assert not hasattr(p, "filters")
    with pytest.raises(UnknownName):
        _ = p.filter.nothing


@pytest.mark.parametrize("name, seed", [("../x", 1), ("", 1), ("t", -1), ("t", True), ("t", 2**63)])
def test_name_and_seed_are_checked(name: str, seed: int, registry: Registry) -> None:
    """As in a file."""
    with pytest.raises(UsageError):
        new(registry, name, seed)


def test_a_part_whose_name_is_a_method_is_an_item(p: Pipeline) -> None:
    """`split.head` is the method, `split["head"]` the part."""
    split = p.corpus.two_parts(p.source.words())
    assert callable(split.head)
    assert str(split["head"].ref) == "two_parts.head"
    assert {"train", "head"} <= set(dir(split))
    assert not hasattr(split, "trian")


def test_a_class_of_a_cell_cannot_be_written(p: Pipeline, registry: Registry) -> None:
    """The message says what to do; inside a chain too."""
    cell = type("Mine", (Length,), {"__module__": "__main__", "__doc__": "Mine."})
    mine = registry.register("filter", "mine")(cell)
    p.filter.chain(p.source.words(), [mine()])
    with pytest.raises(UsageError, match="filter/mine is the class Mine of this notebook") as caught:
        p.to_yaml()
    assert "move Mine into a module" in str(caught.value)


def test_the_file_is_written_where_asked(p: Pipeline, tmp_path: Path, registry: Registry) -> None:
    """And reads back; the working folder is where relative paths start."""
    p.filter.length(p.source.words(texts=["é", "no", "1"]))
    p.to_yaml(tmp_path / "p.yaml")
    again = load(tmp_path / "p.yaml", registry=registry)
    assert again.fingerprints == p.fingerprints
    assert again.base == tmp_path


def test_a_sweep_survives_and_is_run_by_name(p: Pipeline, registry: Registry) -> None:
    """`run()` does not choose one of its values in silence."""
    p.source.words()
    p.sweep = {"words.with.limit": [1, 2]}
    assert load(p.to_yaml(), registry=registry).sweep == p.sweep
    with pytest.raises(UsageError, match="this pipeline has a sweep"):
        p.run()


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
SCALARS = (
    TEXTS | st.integers(-(2**60), 2**60) | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.none()
)
SOURCES = st.fixed_dictionaries(
    {},
    optional={
        "texts": st.lists(TEXTS | st.sampled_from(["no", "3e-4", "012", "~", "a: b", "- x", "#"]), max_size=3),
        "limit": st.none() | st.integers(1, 10**6),
        "share": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-5, 5),
        "meta": st.dictionaries(TEXTS, SCALARS, max_size=3),
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), seed=st.integers(0, 2**63 - 1))
def test_any_graph_survives_the_way_through_yaml(data: st.DataObject, seed: int, registry: Registry) -> None:
    """`load(p.to_yaml()).fingerprints == p.fingerprints`, and the text is the same again."""
    p = new(registry, "random", seed)
    handles = [p.source.words(**data.draw(SOURCES))]
    for _ in range(data.draw(st.integers(0, 6))):
        chosen = data.draw(st.sampled_from(handles))
        match data.draw(st.integers(0, 4)):
            case 0:
                handles.append(p.filter.length(chosen, min_words=data.draw(st.integers(0, 99))))
            case 1:
                inner = [
                    registry.load("filter/length")(min_words=n)
                    for n in data.draw(st.lists(st.integers(0, 9), min_size=1, max_size=3))
                ]
                handles.append(p.filter.chain(chosen, inner))
            case 2:
                split = p.corpus.two_parts(chosen)
                handles += [split, split.train]
            case 3:
                p.exporter.page(data.draw(st.lists(st.sampled_from(handles), min_size=1, max_size=3)))
            case _:
                handles.append(p.source.words(**data.draw(SOURCES), run={"workers": 2}))
    again = load(p.to_yaml(), registry=registry)
    assert again.fingerprints == p.fingerprints
    assert again.to_yaml() == p.to_yaml()


def test_the_package_is_light_and_complete() -> None:
    """`import workbench` imports none of pydantic, polars or torch; every public name is there."""
    command = "import sys, workbench; print(sorted({'pydantic', 'polars', 'torch', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True).stdout == "[]\n"
    for name in workbench.__all__:
        assert getattr(workbench, name) is not None
    assert dir(workbench) == sorted(workbench.__all__)
    with pytest.raises(AttributeError):
        _ = workbench.nothing  # type: ignore[attr-defined]


def test_namespaces_make_components_with_their_settings() -> None:
    """To stand in the settings of a step; a wrong option is a mistake at the call."""
    assert workbench.filter.exact_dedup().component_id == "filter/exact-dedup"
    with pytest.raises(UsageError, match="unknown option 'nothing' of filter/exact-dedup"):
        workbench.filter.exact_dedup(nothing=1)


def test_a_file_is_not_written_where_its_paths_would_lead_elsewhere(tmp_path: Path) -> None:
    """Relative paths start from the folder of the file, so it belongs where the pipeline's paths start."""
    (tmp_path / "a.jsonl").write_text('{"text": "one"}\n')
    p = Pipeline("t", base=tmp_path)
    p.source.jsonl(paths=["a.jsonl"])
    with pytest.raises(UsageError, match="would not lead to the same files"):
        p.to_yaml(tmp_path / "below" / "p.yaml")
    p.to_yaml(tmp_path / "p.yaml")
    assert load(tmp_path / "p.yaml").fingerprints == p.fingerprints


def test_a_result_is_run_when_it_is_asked_for(tmp_path: Path) -> None:
    """`head()` gives the first documents with nothing in them that acts; a failing step raises its own error."""
    lines = [json.dumps({"text": f"{n} <script>x</script>\u202e"}) for n in range(9)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    p = Pipeline("t", base=tmp_path, store=tmp_path / "store")
    raw = p.source.jsonl(paths=["a.jsonl"], run={"executor": "inline"})
    shown = raw.head(2)
    assert shown.frame is not None
    assert shown.frame.height == 2
    assert "<script>" not in shown._repr_html_()
    assert "\u202e" not in repr(shown)
    assert [step.status for step in p.plan().steps] == ["cached"]
    assert "nothing to run" in repr(p.plan())
    assert "<table" in p.plan()._repr_html_()
    (tmp_path / "b.jsonl").write_text("no json\n")
    bad = p.source.jsonl(paths=["b.jsonl"], run={"executor": "inline"}, name="bad")
    with pytest.raises(StepError, match="bad"):
        _ = bad.result
    with pytest.raises(UsageError, match="a number from 1"):
        raw.head(0)
