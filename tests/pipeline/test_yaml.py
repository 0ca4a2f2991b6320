"""YAML 1.2 values with positions; everything hostile refused with a line and a column."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import PipelineError
from workbench.pipeline import yaml_nodes
from workbench.pipeline.yaml_nodes import Mark, Node, parse_yaml
from workbench.pipeline.yaml_write import write_yaml


def problems(text: str) -> list[tuple[int, int, str]]:
    with pytest.raises(PipelineError) as caught:
        parse_yaml(text, "x.yaml")
    return [(problem.line, problem.column, problem.message) for problem in caught.value.problems]


# Expected values after YAML 1.2.2, section 10.3.2 (core schema); `16_000` is this project's one addition.
CORE = {
    "3e-4": 3e-4,
    "1e3": 1000.0,
    "16_000": 16000,
    "-1_000": -1000,
    "012": 12,
    "0o14": 12,
    "0x1F": 31,
    "0b11": "0b11",
    "1:30": "1:30",
    "no": "no",
    "on": "on",
    "yes": "yes",
    "off": "off",
    "y": "y",
    "true": True,
    "FALSE": False,
    "~": None,
    "null": None,
    "": None,
    ".5": 0.5,
    "5.": 5.0,
    "+.inf": math.inf,
    "-.INF": -math.inf,
    "1_": "1_",
    "_1": "_1",
    "1__0": "1__0",
    "2026-11-22": "2026-11-22",
    "1.2.3": "1.2.3",
    "<<": "<<",
    "=": "=",
}


@pytest.mark.parametrize("text, value", CORE.items())
def test_plain_scalars_mean_what_yaml_1_2_says(text: str, value: object) -> None:
    """Numbers, truth values and null follow the core schema; everything else is a string."""
    found = parse_yaml(f"a: {text}", "x").plain["a"]
    assert (found, type(found)) == (value, type(value))


def test_quoted_scalars_are_strings() -> None:
    """Quotes and block styles make a string of anything."""
    assert parse_yaml("[\"1\", 'true', '~']", "x").plain == ["1", "true", "~"]


def test_keys_are_strings_as_written() -> None:
    """A key is never converted."""
    assert parse_yaml("{no: 1, 012: 2, null: 3, 1e3: 4}", "x").plain == {"no": 1, "012": 2, "null": 3, "1e3": 4}


def test_nan_is_a_number() -> None:
    """`.nan` is the float."""
    assert math.isnan(parse_yaml(".nan", "x").plain)


def test_every_key_and_value_knows_its_place() -> None:
    """Lines and columns count from 1, columns in characters."""
    root = parse_yaml("é: 1\nb:\n  - c: {d: x}\n", "x")
    assert root.locate(("é",)) == Mark("x", 1, 4)
    assert root.locate(("b", 0, "c", "d"), key=True) == Mark("x", 3, 9)
    assert root.locate(("b", 0, "c", "d")) == Mark("x", 3, 12)
    assert root.locate(("b", 0, "gone", 1)) == Mark("x", 3, 5)
    assert root.locate(("é", "short")) == Mark("x", 1, 4)


def test_all_duplicate_keys_are_refused_at_once() -> None:
    """Each second key is shown where it stands, with the line of the first."""
    assert problems("a: 1\nb: {c: 1, c: 2}\na: 3\n") == [
        (2, 11, "the key 'c' stands twice; first in line 2"),
        (3, 1, "the key 'a' stands twice; first in line 1"),
    ]


def test_an_alias_stands_for_its_anchor() -> None:
    """Aliases are allowed within bounds."""
    assert parse_yaml("a: &x [1, {b: 2}]\nc: *x", "x").plain == {"a": [1, {"b": 2}], "c": [1, {"b": 2}]}


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    """Nine lines that stand for 10^9 values: refused at the alias that passes the limit."""
    lines = ["a0: &a0 [1,1,1,1,1,1,1,1,1,1]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert problems("\n".join(lines))[0][2] == "more than 100,000 values, aliases counted as often as they stand"


@pytest.mark.parametrize("text", ["a: &x [*x]", "a: *x", "&x {a: *x}"])
def test_an_alias_inside_or_before_its_anchor_is_refused(text: str) -> None:
    """A structure cannot hold itself."""
    assert problems(text)[0][2] == "the alias *x stands before or inside what it names"


@pytest.mark.parametrize("text", ["[" * 5000, "{a: " * 5000, "- " * 5000, "[" * 100_000 + "]" * 100_000])
def test_depth_is_refused_with_its_place(text: str) -> None:
    """More than 100 levels are refused where the next one opens, without recursion."""
    line, column, message = problems(text)[0]
    width = {"[": 1, "{": 4, "-": 2}[text[0]]
    assert (line, column, message) == (1, 100 * width + 1, "nested deeper than 100 levels")


def test_aliases_cannot_add_up_to_depth() -> None:
    """The height of what an alias stands for counts."""
    text = "a: &a " + "[" * 60 + "]" * 60 + "\nb: " + "[" * 60 + "*a" + "]" * 60
    assert problems(text)[0][2] == "nested deeper than 100 levels"


def test_size_is_refused() -> None:
    """More than a MiB is no pipeline."""
    assert problems("a: " + "x" * (1 << 20)) == [(1, 1, "the file is larger than 1 MiB")]


REFUSED = {
    "a: 1\n\tb: 2": (2, 1, "a tab cannot indent in YAML; use spaces"),
    "a: \x00": (1, 4, "the character U+0000 is not allowed in YAML; in a quoted string write it as an escape"),
    "a: \ud800": (1, 4, "the character U+D800 is not allowed in YAML; in a quoted string write it as an escape"),
    'a: "\\0"': (1, 4, "NUL and lone surrogates are not allowed in a string"),
    "a: !!python/object:os.system x": (
        1,
        4,
        "the tag tag:yaml.org,2002:python/object:os.system has no meaning here; write the plain value",
    ),
    "a: 1\n---\nb: 2": (2, 1, "a second document; a pipeline file holds one"),
    "? [a]\n: 1": (1, 3, "a key must be a single word, not a list or mapping"),
    "a: " + "9" * 5000: (1, 4, "a number of 5000 digits is too long"),
    "": (1, 1, "the file is empty; expected 'workbench: 1' and 'steps'"),
    "# only": (1, 1, "the file is empty; expected 'workbench: 1' and 'steps'"),
}


@pytest.mark.parametrize("text, problem", REFUSED.items(), ids=list(map(str, range(len(REFUSED)))))
def test_what_cannot_be_meant_is_refused_with_its_place(text: str, problem: tuple[int, int, str]) -> None:
    """Each with line, column and what is wrong."""
    assert problems(text) == [problem]


@pytest.mark.parametrize(
    "text", ["a: [1", "a: 'x", "a: b: c", "@", "a: |x", '"\\ud800"', "%YAML 3.0\n---\na", "!<", "a: *"]
)
def test_a_syntax_error_has_a_place(text: str) -> None:
    """One problem, within or at the end of the text."""
    ((line, column, message),) = problems(text)
    assert line in (1, 2)
    assert column >= 1
    assert message


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*!|>'\"#%@`, \n\t?\\\x00\ud800é0.~"), max_size=60))
@pytest.mark.parametrize("loader", ["C", "pure"])
def test_no_text_gives_a_traceback(loader: str, text: str) -> None:
    """Any text gives a tree or a `PipelineError`, with libyaml and without."""
    import yaml

    before = yaml_nodes.LOADER
    yaml_nodes.LOADER = yaml.SafeLoader if loader == "pure" else before
    try:
        assert isinstance(parse_yaml(text, "x"), Node)
    except PipelineError:
        return
    finally:
        yaml_nodes.LOADER = before


SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20) | st.sampled_from(list(CORE))
VALUES: Any = st.recursive(
    SCALARS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None)
@given(VALUES)
def test_what_is_written_reads_back_equal(value: object) -> None:
    """Writing quotes exactly what would otherwise change its meaning."""
    assert parse_yaml(write_yaml({"a": value}), "x").plain == {"a": value}
