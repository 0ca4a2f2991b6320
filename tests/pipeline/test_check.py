"""Every mistake of a pipeline at once, each with its line, its column and what would be right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.errors import PipelineError, UsageError
from workbench.pipeline.check import read_pipeline
from workbench.pipeline.graph import Graph, InputRef
from workbench.registry import Registry

HEAD = "workbench: 1\nname: t\nseed: 1\n"
Mistakes = Callable[..., list[str]]
RAW = "  raw: {use: source/words, with: {paths: [a]}}\n"
SPLIT = RAW + "  split: {use: corpus/halves, inputs: raw}\n"
IDS = (
    SPLIT
    + "  bpe: {use: tokenizer/plain, inputs: split.train}\n"
    + "  ids: {use: tokens/rows, inputs: {corpus: split, tokenizer: bpe}}\n"
)
MODEL = IDS + "  base: {use: train/learn, inputs: {tokens: ids}, with: {architecture: {use: architecture/decoder}}}\n"


def test_a_right_pipeline_gives_its_graph(read: Callable[..., Graph]) -> None:
    """Steps, settings, inputs and run options arrive; relative paths start from the file's folder."""
    graph = read(MODEL.replace("use: train/learn", "run: {workers: 2}, use: train/learn"))
    assert list(graph.steps) == ["raw", "split", "bpe", "ids", "base"]
    assert graph.steps["bpe"].inputs == {"corpus": InputRef("split", "train")}
    assert graph.steps["ids"].inputs == {"corpus": InputRef("split"), "tokenizer": InputRef("bpe")}
    assert graph.steps["base"].run.workers == 2
    assert (graph.name, graph.seed, graph.base) == ("t", 1, Path.cwd())


def test_steps_stand_after_what_they_need(read: Callable[..., Graph]) -> None:
    """Order is topological, and that of the file where it is free."""
    graph = read(
        "  z: {use: filter/length, inputs: m}\n  b: {use: filter/length, inputs: raw}\n  m: {use: filter/length, inputs: raw}\n"
        + RAW
    )
    assert list(graph.steps) == ["raw", "b", "m", "z"]
    assert list(graph.until("z").steps) == ["raw", "m", "z"]


def test_five_different_mistakes_are_five_messages(mistakes: Mistakes) -> None:
    """Nothing hides behind anything else."""
    text = """\
  raw: {use: source/word, with: {paths: [a]}}
  clean:
    use: filter/several
    inputs: rwa
    with:
      filters:
        - use: filter/length
          with: {min_word: 30}
  split: {use: corpus/halves, inputs: raw, with: {valid: 2}}
  bpe: {use: tokenizer/plain, inputs: {corpos: split.train}}
"""
    assert mistakes(text) == [
        "p.yaml:5:14: unknown source 'word'; did you mean 'words'? (workbench plugins list source)",
        "p.yaml:8:13: unknown step 'rwa'; did you mean 'raw'?",
        "p.yaml:12:18: unknown option 'min_word' of filter/length; did you mean 'min_words'?",
        "p.yaml:13:58: valid must be less than 1, got 2",
        "p.yaml:14:40: unknown input 'corpos' of tokenizer/plain; did you mean 'corpus'? (inputs: corpus)",
    ]


