"""The registry finds components by name, and no plugin can break it."""

import sys
import types
from importlib.metadata import EntryPoint

import pytest

from workbench.contracts.component import Component
from workbench.contracts.filters import RowFilter
from workbench.contracts.references import ComponentRef
from workbench.errors import MissingPackage, PluginError, UnknownName
from workbench.hookspecs import hookimpl
from workbench.registry import Registry, missing_packages


class Keep(RowFilter):
    """Keep everything."""

    def signals(self):
        return {}

    def rules(self):
        return {}


@pytest.fixture
def discover(monkeypatch):
    """Return a function that discovers a registry with these modules as its only plugins."""

    def discover(core=(), **modules):
        points = []
        for name, members in modules.items():
            module = types.ModuleType(f"fake_{name}")
            for key, value in members.items():
                setattr(module, key, value)
            if "source" in members:
                monkeypatch.delitem(sys.modules, module.__name__, raising=False)
            else:
                monkeypatch.setitem(sys.modules, module.__name__, module)
            points.append(EntryPoint(name, module.__name__, "workbench.plugins"))
        monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points)
        return Registry.discover(core)

    return discover


def plugin(*refs):
    """Return the members of an entry module that lists these references."""

    def workbench_components():
        return list(refs)

    return {"workbench_components": hookimpl(workbench_components)}


def ref(name="keep", kind="filter", target=f"{__name__}:Keep", **more):
    return ComponentRef(kind, name, target, "keep everything", **more)


def test_a_component_is_found_by_name_and_alias(discover):
    registry = discover(one=plugin(ref(aliases=("all",))))
    assert registry.get("filter/keep").id == "filter/keep"
    assert registry.get("filter/all").id == "filter/keep"
    assert registry.problems == []


def test_the_class_is_imported_on_first_use_and_knows_its_name(discover):
    sys.modules[__name__] = sys.modules.get(__name__) or types.ModuleType(__name__)
    sys.modules[__name__].Keep = Keep
    cls = discover(one=plugin(ref())).load("filter/keep")
    assert cls is Keep
    assert cls.component_id == "filter/keep"


def test_an_unknown_name_is_answered_with_the_nearest(discover):
    registry = discover(one=plugin(ref("gopher-quality")))
    with pytest.raises(UnknownName, match="unknown filter 'gofer-quality'; did you mean 'gopher-quality'"):
        registry.get("filter/gofer-quality")
    with pytest.raises(UnknownName, match="unknown component 'nothing': a component is KIND/NAME"):
        registry.get("nothing")


@pytest.mark.parametrize(
    "use, said",
    [
        ("pii", "unknown component 'pii'; did you mean 'filter/pii' or 'source/pii'?\n  do: workbench plugins list"),
        ("books/pii", "unknown component 'books/pii'; did you mean 'filter/pii' or 'source/pii'?\n"),
        ("unicod", "unknown component 'unicod'; did you mean 'filter/unicode'?\n"),
        (
            "filter",
            "unknown component 'filter': that is a kind; a component is KIND/NAME, such as 'filter/pii'",
        ),
        ("model-x", "unknown component 'model-x': a component is KIND/NAME; the kinds: "),
    ],
)
def test_a_name_without_its_kind_is_answered_with_the_whole_name(discover, use, said):
    """Who leaves out the kind learns it from those that have the name; a kind alone is told how to list it."""
    registry = discover(one=plugin(ref("pii"), ref("pii", "source"), ref("unicode")))
    with pytest.raises(UnknownName) as caught:
        registry.get(use)
    assert caught.value.message.startswith(said)


def test_a_name_clash_is_reported_and_the_first_stays(discover):
    registry = discover(one=plugin(ref()), two=plugin(ref(target="other:Keep")))
    assert registry.get("filter/keep").target == f"{__name__}:Keep"
    assert "filter/keep is already there" in registry.problems[0]


@pytest.mark.parametrize(
    "bad,message",
    [
        (ref(kind="fitler"), "unknown kind 'fitler'"),
        (ref("Two Words"), "lower-case words"),
        (ref(target="no colon"), "is not 'package.module:Class'"),
        ("text", "is not a ComponentRef"),
    ],
)
def test_a_bad_entry_is_reported_and_the_rest_works(discover, bad, message):
    registry = discover(one=plugin(bad, ref()))
    assert message in registry.problems[0]
    assert registry.get("filter/keep")


@pytest.mark.parametrize("error", [ImportError("no module named xyz"), SystemExit(3), ZeroDivisionError("x")])
def test_a_plugin_that_fails_or_exits_is_reported_and_the_rest_works(discover, error):
    def workbench_components():
        raise error

    registry = discover(bad={"workbench_components": hookimpl(workbench_components)}, good=plugin(ref()))
    assert "plugin bad" in registry.problems[0]
    assert type(error).__name__ in registry.problems[0]
    assert registry.get("filter/keep")
    assert [info.error == "" for info in registry.plugins] == [False, True]


def test_a_plugin_that_is_not_there_is_reported(discover, monkeypatch):
    registry = discover(gone={"source": ""}, good=plugin(ref()))
    assert "ModuleNotFoundError" in registry.problems[0]
    assert registry.get("filter/keep")


def test_a_plugin_that_prints_is_reported_and_not_heard(discover, capsys):
    def workbench_components():
        sys.stdout.write("hello")
        return [ref()]

    registry = discover(loud={"workbench_components": hookimpl(workbench_components)})
    assert capsys.readouterr().out == ""
    assert "prints while it is imported" in registry.problems[0]
    assert registry.get("filter/keep")


def test_a_missing_package_is_named_with_the_command(discover):
    registry = discover(one=plugin(ref(requires=("no_such_module:no-such-package",))))
    with pytest.raises(MissingPackage, match="pip install no-such-package"):
        registry.load("filter/keep")


@pytest.mark.parametrize(
    "target,message",
    [
        ("json:nothing", "cannot be imported"),
        ("json:JSONDecoder", "is not a component class"),
        ("no_such_module:Keep", "cannot be imported"),
    ],
)
def test_a_target_that_is_not_what_it_says_is_an_error_of_the_plugin(discover, target, message):
    with pytest.raises(PluginError, match=message):
        discover(one=plugin(ref(target=target))).load("filter/keep")


def test_a_class_of_the_session_is_registered_and_replaced(discover):
    registry = discover()

    @registry.register("filter", "mine")
    class Mine(Keep):
        """Keep mine."""

    assert registry.load("filter/mine") is Mine
    assert registry.get("filter/mine").summary == "Keep mine."

    @registry.register("filter", "mine")
    class Again(Keep):
        """Keep mine again."""

    assert registry.load("filter/mine") is Again
    with pytest.raises(PluginError, match="listed as a source"):
        registry.register("source", "mine")(Mine)


def test_a_class_under_no_name_is_refused(discover):
    class Stray(Component):
        """A component nobody registered."""

    with pytest.raises(PluginError, match="Stray is not registered"):
        discover().name_of(Stray)


def test_every_installed_component_loads():
    """The bundled plugins are all what their entry says, with nothing to report; extras may be missing."""
    registry = Registry.discover()
    assert registry.problems == []
    installed = [found for found in registry.refs() if not missing_packages(found)]
    assert len(installed) >= 50
    for found in installed:
        assert registry.load(found.id).component_id == found.id
