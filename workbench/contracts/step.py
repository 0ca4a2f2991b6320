"""Steps of the core itself: the kinds `corpus`, `tokens` and `train`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from workbench.contracts.component import Component

if TYPE_CHECKING:
    from workbench.contracts.context import Context
    from workbench.contracts.model import Mismatch

Facts = Mapping[str, str]


class CoreStep(Component):
    """A component that runs by itself: reads `ctx.inputs`, fills `ctx.output`."""

    @property
    def is_shared(self) -> bool:
        """Whether several processes can work on this step together (`run: {executor: torchrun, processes: 4}`)."""
        return False

    @abstractmethod
    def run(self, ctx: Context) -> None:
        """Do the work."""

    def facts(self, inputs: Mapping[str, Facts]) -> Facts:
        """Return what is known of the result before it runs (`family`, `head`), given the same of each input."""
        return next((facts for facts in inputs.values() if facts), {})

    def mismatches(self, inputs: Mapping[str, Facts]) -> list[Mismatch]:
        """Return what does not go together in the settings, or with the inputs."""
        del inputs
        return []
