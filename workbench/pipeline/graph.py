"""The graph of steps that a pipeline file, or the Python form, stands for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from workbench.contracts.component import Component
from workbench.errors import Problem, UnknownName


@dataclass(frozen=True)
class InputRef:
    """The result of another step, or one part of it.

    >>> str(InputRef("split", "train"))
    'split.train'
    """

    step: str
    part: str | None = None

    def __str__(self) -> str:
        return self.step if self.part is None else f"{self.step}.{self.part}"

    @classmethod
    def parse(cls, text: str) -> InputRef:
        """Read `step` or `step.part`."""
        step, _, part = text.partition(".")
        return cls(step, part or None)


class RunOptions(BaseModel):
    """How a step runs, never what it computes: outside the fingerprint."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    executor: str | None = Field(
        None, pattern=r"^[a-z][a-z0-9-]*$", description="who runs it: local, inline, torchrun, …"
    )
    workers: int | None = Field(None, ge=1, description="processes for shard-parallel work")
    threads: int | None = Field(None, ge=1, description="threads of one process")
    processes: int | None = Field(None, ge=1, description="training processes, one for each device")
    device: str | None = Field(None, pattern=r"^(auto|cpu|cuda|cuda:[0-9]+)$", description="auto, cpu, cuda or cuda:N")


Refs = InputRef | tuple[InputRef, ...]


@dataclass(frozen=True)
class Step:
    """One component, its settings and its inputs."""

    name: str
    component: Component
    inputs: Mapping[str, Refs] = field(default_factory=dict)
    run: RunOptions = field(default_factory=RunOptions)

    @property
    def refs(self) -> Iterator[InputRef]:
        """Every input, ports in order."""
        for refs in self.inputs.values():
            yield from refs if isinstance(refs, tuple) else (refs,)


@dataclass(frozen=True)
class Graph:
    """A checked pipeline.

    Attributes:
        name: The pipeline's name.
        seed: The one seed.
        steps: Every step by name; each stands after the steps it needs, otherwise in file order.
        base: The folder that relative paths in settings start from.
        sweep: Path of a setting → the values to try, one run for each combination.
        source: The YAML text as run, overrides applied.
        warnings: What works but should be changed, such as a deprecated component.
    """

    name: str
    seed: int
    steps: dict[str, Step]
    base: Path
    sweep: Mapping[str, list[Any]] = field(default_factory=dict)
    source: str = ""
    warnings: tuple[Problem, ...] = ()

    def until(self, step: str) -> Graph:
        """Return the graph of `step` and of all that it needs. Raises `UnknownName`."""
        if step not in self.steps:
            raise UnknownName.among("step", step, self.steps)
        needed = {step}
        for name in reversed(self.steps):
            if name in needed:
                needed.update(ref.step for ref in self.steps[name].refs)
        return replace(self, steps={name: self.steps[name] for name in self.steps if name in needed})
