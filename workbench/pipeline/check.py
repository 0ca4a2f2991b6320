"""From a pipeline file to a checked graph, or to every mistake in it at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from workbench.contracts.references import ComponentRef
from workbench.errors import EnvironmentProblem, PipelineError, Problem, UsageError, WorkbenchError, did_you_mean
from workbench.pipeline.document import NO_STEPS, PIPELINE_NAME, Document, StepNode, read_document
from workbench.pipeline.graph import Graph, RunOptions, Step
from workbench.pipeline.overrides import apply_overrides, set_value
from workbench.pipeline.setting_messages import SettingProblem, explain
from workbench.pipeline.settings import build_settings, one_line
from workbench.pipeline.wiring import Wire, check_wiring, order_steps, read_inputs
from workbench.pipeline.yaml_nodes import MAX_BYTES, Node, parse_yaml
from workbench.pipeline.yaml_write import write_yaml
from workbench.registry import Registry

TEXT = "<text>"
MAX_NAMED = 3  # files of a folder that was given for one


def read_pipeline(
    path: Path | None,
    text: str | None,
    registry: Registry,
    overrides: Sequence[str] = (),
    base: Path | None = None,
) -> Graph:
    """Return the checked graph of a pipeline file or text.

    Args:
        path: The file; also names the places of mistakes when `text` is given too.
        text: Its content, when it does not have to be read.
        registry: The components there are.
        overrides: `path=value` settings that replace those of the file.
        base: The folder relative paths start from; default: the file's folder, for text the working folder.

    Raises `PipelineError` with every mistake, `UsageError` when there is no such file, `EnvironmentProblem` when it
    cannot be read.
    """
    file = str(path) if path is not None else TEXT
    if text is None:
        if path is None:
            raise UsageError("neither a pipeline file nor its text was given")
        text = read_text(path)
    written = parse_yaml(text, file)
    root, problems = apply_overrides(written, overrides)
    default = path.stem if path is not None and PIPELINE_NAME.match(path.stem) else "pipeline"
    reading = _Reading(registry, read_document(root, default, problems), problems)
    graph_steps = reading.steps()
    reading.check_sweep(root)
    if problems:
        raise PipelineError(sorted(set(problems)))
    return Graph(
        name=reading.document.name,
        seed=reading.document.seed,
        steps=graph_steps,
        base=base or (path.resolve().parent if path is not None else Path.cwd()),
        sweep={name: values.plain for name, values in reading.document.sweep.items()},
        source=text if root is written else write_yaml(root.plain),
        warnings=tuple(sorted(set(reading.warnings))),
    )


def read_text(path: Path) -> str:
    """Return the text of a pipeline file. Raises `PipelineError` when it is too large or not UTF-8."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 4)
    except FileNotFoundError:
        near = did_you_mean(path.name, [other.name for other in path.parent.glob("*.y*ml")])
        raise UsageError(f"no such file{near}", where=str(path), expected="a pipeline file") from None
    except IsADirectoryError:
        inside = sorted(str(other) for other in path.glob("*.y*ml"))[:MAX_NAMED]
        advice = f"name the file: {' or '.join(inside)}" if inside else "workbench init NAME starts a folder with one"
        raise UsageError("is a folder", where=str(path), expected="a pipeline file", advice=advice) from None
    except OSError as error:
        raise EnvironmentProblem(f"cannot be read: {error.strerror}", where=str(path)) from error
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(content) > MAX_BYTES:  # the cut may have gone through a character; too large is reported by the parser
            return content.decode("utf-8", "replace")
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        message = f"not UTF-8: the byte 0x{content[error.start]:02X}; save the file as UTF-8"
        raise PipelineError([Problem(str(path), line, column, message)]) from None


class _Reading:
    """One pass over a document: components, inputs, wiring."""

    def __init__(self, registry: Registry, document: Document, problems: list[Problem]) -> None:
        self.registry = registry
        self.document = document
        self.problems = problems
        self.warnings: list[Problem] = []

    def steps(self) -> dict[str, Step]:
        """Return the steps in the order they can run, adding every mistake to `problems`."""
        nodes = self.document.steps
        wires = {name: self._wire(node) for name, node in nodes.items()}
        for name, problem in check_wiring(wires, self.registry):
            self._report(nodes[name], problem)
        runs = {name: self._run_options(node) for name, node in nodes.items()}
        ordered, _ = order_steps(wires)
        return {
            name: Step(name, component, wires[name].inputs, runs[name])
            for name in ordered
            if (component := wires[name].component) is not None
        }

    def check_sweep(self, root: Node) -> None:
        """Check every value of the sweep in its place, each by itself."""
        entry = root.entries.get("sweep")
        for path, values in self.document.sweep.items():
            mark = entry.node.locate((path,), key=True) if entry else root.mark
            for value in values.value if isinstance(values.value, tuple) else ():
                try:
                    changed = set_value(root, path, value, mark)
                except PipelineError as error:
                    self.problems += error.problems
                    break
                found: list[Problem] = []
                _Reading(self.registry, read_document(changed, self.document.name, found), found).steps()
                self.problems += found

    def _wire(self, node: StepNode) -> Wire:
        wire = Wire(node.use or "?")
        if node.use is None:
            return self._with_inputs(node, wire)
        try:
            ref = self.registry.get(node.use)
            if ref.kind in NO_STEPS:
                raise UsageError(self._not_a_step(ref))
            self._warn(ref, node)
            wire.cls = self.registry.load(node.use)
            raw = node.plain("with")
            given: Mapping[str, object] = raw if isinstance(raw, Mapping) else {}
            wire.component, found = build_settings(self.registry, wire.cls, ref.id, given, ("with",))
            for problem in found:
                self._report(node, problem)
        except WorkbenchError as error:
            self._report(node, SettingProblem(("use",), one_line(error)))
        return self._with_inputs(node, wire)

    def _with_inputs(self, node: StepNode, wire: Wire) -> Wire:
        for problem in read_inputs(node.plain("inputs"), wire):
            self._report(node, problem)
        return wire

    def _not_a_step(self, ref: ComponentRef) -> str:
        article = "an" if ref.kind[0] in "aeo" else "a"
        return f"{ref.id} cannot be a step: {article} {ref.kind} stands in the settings of a step, '{ref.kind}: {{use: {ref.id}}}'"

    def _warn(self, ref: ComponentRef, node: StepNode) -> None:
        if ref.deprecated:
            mark = node.locate(("use",), on_key=False)
            self.warnings.append(mark.problem(f"{ref.id} is deprecated: {ref.deprecated}"))

    def _run_options(self, node: StepNode) -> RunOptions:
        raw = node.plain("run")
        if not isinstance(raw, Mapping):
            return RunOptions()
        try:
            return RunOptions.model_validate(raw, strict=True)
        except ValidationError as error:
            for problem in explain(error, RunOptions, "run", raw, ("run",)):
                self._report(node, problem)
            return RunOptions()

    def _report(self, node: StepNode, problem: SettingProblem) -> None:
        self.problems.append(node.locate(problem.path, on_key=problem.on_key).problem(problem.message))
