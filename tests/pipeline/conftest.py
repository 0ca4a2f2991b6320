"""Small components of every kind, in a registry of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import BaseModel, ConfigDict

from workbench.contracts.component import Component, DigestFile, Field, Runtime, Threshold
from workbench.contracts.evaluation import Evaluator, Exporter
from workbench.contracts.filters import Filter, RowFilter
from workbench.contracts.model import Architecture, Mismatch, Objective, Tuning
from workbench.contracts.ports import Port
from workbench.contracts.references import ComponentRef
from workbench.contracts.source import Source
from workbench.contracts.step import CoreStep
from workbench.contracts.tokenizer import Tokenizer
from workbench.errors import PipelineError
from workbench.pipeline.check import read_pipeline
from workbench.pipeline.graph import Graph
from workbench.registry import Registry


class Words(Source):
    """Documents from files."""

    paths: tuple[str, ...] = Field(min_length=1)
    max_bad: int = Field(1000, ge=0)
    share: float = Field(0.5, ge=0, le=1)
    strict: bool = False
    limit: int | None = None

    def read(self, ctx: Any) -> Any:
        """Read nothing."""

    def digests(self, base: Path, digest: DigestFile) -> dict[str, str]:
        """Return the digest of every file."""
        return {path: digest(base / path) for path in self.paths}


class Length(RowFilter):
    """Keep documents whose length lies in a range."""

    min_words: Annotated[int, Threshold] = Field(50, ge=0)
    max_words: Annotated[int, Threshold] = Field(1000, ge=1)
    unit: Literal["word", "character"] = "word"
    batch: Annotated[int, Runtime] = 64

    def signals(self) -> Any:
        """Measure nothing."""
        return {}

    def rules(self) -> Any:
        """Drop nothing."""
        return {}


class Several(Filter):
    """Filters one after the other."""

    filters: tuple[Filter, ...] = Field(min_length=1)

    @property
    def measures(self) -> bool:
        """Whether one of them does."""
        return any(inner.measures for inner in self.filters)


class Halves(CoreStep):
    """Train and valid parts."""

    kind: ClassVar[str] = "corpus"
    stochastic: ClassVar[bool] = True
    inputs: ClassVar[Mapping[str, Port]] = {"corpus": Port("corpus", whole=True)}
    output: ClassVar[str] = "corpus"
    valid: float = Field(0.1, gt=0, lt=1)

    def run(self, ctx: Any) -> None:
        """Do nothing."""

    def parts(self, inputs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        """Return the two parts."""
        return ("train", "valid")


class Plain(Tokenizer):
    """A tokenizer."""

    vocab_size: int = Field(16_000, ge=1)

    def train(self, texts: Any, ctx: Any) -> Any:
        """Learn nothing."""


class Rows(CoreStep):
    """Token ids."""

    kind: ClassVar[str] = "tokens"
    inputs: ClassVar[Mapping[str, Port]] = {"corpus": Port("corpus", whole=True), "tokenizer": Port("tokenizer")}
    output: ClassVar[str] = "tokens"

    def run(self, ctx: Any) -> None:
        """Do nothing."""


class Decoder(Architecture):
    """A decoder."""

    family: ClassVar[Any] = "decoder"
    head: ClassVar[Any] = "causal-lm"

    def build(self, vocab: Any, ctx: Any) -> Any:
        """Build nothing."""


class Encoder(Decoder):
    """An encoder."""

    family: ClassVar[Any] = "encoder"
    head: ClassVar[Any] = "masked-lm"


class Next(Objective):
    """The next token."""

    families: ClassVar[Any] = ("decoder",)
    head: ClassVar[Any] = "causal-lm"

    def collate(self, examples: Any, rng: Any) -> Any:
        """Collate nothing."""

    def loss(self, model: Any, batch: Any) -> Any:
        """Lose nothing."""


class Hidden(Next):
    """Hidden tokens."""

    families: ClassVar[Any] = ("encoder",)
    head: ClassVar[Any] = "masked-lm"


class Everything(Tuning):
    """Every weight."""

    def prepare(self, model: Any, ctx: Any) -> Any:
        """Change nothing."""


class Optimizer(BaseModel):
    """How weights move."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    lr: float = Field(1e-3, gt=0)
    warmup: int = 100


