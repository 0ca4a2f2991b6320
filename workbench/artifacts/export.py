"""Export: a folder in somebody else's format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from workbench.artifacts.base import Artifact

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Export(Artifact):
    """Exported files."""

    type: ClassVar[str] = "export"

    @property
    def files(self) -> list[Path]:
        """Every file, sorted by name."""
        return sorted(file for file in self.path.rglob("*") if file.is_file())
