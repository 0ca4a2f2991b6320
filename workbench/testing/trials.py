"""Run one component as a step, here or in a fresh process, and say what came out.

    python -m workbench.testing.trials TASK.json      prints the digest of the result

A trial is a step without a store: the same dispatch, the same context, folders of the test's own.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.artifacts import ARTIFACTS, Artifact
from workbench.contracts.component import Component, settings_of
from workbench.contracts.context import Context, map_inline
from workbench.contracts.filters import Filter
from workbench.engine.dispatch import Stage, run_step
from workbench.engine.pool import WorkerPool
from workbench.pipeline.settings import component_from_json
from workbench.registry import shared_registry

Inputs = Mapping[str, Artifact | list[Artifact]]


def trial(component: Component, inputs: Inputs, folder: Path, *, workers: int = 1, seed: int = 7) -> Artifact:
    """Run `component` over `inputs` into the empty `folder` and return the artifact.

    With more than one worker, shards are mapped in processes as in a real run.
    """
    shared_registry().name_of(type(component))
    result = folder / "data"
    stages: tuple[Stage, ...] = ("all",)
    if isinstance(component, Filter) and component.measures:
        stages = ("signals", "verdict")
    given: dict[str, Any] = dict(inputs)
    for stage in stages:
        output = result if stage != "signals" else folder / "signals"
        ctx = _context(component, given, folder, output, workers=workers, seed=seed)
        if workers > 1:
            with WorkerPool(workers) as pool:
                ctx.mapper = pool.map
                run_step(component, ctx, stage)
        else:
            run_step(component, ctx, stage)
        given["signals"] = Artifact(output, "signals")
    return ARTIFACTS[type(component).output](result, "trial", step="trial")


def _context(
    component: Component, inputs: Mapping[str, Any], folder: Path, output: Path, *, workers: int, seed: int
) -> Context:
    for path in (output, folder / "scratch", folder / "partial"):
        path.mkdir(parents=True, exist_ok=True)
    return Context(
        step="trial",
        component_id=component.component_id,
        seed=seed,
        base=folder,
        output=output,
        scratch=folder / "scratch",
        partial=folder / "partial",
        inputs=inputs,
        workers=workers,
        threads=1,
        device="cpu",
        mapper=map_inline,
    )


def digest_of(folder: Path) -> str:
    """Return one SHA-256 over the names and bytes of every file below `folder`."""
    total = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            total.update(f"{file.relative_to(folder).as_posix()}\x00{file.stat().st_size}\x00".encode())
            total.update(file.read_bytes())
    return total.hexdigest()


def trial_in_process(component: Component, inputs: Inputs, folder: Path, *, hash_seed: int, workers: int = 1) -> str:
    """Run a trial in a fresh Python with this hash seed and number of workers; return the digest of the result."""
    folder.mkdir(parents=True, exist_ok=True)
    task = {
        "use": component.component_id,
        "settings": settings_of(component),
        "inputs": {port: _to_json(given) for port, given in inputs.items()},
        "folder": str(folder),
        "workers": workers,
    }
    path = folder / "task.json"
    path.write_text(json.dumps(task), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "workbench.testing.trials", str(path)],
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip().splitlines()[-1]


def another_hash_seed() -> int:
    """Return a hash seed that is not this process's, which is random or given by `PYTHONHASHSEED`."""
    return 2 if os.environ.get("PYTHONHASHSEED") == "1" else 1


def _to_json(given: Artifact | list[Artifact]) -> Any:
    if isinstance(given, list):
        return [_to_json(item) for item in given]
    names = {"fingerprint": given.fingerprint, "step": given.step}
    return {"type": given.type, "path": str(given.path), "part": given.part, **names}


def _from_json(given: Any) -> Any:
    if isinstance(given, list):
        return [_from_json(item) for item in given]
    return ARTIFACTS[given["type"]](Path(given["path"]), given["fingerprint"], given["part"], given["step"])


def main() -> None:
    """Run the trial that a task file describes and print the digest of its result."""
    task = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    component = component_from_json(shared_registry(), {"use": task["use"], "with": task["settings"]})
    inputs = {port: _from_json(given) for port, given in task["inputs"].items()}
    result = trial(component, inputs, Path(task["folder"]), workers=task["workers"])
    sys.stdout.write(digest_of(result.path) + "\n")


if __name__ == "__main__":
    main()
