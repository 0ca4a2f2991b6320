"""Components for the tests of the engine: small, and as badly behaved as the rules need.

Run as a program it runs a pipeline, so that a test can kill it: `python engine_parts.py STORE YAML [EXECUTOR]`.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import polars as pl

from workbench.contracts.component import Field, Threshold
from workbench.contracts.context import Context
from workbench.contracts.filters import CorpusFilter, Kernel, KernelColumn, RowFilter
from workbench.contracts.ports import Port
from workbench.contracts.records import document_id, documents
from workbench.contracts.references import ComponentRef
from workbench.contracts.source import Source
from workbench.contracts.step import CoreStep
from workbench.engine.execute import execute
from workbench.errors import StepError
from workbench.files.digest import DigestCache
from workbench.pipeline.check import read_pipeline
from workbench.pipeline.fingerprint import Identity, identify
from workbench.pipeline.graph import Graph
from workbench.registry import Registry
from workbench.store.objects import Store
from workbench.store.runs import RunRecord, Runs

MODULE = "engine_parts"


class Write(CoreStep):
    """Write a text and what the inputs hold."""

    kind: ClassVar[str] = "corpus"
    inputs: ClassVar = {"before": Port("export", optional=True, many=True)}
    output: ClassVar[str] = "export"

    text: str = "x"
    seconds: float = 0
    count: str | None = None  # a file that gets one line for each time this runs

    def run(self, ctx: Context) -> None:
        if self.count:
            with Path(self.count).open("a") as file:
                file.write(f"{ctx.step} {os.getpid()}\n")
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            time.sleep(0.02)
            ctx.progress(0, None)
        before = [artifact.path.joinpath("text").read_text() for artifact in ctx.inputs.get("before", [])]
        (ctx.output / "text").write_text(self.text + "".join(before))


class Count(Source):
    """Give documents of one to so many words."""

    num_documents: int = 6

    def read(self, ctx: Context) -> Iterator[pl.DataFrame]:
        rows = [
            {"id": document_id("00", n), "text": " ".join(["word"] * n), "source": "count"}
            for n in range(1, self.num_documents + 1)
        ]
        yield documents(rows)


class AtLeast(RowFilter):
    """Keep documents of so many words."""

    min_words: Annotated[int, Threshold] = 3
    separator: str = " "

    def signals(self) -> dict[str, pl.Expr]:
        return {"num_words": pl.col("text").str.count_matches(self.separator, literal=True) + 1}

    def rules(self) -> dict[str, pl.Expr]:
        return {"too-few-words": pl.col("num_words") < self.min_words}


def _die_on(texts: pl.Series, words: list[int]) -> None:
    """Crash as native code would when one of the texts has so many words."""
    if (texts.str.count_matches(" ", literal=True) + 1).is_in(words).any():
        os.kill(os.getpid(), 11)


@dataclass(frozen=True)
class FatalKernel(Kernel):
    """Count words, and die of some counts."""

    words: tuple[int, ...]

    def compute(self, batch: pl.DataFrame) -> pl.DataFrame:
        _die_on(batch["text"], list(self.words))
        return batch.select(num_words=pl.col("text").str.count_matches(" ", literal=True) + 1)


class Fatal(RowFilter):
    """Drop single words; die on documents of so many words."""

    words: tuple[int, ...] = ()
    min_words: Annotated[int, Threshold] = 2

    def signals(self) -> dict[str, KernelColumn]:
        return {"num_words": FatalKernel(self.words).column("num_words")}

    def rules(self) -> dict[str, pl.Expr]:
        return {"too-few-words": pl.col("num_words") < self.min_words}


class FatalSketch(CorpusFilter):
    """Keep everything; die on documents of so many words."""

    words: tuple[int, ...] = ()

    def sketch(self, batch: pl.DataFrame) -> pl.DataFrame:
        _die_on(batch["text"], list(self.words))
        return batch.select("id")

    def resolve(self, sketches: pl.LazyFrame) -> pl.DataFrame:
        return sketches.select("id", reason=pl.lit("none")).filter(pl.lit(value=False)).collect()


class Misbehave(CoreStep):
    """Do one bad thing, then write."""

    kind: ClassVar[str] = "corpus"
    output: ClassVar[str] = "export"

    how: str = "print"
    value: int = 0

    def run(self, ctx: Context) -> None:
        getattr(self, f"_{self.how}")(ctx)
        (ctx.output / "text").write_text(f"{self.how} {self.value}")

    def _print(self, ctx: Context) -> None:
        print("said by Python \x1b[31m")  # noqa: T201  # what is tested
        os.write(1, b"said by C\n")
        sys.stderr.write("an error line\n")

    def _exit(self, ctx: Context) -> None:
        print("leaving")  # noqa: T201  # what is tested
        sys.exit(3)

    def _os_exit(self, ctx: Context) -> None:
        os._exit(7)

    def _die(self, ctx: Context) -> None:
        print("last words \x1b[31m", flush=True)  # noqa: T201  # what is tested
        os.kill(os.getpid(), 9)

    def _fail(self, ctx: Context) -> None:
        raise ValueError("no such \x1b[31m thing")

    def _thread(self, ctx: Context) -> None:
        threading.Thread(target=time.sleep, args=(60,)).start()

    def _pid(self, ctx: Context) -> None:
        ctx.log(str(os.getpid()))

    def _link(self, ctx: Context) -> None:
        (ctx.output / "link").symlink_to("/etc/passwd")

    def _memory(self, ctx: Context) -> None:
        block = bytearray(200 << 20)
        block[::4096] = b"x" * len(block[::4096])

    def _metrics(self, ctx: Context) -> None:
        for number in range(5):
            ctx.metrics(number, loss=1 / (number + 1), other=float("nan"))

    def _stubborn(self, ctx: Context) -> None:
        Path("started.new").write_text(str(os.getpid()))
        Path("started.new").rename("started")
        time.sleep(60)

    def _fill(self, ctx: Context) -> None:
        (ctx.output / "block").write_bytes(b"x" * (500 << 10))

    def _disk_full(self, ctx: Context) -> None:
        raise OSError(28, "No space left on device")


class Together(CoreStep):
    """Shared by several processes, of which one may misbehave while the others wait for it."""

    kind: ClassVar[str] = "corpus"
    output: ClassVar[str] = "export"

    how: str = "well"
    rank: int = 1

    @property
    def is_shared(self) -> bool:
        return True

    def run(self, ctx: Context) -> None:
        ctx.log(f"process {ctx.rank} of {ctx.processes}, {ctx.threads} threads")
        if self.how == "well":
            (ctx.scratch / str(ctx.rank)).touch()
        elif ctx.rank == self.rank:
            while len(list(ctx.base.glob("pid-*"))) < ctx.processes - 1:
                time.sleep(0.01)
            getattr(self, f"_{self.how}")(ctx)
        else:
            self._wait(ctx)
        if ctx.rank == 0:
            while len(list(ctx.scratch.iterdir())) < ctx.processes:
                time.sleep(0.01)
            (ctx.output / "text").write_text(f"{ctx.processes}")

    def _wait(self, ctx: Context) -> None:
        (ctx.base / f"pid-{ctx.rank}").write_text(str(os.getpid()))
        while True:
            time.sleep(0.02)
            ctx.progress(0, None)
            if (ctx.scratch / "gone").exists():
                raise StepError("another process of the step is gone: closed by peer")

    def _die(self, ctx: Context) -> None:
        os.kill(os.getpid(), 9)

    def _fail(self, ctx: Context) -> None:
        (ctx.scratch / "gone").touch()
        time.sleep(0.2)  # the others speak first
        raise ValueError("no such thing")


class Spread(CoreStep):
    """Run a task for each number in the pool."""

    kind: ClassVar[str] = "corpus"
    output: ClassVar[str] = "export"

    how: str = "square"
    num_tasks: int = Field(20)

    def run(self, ctx: Context) -> None:
        tasks = [{"number": number} for number in range(self.num_tasks)]
        results = ctx.map(f"{MODULE}:{self.how}", tasks)
        (ctx.output / "text").write_text("\n".join(str(result["number"]) for result in results))
        ctx.log(f"processes {len({result['pid'] for result in results})}")


def square(task: dict) -> dict:
    """Return the square, later for the first tasks, so that results come out of order."""
    time.sleep(0.05 if task["number"] == 0 else 0.002)
    return {"number": task["number"] ** 2, "pid": os.getpid()}


def die_at_seven(task: dict) -> dict:
    """Die at one task."""
    if task["number"] == 7:
        os.kill(os.getpid(), 9)
    return square(task)


def fail_at_seven(task: dict) -> dict:
    """Raise at one task."""
    if task["number"] == 7:
        raise ValueError("seven")
    return square(task)


REFS = (
    ComponentRef("corpus", "write", f"{MODULE}:Write", "writes"),
    ComponentRef("source", "count", f"{MODULE}:Count", "counts"),
    ComponentRef("filter", "at-least", f"{MODULE}:AtLeast", "filters"),
    ComponentRef("filter", "fatal", f"{MODULE}:Fatal", "dies"),
    ComponentRef("filter", "fatal-sketch", f"{MODULE}:FatalSketch", "dies"),
    ComponentRef("corpus", "misbehave", f"{MODULE}:Misbehave", "misbehaves"),
    ComponentRef("corpus", "spread", f"{MODULE}:Spread", "spreads"),
    ComponentRef("corpus", "together", f"{MODULE}:Together", "works with others"),
)


def run(root: Path, steps: str, **how) -> RunRecord:
    """Run the steps (YAML flow, one line each) in the store at `root`."""
    registry = how.pop("registry", None) or Registry.of(REFS)
    graph, identities = prepare(root, steps, registry)
    return execute(graph, identities, Store(root), Runs(root), registry=registry, **how)


def prepare(root: Path, steps: str, registry: Registry) -> tuple[Graph, dict[str, Identity]]:
    """Return the checked graph of the steps and what they are called."""
    lines = "\n".join(f"  {line.strip()}" for line in steps.strip().splitlines())
    graph = read_pipeline(None, f"workbench: 1\nname: tried\nseed: 1\nsteps:\n{lines}\n", registry)
    return graph, identify(graph, DigestCache(root / "cache"))


def contents(root: Path) -> dict[str, bytes]:
    """Return every file of every object, by path below `objects/`."""
    objects = root / "objects"
    return {str(file.relative_to(objects)): file.read_bytes() for file in objects.rglob("*") if file.is_file()}


def statuses(record: RunRecord) -> dict[str, str]:
    """Return step → status."""
    return {step.name: step.status for step in record.steps}


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    executor = sys.argv[3] if len(sys.argv) > 3 else None
    sys.exit(run(Path(sys.argv[1]), sys.argv[2], executor=executor).exit_status)