class Learn(CoreStep):
    """Train a model."""

    kind: ClassVar[str] = "train"
    stochastic: ClassVar[bool] = True
    inputs: ClassVar[Mapping[str, Port]] = {"tokens": Port("tokens", whole=True)}
    output: ClassVar[str] = "model"
    architecture: Architecture
    objective: Objective = Next()
    optimizer: Optimizer = Optimizer()

    def run(self, ctx: Any) -> None:
        """Do nothing."""

    def facts(self, inputs: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
        """Return the family and head of the model."""
        return {"family": self.architecture.family, "head": self.objective.head}

    def mismatches(self, inputs: Mapping[str, Mapping[str, str]]) -> list[Mismatch]:
        """Return an objective that does not fit the architecture."""
        family = self.architecture.family
        if family in self.objective.families:
            return []

        def suits(cls: type[Component]) -> bool:
            return issubclass(cls, Objective) and family in cls.families

        return [Mismatch(("objective",), f"{self.objective.component_id} does not fit a {family}", "objective", suits)]


class Judge(Evaluator):
    """Judge classifiers."""

    heads: ClassVar[tuple[str, ...]] = ("sequence-classification",)

    def evaluate(self, model: Any, data: Any, ctx: Any) -> Any:
        """Judge nothing."""


class JudgeAny(Judge):
    """Judge anything."""

    heads: ClassVar[tuple[str, ...]] = ()


class Page(Exporter):
    """Many inputs."""

    inputs: ClassVar[Mapping[str, Port]] = {
        "corpora": Port("corpus", many=True, whole=True),
        "models": Port("model", many=True, optional=True),
    }

    def export(self, artifact: Any, path: Path, ctx: Any) -> None:
        """Write nothing."""


CLASSES = {
    "source/words": Words,
    "filter/length": Length,
    "filter/several": Several,
    "corpus/halves": Halves,
    "tokenizer/plain": Plain,
    "tokens/rows": Rows,
    "architecture/decoder": Decoder,
    "architecture/encoder": Encoder,
    "objective/next": Next,
    "objective/hidden": Hidden,
    "tuning/everything": Everything,
    "train/learn": Learn,
    "evaluator/judge": Judge,
    "evaluator/judge-any": JudgeAny,
    "exporter/page": Page,
}


@pytest.fixture
def registry() -> Registry:
    """Return a registry of the components above, one that is deprecated and one that lacks a package."""
    found = Registry.of(
        [
            ComponentRef("filter", "old", f"{__name__}:Length", "old", deprecated="use filter/length"),
            ComponentRef("filter", "lacking", "nowhere:Lacking", "lacking", requires=("no_such_module:no-such-pip",)),
            ComponentRef("filter", "broken", "no_such_module_either:Broken", "broken"),
        ]
    )
    for use, cls in CLASSES.items():
        kind, _, name = use.partition("/")
        found.register(kind, name)(cls)
    return found


Read = Callable[..., Graph]


@pytest.fixture
def read(registry: Registry) -> Read:
    """Return a function that reads the steps of a pipeline given as text."""

    def read_steps(
        steps: str, *overrides: str, head: str = "workbench: 1\nname: t\nseed: 1\n", tail: str = ""
    ) -> Graph:
        return read_pipeline(Path("p.yaml"), f"{head}steps:\n{steps}{tail}", registry, overrides)

    return read_steps


@pytest.fixture
def mistakes(read: Read) -> Callable[..., list[str]]:
    """Return a function that reads like `read` and gives the mistakes as lines."""

    def find(*arguments: str, **parts: str) -> list[str]:
        with pytest.raises(PipelineError) as caught:
            read(*arguments, **parts)
        return [str(problem) for problem in caught.value.problems]

    return find
