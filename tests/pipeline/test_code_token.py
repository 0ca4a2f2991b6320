"""R7: every edit that matters reruns a step, no cosmetic one does."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workbench.contracts.references import ComponentRef
from workbench.errors import PluginError
from workbench.pipeline.code_token import CodeReader, code_files, code_token
from workbench.pipeline.fingerprint import identify
from workbench.pipeline.graph import Graph, Step
from workbench.pipeline.module_source import digest_code
from workbench.registry import Registry

NAME = "code_token_example"
FILES = {
    "__init__.py": '"""An example."""\n',
    "filters/__init__.py": (
        '"""The entry module."""\n'
        "from workbench.api import ComponentRef, hookimpl\n\n\n"
        "@hookimpl\n"
        "def workbench_components():\n"
        '    return [ComponentRef("filter", "size", f"{__name__}.size:Size", "size")]\n'
    ),
    "filters/size.py": (
        '"""Judge size."""\n\n'
        "from __future__ import annotations\n\n"
        "from typing import TYPE_CHECKING, Annotated\n\n"
        "from workbench.api import Field, RowFilter, Threshold\n\n"
        "from ..words import count\n"
        "from . import stops\n\n"
        "if TYPE_CHECKING:\n"
        f"    from {NAME} import types\n\n"
        'TASK = f"{__name__}:task"\n'
        f'OTHER_TASK = "{NAME}.tasks:run"\n'
        'WORDS = "words.txt"\n'
        "PATTERN = '''\n  # not a comment\n\n'''\n\n\n"
        "class Size(RowFilter):\n"
        '    """Keep by size."""\n\n'
        "    at_least: Annotated[int, Threshold] = Field(50, ge=0)\n\n"
        "    def signals(self):\n"
        '        """Measure."""\n'
        f"        from {NAME}.deep.inner import score  # heavy\n\n"
        '        return {"n": count, "s": score, "w": stops.words()}\n\n'
        "    def rules(self):\n"
        "        return {}\n"
    ),
    "filters/stops.py": "def words():\n    return WORDS\n\n\nWORDS = ('a', 'the')\n",
    "filters/unrelated.py": "x = 1\n",
    "filters/words.txt": "one\ntwo\n",
    "words/__init__.py": "from .counting import count\n",
    "words/counting.py": "def count(text):\n    return len(text.split())\n",
    "deep/__init__.py": "SCALE = 2\n",
    "deep/inner.py": "from .. import numbers\n\n\ndef score():\n    return numbers.ONE\n",
    "numbers.py": "ONE = 1\n",
    "tasks.py": "def run(task):\n    return task\n",
    "types.py": "Text = str\n",
}
MATTERS = {
    "the component": ("filters/size.py", "ge=0", "ge=1"),
    "a default": ("filters/size.py", "Field(50", "Field(51"),
    "a text inside a multi-line string": ("filters/size.py", "# not a comment", "# not the comment"),
    "a blank line inside a multi-line string": ("filters/size.py", "not a comment\n\n", "not a comment\n\n\n"),
    "indentation": ("filters/stops.py", "    return WORDS\n", "    if WORDS:\n        return WORDS\n"),
    "a module imported from the package": ("filters/stops.py", "'the'", "'an'"),
    "a package's re-export": ("words/__init__.py", "import count", "import count as count"),
    "what a package re-exports": ("words/counting.py", "text.split()", "text.split(' ')"),
    "a module imported inside a function": ("deep/inner.py", "numbers.ONE", "-numbers.ONE"),
    "the package around it": ("deep/__init__.py", "2", "3"),
    "a helper of a helper": ("numbers.py", "ONE = 1", "ONE = 1.5"),
    "a task named by a string": ("tasks.py", "return task", "return dict(task)"),
    "a word list": ("filters/words.txt", "two", "three"),
}
COSMETIC = {
    "a comment": ("filters/size.py", "# heavy", "# heavy, and slow"),
    "a new comment": ("filters/stops.py", "def words", "# all of them\ndef words"),
    "the module's docstring": ("filters/size.py", "Judge size.", "Judge the size."),
    "a class's docstring": ("filters/size.py", '"""Keep by size."""', '"""Keep by size.\n\n    And so on.\n    """'),
    "a function's docstring": ("filters/size.py", '        """Measure."""\n', ""),
    "a new docstring": ("numbers.py", "ONE = 1", '"""Numbers."""\nONE = 1'),
    "blank lines": ("filters/stops.py", "\n\n\nWORDS", "\n\n\n\n\nWORDS"),
    "trailing spaces": ("numbers.py", "ONE = 1", "ONE = 1   "),
    "spacing": ("numbers.py", "ONE = 1", "ONE  =  1"),
    "line breaks inside brackets": ("filters/stops.py", "('a', 'the')", "(\n    'a',  # one\n    'the'\n)"),
    "the depth of indentation": ("words/counting.py", "    return", "  return"),
    "line ends": ("words/counting.py", "\n", "\r\n"),
    "a module nobody imports": ("filters/unrelated.py", "1", "2"),
    "another component in the entry module": (
        "filters/__init__.py",
        "return [",
        'return [ComponentRef("filter", "b", "b:B", "b"), ',
    ),
    "a module only the type checker imports": ("types.py", "str", "bytes"),
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Write the package and make it importable."""
    for name, content in FILES.items():
        path = tmp_path / NAME / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path / NAME
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[name]