# One wrong pipeline for each rule: its steps, § before the place of the mistake, and what is said.
WRONG = {
    "not a mapping of steps": (
        "  §[a]\n",
        "steps must be a mapping of names to steps; expected at least one, such as 'raw: {use: source/text, …}'",
    ),
    "step is no mapping": (
        "  raw: §source/words\n",
        "a step is a mapping with 'use', got 'source/words'",
    ),
    "step without use": (
        "  §raw: {with: {}}\n",
        "step 'raw' has no 'use'; expected 'use: kind/name'",
    ),
    "use is no text": (
        "  raw: {use: §[1]}\n",
        "use must be a component, kind/name, got a list",
    ),
    "bad step name": (
        "  §9raw: {use: source/words, with: {paths: [a]}}\n",
        "a step's name is a letter from a to z or A to Z, then such letters, digits, '_' or '-', at most 64, got '9raw'",
    ),
    "step name in Chinese": (
        "  §语料: {use: source/words, with: {paths: [a]}}\n",
        "a step's name is a letter from a to z or A to Z, then such letters, digits, '_' or '-', at most 64, got '语料'",
    ),
    "misspelt option that is needed": (
        "  raw: {use: source/words, with: {§path: [a]}}\n",
        "unknown option 'path' of source/words; did you mean 'paths'?",
    ),
    "unknown option near to none": (
        "  raw: {use: source/words, with: {paths: [a], §zzz: 1}}\n",
        "unknown option 'zzz' of source/words (options: paths, max_bad, share, strict, limit)",
    ),
    "unknown step key": (
        RAW + "  split: {use: corpus/halves, §wiht: {}, inputs: raw}\n",
        "unknown key 'wiht' of step 'split'; did you mean 'with'?",
    ),
    "unknown kind": (
        "  raw: {use: §sauce/words}\n",
        "unknown component 'sauce/words'; did you mean 'source/words'? (workbench plugins list)",
    ),
    "with is a list": (
        RAW + "  m: {use: filter/length, inputs: raw, with: §[1]}\n",
        "'with' must be a mapping, got a list",
    ),
    "architecture as a step": (
        "  m: {use: §architecture/decoder}\n",
        "architecture/decoder cannot be a step: an architecture stands in the settings of a step, 'architecture: {use: architecture/decoder}'",
    ),
    "missing package": (
        "  m: {use: §filter/lacking}\n",
        "filter/lacking needs no-such-pip, which is not installed (pip install no-such-pip)",
    ),
    "broken module": (
        "  m: {use: §filter/broken}\n",
        "no_such_module_either:Broken cannot be imported: ModuleNotFoundError: No module named 'no_such_module_either' (workbench plugins doctor)",
    ),
    "missing option": (
        "  §raw: {use: source/words}\n",
        "source/words needs the option 'paths'",
    ),
    "text for a number": (
        "  raw: {use: source/words, with: {paths: [a], max_bad: §many}}\n",
        "max_bad must be a whole number, got 'many'",
    ),
    "quoted number": (
        "  raw: {use: source/words, with: {paths: [a], max_bad: §'50'}}\n",
        "max_bad must be a number, got '50'",
    ),
    "no is not false": (
        "  raw: {use: source/words, with: {paths: [a], strict: §no}}\n",
        "strict must be true or false, got 'no'",
    ),
    "true is not one": (
        "  raw: {use: source/words, with: {paths: [a], max_bad: §true}}\n",
        "max_bad must be a number, got true",
    ),
    "fraction for a whole number": (
        "  raw: {use: source/words, with: {paths: [a], max_bad: §1.5}}\n",
        "max_bad must be a whole number, got 1.5",
    ),
    "below the range": (
        "  raw: {use: source/words, with: {paths: [a], max_bad: §-1}}\n",
        "max_bad must be at least 0, got -1",
    ),
    "above the range": (
        "  raw: {use: source/words, with: {paths: [a], share: §2}}\n",
        "share must be at most 1, got 2",
    ),
    "infinite": (
        "  raw: {use: source/words, with: {paths: [a], share: §.nan}}\n",
        "share must be a finite number, got nan",
    ),
    "null for a list": (
        "  raw: {use: source/words, with: {paths: §}}\n",
        "paths must be a list, got null",
    ),
    "number in a list of texts": (
        "  raw: {use: source/words, with: {paths: [a, §3]}}\n",
        "paths.1 must be a text, got 3",
    ),
    "empty list": (
        "  raw: {use: source/words, with: {paths: §[]}}\n",
        "paths must be a list of at least 1, got a list",
    ),
    "whole number or null": (
        "  raw: {use: source/words, with: {paths: [a], limit: §x}}\n",
        "limit must be a whole number, got 'x'",
    ),
    "choice": (
        RAW + "  m: {use: filter/length, inputs: raw, with: {unit: §line}}\n",
        "unit must be 'word' or 'character', got 'line'",
    ),
    "nested is no component": (
        RAW + "  m: {use: filter/several, inputs: raw, with: {filters: [§filter/length]}}\n",
        "filters.0 must be {use: filter/…, with: {…}}, got 'filter/length'",
    ),
    "nested of another kind": (
        RAW + "  m: {use: filter/several, inputs: raw, with: {filters: [{use: §source/words}]}}\n",
        "expected a component of the kind filter, got source/words",
    ),
    "nested unknown": (
        RAW + "  m: {use: filter/several, inputs: raw, with: {filters: [{use: §filter/lenght}]}}\n",
        "unknown filter 'lenght'; did you mean 'length'? (workbench plugins list filter)",
    ),
    "nested unknown key": (
        RAW + "  m: {use: filter/several, inputs: raw, with: {filters: [{use: filter/length, §wth: {}}]}}\n",
        "unknown key 'wth'; did you mean 'with'?",
    ),
    "group option": (
        SPLIT
        + "  bpe: {use: tokenizer/plain, inputs: split.train}\n  ids: {use: tokens/rows, inputs: {corpus: split, tokenizer: bpe}}\n  base: {use: train/learn, inputs: {tokens: ids}, with: {optimizer: {§lrr: 1}, architecture: {use: architecture/decoder}}}\n",
        "unknown option 'lrr' in 'optimizer' of train/learn; did you mean 'lr'?",
    ),
    "group option outside of its group": (
        SPLIT
        + "  bpe: {use: tokenizer/plain, inputs: split.train}\n  ids: {use: tokens/rows, inputs: {corpus: split, tokenizer: bpe}}\n  base: {use: train/learn, inputs: {tokens: ids}, with: {§lr: 1, architecture: {use: architecture/decoder}}}\n",
        "unknown option 'lr' of train/learn; did you mean 'optimizer.lr'?",
    ),
    "tokens wanted": (
        RAW + "  base: {use: train/learn, inputs: {tokens: §raw}, with: {architecture: {use: architecture/decoder}}}\n",
        "the input 'tokens' of train/learn takes tokens; raw gives a corpus",
    ),
    "group value": (
        SPLIT
        + "  bpe: {use: tokenizer/plain, inputs: split.train}\n  ids: {use: tokens/rows, inputs: {corpus: split, tokenizer: bpe}}\n  base: {use: train/learn, inputs: {tokens: ids}, with: {optimizer: {lr: §0}, architecture: {use: architecture/decoder}}}\n",
        "optimizer.lr must be more than 0, got 0",
    ),
    "no inputs at all": (
        "  raw: {use: source/words, inputs: §x, with: {paths: [a]}}\n",
        "source/words takes no inputs",
    ),
    "missing input": (
        RAW + "  §m: {use: filter/length}\n",
        "filter/length needs the input 'corpus' (a corpus)",
    ),
    "unknown port": (
        RAW + "  m: {use: filter/length, inputs: {corpus: raw, §corpse: raw}}\n",
        "unknown input 'corpse' of filter/length; did you mean 'corpus'? (inputs: corpus)",
    ),
    "list for one": (
        RAW + "  m: {use: filter/length, inputs: {corpus: §[raw]}}\n",
        "the input 'corpus' of filter/length takes one step, got a list",
    ),
    "input is a number": (
        RAW + "  m: {use: filter/length, inputs: §3}\n",
        "an input is the name of a step, such as 'raw' or 'split.train', got 3",
    ),
    "unknown step": (
        RAW + "  m: {use: exporter/page, inputs: {corpora: [raw, §rwa]}}\n",
        "unknown step 'rwa'; did you mean 'raw'?",
    ),
    "wrong artifact": (
        MODEL + "  m: {use: filter/length, inputs: §bpe}\n",
        "the input 'corpus' of filter/length takes a corpus; bpe gives a tokenizer",
    ),
    "unknown part": (
        SPLIT + "  m: {use: filter/length, inputs: §split.trian}\n",
        "unknown part 'split.trian'; did you mean 'train'? (parts: train, valid)",
    ),
    "part of what has none": (
        RAW + "  m: {use: filter/length, inputs: §raw.train}\n",
        "raw has no parts; write 'raw'",
    ),
    "part wanted": (
        SPLIT + "  m: {use: tokenizer/plain, inputs: §split}\n",
        "split has parts and tokenizer/plain takes one of them: split.train or split.valid",
    ),
    "cycle": (
        "  a: {use: filter/length, inputs: §b}\n  b: {use: filter/length, inputs: a}\n",
        "the steps wait for each other in a circle: a <- b <- a",
    ),
    "itself": (
        "  a: {use: filter/length, inputs: §a}\n",
        "the steps wait for each other in a circle: a <- a",
    ),
    "run option": (
        RAW + "  m: {use: filter/length, inputs: raw, run: {§wrokers: 2}}\n",
        "unknown option 'wrokers' of run; did you mean 'workers'?",
    ),
    "run value": (
        RAW + "  m: {use: filter/length, inputs: raw, run: {workers: §'2'}}\n",
        "workers must be a whole number, got '2'",
    ),
    "objective that does not fit": (
        SPLIT
        + "  bpe: {use: tokenizer/plain, inputs: split.train}\n  ids: {use: tokens/rows, inputs: {corpus: split, tokenizer: bpe}}\n  base: {use: train/learn, inputs: {tokens: ids}, with: {objective: §{use: objective/hidden}, architecture: {use: architecture/decoder}}}\n",
        "objective/hidden does not fit a decoder; objectives that fit: next",
    ),
    "evaluator that does not fit": (
        MODEL + "  s: {use: evaluator/judge, inputs: {model: §base, heldout: split.valid}}\n",
        "evaluator/judge judges sequence-classification models; base is a causal-lm model; evaluators that fit: judge-any",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_mistake_is_one_line_at_its_place(name: str, mistakes: Mistakes) -> None:
    """Unknown keys are shown at the key, bad values at the value, what is missing at the step."""
    marked, message = WRONG[name]
    before = f"{HEAD}steps:\n{marked.partition('§')[0]}"
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    assert mistakes(marked.replace("§", "")) == [f"p.yaml:{line}:{column}: {message}"]


HEADS = {
    "name: t\nseed: 1\n": ["p.yaml:1:1: the file must say 'workbench: 1', the version of its format"],
    "workbench: 2\n": ["p.yaml:1:12: workbench must be 1, the version of this format, got 2"],
    "workbench: true\n": ["p.yaml:1:12: workbench must be 1, the version of this format, got true"],
    "workbench: 1\nnam: t\n": ["p.yaml:2:1: unknown key 'nam' of a pipeline; did you mean 'name'?"],
    "workbench: 1\nname: ../t\nseed: x\n": [
        "p.yaml:2:7: name must be letters, digits, '.', '_' or '-', at most 64 and not '.' first, got '../t'",
        "p.yaml:3:7: seed must be a whole number from 0, got 'x'",
    ],
    "workbench: 1\nseed: -1\n": ["p.yaml:2:7: seed must be a whole number from 0, got -1"],
    "workbench: 1\nsweep: 3\n": ["p.yaml:2:8: sweep must be a mapping of paths to lists of values"],
    "workbench: 1\nsweep: {raw.with.max_bad: 3}\n": [
        "p.yaml:2:27: raw.with.max_bad must be a list of at least one value to try, got 3"
    ],
    "workbench: 1\nsweep: {rwa.with.max_bad: [3]}\n": ["p.yaml:2:9: unknown step 'rwa'; did you mean 'raw'?"],
    "workbench: 1\nsweep: {raw.with.max_bad: [3, -4, x]}\n": [
        "p.yaml:2:31: max_bad must be at least 0, got -4",
        "p.yaml:2:35: max_bad must be a whole number, got 'x'",
    ],
    "workbench: 1\nsweep: {raw.with.max_bd: [3]}\n": [
        "p.yaml:2:9: unknown option 'max_bd' of source/words; did you mean 'max_bad'?"
    ],
}


@pytest.mark.parametrize("head", HEADS)
def test_the_head_of_the_file_is_checked(head: str, mistakes: Mistakes) -> None:
    """Version, name, seed and sweep."""
    assert mistakes(RAW, head=head) == HEADS[head]


@pytest.mark.parametrize("text", ["3", "[1]", "workbench: 1", "workbench: 1\nsteps: {}", "workbench: 1\nsteps: 3"])
def test_a_file_of_another_shape_is_refused(text: str, registry: Registry) -> None:
    """One line says what a pipeline is."""
    with pytest.raises(PipelineError) as caught:
        read_pipeline(Path("p.yaml"), text, registry)
    assert len(caught.value.problems) == 1


def test_a_mistake_is_not_repeated_by_the_steps_after_it(mistakes: Mistakes) -> None:
    """What is not known is not judged."""
    assert mistakes(MODEL.replace("corpus/halves", "corpus/halfs")) == [
        "p.yaml:6:16: unknown corpus 'halfs'; did you mean 'halves'? (workbench plugins list corpus)"
    ]


def test_a_deprecated_component_is_a_warning(read: Callable[..., Graph]) -> None:
    """It still works, and the graph says what to use."""
    graph = read(RAW + "  m: {use: filter/old, inputs: raw}\n")
    assert [str(warning) for warning in graph.warnings] == ["p.yaml:6:12: filter/old is deprecated: use filter/length"]


def test_inputs_may_be_written_short(read: Callable[..., Graph]) -> None:
    """A name or a list stands for the first port."""
    graph = read(RAW + "  m: {use: filter/length, inputs: raw}\n  p: {use: exporter/page, inputs: [raw, m]}\n")
    assert graph.steps["m"].inputs == {"corpus": InputRef("raw")}
    assert graph.steps["p"].inputs == {"corpora": (InputRef("raw"), InputRef("m"))}


def test_a_file_that_is_not_there_is_named(tmp_path: Path, registry: Registry) -> None:
    """With the nearest name beside it."""
    (tmp_path / "pipeline.yaml").write_text("x")
    with pytest.raises(UsageError, match=r"no such file; did you mean 'pipeline.yaml'\?"):
        read_pipeline(tmp_path / "pipelin.yaml", None, registry)


def test_a_folder_in_the_place_of_a_file_is_told_its_files(tmp_path: Path, registry: Registry) -> None:
    """Who names the folder learns which file was meant, or how to start one."""
    with pytest.raises(UsageError, match=r"is a folder\n  expected: a pipeline file\n  do: workbench init"):
        read_pipeline(tmp_path, None, registry)
    (tmp_path / "p.yaml").write_text("x")
    with pytest.raises(UsageError, match=rf"do: name the file: {tmp_path / 'p.yaml'}"):
        read_pipeline(tmp_path, None, registry)


def test_bytes_that_are_not_utf8_have_a_place(tmp_path: Path, registry: Registry) -> None:
    """Line and column of the first bad byte."""
    (tmp_path / "p.yaml").write_bytes("a: é\nb: ".encode() + b"\xff\n")
    with pytest.raises(PipelineError, match=r"p.yaml:2:4: not UTF-8: the byte 0xFF; save the file as UTF-8"):
        read_pipeline(tmp_path / "p.yaml", None, registry)


def test_a_file_without_a_name_takes_that_of_the_file(tmp_path: Path, registry: Registry) -> None:
    """And its folder is where relative paths start; a byte order mark does no harm."""
    (tmp_path / "tiny.yaml").write_bytes(b"\xef\xbb\xbfworkbench: 1\nsteps:\n" + RAW.encode())
    graph = read_pipeline(tmp_path / "tiny.yaml", None, registry)
    assert (graph.name, graph.seed, graph.base) == ("tiny", 0, tmp_path)
