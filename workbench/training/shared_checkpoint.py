"""Checkpoints of several processes: those that hold all weights let process 0 write; split ones are written by all.

Parts of split tensors go through PyTorch's distributed checkpoint into safetensors (its other format is a pickle), so
another number of processes can go on from them, one alone, too; what is whole goes into the file a single process would
write, and is split where the weights are split now. The card with the digests of all files is written last, as there.
Every process must see the same folder.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.contracts.context import Context
from workbench.errors import EnvironmentProblem
from workbench.files.digest import digest_file
from workbench.training.checkpoint import Checkpoints, State
from workbench.training.group import Group

if TYPE_CHECKING:
    import torch

SPLIT = "split"  # the fact that names the tensors in parts


class SharedCheckpoints(Checkpoints):
    """The checkpoints of one training run of several processes.

    Args:
        ctx: Its folder `partial` is where they lie.
        seconds: As for `Checkpoints`.
        group: The processes.
        parameters: What learns; a split tensor is laid out like the parameter it belongs to.
    """

    def __init__(
        self, ctx: Context, seconds: float, group: Group, parameters: Mapping[str, torch.nn.Parameter]
    ) -> None:
        super().__init__(ctx.partial, seconds, ctx.log)
        self._group = group
        self._parameters = parameters

    def save(self, state: State) -> None:
        """Write `state`. All processes must call it, with the same step."""
        from torch.distributed.tensor import DTensor

        split = {name: value for name, value in state.tensors.items() if isinstance(value, DTensor)}
        if split:
            self._save_parts(state.step, split)
        if self._group.leads:
            whole = {name: value for name, value in state.tensors.items() if name not in split}
            super().save(replace(state, tensors=whole, facts={**state.facts, SPLIT: sorted(split)}))
        self._group.wait()

    def _save_parts(self, step: int, split: Mapping[str, torch.Tensor]) -> None:
        from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageWriter
        from torch.distributed.checkpoint.state_dict_saver import save

        folder = self._parts(step)
        if self._group.leads:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        self._group.wait()
        with _quiet():
            save(dict(split), storage_writer=HuggingFaceStorageWriter(str(folder), save_distributed=True))
        self._group.wait()

    def newest(self) -> State | None:
        """Return the newest whole checkpoint: the one that process 0 finds, for all."""
        found = super().newest() if self._group.leads else None
        (step,) = self._group.total([float(found.step) if found else 0.0])
        if not step:
            return None
        state = found or self._read(int(step))
        if state is None:
            raise EnvironmentProblem(
                f"process {self._group.rank} cannot read the checkpoint of step {step:.0f}",
                where=str(self.folder),
                expected="a folder that all processes share",
            )
        return self._with_parts(self._with_splits(state))

    def _with_splits(self, state: State) -> State:
        """Split whole tensors like the parameters they belong to, where these are split."""
        from torch.distributed.tensor import DTensor, distribute_tensor

        tensors = dict(state.tensors)
        for name, value in state.tensors.items():
            parameter: Any = self._parameters.get(self._owner(name))
            if isinstance(parameter, DTensor) and value.shape == parameter.shape:
                tensors[name] = distribute_tensor(value, parameter.device_mesh, parameter.placements)
        return replace(state, tensors=tensors)

    def _with_parts(self, state: State) -> State:
        """Add the parts of split tensors that belong to this process."""
        import torch
        from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageReader
        from torch.distributed.checkpoint.state_dict_loader import load

        names = state.facts.get(SPLIT, [])
        if not names:
            return state
        with torch.no_grad():
            split = {name: torch.zeros_like(self._parameters[self._owner(name)]) for name in names}
        with _quiet():
            load(split, storage_reader=HuggingFaceStorageReader(str(self._parts(state.step))))
        return replace(state, tensors={**state.tensors, **split})

    @staticmethod
    def _owner(name: str) -> str:
        """Return the name of the parameter that a tensor of a checkpoint belongs to."""
        kind, _, rest = name.partition("/")
        return rest.rpartition("/")[0] if kind == "optimizer" else rest

    def _digests(self, step: int) -> dict[str, Any]:
        parts = sorted(self._parts(step).glob("*")) if self._parts(step).exists() else []
        return {**super()._digests(step), **({"parts": {p.name: digest_file(p) for p in parts}} if parts else {})}

    def _parts(self, step: int) -> Path:
        return self.folder / f"step-{step:08d}.parts"

    def _remove(self, step: int) -> None:
        super()._remove(step)
        shutil.rmtree(self._parts(step), ignore_errors=True)


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():  # that this is a beta, and that storage readers of one process are for one process
        warnings.simplefilter("ignore")
        yield