@pytest.fixture
def fingerprint(package: Path) -> Callable[[], tuple[str, str | None]]:
    """Return a function that plans a step of the package's filter anew."""
    registry = Registry.of([ComponentRef("filter", "size", f"{NAME}.filters.size:Size", "size")])
    step = Step("size", registry.load("filter/size").model_validate({}))
    graph = Graph("t", 1, {"size": step}, package)

    def plan() -> tuple[str, str | None]:
        identity = identify(graph, lambda path: "")["size"]
        return identity.fingerprint, identity.signals

    return plan


def edit(package: Path, change: tuple[str, str, str]) -> None:
    name, old, new = change
    content = FILES[name]
    assert old in content
    (package / name).write_bytes(content.replace(old, new).encode())


@pytest.mark.parametrize("change", MATTERS)
def test_an_edit_that_matters_changes_the_fingerprint(
    change: str, package: Path, fingerprint: Callable[[], object]
) -> None:
    """Of the verdicts and of the signals."""
    before = fingerprint()
    edit(package, MATTERS[change])
    after = fingerprint()
    assert after[0] != before[0]
    assert after[1] != before[1]


@pytest.mark.parametrize("change", COSMETIC)
def test_a_cosmetic_edit_keeps_the_fingerprint(change: str, package: Path, fingerprint: Callable[[], object]) -> None:
    """Nothing is run again for it."""
    before = fingerprint()
    edit(package, COSMETIC[change])
    assert fingerprint() == before


def test_the_closure_is_exactly_what_is_imported(package: Path) -> None:
    """Files by name; the entry module, unrelated modules and those for the type checker are not among them."""
    assert sorted(code_files(f"{NAME}.filters.size", NAME)) == [
        f"{NAME}/__init__.py",
        f"{NAME}/deep/__init__.py",
        f"{NAME}/deep/inner.py",
        f"{NAME}/filters/size.py",
        f"{NAME}/filters/stops.py",
        f"{NAME}/filters/words.txt",
        f"{NAME}/numbers.py",
        f"{NAME}/tasks.py",
        f"{NAME}/words/__init__.py",
        f"{NAME}/words/counting.py",
    ]


def test_nothing_is_imported_to_find_it(package: Path) -> None:
    """The closure comes from source alone: a package that would fail on import is read like any other."""
    (package / "__init__.py").write_text("raise SystemExit('imported')\n")
    assert f"{NAME}/numbers.py" in code_files(f"{NAME}.filters.size", NAME)
    assert NAME not in sys.modules


def test_the_digest_depends_on_no_hash_seed_and_no_folder(package: Path, tmp_path: Path) -> None:
    """Three hash seeds and another folder give one token."""
    shutil.copytree(package, tmp_path / "elsewhere" / NAME)
    command = (
        f"from workbench.pipeline.code_token import code_token; print(code_token('{NAME}.filters.size', '{NAME}'))"
    )
    tokens = {code_token(f"{NAME}.filters.size", NAME)}
    for seed, folder in (("1", tmp_path), ("2", tmp_path), ("3", tmp_path / "elsewhere")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(folder)}
        ran = subprocess.run(
            [sys.executable, "-c", command], env=environment, capture_output=True, text=True, check=True
        )
        tokens.add(ran.stdout.strip())
    assert len(tokens) == 1


def test_a_circle_of_imports_ends(package: Path) -> None:
    """Modules that import each other are both in."""
    (package / "numbers.py").write_text(f"import {NAME}.deep.inner\nONE = 1\n")
    assert f"{NAME}/numbers.py" in code_files(f"{NAME}.deep.inner", NAME)


def test_a_file_that_is_no_python_still_has_a_digest(package: Path) -> None:
    """A module that cannot be parsed counts by its bytes."""
    (package / "numbers.py").write_text("ONE = (\n")
    before = code_token(f"{NAME}.deep.inner", NAME)
    (package / "numbers.py").write_text("ONE = ((\n")
    assert code_token(f"{NAME}.deep.inner", NAME) != before


def test_a_module_without_source_is_refused() -> None:
    """Its results could not be told apart."""
    with pytest.raises(PluginError, match="its source cannot be found"):
        code_token("no_such_module_at_all", "no_such_module_at_all")


def test_the_base_class_of_another_package_counts(package: Path, tmp_path: Path) -> None:
    """A component that inherits from another distribution changes with it."""
    (tmp_path / "code_token_heir.py").write_text(f"from {NAME}.filters.size import Size\nclass Heir(Size):\n    pass\n")
    importlib.invalidate_caches()
    heir = importlib.import_module("code_token_heir").Heir
    assert {"code_token_heir.py", f"{NAME}/filters/size.py"} <= set(CodeReader().component(heir))
    del sys.modules["code_token_heir"]


@pytest.mark.parametrize(
    "one, other",
    [
        ("x = f'{a}  b'", "x = f'{a} b'"),
        ("x = 'a#b'", "x = 'a#c'"),
        ("x = 1", "x = '1'"),
        ("def f():\n    return 1\n    'x'", "def f():\n    return 1"),
        ("a = b\nc = d", "a = b c = d".replace(" c", "; c")),
        ("if a:\n    b\n    c", "if a:\n    b\nc"),
    ],
)
def test_code_that_differs_has_another_digest(one: str, other: str) -> None:
    """Also where only white space or a string makes the difference."""
    assert digest_code(one) != digest_code(other)
